"""Settings of `python -m agents.evaluate`."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

import tyro

from agents.config import ENGINE_PLACES, SamplingConfig, flag
from agents.errors import UsageError
from agents.evaluate.chat_client import ServerConfig

SERVER_PREFIX = "openai:"


@dataclass
class EvaluateConfig(SamplingConfig):
    """Let models attempt an environment's tasks, and report how well they do, side by side.

    Given again with the same `--output` after a kill or a failure, the command goes on where it was.
    """

    model: tuple[str, ...] = ()
    """One model or several: `smollm2`, an id on the Hugging Face hub, a folder such as a run's checkpoint, or
    `openai:NAME`, the model NAME of a server with OpenAI's interface."""

    compare: tuple[Path, ...] = ()
    """`result.json` files of earlier evaluations, to stand beside the models' results or alone."""

    tasks: tuple[str, ...] = ()
    """Ids of the tasks. By default `--num-tasks` decides."""

    num_tasks: int = 0
    """So many tasks, evenly spaced over the environment's; 0: all. Where tasks are endless: so many, by default 16."""

    samples: int = 4
    """Attempts at each task."""

    server: Annotated[ServerConfig, tyro.conf.arg(name="")] = field(default_factory=ServerConfig)

    price_in: float | None = None
    """Price of a million tokens read, in any currency, for the cost of `openai:` models."""

    price_out: float | None = None
    """Price of a million tokens written."""

    output: Path | None = None
    """Folder of the results; new, or that of an evaluation to go on with. By default a new one under `runs/`."""

    def check(self) -> None:
        super().check()
        self.server.check()
        self._at_least(samples=1, num_tasks=0)
        if not self.model and not self.compare:
            raise UsageError("name a model with --model, or earlier results with --compare")
        repeated = sorted({name for name in self.model if self.model.count(name) > 1})
        if repeated:
            raise UsageError(f"--model names {repeated[0]!r} twice")
        if self.tasks and self.num_tasks:
            raise UsageError("give either --tasks or --num-tasks, not both")
        if not self._asks_a_server:
            for option in fields(ServerConfig):
                if getattr(self.server, option.name) != option.default:
                    raise UsageError(
                        f"{flag(option.name)} is for the models of a server, and --model names none; put "
                        f"{SERVER_PREFIX} before the model's name, or leave {flag(option.name)} out"
                    )
        for name in ("price_in", "price_out"):
            if not 0 <= (getattr(self, name) or 0) < math.inf:
                raise UsageError(f"prices must be finite numbers of at least 0, not {getattr(self, name)}")

    @property
    def _asks_a_server(self) -> bool:
        return any(name.startswith(SERVER_PREFIX) for name in self.model)

    def deciding(self) -> dict[str, Any]:
        """The settings that decide which attempts are made: a run goes on only with equal ones."""
        settings = asdict(self)
        server = settings.pop("server")
        for name in ("compare", "price_in", "price_out", "output", *ENGINE_PLACES):
            settings.pop(name)
        if self._asks_a_server:
            settings["base_url"] = server["base_url"]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
