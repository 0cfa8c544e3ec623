"""TRL's experimental SDPO trainer with the environment's feedback on each response (extra `[trl]`).

By itself the trainer takes feedback from a column of the data set: written before there was any response, and the same
for all of them. Here the teacher of each response is shown what the environment said to that response.
"""

from __future__ import annotations

from typing import Any

from sdpo_gym.extras import needs
from sdpo_gym.integrations.trl import EnvironmentReward

with needs("sdpo-gym[trl]"):
    import torch
    from trl.experimental.sdpo import SDPOTrainer
    from trl.experimental.sdpo.sdpo_trainer import SuccessfulRolloutTeacherContextBuilder


class FeedbackTeacherContext(SuccessfulRolloutTeacherContextBuilder):
    """Builds the teacher's prompts with the feedback of a reward function's last call.

    ```python
    trainer = SDPOTrainer(reward_funcs=reward, args=SDPOConfig(include_environment_feedback=True, …), …)
    trainer.teacher_context_builder = FeedbackTeacherContext(trainer, reward)
    ```

    Args:
        trainer: Made with `reward` among its reward functions.
        reward: Whose feedback it is.

    Raises:
        ValueError: `reward` is not the trainer's, or the trainer is set to ignore feedback.
    """

    def __init__(self, trainer: SDPOTrainer, reward: EnvironmentReward):
        if not any(function is reward for function in trainer.reward_funcs):
            raise ValueError("the trainer was made without this reward function: SDPOTrainer(reward_funcs=reward, …)")
        if not trainer.args.include_environment_feedback:
            raise ValueError("the trainer ignores feedback: make it with SDPOConfig(include_environment_feedback=True)")
        super().__init__(trainer)
        self._reward = reward

    def build(
        self,
        output: dict[str, Any],
        prompts: list[Any],
        rewards: torch.Tensor,
        feedbacks: list[Any] | None = None,
    ) -> dict[str, torch.Tensor]:
        """As in TRL, but `feedbacks`, the data set's column, gives way to the feedback on these very completions."""
        # The trainer has just called its reward functions with the same completions, in the same order.
        return super().build(output, prompts, rewards, feedbacks=self._reward.feedback)
