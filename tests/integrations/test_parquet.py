"""Questions as a Parquet file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import toy_env

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: pip install -e '.[parquet]'")

from sdpo_gym.integrations.parquet import write_parquet  # noqa: E402
from sdpo_gym.integrations.verl import compute_score  # noqa: E402

EVEN = "toy_env:toy/Even-v0"
SPLITS = {"train": "train", "validation": "test"}


def test_a_row_has_the_question_and_all_that_judging_needs(tmp_path):
    path = tmp_path / "train.parquet"
    assert write_parquet(path, EVEN, {"max_turns": 2}, count=3, first=1, split="train", episodes=True) == 3
    rows = parquet.read_table(path).to_pylist()
    assert rows[0] == {
        "data_source": EVEN,
        "prompt": [{"role": "user", "content": "Say beta."}],
        "ability": "sdpo_gym",
        "env_class": "sdpo_gym",
        "reward_model": {"style": "rule", "ground_truth": "beta"},
        "reward_spec": {"method": "rule", "ground_truth": "beta"},
        "extra_info": {
            "index": 1,
            "split": "train",
            "env_id": EVEN,
            "env_args": '{"max_turns": 2}',
            "task_id": "beta",
            "seed": 1,
        },
        "agent_name": "sdpo_gym",
    }
    assert [row["extra_info"]["task_id"] for row in rows] == list(toy_env.WORDS[1:])
    for row in rows:
        assert compute_score(solution_str="xx", extra_info=row["extra_info"])["score"] == 1.0


def test_single_responses_name_no_agent(tmp_path):
    path = tmp_path / "train.parquet"
    assert write_parquet(path, EVEN) == 4
    assert "agent_name" not in parquet.read_table(path).column_names


def test_a_row_holds_nothing_else_of_the_task(tmp_path):
    path = tmp_path / "train.parquet"
    write_parquet(path, "sdpo/LiveCodeBench-v0", {"difficulty": "trivial"}, count=3)
    for row in parquet.read_table(path).to_pylist():
        assert set(row["extra_info"]) == {"index", "split", "env_id", "env_args", "task_id", "seed"}
        assert json.loads(row["extra_info"]["env_args"]) == {"difficulty": "trivial"}


def test_the_example_writes_files_for_training_and_validation(tmp_path):
    script = Path(__file__).parents[2] / "examples" / "trainers" / "verl_data.py"
    subprocess.run([sys.executable, script, tmp_path / "data", "--turns", "3"], check=True, timeout=120)
    rows = {name: parquet.read_table(tmp_path / "data" / f"{name}.parquet").to_pylist()[0] for name in SPLITS}
    for name, row in rows.items():
        assert json.loads(row["extra_info"]["env_args"])["split"] == SPLITS[name]
        assert row["agent_name"] == "sdpo_gym"
        assert compute_score(solution_str="no program", extra_info=row["extra_info"])["score"] == 0.0
