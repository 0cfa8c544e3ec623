"""Two processes do what one does."""

import pytest
import torch
from launching import launch
from safetensors.torch import load_file
from training import records, run
from two_processes import RUNS, run_all

from agents.errors import UsageError
from agents.processes import ALONE, Processes


@pytest.fixture(scope="module")
def outputs(tiny_model, tmp_path_factory, one_thread):
    """Folders of the runs by one process and by two."""
    alone, together = (tmp_path_factory.mktemp(name) for name in ("alone", "together"))
    run_all(tiny_model, alone)
    result = launch("-m", "two_processes", tiny_model, together)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "2 processes" in result.stdout and "weights divided" in result.stdout
    return alone, together


@pytest.mark.parametrize("division", ["", "sharded"])
@pytest.mark.parametrize("name", [*RUNS, "resumed", "rolled-back"])
def test_two_processes_learn_what_one_learns(outputs, name, division):
    alone, together = outputs[0] / name, outputs[1] / division / name
    # The very same attempts, and the same numbers but for the order of sums.
    assert (together / "rollouts.jsonl").read_text() == (alone / "rollouts.jsonl").read_text()
    expected, found = (records(folder, "metrics.jsonl") for folder in (alone, together))
    assert len(found) == len(expected)
    for one, other in zip(expected, found, strict=True):
        assert one.keys() == other.keys()
        for metric, value in one.items():
            if isinstance(value, float) and not metric.endswith("_seconds"):
                assert other[metric] == pytest.approx(value, rel=1e-3, abs=1e-5, nan_ok=True), metric
    expected, found = (
        records(folder, "credit.jsonl") if (folder / "credit.jsonl").exists() else [] for folder in (alone, together)
    )
    assert len(expected) > 0 or name == "grpo"  # a group of three may be all alike
    for one, other in zip(expected, found, strict=True):
        assert (other["rollout"], other["tokens"]) == (one["rollout"], one["tokens"])
        assert other["student"] == pytest.approx(one["student"], rel=1e-3, abs=1e-3)
    weights = "adapter_model.safetensors" if name == "lora" else "model.safetensors"
    expected, found = (load_file(folder / "checkpoint" / weights) for folder in (alone, together))
    for key, weight in expected.items():
        assert (found[key] - weight).abs().max() < 1e-4, key


def test_two_processes_leave_what_one_needs_to_go_on(outputs):
    alone, together = (
        torch.load(folder / "resumed" / "checkpoint" / "training_state.pt", weights_only=True)
        for folder in (outputs[0], outputs[1] / "sharded")
    )
    moments = [state["updater"].pop("optimizer") for state in (alone, together)]
    assert moments[0]["param_groups"] == moments[1]["param_groups"]
    torch.testing.assert_close(moments[1]["state"], moments[0]["state"], rtol=1e-3, atol=1e-5)
    teachers = [state.pop("algorithm")[0] for state in (alone, together)]
    torch.testing.assert_close(teachers[1], teachers[0], rtol=0, atol=1e-4)
    assert together.keys() == alone.keys() and together["position"] == alone["position"]


def test_one_process_has_nothing_to_divide(tiny_model, tmp_path):
    with pytest.raises(UsageError, match="--shard divides the model among several processes, but there is only one"):
        run("grpo", tiny_model, tmp_path / "run", shard=True)


def test_a_mistake_is_told_once_and_ends_all(outputs, tiny_model):
    taken = outputs[1] / "grpo"
    result = launch(
        "-m", "agents.grpo", "--env", "toy_env:toy/Even-v0", "--model", tiny_model, "--device", "cpu",
        "--output", taken,
    )  # fmt: skip
    assert result.returncode != 0
    assert result.stderr.count(f"error: the output folder {taken} is not empty") == 1


def test_one_process_has_everything():
    assert ALONE.is_main and ALONE.interleave([1, 2]) == [1, 2] and ALONE.add_up({"a": 1.0}) == {"a": 1.0}
    assert [list(range(7))[Processes(i, 3).mine] for i in range(3)] == [[0, 3, 6], [1, 4], [2, 5]]
