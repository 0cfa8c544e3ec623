"""From the command line to a configuration, and from errors to messages and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import torch
import tyro
from transformers.utils import logging

from agents.errors import UsageError, first_line

Config = TypeVar("Config")


def run_command(program: str, config_type: type[Config], run: Callable[[Config], object]) -> None:
    """Parse the command line into `config_type` and run. Exits with 1 on a UsageError, with 130 on Ctrl-C.

    The docstrings of the configuration's fields are the command's help.
    """
    config = tyro.cli(config_type, prog=f"python -m {program}", config=(tyro.conf.AvoidSubcommands,))
    logging.disable_progress_bar()
    try:
        run(config)
    except UsageError as error:
        sys.exit(f"error: {error}")
    except torch.OutOfMemoryError as error:
        sys.exit(
            f"error: the device's memory is full ({first_line(error)}). Lower --sampling-rows or --max-new-tokens if "
            "this happened while sampling, else --micro-batch-tokens"
        )
    except KeyboardInterrupt:
        sys.exit(130)
