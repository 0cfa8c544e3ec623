"""The command `sdpo-gym serve`."""

from __future__ import annotations

import argparse

from sdpo_gym.arguments import import_from_current_folder, parse_env_args
from sdpo_gym.serving.client import TOKEN_VARIABLE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("env", metavar="ENV", help="a registered text environment; module:id imports a module first")
    parser.add_argument("--env-arg", action="append", default=[], metavar="KEY=VALUE", help="for the environment")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine)")
    parser.add_argument("--port", type=int, default=8643, help="0 for a free one (default: %(default)s)")
    parser.add_argument("--new-token", action="store_true", help=f"make a token and print it; else {TOKEN_VARIABLE}")
    parser.add_argument("--max-sessions", type=int, default=256, help="at the same time (default: %(default)s)")
    parser.add_argument(
        "--idle-seconds", type=float, default=3600, help="that a session may last (default: %(default)s)"
    )
    parser.add_argument("--max-message-mb", type=int, default=16, help="size of a message (default: %(default)s)")
    parser.add_argument("--certificate", metavar="FILE", help="serve https with this certificate")
    parser.add_argument("--key", metavar="FILE", help="the certificate's private key")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from sdpo_gym.http_server import find_token
    from sdpo_gym.serving.server import serve

    import_from_current_folder()
    token = find_token(TOKEN_VARIABLE, options.new_token)
    serve(
        options.env,
        parse_env_args(options.env_arg),
        token,
        host=options.host,
        port=options.port,
        certificate=options.certificate,
        key=options.key,
        max_message_bytes=options.max_message_mb << 20,
        max_sessions=options.max_sessions,
        idle_seconds=options.idle_seconds,
    )
    return 0
