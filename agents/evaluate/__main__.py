"""`python -m agents.evaluate`"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from agents.cli import run_command
from agents.environments import Environments, parse_env_args
from agents.errors import UsageError
from agents.evaluate.config import SERVER_PREFIX, EvaluateConfig
from agents.evaluate.report import report
from agents.evaluate.result import make_result, read_result
from agents.evaluate.sampling import sample_model
from agents.evaluate.tasks import choose_starts
from agents.policy.load import find_model
from agents.progress import ProgressDisplay
from agents.runs.folder import default_output
from agents.runs.interrupt import interruptible
from agents.runs.resumable import ResumableRun


def main(config: EvaluateConfig, console: Console | None = None) -> list[dict[str, Any]]:
    """Evaluate; returns the results, those of `--compare` first.

    Raises:
        UsageError: something that the user can mend.
    """
    config.check()
    _check_models(config.model)
    console = console or Console(emoji=False)
    results = [read_result(path) for path in config.compare]
    folder = None
    if config.model:
        output = config.output or default_output("evaluate", config.env)
        folder = ResumableRun(
            output, "agents.evaluate", config.deciding(), config.model, numbered=config.output is None
        )
        with folder.announced(console), interruptible():
            results += _evaluate_models(config, folder, console)
    elif config.output:
        folder = ResumableRun(config.output, "agents.evaluate", {"compare": [str(path) for path in config.compare]})
    text = report(results)
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    if folder is not None:
        folder.write("report.md", text)
        console.print(f"report, results and samples: {folder.path}", markup=False, soft_wrap=True)
    return results


def _check_models(models: Sequence[str]) -> None:
    """Raise UsageError if one names no model of this machine's though it looks so, or two name the same."""
    names: dict[Path, str] = {}
    for name in models:
        folder = None if name.startswith(SERVER_PREFIX) else find_model(name)
        if folder and names.setdefault(folder.resolve(), name) != name:
            raise UsageError(f"--model names {folder.resolve()} twice: {names[folder.resolve()]} and {name}")


def _evaluate_models(config: EvaluateConfig, folder: ResumableRun, console: Console) -> list[dict[str, Any]]:
    local = any(not model.startswith(SERVER_PREFIX) for model in config.model)
    remote = any(model.startswith(SERVER_PREFIX) for model in config.model)
    at_once = max(config.sampling_rows * local, config.server.concurrency * remote)
    environments = Environments(config.env, parse_env_args(config.env_arg), at_once, config.success_return)
    results = []
    try:
        starts = choose_starts(environments, config.tasks, config.num_tasks)
        for model, name in zip(config.model, _folder_names(config.model), strict=True):
            with ProgressDisplay(console) as bars, folder.journal(f"{name}/samples.jsonl") as journal:
                bar = bars.add_task(model, total=None, note="")

                def progress(done: int, total: int, bar=bar, bars=bars) -> None:
                    bars.update(bar, completed=done, total=total)

                attempts = sample_model(model, config, environments, starts, journal, progress)
            prices = (config.price_in, config.price_out) if model.startswith(SERVER_PREFIX) else (None, None)
            result = make_result(model, config.deciding(), attempts, prices)
            folder.write(f"{name}/result.json", json.dumps(result, indent=2, default=str) + "\n")
            results.append(result)
    finally:
        environments.close()
    return results


def _folder_names(models: Sequence[str]) -> list[str]:
    """A folder for each model; numbered where that is what keeps them apart."""
    names = [re.sub(r"[^A-Za-z0-9._-]+", "-", model).strip("-.")[-80:] or "model" for model in models]
    folders = []
    for i, name in enumerate(names):
        folder = name
        while names.count(folder) > (folder == name):
            folder += f"-{i}"
        folders.append(folder)
    return folders


if __name__ == "__main__":
    run_command("agents.evaluate", EvaluateConfig, main)
