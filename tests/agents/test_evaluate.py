"""`python -m agents.evaluate` on models in this process: results, comparison, resumption, bad input."""

import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toy_env
from conftest import save_tiny_model
from rich.console import Console

from agents.errors import UsageError, warn_once
from agents.evaluate.__main__ import main
from agents.evaluate.chat_client import ServerConfig
from agents.evaluate.config import EvaluateConfig
from agents.evaluate.report import report
from agents.runs.resumable import Journal, ResumableRun

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "tests"), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
SMALL = {"env": "toy/Even-v0", "max_new_tokens": 8, "samples": 4, "device": "cpu", "precision": "fp32"}


pytestmark = pytest.mark.usefixtures("one_thread")


def evaluate(output, *models, **settings):
    config = EvaluateConfig(model=tuple(map(str, models)), output=output, **SMALL | settings)
    return main(config, Console(file=io.StringIO(), width=200))


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def without_seconds(path):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in lines(path)]


def test_result_samples_and_report(tiny_model, tmp_path):
    (result,) = evaluate(tmp_path / "run", tiny_model)
    (folder,) = [path for path in (tmp_path / "run").iterdir() if path.is_dir()]
    assert json.loads((folder / "result.json").read_text()) == result
    samples = lines(folder / "samples.jsonl")
    assert [(s["position"], s["sample"]) for s in samples] == [(p, s) for p in range(4) for s in range(4)]
    assert [task["task"] for task in result["tasks"]] == list(toy_env.WORDS)
    successes = [s["success"] for s in samples]
    assert result["metrics"]["success_rate"]["value"] == pytest.approx(sum(successes) / 16)
    assert all(s["success"] == (len(s["turns"][0]["response"]) % 2 == 0) for s in samples)
    assert set(result["metrics"]) >= {"pass@2", "pass@4", "response_tokens", "entropy", "truncated"}
    tokens = sum(s["turns"][0]["tokens"] for s in samples)
    assert result["cost"]["tokens_out"] == tokens
    assert result["throughput"]["seconds"] == pytest.approx(sum(s["seconds"] for s in samples))
    by = result["by"]["letters"]
    assert {name: group["tasks"] for name, group in by.items()} == {"4": 1, "5": 3}
    five = [task["statistics"]["success_rate"] for task in result["tasks"] if task["metadata"]["letters"] == 5]
    assert by["5"]["success_rate"]["value"] == pytest.approx(sum(five) / 3)
    text = (tmp_path / "run" / "report.md").read_text()
    assert "success rate (avg@4)" in text and "Success rate by letters" in text


def test_entropy_is_the_mean_surprisal_per_token(tiny_model, tmp_path):
    (result,) = evaluate(tmp_path / "run", tiny_model, samples=2, temperature=1e-4)
    assert result["metrics"]["entropy"]["value"] == pytest.approx(0.0, abs=1e-3)
    (result,) = evaluate(tmp_path / "hot", tiny_model, samples=2, temperature=1e4)
    assert result["metrics"]["entropy"]["value"] == pytest.approx(5.55, abs=0.01)  # log of 258 tokens


def test_models_side_by_side_and_earlier_results(tiny_model, tmp_path):
    other = save_tiny_model(tmp_path / "other", seed=1)
    first, second = evaluate(tmp_path / "run", tiny_model, other)
    text = report([first, second])
    rates = [[task["statistics"]["success_rate"] for task in r["tasks"]] for r in (first, second)]
    difference = sum(b - a for a, b in zip(*rates, strict=True)) / 4
    row = next(line for line in text.splitlines() if "success rate" in line)
    assert f"{difference:+.3f}" == row.split("|")[4].strip()  # of four tasks, too few for an interval
    five = evaluate(tmp_path / "five", tiny_model, other, env="toy_env:toy/Plain-v0", num_tasks=5, samples=1)
    row = next(line for line in report(five).splitlines() if "response tokens" in line)
    assert all(cell.strip().endswith("]") for cell in row.split("|")[2:5])
    (saved,) = (tmp_path / "run").glob("*other*/result.json")
    again = evaluate(tmp_path / "third", tiny_model, compare=(saved,))
    assert [r["model"] for r in again] == [str(other), str(tiny_model)]
    main(EvaluateConfig(compare=(saved, saved), output=tmp_path / "table"), Console(file=io.StringIO()))
    assert "(2)" in (tmp_path / "table" / "report.md").read_text()


