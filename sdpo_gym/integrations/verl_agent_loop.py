"""An agent loop for verl that plays an environment's episodes: responses and feedback, until the episode is over.

verl loads it through `actor_rollout_ref.rollout.agent.agent_loop_config_path`, a YAML file with

    - name: sdpo_gym
      _target_: sdpo_gym.integrations.verl_agent_loop.EnvironmentAgentLoop

for the rows whose `agent_name` is `sdpo_gym` (see `parquet.write_parquet`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from sdpo_gym.extras import needs
from sdpo_gym.integrations.judge import episode_reward, started
from sdpo_gym.integrations.parquet import NAME
from sdpo_gym.integrations.verl import score_of
from sdpo_gym.tasks import Message

with needs("verl"):
    from verl.experimental.agent_loop.agent_loop import AgentLoopBase, AgentLoopOutput, register
    from verl.utils.profiler import simple_timer


@register(NAME)
class EnvironmentAgentLoop(AgentLoopBase):
    """One episode: what the environment says after a response is the next user's message, and is not learned.

    The score is the sum of the responses' rewards. `reward_extra_info` holds what `compute_score` would return; its
    `acc` and `feedback` are the last response's.
    """

    async def run(
        self,
        sampling_params: dict[str, Any],
        *,
        raw_prompt: Sequence[Message],
        extra_info: Mapping[str, Any],
        **_: Any,
    ) -> AgentLoopOutput:
        messages = [dict(message) for message in raw_prompt]
        mask: list[int] = []  # 1 for sampled tokens, 0 for the environment's
        logprobs: list[float] = []
        turn_scores: list[float] = []
        metrics: dict[str, Any] = {}
        extra_fields: dict[str, Any] = {}
        request_id = uuid4().hex  # one for all turns: the server keeps their common prefix
        env_args, seed = json.loads(extra_info["env_args"]), int(extra_info["seed"])
        async with started(extra_info["env_id"], env_args, extra_info["task_id"], seed) as respond:
            ids = await self.ct_build_initial_tokens(messages)
            while True:
                with simple_timer("generate_sequences", metrics):
                    output = await self.server_manager.generate(
                        request_id=request_id, prompt_ids=ids, sampling_params=sampling_params
                    )
                extra_fields.update(output.extra_fields)
                merged, mask, new_logprobs = await self.ct_merge_assistant_token(
                    ids,
                    output.token_ids,
                    mask,
                    logprobs if logprobs or output.log_probs else None,
                    assistant_logprobs=output.log_probs or None,
                )
                ids, logprobs = merged.token_ids, new_logprobs or []

                response = self.tokenizer.decode(output.token_ids, skip_special_tokens=True)
                with simple_timer("tool_calls", metrics):
                    observation, done, verdict = await respond(response)
                turn_scores.append(verdict.reward)
                if done or len(mask) >= self.rollout_config.response_length:
                    break

                before = [*messages, {"role": "assistant", "content": response}]
                messages = [*before, {"role": "user", "content": observation}]
                merged, new_mask, new_logprobs = await self.ct_merge_context_msg(
                    before, messages, ids, mask, logprobs or None
                )
                if len(new_mask) >= self.rollout_config.response_length:
                    break  # no room for a further response
                ids, mask, logprobs = merged.token_ids, new_mask, new_logprobs or []

        length = self.rollout_config.response_length
        start_of_response = len(ids) - len(mask)
        score = score_of(replace(verdict, reward=episode_reward(turn_scores)))
        return AgentLoopOutput(
            prompt_ids=ids[:start_of_response],
            response_ids=ids[start_of_response:][:length],
            response_mask=mask[:length],
            response_logprobs=logprobs[:length] or None,
            reward_score=score["score"],
            num_turns=2 * len(turn_scores),
            metrics=metrics,
            extra_fields=extra_fields | {"turn_scores": turn_scores, "tool_rewards": [], "reward_extra_info": score},
        )
