"""`python -m agents.report`"""

from __future__ import annotations

import gc

from rich.console import Console

from agents.cli import run_command
from agents.errors import UsageError
from agents.report.config import ReportConfig
from agents.report.page import make_page
from agents.runs.load import load_run


def main(config: ReportConfig, console: Console | None = None) -> None:
    """Write the report.

    Raises:
        UsageError: a folder is no training run, a file is damaged, plotly is missing, or the page cannot be written.
    """
    config.check()
    runs = [load_run(path) for path in config.runs]
    gc.disable()  # records have no cycles, and each search for some would look at all modules that are loaded
    try:
        page = make_page(runs, config.most_rollouts, config.most_credits)
    finally:
        gc.enable()
    try:
        config.output.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write the page {config.output}: {error.strerror or error}") from error
    size = config.output.stat().st_size / 1e6
    said = f"{config.output}: {size:.1f} MB, to be opened with a browser"
    (console or Console(emoji=False)).print(said, markup=False, soft_wrap=True)


if __name__ == "__main__":
    run_command("agents.report", ReportConfig, main)
