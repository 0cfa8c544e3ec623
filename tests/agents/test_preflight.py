"""What the pre-flight measures: how much better the model answers when it is shown a context."""

import toy_env  # noqa: F401

from agents.environments import Environments
from agents.evaluate.evaluation import evaluate
from agents.rollouts import Collector
from agents.sampling.engine import Response, SamplingParameters
from agents.sdpo.preflight import measure_gaps


class Reader:
    """An engine that answers rightly where it is shown a success; by itself, in the first attempt of a group alone."""

    def __init__(self, policy):
        self.policy = policy

    def sample(self, prompts, group_size, parameters, seeds):
        shown = ["That is correct." in self.policy.tokenizer.decode(prompt) for prompt in prompts]
        return [
            [self.say("even" if success or (group_size > 1 and i == 0) else "odd") for i in range(group_size)]
            for success in shown
        ]

    def say(self, text):
        token_ids = self.policy.tokenizer(text, add_special_tokens=False)["input_ids"]
        return Response(token_ids, [-1.0] * len(token_ids), False)

    def sync(self):
        pass

    def close(self):
        pass


def test_what_a_context_does_is_measured(policy):
    environments = Environments("toy/Even-v0", {}, 8)
    try:
        collector = Collector(policy, Reader(policy), environments, SamplingParameters(8))
        evaluation = evaluate(collector, num_tasks=4, samples=4)
        shown, told = measure_gaps(
            collector, evaluation, style="chat", kinds=["demonstration", "feedback"], exclude_own_success=False,
            num_tasks=3, max_prompt_tokens=2000,
        )  # fmt: skip
    finally:
        environments.close()
    assert (shown.attempts, shown.student, shown.teacher, shown.gap) == (12, 0.25, 1.0, 0.75)
    assert (told.attempts, told.student, told.teacher) == (9, 0.25, 0.0)
