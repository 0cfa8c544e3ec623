"""An environment's questions as a Parquet file, in the columns that verl, the SDPO authors' fork and SkyRL read.

All that judging needs is in the `extra_info` of a row: `env_id`, `env_args` (JSON), `task_id` and `seed`. What those
programs call the ground truth is the id of the task: the answer key stays in the environment. Extra: `[parquet]`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sdpo_gym.extras import needs
from sdpo_gym.integrations.judge import list_questions

NAME = "sdpo_gym"
"""What verl's agent loop and SkyRL's environment are registered as."""


def write_parquet(
    path: str | Path,
    env_id: str,
    env_args: Mapping[str, Any] | None = None,
    *,
    count: int | None = None,
    first: int = 0,
    split: str = "train",
    episodes: bool = False,
) -> int:
    """Write questions to a file; return how many.

    Args:
        path: The `.parquet` file.
        env_id: Registered id; `module:id` imports a module first.
        env_args: Keyword arguments of the environment. They go into every row, so that the files for training and for
            validation may have different ones.
        count: How many questions; needed where they are endless. None: all.
        first: The number of the first one.
        split: A label for the rows.
        episodes: Whether verl plays whole episodes with our agent loop; else it takes one response.
    """
    with needs("sdpo-gym[parquet]"):
        import pyarrow
        import pyarrow.parquet

    questions = list_questions(env_id, env_args, count, first=first)
    rows = [
        {
            "data_source": env_id,
            "prompt": list(question.messages),
            "ability": NAME,
            "env_class": NAME,
            "reward_model": {"style": "rule", "ground_truth": question.task_id},
            "reward_spec": {"method": "rule", "ground_truth": question.task_id},
            "extra_info": {
                "index": first + i,
                "split": split,
                "env_id": env_id,
                "env_args": json.dumps(dict(env_args or {})),
                "task_id": question.task_id,
                "seed": question.seed,
            },
            **({"agent_name": NAME} if episodes else {}),
        }
        for i, question in enumerate(questions)
    ]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return len(rows)
