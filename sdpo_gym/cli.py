"""The command `sdpo-gym`."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sdpo_gym import __version__, check, play
from sdpo_gym.arguments import import_from_current_folder, parse_env_args
from sdpo_gym.registry import ADAPTERS, ENVIRONMENTS, EXTRAS
from sdpo_gym.sandbox import Limits, Program, RunResult, SandboxError, make_sandbox
from sdpo_gym.sandbox.factory import KINDS, TOKEN_VARIABLE
from sdpo_gym.serving import command as serving

DATASET_BUILDER = "envs.livecodebench.build:main"
"""A string: this package imports no environment before it is asked for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code: 2 where the command itself failed, as for wrong arguments.

    Args:
        arguments: Of the command line, without the program's name. None: this process's own.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:2] == ["dataset", "build"]:
            return _build_dataset(words[2:])
        options = _parser().parse_args(words)
        return options.run(options)
    except OSError as error:
        print(f"sdpo-gym: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}", file=sys.stderr)
        return 2
    except (ModuleNotFoundError, SandboxError, ValueError) as error:
        print(f"sdpo-gym: {error}", file=sys.stderr)
        return 2
    except play.JudgingError:
        traceback.print_exc()
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sdpo-gym", description="Environments with rich feedback, and their sandbox.")
    parser.add_argument("--version", action="version", version=f"sdpo-gym {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    listing = commands.add_parser("list", help="list the registered environments, and the extra that one needs")
    listing.set_defaults(run=_list)

    _add_play(commands.add_parser("play", help="attempt a task yourself, in the terminal"))
    _add_grade(commands.add_parser("grade", help="judge the response in a file: exit code 0 if it is right, 1 if not"))

    checking = commands.add_parser("check", help="look for mistakes in an environment that you write")
    _add_env(checking)
    checking.set_defaults(run=_check)

    doctor = commands.add_parser("doctor", help="say what works on this machine, and what to do about the rest")
    doctor.add_argument("--json", action="store_true", help="print JSON, for programs")
    doctor.set_defaults(run=_doctor)

    serving.add_arguments(commands.add_parser("serve", help="serve an environment to other machines, over HTTP"))

    dataset = commands.add_parser("dataset", help="turn problems of your own into rows, and check them")
    dataset.add_subparsers(metavar="ACTION", required=True).add_parser("build", help="see `dataset build --help`")

    sandbox = commands.add_parser("sandbox", help="run programs, serve them to other machines, build an image")
    actions = sandbox.add_subparsers(metavar="ACTION", required=True)
    _add_run(actions.add_parser("run", help="run a program in the sandbox, with this command's standard input"))
    _add_serve(actions.add_parser("serve", help="run programs for other machines, over HTTP"))
    _add_build_image(actions.add_parser("build-image", help="build the image that the Docker sandbox uses"))
    return parser


def _add_env(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "env", metavar="ENV", help="an id such as sdpo/LiveCodeBench-v0; module:id imports a module first"
    )
    parser.add_argument(
        "--env-arg", action="append", default=[], metavar="KEY=VALUE", help="argument of the environment; repeatable"
    )


def _add_play(parser: argparse.ArgumentParser) -> None:
    _add_env(parser)
    parser.add_argument("--task", metavar="ID", help="the task, by id or index (default: the seed decides)")
    parser.add_argument("--seed", type=int, metavar="N", help="decides the task (default: another one each time)")
    parser.add_argument("--editor", action="store_true", help="write answers in $VISUAL or $EDITOR")
    parser.set_defaults(run=_play)


def _add_grade(parser: argparse.ArgumentParser) -> None:
    _add_env(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="the response, or a program (.py); - for stdin")
    parser.add_argument("--task", required=True, metavar="ID", help="the task, by id or index")
    parser.set_defaults(run=_grade)


def _add_kind(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", default="auto", help=f"{', '.join(KINDS)}, or a server's address (default: auto)")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the program")
    parser.add_argument("--function", metavar="NAME", help="call this function; the input is one JSON value per line")
    parser.add_argument("--cpu-seconds", type=float, default=Limits.cpu_seconds, help="default: %(default)s")
    parser.add_argument("--memory-mb", type=int, default=Limits.memory_mb, help="default: %(default)s")
    _add_kind(parser)
    parser.set_defaults(run=_run)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    _add_kind(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine)")
    parser.add_argument("--port", type=int, default=8642, help="0 for a free one (default: %(default)s)")
    parser.add_argument("--new-token", action="store_true", help=f"make a token and print it; else {TOKEN_VARIABLE}")
    parser.add_argument("--workers", type=int, help="programs that run at the same time (default: one per CPU)")
    parser.add_argument("--queue", type=int, default=64, help="requests that may wait (default: %(default)s)")
    parser.add_argument("--max-body-mb", type=int, default=64, help="size of a request (default: %(default)s)")
    parser.add_argument("--max-memory-mb", type=int, default=8192, help="of a program (default: %(default)s)")
    parser.add_argument("--certificate", metavar="FILE", help="serve https with this certificate")
    parser.add_argument("--key", metavar="FILE", help="the certificate's private key")
    parser.set_defaults(run=_serve)


def _add_build_image(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag", help="the image's name (default: the one that the Docker sandbox looks for)")
    parser.add_argument(
        "--base", help="an image from a registry, by digest (default: made of this Python, no registry)"
    )
    parser.set_defaults(run=_build_image)


def _list(options: argparse.Namespace) -> int:
    for env_id in (*ENVIRONMENTS, *ADAPTERS):
        print(f"{env_id:<22}  needs [{EXTRAS[env_id]}]" if env_id in EXTRAS else env_id)
    return 0


def _play(options: argparse.Namespace) -> int:
    import_from_current_folder()
    arguments = parse_env_args(options.env_arg)
    return play.play(options.env, arguments, task=options.task, seed=options.seed, editor=options.editor)


def _grade(options: argparse.Namespace) -> int:
    import_from_current_folder()
    arguments = parse_env_args(options.env_arg)
    return play.grade(options.env, arguments, task=options.task, file=options.file)


def _check(options: argparse.Namespace) -> int:
    import_from_current_folder()
    return check.check(options.env, parse_env_args(options.env_arg))


def _doctor(options: argparse.Namespace) -> int:
    from sdpo_gym.doctor import examine

    return examine(options.json)


def _run(options: argparse.Namespace) -> int:
    source = options.file.read_text(encoding="utf-8-sig")
    text = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
    program = Program(source, "function" if options.function else "stdin", options.function)
    limits = Limits(cpu_seconds=options.cpu_seconds, memory_mb=options.memory_mb)
    limits = replace(limits, total_wall_seconds=limits.wall_limit)  # there is one input
    sandbox = make_sandbox(options.kind)
    try:
        [result] = sandbox.run(program, [text], limits)
    finally:
        sandbox.close()
    sys.stdout.write(result.stdout)
    if program.mode == "function" and result.status == "ok":
        print(repr(result.value))
    sys.stdout.flush()
    print(_describe(result, options.file), file=sys.stderr)
    return 0 if result.status == "ok" else 1


def _describe(result: RunResult, file: Path) -> str:
    """What happened, as a traceback where there was an exception, and the time that it took."""
    lines = []
    if result.exception is not None:
        lines += [f'  File "{file}", line {frame.line}, in {frame.function}' for frame in result.exception.frames]
        lines.append(f"{result.exception.type}: {result.exception.message}")
    lines.append(f"[{result.status}, {result.cpu_seconds:.3f} s CPU, {result.wall_seconds:.3f} s wall]")
    return "\n".join(lines)


def _serve(options: argparse.Namespace) -> int:
    if options.workers is not None and options.kind not in ("auto", "local", "docker", "unsafe"):
        raise ValueError(f"--workers is of no use with --kind {options.kind}, whose other machines say how many")
    from sdpo_gym.http_server import find_token
    from sdpo_gym.sandbox import server

    token = find_token(TOKEN_VARIABLE, options.new_token)
    sandbox = make_sandbox(options.kind, **({} if options.workers is None else {"workers": options.workers}))
    server.serve(
        sandbox,
        token,
        host=options.host,
        port=options.port,
        certificate=options.certificate,
        key=options.key,
        queue=options.queue,
        max_body_bytes=options.max_body_mb << 20,
        max_memory_mb=options.max_memory_mb,
    )
    return 0


def _build_image(options: argparse.Namespace) -> int:
    from sdpo_gym.sandbox.docker_image import build_image

    print(build_image(options.tag, options.base))
    return 0


def _build_dataset(arguments: list[str]) -> int:
    module, _, function = DATASET_BUILDER.partition(":")
    return getattr(importlib.import_module(module), function)(arguments, prog="sdpo-gym dataset build")


if __name__ == "__main__":
    sys.exit(main())
