"""verl, and the SDPO authors' fork of it: rewards with feedback, for the rows that `parquet.write_parquet` writes.

Nothing here imports verl: it calls `compute_score`, which its configuration names, with keyword arguments that are the
same in both. The agent loop for episodes of several attempts is in `verl_agent_loop`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sdpo_gym.integrations.judge import shared_judge
from sdpo_gym.verdict import Verdict


def compute_score(*, solution_str: str, extra_info: Mapping[str, Any], **_: Any) -> dict[str, float | str]:
    """Judge a response: `score` (the reward), `acc` (1.0 if the task is solved) and `feedback` (text, may be empty).

    Safe to call from several threads. A failure of the judging itself is raised; it is never a score of 0.

    Args:
        solution_str: The response.
        extra_info: The row's.
    """
    judge = shared_judge(extra_info["env_id"], extra_info["env_args"])
    return score_of(judge.verdict(extra_info["task_id"], int(extra_info["seed"]), solution_str))


def score_of(verdict: Verdict) -> dict[str, float | str]:
    """A verdict as verl takes it: the same keys for every response, as it makes a column of each."""
    return {"score": verdict.reward, "acc": float(verdict.success), "feedback": verdict.feedback}
