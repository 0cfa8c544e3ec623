"""verifiers (its v1 interface) and prime-rl: any text environment as a taskset whose reward is our verdict.

The feedback stands in `trace.info["feedback"]`, where prime-rl's self-distillation looks for what to show its teacher
(`demo_key = "feedback"`). It is always set; "" where there is nothing to say.

verifiers finds a taskset by the name of an installed module: `examples/trainers/verifiers_taskset` is one.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sdpo_gym.extras import needs
from sdpo_gym.integrations.judge import Question, episode_reward, shared_judge, started
from sdpo_gym.verdict import Verdict

with needs("sdpo-gym[verifiers]"):
    import verifiers.v1 as vf
    from pydantic import Field


class EnvironmentTaskConfig(vf.TaskConfig):
    gold: Path | None = None
    """A JSON file `{task id: response that must succeed}`, which `vf-validate` checks."""


class EnvironmentTasksetConfig(vf.TasksetConfig):
    env_id: str = "sdpo/LiveCodeBench-v0"
    """Registered id of the environment; `module:id` imports a module first."""
    env_args: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the environment."""
    count: int | None = None
    """How many tasks; unset: all, or endlessly many."""
    task: EnvironmentTaskConfig = EnvironmentTaskConfig()


class EnvironmentTaskData(vf.TaskData):
    env_id: str
    env_args: dict[str, Any]
    seed: int


class EnvironmentTask(vf.Task[EnvironmentTaskData, vf.State, EnvironmentTaskConfig]):
    """One question. Its reward is the environment's: the sum of the responses'."""

    @property
    def key(self) -> str:
        return f"{self.data.env_id} {json.dumps(self.data.env_args, sort_keys=True)} {self.data.id} {self.data.seed}"

    @vf.reward
    async def environment(self, trace: vf.Trace) -> float:
        # `EpisodeEnv` has had the attempts judged already; a trace of another env, or a replayed one, has not.
        attempts = trace.info.get("attempts")
        if attempts is None:
            verdict = await asyncio.to_thread(self._verdict, trace.last_reply)
            attempts = [record_attempt(trace, verdict)]
        return episode_reward(attempt["reward"] for attempt in attempts)

    async def validate(self, runtime: vf.Runtime) -> bool | None:
        """Whether the gold response succeeds; None where the file of `gold` has none for this task."""
        gold = {} if self.config.gold is None else _read_gold(self.config.gold)
        if self.data.id not in gold:
            return None
        return (await asyncio.to_thread(self._verdict, gold[self.data.id])).success

    def _verdict(self, response: str) -> Verdict:
        judge = shared_judge(self.data.env_id, json.dumps(self.data.env_args))
        return judge.verdict(self.data.id, self.data.seed, response)


class EnvironmentTaskset(vf.Taskset[EnvironmentTask, EnvironmentTasksetConfig]):
    """The environment's questions, in their order."""

    def __init__(self, config: EnvironmentTasksetConfig) -> None:
        super().__init__(config)
        self._judge = shared_judge(config.env_id, json.dumps(config.env_args))
        self._total = self._judge.num_tasks if config.count is None else config.count
        self.INFINITE = self._total is None

    def load(self) -> Iterator[EnvironmentTask]:
        for number in itertools.count() if self._total is None else range(self._total):
            [question] = self._judge.questions(1, first=number)
            data = task_data(question, self.config.env_id, self.config.env_args)
            yield EnvironmentTask(data, self.config.task)


def task_data(question: Question, env_id: str, env_args: dict[str, Any]) -> EnvironmentTaskData:
    """A question as verifiers holds it: a first message of the system's is the system prompt."""
    messages = [dict(message) for message in question.messages]
    system = messages.pop(0)["content"] if messages[0]["role"] == "system" else None
    return EnvironmentTaskData(
        id=question.task_id,
        name=question.task_id,
        system_prompt=system,
        prompt=messages[0]["content"] if len(messages) == 1 else messages,
        env_id=env_id,
        env_args=env_args,
        seed=question.seed,
    )


class EpisodeEnvConfig(vf.EnvConfig):
    agent: vf.AgentConfig = vf.AgentConfig(harness=vf.HarnessConfig(id="null"))
    """Who answers; by default a plain chat, without tools."""


class EpisodeEnv(vf.Env[EpisodeEnvConfig]):
    """Plays the environment's episodes: what it says after a response is the next user's message."""

    async def run(self, task: EnvironmentTask, agents: vf.Agents) -> None:
        data = task.data
        async with (
            started(data.env_id, data.env_args, data.id, data.seed) as respond,
            agents.agent.interaction(task) as interaction,
        ):
            segment = await interaction.turn()
            while not segment.terminated:
                observation, done, verdict = await respond(segment.last_reply)
                record_attempt(interaction.trace, verdict)
                if done:
                    break
                segment = await interaction.turn(observation)


def record_attempt(trace: vf.Trace, verdict: Verdict) -> dict[str, Any]:
    """Keep a verdict on the trace: in `info["attempts"]`, the last feedback in `info["feedback"]`, and as metrics."""
    attempt = {"reward": verdict.reward, "success": verdict.success, "feedback": verdict.feedback}
    trace.info["attempts"] = [*trace.info.get("attempts", []), attempt]
    trace.info["feedback"] = verdict.feedback
    trace.record_metrics({**verdict.metrics, "success": float(verdict.success)})
    return attempt


@functools.cache
def _read_gold(path: Path) -> dict[str, str]:
    return json.loads(path.read_text(encoding="utf-8"))
