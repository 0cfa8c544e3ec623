"""The guard against a collapse: when it raises an alarm, and what a run does then."""

import io

import numpy as np
import pytest
import toy_env  # noqa: F401
from rich.console import Console
from training import SMALL, records, run

from agents.collapse import CollapseGuard
from agents.errors import UsageError
from agents.grpo.algorithm import GRPO
from agents.grpo.config import GRPOConfig
from agents.learner import train


def test_is_said_once():
    guard = CollapseGuard()
    healthy = {"success_rate": 0.5, "entropy": 1.0, "response_tokens": 40.0}
    assert [guard.check(healthy) for _ in range(12)] == [""] * 12
    words = [guard.check(healthy | {"entropy": 0.01}) for _ in range(12)]
    assert sum(map(bool, words)) == 1 and "entropy" in "".join(words)
    words = [guard.check(healthy | {"entropy": 0.01, "success_rate": 0.0}) for _ in range(12)]
    assert sum(map(bool, words)) == 1 and "success_rate" in "".join(words)


def test_never_at_a_success_rate_of_zero():
    guard = CollapseGuard()
    assert not any(guard.check({"success_rate": 0.0, "entropy": 1.0, "response_tokens": 4.0}) for _ in range(30))


@pytest.mark.parametrize("rate", [0.02, 0.05, 0.1, 0.3])
def test_is_not_seen_in_chance(rate):
    """100 runs of 100 steps whose success rate stays what it is; at most a few raise an alarm."""
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(100):
        guard = CollapseGuard()
        alarms += any(guard.check({"success_rate": successes / 32}) for successes in rng.binomial(32, rate, 100))
    assert alarms <= 5


@pytest.mark.parametrize(("before", "after"), [(0.6, 0.02), (0.6, 0.1), (0.3, 0.0)])
def test_is_seen(before, after):
    rng = np.random.default_rng(0)
    for _ in range(30):
        guard = CollapseGuard()
        rates = np.concatenate([rng.binomial(32, before, 20), rng.binomial(32, after, 20)]) / 32
        assert next(i for i, rate in enumerate(rates) if guard.check({"success_rate": rate})) >= 20


def test_success_is_compared_with_its_best_and_the_rest_with_the_start():
    guard = CollapseGuard()
    words = [
        guard.check({"success_rate": success, "entropy": entropy, "response_tokens": entropy})
        for success, entropy in [(0.0, 1.0)] * 10 + [(0.6, 20.0)] * 20 + [(0.0, 1.0)] * 20
    ]
    [(step, said)] = [(step, said) for step, said in enumerate(words) if said]
    assert step >= 30 and said.startswith("success has collapsed") and "was 0.6" in said


def test_windows_that_are_compared_share_no_step():
    guard = CollapseGuard()
    words = [guard.check({"entropy": entropy}) for entropy in [5.0] + [0.0] * 11]
    assert [step for step, said in enumerate(words, 1) if said] == [10]


def test_is_said_once_in_a_run_that_is_resumed():
    guard, later = CollapseGuard(), CollapseGuard()
    for rate in [0.5] * 10 + [0.0] * 10:
        guard.check({"success_rate": rate})
    later.load_state(guard.state())
    assert not any(later.check({"success_rate": 0.0}) for _ in range(10))


def test_may_end_the_run(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(CollapseGuard, "check", lambda self, metrics: "it has collapsed")
    console = Console(file=io.StringIO(), width=200)
    config = GRPOConfig(
        **SMALL | {"model": str(tiny_model), "output": tmp_path / "run", "steps": 50, "on_collapse": "stop"}
    )
    train(config, lambda policy, console: GRPO(config, policy), console)
    assert [r["step"] for r in records(tmp_path / "run", "metrics.jsonl") if r["phase"] == "train"] == [1]
    assert "it has collapsed" in console.file.getvalue() and "after 1 steps" in console.file.getvalue()


def test_may_bring_back_the_best_weights(tiny_model, tmp_path, monkeypatch):
    """After three steps; the best are of an earlier evaluation, and the last evaluation is of them."""
    monkeypatch.setattr(CollapseGuard, "check", _collapse_at_the_third_step)
    settings = {"on_collapse": "rollback", "save_every": 1, "lr": 0.05, "kl_coef": 0.1, "steps": 50}
    folder = run("grpo", tiny_model, tmp_path / "run", **settings)
    last, best = ((folder / name / "model.safetensors").read_bytes() for name in ("checkpoint", "best"))
    assert last == best
    metrics = records(folder, "metrics.jsonl")
    assert [(r["step"], r["phase"]) for r in metrics][-3:] == [(3, "train"), (3, "rollback"), (3, "evaluation")]
    rates = [r["success_rate"] for r in metrics if r["phase"] == "evaluation"]
    assert rates[-1] == metrics[-2]["success_rate"] == max(rates)
    with pytest.raises(UsageError, match="rolled back"):
        run("grpo", tiny_model, folder, **settings | {"resume": True})
    plain = run("grpo", tiny_model, tmp_path / "plain", **settings | {"on_collapse": "stop"})
    assert (plain / "checkpoint" / "model.safetensors").read_bytes() != best


def test_brings_back_adapters_too(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(CollapseGuard, "check", _collapse_at_the_third_step)
    settings = {"on_collapse": "rollback", "save_every": 1, "lr": 0.05, "steps": 50, "lora_rank": 2}
    folder = run("grpo", tiny_model, tmp_path / "run", **settings)
    last, best = ((folder / name / "adapter_model.safetensors").read_bytes() for name in ("checkpoint", "best"))
    assert last == best


def _collapse_at_the_third_step(guard, metrics):
    guard.history.append({})
    return "it has collapsed" if len(guard.history) == 3 else ""
