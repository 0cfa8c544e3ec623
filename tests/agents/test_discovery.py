"""`python -m agents.discovery`: the methods, kills and resumption, selection of tasks, bad input."""

import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toy_env
from conftest import save_tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from agents.discovery.__main__ import main
from agents.discovery.attempts import Record
from agents.discovery.config import METHODS, DiscoveryConfig
from agents.discovery.multi_turn import windowed_prompt, with_history
from agents.discovery.result import make_result
from agents.discovery.select import SelectConfig
from agents.discovery.select import main as select
from agents.episode import Episode, Turn
from agents.errors import UsageError
from agents.policy.load import load_policy

ROOT = Path(__file__).parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "tests"), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
SMALL = {
    "env": "toy/Rare-v0",
    "tasks": ("alpha", "gamma"),
    "budget": 14,
    "seed": 5,
    "seeds": 2,
    "batch_size": 4,
    "sampling_rows": 6,
    "max_new_tokens": 8,
    "lr": 3e-3,
    "device": "cpu",
    "precision": "fp32",
}


pytestmark = pytest.mark.usefixtures("one_thread")


def discover(output, model, console=None, **settings):
    config = DiscoveryConfig(**SMALL | {"model": str(model), "output": output} | settings)
    return main(config, console or Console(file=io.StringIO(), width=200))


def records(folder, method):
    """The journal, without what depends on the machine."""
    found = [json.loads(line) for line in (folder / f"{method}.jsonl").read_text().splitlines()]
    return [{k: v for k, v in record.items() if k != "seconds"} for record in found]


def machine_independent(result):
    return {name: {k: v for k, v in method.items() if k != "cost"} for name, method in result["methods"].items()}


def responses(folder, method, task, seed):
    return [
        episode["turns"][0]["text"]
        for record in records(folder, method)
        if (record["task"], record["seed"]) == (task, seed)
        for episode in record["episodes"]
    ]


@pytest.fixture(scope="module")
def whole(one_thread, tiny_model, tmp_path_factory):
    """The folder and result of an uninterrupted run of all methods."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, discover(folder, tiny_model)


def test_runs_end_with_the_first_success_or_the_budget(whole):
    folder, result = whole
    assert json.loads((folder / "result.json").read_text()) == result
    times = set()
    for method in METHODS:
        for task, runs in result["methods"][method]["runs"].items():
            for seed, run in enumerate(runs, SMALL["seed"]):
                texts = responses(folder, method, task, seed)
                solved = [sum(map(ord, text)) % 12 == 0 for text in texts]
                assert run["time"] == (solved.index(True) + 1 if any(solved) else None)
                assert run["attempts"] == len(texts) <= 14 and run["successes"] == sum(solved)
                times.add(run["time"])
                if method == "best_of_k" or run["time"] is None:
                    assert len(texts) == 14
                elif method == "multi_turn":
                    assert len(texts) == run["time"]
                else:  # the batch of the first success is the last, and whole
                    assert run["time"] <= len(texts) < run["time"] + 4
    assert None in times and len(times) > 3


def test_every_run_is_announced_once(whole, tiny_model):
    folder, result = whole
    for method in METHODS:  # everything is on the disk already
        console = Console(file=io.StringIO(), width=200)
        discover(folder, tiny_model, console, method=method)
        said = [line for line in console.file.getvalue().splitlines() if line.startswith(f"{method} · ")]
        expected = [
            f"{method} · {task} · seed {seed}: "
            + (f"solved by attempt {run['time']}" if run["time"] else "not solved in 14 attempts")
            for task, runs in result["methods"][method]["runs"].items()
            for seed, run in enumerate(runs, SMALL["seed"])
        ]
        assert sorted(said) == sorted(expected)


def test_report_and_plot(whole):
    folder, result = whole
    text = (folder / "report.md").read_text()
    for expected in ("discovery@14", "best_of_k", "multi_turn", "sdpo", "speed-up", "seconds per attempt", "| gamma |"):
        assert expected in text
    for method in result["methods"].values():
        assert len(method["curve"]) == 14
        assert method["curve"] == sorted(method["curve"])
    pytest.importorskip("matplotlib", reason="the plot needs the extra [report]")
    assert (folder / "discovery.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (folder / "discovery.svg").read_bytes()


def test_a_method_just_like_the_baseline_is_as_fast():
    """Its runs end with the first success; the baseline's go on, and have others."""

    def record(successes, ends):
        return Record(
            {"task": task, "seed": 0, "first": 0, "episodes": [
                {"task": task, "seed": 0, "messages": [], "turns": [], "success": number in (time, 8)}
                for number in range(1, (time if ends else 8) + 1)
            ]}
            for task, time in successes.items()
        )  # fmt: skip

    times = {"a": 1, "b": 3, "c": 4}
    records = {"best_of_k": record(times, ends=False), "sdpo": record(times, ends=True)}
    methods = make_result({"budget": 8}, records, list(times), [0])["methods"]
    assert methods["sdpo"]["summary"]["speed_up"] == {"discovery": 1.0, "factor": 1.0}
    assert "speed_up" not in methods["best_of_k"]["summary"]


