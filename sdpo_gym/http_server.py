"""Runs an HTTP application for other machines: a token, the loopback by default, a word of warning beyond it."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from typing import Any

from sdpo_gym.extras import needs
from sdpo_gym.network import check_token, is_loopback

with needs("sdpo-gym[serve]"):
    import uvicorn

_log = logging.getLogger("sdpo_gym")


def find_token(variable: str, make: bool) -> str:
    """The token of an environment variable, or a random one that is printed.

    Raises:
        ValueError: there is none, or it is no good one.
    """
    if make:
        token = secrets.token_urlsafe(32)
        print(f"{variable}={token}", flush=True)
        return token
    if not os.environ.get(variable):
        raise ValueError(f"no token: set {variable}, or have one made with --new-token")
    check_token(os.environ[variable], variable)
    return os.environ[variable]


def run_app(
    app: Any,
    title: str,
    permits: str,
    *,
    host: str,
    port: int,
    certificate: str | None,
    key: str | None,
    backlog: int,
    **options: Any,
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        app: The ASGI application.
        title: What is served; printed with the address.
        permits: What those may do who have the token.
        host: The address to listen on.
        port: 0 for a free one.
        certificate: File of a TLS certificate.
        key: File of its private key.
        backlog: Connections that may wait to be accepted.
        options: Of uvicorn.

    Raises:
        OSError: the address is in use or not this machine's, or the certificate and its key cannot be used.
        ValueError: there is no such port, or a key without a certificate.
    """
    if not 0 <= port <= 65535:
        raise ValueError(f"the port must be a number from 1 to 65535, or 0 for a free one, not {port}")
    if key and not certificate:
        raise ValueError(f"the key {key} is of use only with its certificate; give that, too")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family, backlog=backlog) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does it for its own listeners alone
        shown = f"[{host}]" if ":" in host else host
        url = f"{'https' if certificate else 'http'}://{shown}:{listener.getsockname()[1]}"
        if not is_loopback(host):
            _log.warning(
                "LISTENING ON %s: whoever reaches this address and has the token can %s. Let a firewall admit the "
                "trainers alone.%s",
                host,
                permits,
                "" if certificate else " The token and what is sent travel UNENCRYPTED: give a TLS certificate.",
            )
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            loop="asyncio",
            timeout_graceful_shutdown=10,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            **options,
        )
        try:
            config.load()  # before anyone is told that the server is there
        except OSError as error:  # it does not name the file
            files = " and ".join(file for file in (certificate, key) if file)
            raise OSError(f"{files} cannot be used for https: {error.strerror or error}") from error
        print(f"serving {title} on {url}", flush=True)
        uvicorn.Server(config).run(sockets=[listener])
