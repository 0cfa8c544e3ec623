"""From the command line to a configuration, and from errors to messages and exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

import torch
import tyro
from transformers.utils import logging

from agents.config import flag
from agents.errors import UsageError, first_line
from agents.runs.records import read_config
from sdpo_gym.sandbox import SandboxError

Config = TypeVar("Config")


def run_command(
    program: str,
    config_type: type[Config],
    run: Callable[[Config], object],
    presets: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> None:
    """Parse the command line into `config_type` and run. Exits with 1 on a UsageError or a SandboxError, with 130
    on Ctrl-C.

    The docstrings of the configuration's fields are the command's help.

    Args:
        presets: Values that take the place of the fields' defaults, by the name that `--preset` takes.
    """
    try:
        config = _parse(program, config_type, sys.argv[1:], presets)
        logging.disable_progress_bar()
        run(config)
    except (UsageError, SandboxError) as error:
        sys.exit(f"error: {error}")
    except torch.OutOfMemoryError as error:
        sys.exit(
            f"error: the device's memory is full ({first_line(error)}). Lower --sampling-rows or --max-new-tokens if "
            "this happened while sampling, else --micro-batch-tokens"
        )
    except KeyboardInterrupt:
        sys.exit(130)


def _parse(
    program: str, config_type: type[Config], words: Sequence[str], presets: Mapping[str, Mapping[str, Any]]
) -> Config:
    default, description = _settings_to_resume(program, config_type, words), config_type.__doc__
    if presets:
        parser = _parser(program)
        parser.add_argument("--preset", choices=list(presets))
        chosen, words = parser.parse_known_args(words)
        default = config_type(**presets[chosen.preset]) if chosen.preset else default
        description = f"{description}\n\n--preset {{{','.join(presets)}}} comes with the paper's settings as defaults."
    config = tyro.cli(
        config_type,
        prog=f"python -m {program}",
        description=description,
        args=words,
        default=default,
        config=(tyro.conf.AvoidSubcommands,),
    )
    config.defaults = default
    return config


def _settings_to_resume(program: str, config_type: type[Config], words: Sequence[str]) -> Config | None:
    """Those of the run that is to be gone on with, if one is.

    Lists that the command line names are left out, as it would add to them.

    Raises:
        UsageError: there is no such run.
    """
    types = get_type_hints(config_type)
    if "resume" not in types:
        return None
    parser = _parser(program)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--output", type=Path)
    chosen, _ = parser.parse_known_args(words)
    if not chosen.resume or chosen.output is None:
        return None
    earlier = read_config(chosen.output)["config"]
    given = {word.partition("=")[0].replace("_", "-") for word in words}
    settings = {}
    for name in types.keys() & earlier.keys() - {"resume"}:
        value = earlier[name]
        if not (isinstance(value, list) and flag(name) in given):
            settings[name] = Path(value) if value is not None and types[name] == Path | None else value
    return config_type(**settings)


def _parser(program: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"python -m {program}", add_help=False, allow_abbrev=False)
