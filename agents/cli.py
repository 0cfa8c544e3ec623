"""From the command line to a configuration, and from errors to messages and exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import torch
import tyro
from transformers.utils import logging

from agents.errors import UsageError, first_line
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
    words, default, description = sys.argv[1:], None, config_type.__doc__
    if presets:
        parser = argparse.ArgumentParser(prog=f"python -m {program}", add_help=False, allow_abbrev=False)
        parser.add_argument("--preset", choices=list(presets))
        chosen, words = parser.parse_known_args(words)
        default = config_type(**presets[chosen.preset]) if chosen.preset else None
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
    logging.disable_progress_bar()
    try:
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