def test_few_runs_have_no_intervals(whole, tiny_model, tmp_path):
    folder, few = whole  # two tasks, twice each
    assert all(method["band"] is None for method in few["methods"].values())
    assert "no intervals" in (folder / "report.md").read_text()
    assert re.search(r"discovery@14 \| [01].\d{3} \|", (folder / "report.md").read_text())
    enough = discover(tmp_path / "run", tiny_model, method="best_of_k", budget=4, seeds=3)
    low, high = enough["methods"]["best_of_k"]["band"]
    assert len(low) == len(high) == 4
    assert re.search(r"discovery@4 \| [01].\d{3} \[", (tmp_path / "run" / "report.md").read_text())


def test_the_plot_is_left_out_without_matplotlib(tiny_model, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    console = Console(file=io.StringIO(), width=200)
    discover(tmp_path / "run", tiny_model, console, method="best_of_k", budget=2)
    assert "sdpo-gym[report]" in console.file.getvalue() and (tmp_path / "run" / "report.md").exists()


def test_sdpo_learns_between_batches_and_keeps_the_bare_question(whole, tiny_model, tmp_path):
    folder, _ = whole
    discover(tmp_path / "control", tiny_model, method="sdpo", lr=0.0)
    for task in SMALL["tasks"]:
        for seed in (SMALL["seed"], SMALL["seed"] + 1):
            learned = responses(folder, "sdpo", task, seed)
            control = responses(tmp_path / "control", "sdpo", task, seed)
            assert learned[:4] == control[:4]
            assert len(learned) <= 4 or learned[4:8] != control[4:8]
    prompts = {}
    for record in records(folder, "sdpo"):
        for episode in record["episodes"]:
            prompts.setdefault(record["task"], set()).add(tuple(episode["turns"][0]["context_ids"]))
        assert (record["notes"] != {}) == (record["first"] > 0)
    assert all(len(found) == 1 for found in prompts.values())


@pytest.mark.parametrize("method", ["sdpo", "best_of_k"])
def test_a_run_starts_afresh_whatever_came_before(method, whole, tiny_model, tmp_path):
    folder, _ = whole
    discover(tmp_path / "alone", tiny_model, method=method, tasks=("gamma",))
    for seed in (SMALL["seed"], SMALL["seed"] + 1):
        alone = responses(tmp_path / "alone", method, "gamma", seed)
        assert alone and alone == responses(folder, method, "gamma", seed)


def test_the_seed_decides(whole, tiny_model, tmp_path):
    folder, _ = whole
    discover(tmp_path / "other", tiny_model, method="sdpo", seed=6, seeds=1)
    assert responses(tmp_path / "other", "sdpo", "alpha", 6) == responses(folder, "sdpo", "alpha", 6)
    assert responses(folder, "sdpo", "alpha", 5)[:4] != responses(folder, "sdpo", "alpha", 6)[:4]
    assert responses(folder, "sdpo", "alpha", 5)[:4] != responses(folder, "best_of_k", "alpha", 5)[:4]


def test_multi_turn_shows_the_feedback_so_far(whole, tiny_model):
    folder, _ = whole
    policy = load_policy(str(tiny_model), device="cpu", precision="fp32")
    feedback = {}
    longest = 0
    for record in records(folder, "multi_turn"):
        (episode,) = record["episodes"]
        said = feedback.setdefault((record["task"], record["seed"]), [])
        prompt = policy.decode(episode["turns"][0]["context_ids"])
        assert f"Say {record['task']}." in prompt
        assert all(text in prompt for text in said) and prompt.count("remainder") == len(said)
        said.append(episode["turns"][0]["feedback"])
        longest = max(longest, len(said))
    assert longest > 4


@pytest.mark.parametrize("history", ["feedback", "attempts"])
@given(data=st.data())
@settings(max_examples=30)
def test_the_oldest_failures_leave_the_window_first(history, data, tiny_model):
    policy = _policy(str(tiny_model))
    messages = ({"role": "user", "content": "Say alpha."},)
    texts = data.draw(st.lists(st.tuples(st.text("ab", max_size=30), st.text("xy", max_size=30)), max_size=6))
    failures = [
        Episode("t", 0, messages, [Turn([1], [2], [0.0], False, response, 0.0, feedback)])
        for response, feedback in texts
    ]
    room = data.draw(st.integers(1, 400))
    lengths = [
        len(policy.render(with_history(messages, failures[dropped:], history))) for dropped in range(len(failures) + 1)
    ]
    fitting = [dropped for dropped, length in enumerate(lengths) if length <= room]
    expected = fitting[0] if fitting else len(failures)
    prompt, dropped = windowed_prompt(policy, messages, failures, history, room)
    assert dropped == expected and len(prompt) == lengths[expected]
    assert windowed_prompt(policy, messages, failures, history, room, data.draw(st.integers(0, expected))) == (
        prompt,
        dropped,
    )


_POLICIES = {}


def _policy(folder):
    if folder not in _POLICIES:
        _POLICIES[folder] = load_policy(folder, device="cpu", precision="fp32")
    return _POLICIES[folder]


def test_a_chat_of_attempts_and_feedback():
    messages = ({"role": "system", "content": "s"}, {"role": "user", "content": "q"})
    failures = [Episode("t", 0, messages, [Turn([1], [2], [0.0], False, "a", 0.0, f)]) for f in ("bad", "")]
    chat = with_history(messages, failures, "attempts")
    assert [m["role"] for m in chat] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert [m["content"] for m in chat][2:] == ["a", "bad", "a", "That is not correct."]
    (system, user) = with_history(messages, failures, "feedback")
    assert system == messages[0] and user["content"].startswith("q\n\n") and "1. bad\n\n2. That is" in user["content"]


def test_history_and_window_reach_the_model(tiny_model, tmp_path):
    console = Console(file=io.StringIO(), width=400)
    multi_turn = {"method": "multi_turn", "budget": 8, "seeds": 1}
    discover(tmp_path / "run", tiny_model, console, **multi_turn, history="attempts", window=150)
    assert "warning" not in console.file.getvalue()
    lengths = [len(r["episodes"][0]["turns"][0]["context_ids"]) for r in records(tmp_path / "run", "multi_turn")]
    assert 60 < max(lengths) <= 150
    discover(tmp_path / "narrow", tiny_model, console, **multi_turn, window=60)
    later = len(records(tmp_path / "narrow", "multi_turn")) - len(SMALL["tasks"])
    assert f"warning: {later} later attempts of multi_turn were shown no history" in console.file.getvalue()


@pytest.mark.parametrize(
    "variant",
    [
        {"teacher": "trust_region", "trust_region_mix": 0.5},
        {"teacher": "frozen", "advantage_clip": 1.0, "reprompt": "paper"},
        {"teacher": "live", "context": "both", "divergence": "jsd", "minibatches": 2},
        {"context": "demonstration-else-feedback", "level": "token"},
        {"grpo_weight": 0.5},
        {"route": "success"},
    ],
)
def test_variants(variant, tiny_model, tmp_path):
    discover(tmp_path / "run", tiny_model, method="sdpo", budget=8, seeds=1, **variant)
    notes = [record["notes"] for record in records(tmp_path / "run", "sdpo") if record["notes"]]
    assert notes and all(note["learned_fraction"] > 0 and note["grad_norm"] > 0 for note in notes)


def test_without_feedback_nothing_is_learned_and_that_is_said(tiny_model, tmp_path):
    console = Console(file=io.StringIO(), width=200)
    discover(
        tmp_path / "run", tiny_model, console, method="sdpo", env_arg=["feedback=false", "modulus=100000"], seeds=1
    )
    assert "nothing was learned" in console.file.getvalue()


@pytest.mark.parametrize("method", METHODS)
def test_what_a_kill_left_is_kept_and_the_rest_is_the_same(method, whole, tiny_model, tmp_path):
    """Cut anywhere, within a line too, the record grows into what it would have been without a kill."""
    folder, result = whole
    text = (folder / f"{method}.jsonl").read_text()
    cuts = [*random.Random(0).sample(range(len(text)), 2), text.index("\n") + 1]
    for number, cut in enumerate(cuts):
        killed = tmp_path / str(number)
        killed.mkdir()
        (killed / "config.json").write_bytes((folder / "config.json").read_bytes())
        (killed / f"{method}.jsonl").write_text(text[:cut])
        resumed = discover(killed, tiny_model, method=method)
        assert records(killed, method) == records(folder, method)
        assert (killed / f"{method}.jsonl").read_text().startswith(text[: text.rfind("\n", 0, cut) + 1])
        ours = machine_independent(resumed)[method]
        theirs = machine_independent(result)[method]
        assert ours["runs"] == theirs["runs"] and ours["curve"] == theirs["curve"]


def command(module, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_kill_9_and_again(tiny_model, tmp_path):
    """A command that is killed and given again ends with the result of one that was not."""
    options = {"tasks": ("alpha",), "env_arg": ["modulus=200"], "budget": 40, "seeds": 2, "sampling_rows": 4}
    process = command(
        "agents.discovery", "--env", "toy_env:toy/Rare-v0", "--env-arg", "modulus=200", "--model", tiny_model,
        "--task", "alpha", "--budget", 40, "--seeds", 2, "--batch-size", 4, "--sampling-rows", 4,
        "--max-new-tokens", 8, "--lr", 3e-3, "--device", "cpu", "--precision", "fp32", "--seed", 5,
        "--output", tmp_path / "killed",
    )  # fmt: skip
    journal = tmp_path / "killed" / "sdpo.jsonl"
    deadline = time.monotonic() + 200
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= 3):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "killed" / "result.json").exists()
    again = discover(tmp_path / "killed", tiny_model, env="toy_env:toy/Rare-v0", **options)
    straight = discover(tmp_path / "straight", tiny_model, env="toy_env:toy/Rare-v0", **options)
    assert machine_independent(straight) == machine_independent(again)
    for method in METHODS:
        assert records(tmp_path / "straight", method) == records(tmp_path / "killed", method)