def test_results_on_other_tasks_are_compared_on_those_in_common(tiny_model, tmp_path):
    (all_tasks,) = evaluate(tmp_path / "all", tiny_model)
    (some,) = evaluate(tmp_path / "some", tiny_model, tasks=("beta",))
    (others,) = evaluate(tmp_path / "others", tiny_model, tasks=("gamma",))
    assert [task["task"] for task in some["tasks"]] == ["beta"]
    row = next(line for line in report([all_tasks, some]).splitlines() if "success rate" in line)
    assert row.split("|")[4].strip() != "–"
    row = next(line for line in report([some, others]).splitlines() if "success rate" in line)
    assert row.split("|")[4].strip() == "–"


def test_tasks_of_other_environments_are_not_compared(tiny_model, tmp_path):
    (first,) = evaluate(tmp_path / "run", tiny_model)
    (same,) = evaluate(tmp_path / "same", tiny_model, env="toy_env:toy/Even-v0")
    (longer,) = evaluate(tmp_path / "longer", tiny_model, env_arg=["max_turns=3"])
    text = report([first, same, longer])
    row = next(line for line in text.splitlines() if "success rate" in line)
    assert row.split("|")[5].strip() == "+0.000" and row.split("|")[6].strip() == "–"
    assert f"None for {tiny_model} (3), whose environment, its arguments or --success-return are others." in text
    plain = {"env": "toy_env:toy/Plain-v0", "num_tasks": 2, "samples": 1}
    results = [evaluate(tmp_path / f"r{r}", tiny_model, success_return=r, **plain)[0] for r in (1.0, 2.0)]
    row = next(line for line in report(results).splitlines() if "success rate" in line)
    assert row.split("|")[4].strip() == "–"


def test_several_turns_and_environments_of_others(tiny_model, tmp_path):
    (result,) = evaluate(tmp_path / "turns", tiny_model, env_arg=["max_turns=3"])
    assert 1 < result["metrics"]["turns"]["value"] <= 3
    (result,) = evaluate(tmp_path / "plain", tiny_model, env="toy_env:toy/Plain-v0", num_tasks=3, samples=2)
    assert len(result["tasks"]) == 3


def test_endless_tasks_come_by_seed_or_by_name(tiny_model, tmp_path):
    (result,) = evaluate(tmp_path / "seeds", tiny_model, env="sdpo/Chemistry-v0", num_tasks=3, samples=1)
    names = tuple(task["task"] for task in result["tasks"])
    assert len(set(names)) == 3 and all("family" in task["metadata"] for task in result["tasks"])
    assert result["feedback"]["failures"] == 3 and sum(result["feedback"]["kinds"].values()) >= 1
    (again,) = evaluate(tmp_path / "names", tiny_model, env="sdpo/Chemistry-v0", tasks=names[::-1], samples=1)
    assert tuple(task["task"] for task in again["tasks"]) == names[::-1]


def test_votes_are_counted_on_short_answers(tiny_model, tmp_path):
    (result,) = evaluate(tmp_path / "short", tiny_model, max_new_tokens=2)
    assert "majority@4" in result["metrics"]
    (result,) = evaluate(tmp_path / "long", tiny_model, max_new_tokens=200, samples=2)
    assert "majority@2" not in result["metrics"]


@pytest.mark.parametrize(("samples", "rows"), [(3, 8), (5, 2)])
def test_what_a_kill_left_is_kept_and_the_rest_is_the_same(samples, rows, tiny_model, tmp_path):
    """Whole lines are kept, half a line is dropped, also within a batch."""
    settings = {"samples": samples, "sampling_rows": rows}
    evaluate(tmp_path / "whole", tiny_model, **settings)
    (whole,) = (tmp_path / "whole").glob("*/samples.jsonl")
    text = whole.read_text()
    folder = tmp_path / "killed" / whole.parent.name
    ends = [i + 1 for i, c in enumerate(text) if c == "\n"]
    for cut in (0, 5, ends[3], ends[3] + 7, len(text) - 1):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "samples.jsonl").write_text(text[:cut])
        (folder.parent / "config.json").write_bytes((tmp_path / "whole" / "config.json").read_bytes())
        evaluate(tmp_path / "killed", tiny_model, **settings)
        assert without_seconds(folder / "samples.jsonl") == without_seconds(whole)
        kept = text[:cut].splitlines(keepends=True)
        assert (folder / "samples.jsonl").read_text().startswith("".join(k for k in kept if k.endswith("\n")))


