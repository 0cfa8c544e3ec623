"""verl, and the SDPO authors' fork of it: rewards with feedback, and questions as Parquet (extra `[parquet]`).

Nothing here imports verl: it calls `compute_score`, which its configuration names, with keyword arguments that are the
same in both. The agent loop for episodes of several attempts is in `verl_agent_loop`.

A row says everything that judging needs: `data_source` is the environment's id, `extra_info` holds its arguments, the
task's id and the seed. The answer key stays in the environment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdpo_gym.integrations.judge import Judge, shared_judge
from sdpo_gym.verdict import Verdict


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any],
    **_: Any,
) -> dict[str, float | str]:
    """Judge a response: `score` (the reward), `acc` (1.0 if the task is solved) and `feedback` (text, may be empty).

    Safe to call from several threads. A failure of the judging itself is raised; it is never a score of 0.

    Args:
        data_source: The environment's id.
        solution_str: The response.
        ground_truth: The task's id.
        extra_info: The row's, with `seed` and `env_args` (JSON).
    """
    judge = shared_judge(data_source, extra_info["env_args"])
    return score_of(judge.verdict(ground_truth, int(extra_info["seed"]), solution_str))


def score_of(verdict: Verdict) -> dict[str, float | str]:
    """A verdict as verl takes it: the same keys for every response, as it makes a column of each."""
    return {"score": verdict.reward, "acc": float(verdict.success), "feedback": verdict.feedback}


def write_parquet(
    path: str | Path,
    env_id: str,
    env_args: Mapping[str, Any] | None = None,
    *,
    count: int | None = None,
    first: int = 0,
    split: str = "train",
    agent: str | None = None,
) -> int:
    """Write an environment's questions as a file for `data.train_files` or `data.val_files`; return how many.

    Args:
        path: The `.parquet` file.
        env_id: Registered id; `module:id` imports a module first.
        env_args: Keyword arguments of the environment. They go into every row, so that a file for training and one for
            validation may have different ones.
        count: How many questions; needed where they are endless. None: all.
        first: The number of the first one.
        split: A label for the rows.
        agent: The agent loop that plays these rows, such as `"sdpo_gym"` for episodes of several attempts. None: verl's
            default, one response.
    """
    import pyarrow
    import pyarrow.parquet

    judge = Judge(env_id, env_args)
    try:
        questions = judge.questions(count, first=first)
    finally:
        judge.close()
    rows = [
        {
            "data_source": env_id,
            "prompt": list(question.messages),
            "ability": "sdpo-gym",
            "reward_model": {"style": "rule", "ground_truth": question.task_id},
            "extra_info": {
                "index": first + i,
                "split": split,
                "task_id": question.task_id,
                "seed": question.seed,
                "env_args": json.dumps(judge.env_args),
            },
            **({} if agent is None else {"agent_name": agent}),
        }
        for i, question in enumerate(questions)
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return len(rows)