def test_methods_may_be_run_one_by_one(whole, tiny_model, tmp_path):
    for methods in (["sdpo"], ["multi_turn", "sdpo"], ["best_of_k", "multi_turn", "sdpo"]):
        result = discover(tmp_path / "run", tiny_model, method=methods[0])
        assert list(result["methods"]) == methods
    assert machine_independent(result) == machine_independent(whole[1])
    journal = tmp_path / "run" / "multi_turn.jsonl"  # one that is not complete is left out, and left alone
    text = journal.read_text()
    journal.write_text(text[:-10])
    assert list(discover(tmp_path / "run", tiny_model, method="sdpo")["methods"]) == ["best_of_k", "sdpo"]
    assert journal.read_text() == text[:-10]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tasks": ("omega",)}, "unknown task id 'omega'"),
        ({"tasks": ("alpha", "alpha")}, "named twice"),
        ({"tasks": ()}, "--tasks"),
        ({"selection": Path("/nowhere")}, "--tasks"),
        ({"tasks": (), "selection": Path("/nowhere")}, "cannot read the selection /nowhere"),
        ({"budget": 0}, "--budget must be at least 1, not 0"),
        ({"seeds": 0}, "--seeds"),
        ({"batch_size": 0}, "--batch-size"),
        ({"batch_size": 7}, "--batch-size 7 is more than --sampling-rows 6"),
        ({"minibatches": 5}, "--minibatches 5 is more than --batch-size 4"),
        ({"context": "demonstration"}, "before the first success there is none"),
        ({"advantage_clip": 0.0}, "--advantage-clip"),
        ({"trust_region_mix": 1.5}, "--trust-region-mix"),
        ({"env": "toy/Plain-v0"}, "no tasks that could be named"),
        ({"env": "toy/Numbers-v0"}, "not a text environment"),
        ({"env_arg": ["max_turns=2"]}, "single turn"),
        ({"model": "./no/model"}, "no/model"),
        ({"max_new_tokens": 5000}, "leaves no room"),
        ({"env": "toy/Long-v0"}, "'gamma' .* leaves no room"),
    ],
)
def test_bad_settings_are_refused(settings, message, tiny_model, tmp_path):
    with pytest.raises(UsageError, match=message):
        discover(tmp_path / "run", **{"model": tiny_model} | settings)
    assert not (tmp_path / "run").exists()


