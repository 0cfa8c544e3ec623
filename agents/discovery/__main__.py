"""`python -m agents.discovery`"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Any

from rich.console import Console

from agents.cli import run_command
from agents.discovery.attempts import Bench, Record, Run
from agents.discovery.best_of_k import best_of_k
from agents.discovery.config import METHODS, DiscoveryConfig, MethodName
from agents.discovery.multi_turn import multi_turn
from agents.discovery.plot import draw
from agents.discovery.result import make_result, table
from agents.discovery.select import read_selection
from agents.discovery.single_task_sdpo import single_task_sdpo
from agents.environments import Environments, parse_env_args
from agents.evaluate.tasks import choose_starts
from agents.policy.load import load_trainable
from agents.progress import ProgressDisplay
from agents.runs.folder import default_output
from agents.runs.interrupt import interruptible
from agents.runs.records import read_records
from agents.runs.resumable import ResumableRun
from agents.sampling.factory import make_engine
from agents.sdpo.presets import TEST_TIME

RUNNERS = {"best_of_k": best_of_k, "multi_turn": multi_turn, "sdpo": single_task_sdpo}


def main(config: DiscoveryConfig, console: Console | None = None) -> dict[str, Any]:
    """Run the methods, and report; returns the result.

    Raises:
        UsageError: something that the user can mend.
    """
    config.check()
    console = console or Console(emoji=False)
    tasks = list(config.tasks) or read_selection(config.selection)
    environments = Environments(config.env, parse_env_args(config.env_arg), config.sampling_rows, config.success_return)
    try:
        starts = choose_starts(environments, tasks, 0)
        output = config.output or default_output("discovery", config.env)
        folder = ResumableRun(
            output, "agents.discovery", config.deciding(tasks), [config.model], numbered=config.output is None
        )
        with folder.announced(console), interruptible(), ExitStack() as opened:
            journals = {method: opened.enter_context(folder.journal(f"{method}.jsonl")) for method in config.methods}
            records = {method: Record(journal.records, journal) for method, journal in journals.items()}
            policy = load_trainable(config.model, config)
            engine = opened.enter_context(closing(make_engine(policy, config)))
            bench = Bench(config, policy, engine, environments, dict(zip(tasks, starts, strict=True)))
            bench.check_room()
            for method, record in records.items():
                _run(method, bench, record, console)
        records |= _others(config, folder, tasks)
        result = make_result(config.deciding(tasks), records, tasks, config.run_seeds)
        _report(result, folder, console)
        return result
    finally:
        environments.close()


def _run(method: MethodName, bench: Bench, record: Record, console: Console) -> None:
    config = bench.config
    record.journal.start_clock()
    with ProgressDisplay(console) as bars:
        bar = bars.add_task(method, total=len(bench.tasks) * config.seeds, note="runs")

        def finished(task: str, seed: int) -> None:
            time = record.run(task, seed).time
            said = f"not solved in {config.budget} attempts" if time is None else f"solved by attempt {time}"
            console.print(f"{method} · {task} · seed {seed}: {said}", highlight=False, markup=False)
            bars.advance(bar)

        RUNNERS[method](bench, record, finished)
    if method == "sdpo":
        notes = [batch.notes for task in bench.tasks for batch in record.run(task, config.seed).batches if batch.notes]
        if notes and not any(note["learned_fraction"] for note in notes):
            console.print(
                f"[bold yellow]warning:[/] nothing was learned, as no attempt had a --context {config.context}: "
                "sdpo sampled independently. Does the environment give feedback?"
            )
    if method == "multi_turn":
        blind = sum(_without_history(record.run(task, seed)) for task in bench.tasks for seed in config.run_seeds)
        if blind:
            console.print(
                f"[bold yellow]warning:[/] {blind} later attempts of multi_turn were shown no history: the question "
                "with the latest failure is longer than the prompt may be. Allow a longer --window, or lower "
                "--max-new-tokens"
            )


def _without_history(run: Run) -> int:
    """How many attempts after the first one had the same prompt as it."""
    prompts = [episode.turns[0].context_ids for episode in run.episodes]
    return prompts[1:].count(prompts[0])


def _others(config: DiscoveryConfig, folder: ResumableRun, tasks: Sequence[str]) -> dict[str, Record]:
    """What earlier commands found in the same folder with other methods, as far as it is complete."""
    others = {}
    for method in METHODS:
        path = folder.path / f"{method}.jsonl"
        if method not in config.methods and path.exists():
            record = Record(list(read_records(path)))
            runs = [record.run(task, seed) for task in tasks for seed in config.run_seeds]
            if all(
                run.attempts >= config.budget or (method != "best_of_k" and run.over(config.budget)) for run in runs
            ):
                others[method] = record
    return others


def _report(result: dict[str, Any], folder: ResumableRun, console: Console) -> None:
    text = table(result)
    folder.write("result.json", json.dumps(result, indent=1) + "\n")
    folder.write("report.md", text)
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    try:
        for file_format in ("png", "svg"):
            folder.write(f"discovery.{file_format}", draw(result, file_format))
    except ModuleNotFoundError:
        console.print("no plot: it needs matplotlib (pip install 'sdpo-gym[report]')", markup=False)
    console.print(f"report, plot, result and all attempts: {folder.path}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    run_command("agents.discovery", DiscoveryConfig, main, {"paper-test-time": TEST_TIME})
