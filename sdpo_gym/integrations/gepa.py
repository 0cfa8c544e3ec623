"""GEPA: its optimiser improves a system prompt by reading an environment's feedback.

adapter = TextEnvAdapter("sdpo/LiveCodeBench-v0", {"difficulty": "easy"}, respond=chat)
questions = adapter.questions(40)
result = gepa.optimize({SYSTEM_PROMPT: "You write Python."}, questions[:20], questions[20:], adapter=adapter,
                       reflection_lm=chat_of_a_stronger_model, max_metric_calls=500)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sdpo_gym.arguments import make_text_env
from sdpo_gym.extras import needs
from sdpo_gym.integrations.judge import Question, begin, episode_reward, list_questions, step
from sdpo_gym.tasks import Message, chat_text
from sdpo_gym.text_env import NO_FEEDBACK
from sdpo_gym.verdict import Verdict

with needs("sdpo-gym[gepa]"):
    from gepa.core.adapter import EvaluationBatch, GEPAAdapter

SYSTEM_PROMPT = "system_prompt"
"""The component of a candidate that is optimised: the first message of every chat, before the task's own, if any."""


@dataclass(frozen=True)
class Trajectory:
    """An episode: the chat without the system prompt, its reward, and the verdict on the last response."""

    messages: tuple[Message, ...]
    num_question_messages: int
    reward: float
    verdict: Verdict


class TextEnvAdapter(GEPAAdapter[Question, Trajectory, str]):
    """Plays episodes of a text environment with a candidate as the system prompt.

    A score is the reward of an episode, the sum of its responses'; an output is the last response. An exception means
    that the model or the judging failed: it says nothing of the candidate, and GEPA goes on with its next iteration.

    Args:
        env_id: Registered id; `module:id` imports a module first.
        env_args: Keyword arguments of the environment.
        respond: The model: the chat so far in, the response out. It is called from several threads.
        concurrency: How many episodes are played at the same time.
    """

    propose_new_texts = None

    def __init__(
        self,
        env_id: str,
        env_args: Mapping[str, Any] | None = None,
        *,
        respond: Callable[[list[Message]], str],
        concurrency: int = 8,
    ):
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {concurrency}")
        self.env_id = env_id
        self.env_args = dict(env_args or {})
        self._respond = respond
        self._concurrency = concurrency

    def questions(self, count: int | None = None, *, first: int = 0) -> list[Question]:
        """Questions for GEPA's training and validation sets; see `Judge.questions`."""
        return list_questions(self.env_id, self.env_args, count, first=first)

    def evaluate(
        self, batch: list[Question], candidate: dict[str, str], capture_traces: bool = False
    ) -> EvaluationBatch[Trajectory, str]:
        with ThreadPoolExecutor(self._concurrency) as threads:
            played = list(threads.map(lambda question: self._play(question, candidate[SYSTEM_PROMPT]), batch))
        outputs = [_responses(trajectory)[-1] for trajectory in played]
        scores = [trajectory.reward for trajectory in played]
        return EvaluationBatch(outputs, scores, trajectories=played if capture_traces else None)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: EvaluationBatch[Trajectory, str], components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        records = [_record(trajectory) for trajectory in eval_batch.trajectories or ()]
        return {component: records for component in components_to_update}

    def _play(self, question: Question, system_prompt: str) -> Trajectory:
        env = make_text_env(self.env_id, self.env_args)
        try:
            begun = begin(env, question.task_id, question.seed)
            messages = list(begun.messages)
            rewards = []
            done = False
            while not done:
                response = self._respond(_with_system_prompt(system_prompt, messages))
                observation, done, verdict = step(env, response)
                rewards.append(verdict.reward)
                messages.append({"role": "assistant", "content": response})
                if not done:
                    messages.append({"role": "user", "content": observation})
        finally:
            env.close()
        return Trajectory(tuple(messages), len(begun.messages), episode_reward(rewards), verdict)


def _with_system_prompt(system_prompt: str, messages: Sequence[Message]) -> list[Message]:
    """The chat with one system message: many chat templates refuse a second one."""
    if messages[0]["role"] == "system":
        system_prompt, messages = f"{system_prompt}\n\n{messages[0]['content']}", messages[1:]
    return [{"role": "system", "content": system_prompt}, *messages]


def _responses(trajectory: Trajectory) -> list[str]:
    return [message["content"] for message in trajectory.messages if message["role"] == "assistant"]


def _record(trajectory: Trajectory) -> dict[str, str]:
    """What GEPA's reflection reads about an episode."""
    question = trajectory.messages[: trajectory.num_question_messages]
    answers = trajectory.messages[trajectory.num_question_messages :]
    outputs = answers[0]["content"] if len(answers) == 1 else chat_text(answers)
    verdict = trajectory.verdict
    feedback = f"Solved. {verdict.feedback}".strip() if verdict.success else verdict.feedback or NO_FEEDBACK
    return {
        "Inputs": "\n\n".join(message["content"] for message in question),
        "Generated Outputs": outputs,
        "Feedback": feedback,
    }