def test_a_run_with_other_settings_is_not_gone_on_with(tiny_model, tmp_path):
    discover(tmp_path / "run", tiny_model, method="best_of_k", budget=2)
    with pytest.raises(UsageError, match="budget was 2, is now 3"):
        discover(tmp_path / "run", tiny_model, method="best_of_k", budget=3)
    with pytest.raises(UsageError, match=r"a run of agents.discovery, not of agents.discovery.select; name another"):
        run_select(tmp_path / "run", tiny_model)


def test_a_run_with_other_weights_is_not_gone_on_with(tmp_path):
    model = save_tiny_model(tmp_path / "checkpoint")
    discover(tmp_path / "run", model, method="best_of_k", budget=2)
    run_select(tmp_path / "selected", model)
    save_tiny_model(model, seed=1)
    with pytest.raises(UsageError, match=f"the model in {model} has changed"):
        discover(tmp_path / "run", model, method="multi_turn", budget=2)
    with pytest.raises(UsageError, match=f"the model in {model} has changed"):
        run_select(tmp_path / "selected", model)


def test_a_record_with_a_gap_is_refused(tiny_model, tmp_path):
    discover(tmp_path / "run", tiny_model, method="best_of_k")
    journal = tmp_path / "run" / "best_of_k.jsonl"
    journal.write_text("".join(journal.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(UsageError, match="gap"):
        discover(tmp_path / "run", tiny_model, method="best_of_k")


def run_select(output, model, **settings):
    config = SelectConfig(
        **{"env": "toy/Even-v0", "model": str(model), "output": output, "samples": 20, "sampling_rows": 8}
        | {"max_new_tokens": 8, "k": 1, "precision": "fp32", "device": "cpu"}
        | settings
    )
    found = select(config, Console(file=io.StringIO(), width=200))
    return found, json.loads((output / "selection.json").read_text())["selected"]


def test_selection_by_the_success_rate(tiny_model, tmp_path):
    found, selected = run_select(tmp_path / "all", tiny_model, at_most=1.0)
    assert selected == list(toy_env.WORDS) and all(task["attempts"] == 20 for task in found)
    rates = sorted(task["pass@1"] for task in found)
    found, selected = run_select(tmp_path / "some", tiny_model, at_most=rates[0])
    assert 1 <= len(selected) < 4
    assert all(task["selected"] == (task["task"] in selected) for task in found)
    # An easy task is given up as soon as it cannot come below the threshold any more.
    found, selected = run_select(tmp_path / "none", tiny_model, at_most=0.0)
    assert selected == [] and all(task["attempts"] == 8 and task["successes"] > 0 for task in found)
    _, selected = run_select(tmp_path / "one", tiny_model, at_most=1.0, limit=1)
    assert selected == ["alpha"]


def test_a_task_whose_prompt_is_too_long_is_not_selected(tiny_model, tmp_path):
    found, selected = run_select(tmp_path / "run", tiny_model, env="toy/Long-v0", at_most=1.0)
    assert selected == ["alpha", "beta"] and [task["attempts"] for task in found] == [20, 20, 0, 0]
    assert run_select(tmp_path / "run", tiny_model, env="toy/Long-v0", at_most=1.0) == (found, selected)


def test_giving_up_early_changes_no_selection():
    config = SelectConfig(samples=6, k=2, at_least=0.1, at_most=0.6)
    for outcome in range(2**6):
        solved = [outcome >> i & 1 for i in range(6)]
        final = config.selects(6, sum(solved))
        assert final in (True, False)
        for attempts in range(6):
            early = config.selects(attempts, sum(solved[:attempts]))
            assert early is None or early == final


def test_a_selection_goes_on_after_a_kill_and_feeds_discovery(tiny_model, tmp_path):
    found, selected = run_select(tmp_path / "whole", tiny_model, at_most=1.0)
    lines = (tmp_path / "whole" / "batches.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed" / "config.json").write_bytes((tmp_path / "whole" / "config.json").read_bytes())
    (tmp_path / "killed" / "batches.jsonl").write_text("".join(lines[:4]) + lines[4][:10])
    assert run_select(tmp_path / "killed", tiny_model, at_most=1.0) == (found, selected)
    result = discover(
        tmp_path / "run", tiny_model, env="toy/Even-v0", method="best_of_k", budget=2, tasks=(),
        selection=tmp_path / "whole" / "selection.json",
    )  # fmt: skip
    assert result["tasks"] == selected
    _, nothing = run_select(tmp_path / "none", tiny_model, at_most=0.0)
    with pytest.raises(UsageError, match="selects no task"):
        discover(tmp_path / "x", tiny_model, tasks=(), selection=tmp_path / "none" / "selection.json")
    with pytest.raises(UsageError, match="no selection of"):
        discover(tmp_path / "x", tiny_model, tasks=(), selection=tmp_path / "whole" / "config.json")
    assert nothing == []


def test_a_selection_from_tasks_that_have_changed_is_not_gone_on_with(tiny_model, tmp_path, monkeypatch):
    run_select(tmp_path / "run", tiny_model, at_most=1.0)
    monkeypatch.setattr(toy_env, "WORDS", ("alpha", "aleph", "beta", "gamma", "delta"))
    with pytest.raises(UsageError, match="number 2 was 'beta', is now 'aleph'"):
        run_select(tmp_path / "run", tiny_model, at_most=1.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": 21}, "at least 21 --samples, not 20"),
        ({"at_least": 0.6, "at_most": 0.5}, "--at-least"),
        ({"env": "toy/Plain-v0"}, "only seeds"),
        ({"tasks": ("beta",), "num_tasks": 1}, "not both"),
        ({"tasks": ("omega",)}, "unknown task id"),
    ],
)
def test_bad_selections_are_refused(settings, message, tiny_model, tmp_path):
    with pytest.raises(UsageError, match=message):
        run_select(tmp_path / "run", tiny_model, **settings)


def test_the_commands_say_what_is_wrong_without_a_traceback(tiny_model, tmp_path):
    process = command("agents.discovery", "--env", "toy_env:toy/Rare-v0", "--model", tiny_model, "--task", "omega")
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1 and "unknown task id 'omega'" in err and "Traceback" not in err
