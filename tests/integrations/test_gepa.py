"""The real package GEPA optimises a prompt with our feedback; the models are functions."""

import pytest
import toy_env

gepa = pytest.importorskip("gepa", reason="GEPA is not installed: pip install gepa")

from sdpo_gym.integrations.gepa import SYSTEM_PROMPT, TextEnvAdapter  # noqa: E402

SEED = {SYSTEM_PROMPT: "Do what you are told."}


def follow(messages):
    """A model that does what its system prompt says about the number of characters."""
    assert messages[0]["role"] == "system" and messages[-1]["role"] == "user"
    return "even" if "even number" in messages[0]["content"] else "odd"


def adapter(env="toy_env:toy/Even-v0", respond=follow, **env_args):
    return TextEnvAdapter(env, env_args, respond=respond)


def test_a_prompt_is_improved_by_reading_feedback(tmp_path):
    read = []

    def reflect(prompt):
        read.append(prompt)
        return "```\nAnswer with an even number of characters.\n```"

    even = adapter()
    questions = even.questions()
    result = gepa.optimize(
        SEED,
        questions[:2],
        questions[2:],
        adapter=even,
        reflection_lm=reflect,
        max_metric_calls=12,
        run_dir=str(tmp_path),
        logger=_Quiet(),
    )
    assert result.best_candidate == {SYSTEM_PROMPT: "Answer with an even number of characters."}
    assert result.val_aggregate_scores[0] == 0.0 and max(result.val_aggregate_scores) == 1.0
    assert "The response has 3 characters, an odd number." in read[0]
    assert "Do what you are told." in read[0] and "Say alpha." in read[0] + read[-1]


class _Quiet:
    def log(self, message):
        pass


def test_scores_outputs_and_records():
    even = adapter(respond=lambda messages: "even" if "beta" in messages[1]["content"] else "odd")
    batch = even.evaluate(even.questions(2), SEED, capture_traces=True)
    assert (batch.outputs, batch.scores) == (["odd", "even"], [0.0, 1.0])
    records = even.make_reflective_dataset(SEED, batch, [SYSTEM_PROMPT])[SYSTEM_PROMPT]
    assert records == [
        {
            "Inputs": "Say alpha.",
            "Generated Outputs": "odd",
            "Feedback": "The response has 3 characters, an odd number.",
        },
        {"Inputs": "Say beta.", "Generated Outputs": "even", "Feedback": "Solved."},
    ]
    assert even.evaluate(even.questions(2), SEED).trajectories is None


def test_several_turns():
    seen = []

    def respond(messages):
        seen.append([message["role"] for message in messages])
        return "even" if len(messages) == 4 else "odd"

    even = adapter(respond=respond, max_turns=3)
    batch = even.evaluate(even.questions(1), SEED, capture_traces=True)
    assert batch.scores == [1.0] and seen[-1] == ["system", "user", "assistant", "user"]
    [record] = even.make_reflective_dataset(SEED, batch, [SYSTEM_PROMPT])[SYSTEM_PROMPT]
    assert record["Generated Outputs"].startswith("[assistant]\nodd\n\n[user]\nThe response has 3")


@pytest.mark.parametrize("rewards", [(1.0, 0.0), (0.5, 0.5)])
def test_a_score_is_the_sum_of_the_rewards(rewards):
    moves = adapter("toy_env:toy/Moves-v0", respond=lambda messages: "go", rewards=rewards)
    batch = moves.evaluate(moves.questions(1), SEED, capture_traces=True)
    assert batch.scores == [1.0] and batch.trajectories[0].verdict.success


def test_the_system_message_of_a_task_follows_the_prompt_in_the_same_message():
    seen = []
    tools = adapter("sdpo/ToolUse-v0", respond=lambda messages: seen.append(messages) or "no answer")
    [question] = tools.questions(1)
    tools.evaluate([question], SEED)
    assert [message["role"] for message in seen[0]] == ["system", "user"]
    assert seen[0][0]["content"] == f"Do what you are told.\n\n{question.messages[0]['content']}"


def test_failures_of_model_or_judge_are_not_scores():
    def lost(messages):
        raise ConnectionError("no model")

    even = adapter(respond=lost)
    with pytest.raises(ConnectionError, match="no model"):
        even.evaluate(even.questions(1), SEED)
    failing = adapter("serving.odd_envs:odd/Failing-v0", respond=lambda messages: "raise")
    with pytest.raises(RuntimeError, match="the judge is lost"):
        failing.evaluate(failing.questions(1), SEED)


def test_our_programs():
    program = "```python\ndef absolute_difference(a, b):\n    return abs(a - b)\n```"
    ours = adapter("sdpo/LiveCodeBench-v0", respond=lambda messages: program, difficulty="trivial")
    batch = ours.evaluate(ours.questions(3), SEED, capture_traces=True)
    records = ours.make_reflective_dataset(SEED, batch, [SYSTEM_PROMPT])[SYSTEM_PROMPT]
    for score, record in zip(batch.scores, records, strict=True):
        assert record["Feedback"].startswith("Solved.") == (score == 1.0) and record["Feedback"]


def test_misuse():
    with pytest.raises(ValueError, match="concurrency"):
        TextEnvAdapter("toy/Even-v0", respond=follow, concurrency=0)
    with pytest.raises(ValueError, match="no part of the 4 tasks"):
        adapter().questions(len(toy_env.WORDS) + 1)
