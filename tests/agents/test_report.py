"""The report's numbers, and what it is told wrong."""

import json
import math
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from report_runs import make_run

from agents.errors import UsageError
from agents.report import curves, page, rollouts
from agents.report.__main__ import main
from agents.report.config import ReportConfig
from agents.runs.load import load_run

ROOT = Path(__file__).parents[2]


def runs_of(tmp_path, *settings):
    return [load_run(make_run(tmp_path / str(i), **each)) for i, each in enumerate(settings)]


def test_runs_that_differ_in_the_seed_are_one_curve(tmp_path):
    grpo = {"program": "agents.grpo", "steps": 2}
    runs = runs_of(
        tmp_path,
        {"seed": 0},
        grpo,
        {"seed": 1, "credit_samples": 0, "tracker": ["wandb"]},
        grpo | {"lr": 0.0},
        {"steps": 3},
    )
    found = curves.group_runs(runs)
    assert [(curve.label, list(curve.runs)) for curve in found] == [
        ("SDPO · steps 4", [0, 2]), ("GRPO · lr 1e-05", [1]), ("GRPO · lr 0", [3]), ("SDPO · steps 3", [4]),
    ]  # fmt: skip


def test_a_seed_is_once_in_a_curve(tmp_path):
    """Runs of the same seed vary less than independent ones, which would make the band too narrow."""
    found = curves.group_runs(runs_of(tmp_path, {"seed": 0}, {"seed": 0}, {"seed": 1}, {"seed": 0}))
    assert [(curve.label, list(curve.runs)) for curve in found] == [
        ("SDPO (1)", [0, 2]), ("SDPO (2)", [1]), ("SDPO (3)", [3]),
    ]  # fmt: skip


def test_curves_that_differ_in_much_are_numbered(tmp_path):
    many = {"a": 1, "b": 2.5, "c": [], "d": None}
    found = curves.group_runs(runs_of(tmp_path, {}, many, many | {"d": 4}))
    assert [curve.label for curve in found] == [
        "SDPO · a – · b – · c – · …", "SDPO · a 1 · b 2.5 · c – · … (1)", "SDPO · a 1 · b 2.5 · c – · … (2)",
    ]  # fmt: skip


def test_intervals_cover(tmp_path):
    """95 % of the t-intervals hold the mean that the values were drawn from."""
    rng = np.random.default_rng(0)
    for count in (2, 3, 5, 12, 40):
        draws = rng.normal(size=(4000, count))
        inside = [low <= 0 <= high for _, low, high in map(curves.mean_and_interval, draws)]
        assert np.mean(inside) == pytest.approx(0.95, abs=0.015)
    assert curves.mean_and_interval([0.3]) == (0.3, None, None)


def test_series():
    a = [{"step": 1, "success_rate": 0.2}, {"step": 2, "success_rate": math.nan}, {"step": 3, "success_rate": 0.9}]
    b = [{"step": 1, "success_rate": 0.4}, {"step": 2, "success_rate": 0.5}]
    found = curves.series([a, b], "success_rate")
    assert found["steps"] == [1, 2, 3] and found["values"] == [[0.2, 0.4], [None, 0.5], [0.9, None]]
    assert found["mean"] == pytest.approx([0.3, 0.5, 0.9])
    assert found["low"][0] == 0.0 and found["high"][0] == 1.0 and found["low"][1] is None  # of two runs, cut to 0 … 1
    assert curves.series([a, b], "nothing") is None
    (single,) = [curves.series([[{"step": 0, "success_rate": 0.5, "standard_error": 0.1}]], "success_rate")]
    assert (single["low"], single["high"]) == (pytest.approx([0.304]), pytest.approx([0.696]))


def test_outcomes_are_shares_of_a_step():
    def attempt(step, success, *kinds, truncated=False, phase="train"):
        turn = {"feedback_kinds": list(kinds), "truncated": truncated}
        return {"step": step, "phase": phase, "success": success, "turns": [turn]}

    found = curves.outcomes(
        [
            attempt(1, True), attempt(1, False, "wrong_answer", "hint"), attempt(1, False, "wrong_answer"),
            attempt(1, False), attempt(2, False, truncated=True), attempt(2, True, phase="evaluation"),
        ]
    )  # fmt: skip
    assert found["steps"] == [1, 2] and list(found["shares"])[:2] == ["solved", "wrong_answer"]
    assert found["shares"] == {"solved": [0.25, 0], "wrong_answer": [0.5, 0], "failed": [0.25, 0], "cut off": [0, 1.0]}


def test_older_runs_did_not_tell_grading_from_sampling():
    records = [[{"step": 1, "sample_seconds": 4.0, "update_seconds": 2.0}]]
    assert list(curves.times(records)) == ["sampling and grading", "learning"]
    records[0][0]["grade_seconds"] = 1.0
    assert list(curves.times(records)) == ["sampling", "grading", "learning"]