def command(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "agents.evaluate", *map(str, arguments)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_kill_9_and_again(tiny_model, tmp_path):
    arguments = ["--env", "toy_env:toy/Even-v0", "--model", tiny_model, "--samples", 150, "--sampling-rows", 8]
    arguments += ["--max-new-tokens", 8, "--precision", "fp32", "--device", "cpu", "--output", tmp_path / "run"]
    process = command(*arguments)
    deadline = time.monotonic() + 200
    while not any(path.read_text().count("\n") > 16 for path in tmp_path.glob("run/*/samples.jsonl")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (samples,) = tmp_path.glob("run/*/samples.jsonl")
    kept = samples.read_text()
    again = command(*arguments)
    out, err = again.communicate(timeout=300)
    assert again.returncode == 0, err
    assert "success rate (avg@150)" in out
    assert samples.read_text().startswith(kept[: kept.rfind("\n") + 1])
    found = [(s["position"], s["sample"]) for s in lines(samples)]
    assert sorted(found) == [(p, s) for p in range(4) for s in range(150)]
    assert 16 < kept.count("\n") < 600


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tasks": ("omega",)}, "unknown task id 'omega'"),
        ({"tasks": ("beta", "beta")}, "named twice"),
        ({"tasks": ("beta",), "num_tasks": 2}, "--tasks or --num-tasks"),
        ({"tasks": ("beta",), "env": "toy/Plain-v0"}, "no tasks that could be named"),
        ({"env": "toy/Numbers-v0"}, "not a text environment"),
        ({"samples": 0}, "--samples must be at least 1, not 0"),
        ({"price_in": -1.0}, "prices"),
        ({"compare": (Path("/nowhere/result.json"),)}, "cannot read the result /nowhere/result.json"),
        ({"compare": (ROOT / "README.md",)}, "cannot read the result"),
    ],
)
def test_bad_settings_are_refused(settings, message, tiny_model, tmp_path):
    with pytest.raises(UsageError, match=message):
        evaluate(tmp_path / "run", tiny_model, **settings)


def test_no_model_and_models_named_twice(tiny_model, tmp_path):
    with pytest.raises(UsageError, match="--model"):
        evaluate(tmp_path / "run")
    with pytest.raises(UsageError, match="twice"):
        evaluate(tmp_path / "run", tiny_model, tiny_model)


