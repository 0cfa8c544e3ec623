"""SkyRL-gym: an environment class that plays any text environment (extra `[skyrl]`).

    skyrl_gym.register(id="sdpo_gym", entry_point="sdpo_gym.integrations.skyrl:EpisodeEnv")

in the program that SkyRL starts on its workers, for the rows that `parquet.write_parquet` writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sdpo_gym.arguments import make_text_env
from sdpo_gym.extras import needs
from sdpo_gym.integrations.judge import begin, step

with needs("sdpo-gym[skyrl]"):
    from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput, ConversationType


class EpisodeEnv(BaseTextEnv):
    """One episode. What the environment says after a response is the next user's message.

    `metadata` of a step holds `success` and `feedback`; the feedback on the last response is only there. The metrics of
    an episode are those of the last response, its `success`, and the number of `turns`.

    Args:
        env_config: SkyRL's configuration of this class; there is nothing to configure.
        extras: The row's columns, with `extra_info`.
    """

    def __init__(self, env_config: Any, extras: Mapping[str, Any]):
        super().__init__()
        self._row = extras["extra_info"]
        self._env = make_text_env(self._row["env_id"], json.loads(self._row["env_args"]))
        self._metrics: dict[str, float] = {}

    def init(self, prompt: ConversationType) -> tuple[ConversationType, dict[str, Any]]:
        question = begin(self._env, self._row["task_id"], int(self._row["seed"]))
        self.turns = 0
        return prompt, {"task_id": question.task_id}

    def step(self, action: str) -> BaseTextEnvStepOutput:
        observation, done, verdict = step(self._env, action)
        self.turns += 1
        self._metrics = {**verdict.metrics, "success": float(verdict.success), "turns": float(self.turns)}
        return BaseTextEnvStepOutput(
            observations=[] if done else [{"role": "user", "content": observation}],
            reward=verdict.reward,
            done=done,
            metadata={"success": verdict.success, "feedback": verdict.feedback},
        )

    def get_metrics(self) -> dict[str, float]:
        return self._metrics

    def close(self) -> None:
        self._env.close()