def test_attempts_are_left_out_evenly_those_with_credit_last(tmp_path):
    runs = runs_of(tmp_path, {"credits": 1}, {"credits": 0})
    everything = rollouts.choose_rollouts(runs, 1000, 1000)
    assert len(everything) == sum(len(run.rollouts) for run in runs)
    chosen = rollouts.choose_rollouts(runs, 10, 1000)
    assert len(chosen) == 10 and sum(shown.credit is not None for shown in chosen) == 4
    assert {shown.run for shown in chosen} == {0, 1}
    assert [shown.rollout["id"] for shown in chosen if shown.strength is not None] == [
        f"train-{step}-0" for step in (1, 2, 3, 4)
    ]
    assert rollouts.choose_rollouts(runs, 0, 1000) == []
    chosen = rollouts.choose_rollouts(runs, 30, 2)
    assert len(chosen) == 30 and sum(shown.credit is not None for shown in chosen) == 2
    assert {shown.rollout["phase"] for shown in chosen} == {"train", "evaluation"}


def test_of_a_long_run_only_what_is_shown_is_kept(tmp_path):
    (run,) = runs_of(tmp_path, {"credits": 6, "steps": 12, "words": 300})

    def peak(read):
        tracemalloc.start()
        try:
            read()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def show():
        chosen = rollouts.choose_rollouts([run], 4, 2)
        assert len(chosen) == 4 and sum(1 for _ in rollouts.credits([run], chosen)) == 2

    assert peak(show) < peak(lambda: run.credit) / 8


def test_credit_is_that_of_its_attempt_in_whatever_order(tmp_path):
    runs = runs_of(tmp_path, {"credits": 3}, {"credits": 2})
    lines = (runs[0].path / "credit.jsonl").read_text().splitlines(keepends=True)
    (runs[0].path / "credit.jsonl").write_text("".join(reversed(lines)))
    chosen = rollouts.choose_rollouts(runs, 1000, 7)
    texts, _ = rollouts.texts(chosen)
    found = list(rollouts.credits(runs, chosen))
    assert len(found) == 7 == sum("credit" in text for text in texts)
    for shown, text in zip(chosen, texts, strict=True):
        assert (shown.credit is None) == ("credit" not in text)
        if shown.credit is not None:
            own = next(c for c in runs[shown.run].credit if c["rollout"] == shown.rollout["id"])
            assert found[text["credit"]]["tokens"] == own["tokens"]
            assert shown.strength == rollouts.strength(own)


def test_the_page_is_the_same_each_time_and_holds_no_text_of_a_model(tmp_path):
    runs = runs_of(tmp_path, {"hostile": True})
    html = page.make_page(runs, 100, 100)
    assert html == page.make_page(runs, 100, 100)
    assert "hacked" not in html and "needle" not in html and "http://" not in html.split("data-summary")[0]
    assert html.count("<script") == html.count("</script>")


def test_a_run_in_progress_can_be_shown(tmp_path):
    folder = make_run(tmp_path / "run", steps=1)
    lines = (folder / "metrics.jsonl").read_text().splitlines(keepends=True)
    (folder / "metrics.jsonl").write_text(lines[0] + lines[1][:20])
    (folder / "rollouts.jsonl").unlink()
    (folder / "credit.jsonl").unlink()
    main(ReportConfig((folder,), tmp_path / "report.html"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"runs": ()}, "name at least one run"),
        ({"most_rollouts": -1}, "--most-rollouts must be at least 0, not -1"),
        ({"most_credits": -1}, "--most-credits must be at least 0, not -1"),
        ({"runs": "twice"}, "is named twice"),
        ({"output": Path("/no/such/folder/report.html")}, "cannot write the page /no/such/folder/report.html: No such"),
    ],
)
def test_bad_input(settings, message, tmp_path):
    run = make_run(tmp_path / "run", steps=1)
    if settings.get("runs") == "twice":
        settings = {"runs": (run, tmp_path / "other" / ".." / "run")}
    with pytest.raises(UsageError, match=message):
        main(ReportConfig(**{"runs": (run,), "output": tmp_path / "report.html"} | settings))


def test_the_command_says_what_is_wrong_without_a_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "agents.report", str(tmp_path)],
        cwd=ROOT, env=os.environ | {"COLUMNS": "120"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1 and done.stderr.startswith(f"error: {tmp_path} holds no run"), done.stderr


def test_the_reader_needs_no_torch(tmp_path):
    run = make_run(tmp_path / "run", steps=1)
    code = (
        "import sys; sys.modules['torch'] = None; from agents.runs.load import load_run;"
        f"import json; print(json.dumps(len(load_run({str(run)!r}).rollouts)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout) == 2 + 6 + 2, done.stderr