def test_models_whose_names_come_out_alike_have_folders_of_their_own(tiny_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    models = ("x/a", "x-a", "x-a-1")
    for model in models:
        shutil.copytree(tiny_model, model)
    evaluate(tmp_path / "run", *models, samples=1, num_tasks=1)
    results = {path.parent.name: json.loads(path.read_text()) for path in (tmp_path / "run").glob("*/result.json")}
    assert {name: result["model"] for name, result in results.items()} == {
        "x-a-0": "x/a", "x-a-1-1": "x-a", "x-a-1": "x-a-1",
    }  # fmt: skip


def test_options_of_servers_need_the_model_of_one(tiny_model, tmp_path):
    for server in (ServerConfig(base_url="http://localhost:8000/v1"), ServerConfig(logprobs=True)):
        with pytest.raises(UsageError, match=r"is for the models of a server.* put openai: before"):
            evaluate(tmp_path / "run", tiny_model, server=server)


def test_a_file_that_is_no_result(tiny_model, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(UsageError, match="is no result of agents"):
        evaluate(tmp_path / "run", tiny_model, compare=(tmp_path / "x.json",))
    (result,) = evaluate(tmp_path / "whole", tiny_model, samples=1)
    del result["feedback"], result["cost"]
    (tmp_path / "x.json").write_text(json.dumps(result))
    with pytest.raises(UsageError, match=r"x.json lacks feedback, cost; it is damaged"):
        evaluate(tmp_path / "run", tiny_model, compare=(tmp_path / "x.json",))


def test_text_that_looks_like_an_emoji_is_printed_as_it_is(tiny_model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_model, "a:smile:b")
    main(EvaluateConfig(model=("a:smile:b",), output=Path("run"), **SMALL | {"samples": 1}))
    assert "a:smile:b" in capsys.readouterr().out


def test_names_that_look_like_markup_are_printed_as_they_are(tiny_model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_model, "[/a]")
    main(EvaluateConfig(model=("[/a]",), output=Path("run[lr=1]"), **SMALL | {"samples": 1}))
    assert "samples: run[lr=1]\n" in capsys.readouterr().out


def test_only_servers_have_prices(tiny_model, tmp_path):
    (result,) = evaluate(tmp_path / "run", tiny_model, samples=1, price_in=1.0, price_out=2.0)
    assert set(result["cost"]) == {"tokens_in", "tokens_out"}


def test_a_prompt_that_is_too_long_is_a_failure_at_its_task(tiny_model, tmp_path, caplog):
    warn_once.cache_clear()
    (result,) = evaluate(tmp_path / "run", tiny_model, env="toy/Long-v0", max_new_tokens=2, sampling_rows=2)
    samples = lines(next((tmp_path / "run").glob("*/samples.jsonl")))
    assert [bool(sample["turns"]) for sample in samples] == [True] * 8 + [False] * 8
    assert {sample["stop_reason"] for sample in samples[8:]} == {"context_length"}
    rates = [task["statistics"]["success_rate"] for task in result["tasks"]]
    assert rates[2:] == [0.0, 0.0] and result["metrics"]["success_rate"]["value"] == sum(rates) / 4 > 0
    entropies = [task["statistics"]["entropy"] for task in result["tasks"][:2]]
    assert result["metrics"]["entropy"]["value"] == pytest.approx(sum(entropies) / 2)
    assert "majority@4" in result["metrics"]
    assert len(caplog.messages) == 2 and "'gamma'" in caplog.messages[0] and "'delta'" in caplog.messages[1]
    with pytest.raises(UsageError, match="every task leaves no room"):
        evaluate(tmp_path / "long", tiny_model, env="toy/Long-v0", tasks=("delta",))


def test_an_evaluation_that_recorded_nothing_leaves_no_folder(tiny_model, tmp_path):
    with pytest.raises(UsageError, match="not a text environment"):
        evaluate(tmp_path / "run", tiny_model, env="toy/Numbers-v0")
    assert not (tmp_path / "run").exists()
    ResumableRun(tmp_path / "run", "agents.evaluate", {})  # another process's, which has recorded nothing yet
    with pytest.raises(UsageError, match="not a text environment"):
        evaluate(tmp_path / "run", tiny_model, env="toy/Numbers-v0")
    assert (tmp_path / "run").exists()


def test_models_are_looked_for_before_the_first_is_evaluated(tiny_model, tmp_path):
    for other, message in ((tmp_path / "nothing", "nothing holds no model"), (f"{tiny_model}/", "twice")):
        with pytest.raises(UsageError, match=message):
            evaluate(tmp_path / "run", tiny_model, other)
        assert not (tmp_path / "run").exists()


def test_attempts_at_tasks_that_have_changed_are_not_gone_on_with(tiny_model, tmp_path, monkeypatch):
    """A task that comes in between takes the next one's place, whose attempts would count as its own."""
    evaluate(tmp_path / "run", tiny_model, samples=1)
    before = without_seconds(*(tmp_path / "run").glob("*/samples.jsonl"))
    for words, message in (
        (("alpha", "aleph", "beta", "gamma", "delta"), "number 2 was 'beta', is now 'aleph'"),
        (("alpha", "beta", "gamma"), "number 4 was 'delta', is now missing"),
    ):
        monkeypatch.setattr(toy_env, "WORDS", words)
        with pytest.raises(UsageError, match=message):
            evaluate(tmp_path / "run", tiny_model, samples=1)
    monkeypatch.undo()
    evaluate(tmp_path / "run", tiny_model, samples=1)
    (journal,) = (tmp_path / "run").glob("*/samples.jsonl")
    assert without_seconds(journal) == before
    journal.write_text(journal.read_text().replace("Say gamma.", "Please say gamma."))
    with pytest.raises(UsageError, match="number 3 was 'gamma', is now worded otherwise"):
        evaluate(tmp_path / "run", tiny_model, samples=1)


def test_a_folder_of_another_run_is_left_alone(tiny_model, tmp_path):
    evaluate(tmp_path / "run", tiny_model, samples=1)
    with pytest.raises(UsageError, match="samples was 1, is now 2"):
        evaluate(tmp_path / "run", tiny_model, samples=2)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        evaluate(tmp_path / "full", tiny_model)
    with pytest.raises(UsageError, match="no/model"):
        evaluate(tmp_path / "mistyped", "./no/model")
    evaluate(tmp_path / "mistyped", tiny_model, samples=1)  # nothing was recorded there
    (tmp_path / "full" / "config.json").write_text("[]")
    with pytest.raises(UsageError, match="does not say what run"):
        evaluate(tmp_path / "full", tiny_model)


def test_attempts_of_other_weights_are_not_gone_on_with(tmp_path):
    model = save_tiny_model(tmp_path / "checkpoint")
    first = evaluate(tmp_path / "run", model)
    assert evaluate(tmp_path / "run", model) == first
    save_tiny_model(model, seed=1)
    with pytest.raises(UsageError, match=f"the model in {model} has changed since .* name another folder with --out"):
        evaluate(tmp_path / "run", model)


def test_a_full_disk_is_reported(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(UsageError, match="cannot write to the output folder"), Journal(tmp_path / "j") as journal:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
            journal.append([{"text": "x" * 200}])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_two_processes_do_not_write_one_folder(tmp_path):
    with Journal(tmp_path / "j.jsonl"), pytest.raises(UsageError, match="another process"):
        Journal(tmp_path / "j.jsonl")


def test_the_command_says_what_is_wrong_without_a_traceback(tiny_model):
    process = command(
        "--env", "toy_env:toy/Even-v0", "--model", tiny_model, "--tasks", "omega", "--output", "/dev/null/x"
    )
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1 and "cannot write" in err and "Traceback" not in err
