"""Our environments as tasks of the real package Inspect AI, with its mock model."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import toy_env
from chat_server import ChatServer, completion

inspect_ai = pytest.importorskip("inspect_ai", reason="Inspect AI is not installed: pip install inspect-ai")

from inspect_ai.model import ModelOutput, ModelUsage, get_model  # noqa: E402
from inspect_ai.solver import generate  # noqa: E402

from sdpo_gym.integrations.inspect_ai import questions, text_env, verdict  # noqa: E402


def run(task, responses, tmp_path, **options):
    """The log of an evaluation in which the model gives the responses in turn."""
    outputs = [ModelOutput.from_content("mockllm/model", response) for response in responses]
    for output in outputs:
        output.usage = ModelUsage()  # else Inspect downloads a tokenizer, to count tokens
    model = get_model("mockllm/model", custom_outputs=outputs, memoize=False)
    options = {"max_samples": 1, "max_connections": 1} | options
    [log] = inspect_ai.eval(task, model=model, display="none", log_dir=str(tmp_path), **options)
    assert log.status == "success", log.error
    return log


def test_scores_are_verdicts_and_explanations_are_feedback(tmp_path):
    log = run(text_env("toy_env:toy/Even-v0", count=3), ["even", "odd", "even"], tmp_path)
    assert [sample.id for sample in log.samples] == list(toy_env.WORDS[:3])
    scores = [sample.scores["verdict"] for sample in log.samples]
    assert [score.value for score in scores] == ["C", "I", "C"]
    assert scores[1].explanation == "The response has 3 characters, an odd number." and scores[1].answer == "odd"
    assert scores[1].metadata == {"reward": 0.0, "metrics": {"characters": 3.0}, "feedback_items": []}
    assert log.results.scores[0].metrics["accuracy"].value == pytest.approx(2 / 3)
    assert log.samples[0].input[0].text == "Say alpha." and log.samples[0].metadata["letters"] == 5


def test_metadata_of_a_task_does_not_say_which_task_it_is(tmp_path):
    log = run(text_env("toy_env:toy/Labelled-v0", count=2), ["even", "odd"], tmp_path)
    assert [sample.scores["verdict"].value for sample in log.samples] == ["C", "I"]
    assert log.samples[1].metadata == {"task_id": "seed 1", "seed": 1, "level": 3}


def test_an_episode_of_several_turns(tmp_path):
    task = text_env("toy_env:toy/Even-v0", '{"max_turns": 3}', count=2)
    log = run(task, ["odd", "even", "odd", "odd", "odd"], tmp_path)
    solved, failed = log.samples
    assert [message.text for message in solved.messages] == [
        "Say alpha.",
        "odd",
        "The response has 3 characters, an odd number.",
        "even",
    ]
    assert (solved.scores["verdict"].value, failed.scores["verdict"].value) == ("C", "I")
    assert len(failed.messages) == 6


@pytest.mark.parametrize("rewards", [(1.0, 0.0), (0.5, 0.5)])
def test_the_reward_is_the_sum_of_the_responses_rewards(rewards, tmp_path):
    log = run(text_env("toy_env:toy/Moves-v0", {"rewards": rewards}, count=1), ["go", "go"], tmp_path)
    score = log.samples[0].scores["verdict"]
    assert (score.value, score.metadata["reward"]) == ("C", 1.0)


def test_an_episode_that_inspect_ends_is_judged_by_what_was_said(tmp_path):
    task = text_env("toy_env:toy/Even-v0", {"max_turns": 9}, count=1)
    log = run(task, ["odd"] * 9, tmp_path, message_limit=4)
    assert log.samples[0].scores["verdict"].value == "I"


def test_an_episode_that_a_time_limit_ends_is_closed(tmp_path):
    before = toy_env.SlowEnv.opened
    run(text_env("toy_env:toy/Slow-v0", {"seconds": 1}, count=1), ["go"] * 99, tmp_path, time_limit=3)
    assert toy_env.SlowEnv.opened > before + 1 and toy_env.SlowEnv.open == []


def test_a_judge_that_fails_leaves_a_sample_unscored(tmp_path):
    log = run(text_env("serving.odd_envs:odd/Failing-v0", count=2), ["raise", "end"], tmp_path)
    lost, _ = (sample.scores["verdict"] for sample in log.samples)
    assert math.isnan(lost.value) and lost.reason == "scoring_failed" and "the judge is lost" in lost.explanation
    [result] = log.results.scores
    assert result.unscored_samples == 1 and result.scored_samples == 1


def test_another_solver(tmp_path):
    env = "toy_env:toy/Even-v0"
    task = inspect_ai.Task(dataset=questions(env, {}, 2), solver=generate(), scorer=verdict(env, {}))
    log = run(task, ["even", "odd"], tmp_path)
    assert [sample.scores["verdict"].value for sample in log.samples] == ["C", "I"]
    assert "odd number" in log.samples[1].scores["verdict"].explanation

    env = "serving.odd_envs:odd/Failing-v0"
    task = inspect_ai.Task(dataset=questions(env, {}, 1), solver=generate(), scorer=verdict(env, {}))
    assert math.isnan(run(task, ["raise"], tmp_path).samples[0].scores["verdict"].value)


def test_our_programs_are_judged(tmp_path):
    program = "```python\ndef is_palindrome(text):\n    return text == text[::-1]\n```"
    task = text_env("sdpo/LiveCodeBench-v0", {"difficulty": "trivial"}, count=2)
    log = run(task, [program, "no program"], tmp_path)
    assert all(sample.scores["verdict"].value in ("C", "I") for sample in log.samples)
    assert "code block" in log.samples[1].scores["verdict"].explanation


def test_misuse():
    with pytest.raises(ValueError, match="no part of the 4 tasks"):
        text_env("toy_env:toy/Even-v0", count=5)
    with pytest.raises(ValueError, match="endless"):
        text_env("toy_env:toy/Plain-v0")
    with pytest.raises(ValueError, match="not a text environment"):
        text_env("toy_env:toy/Numbers-v0", count=1)
    for wrong in ('{"max_turns": 3', "[1]", ""):
        with pytest.raises(ValueError, match=r'env_args must be a JSON object such as {"max_turns": 3}, not '):
            text_env("toy_env:toy/Even-v0", wrong)


def test_the_command(tmp_path):
    pytest.importorskip("openai", reason="Inspect's client of OpenAI's interface needs openai: pip install openai")
    module = Path(sys.modules["sdpo_gym.integrations.inspect_ai"].__file__)
    words = [f"{module}@text_env", "-T", "env=toy_env:toy/Even-v0", "-T", "count=2", "--model", "openai-api/local/name"]
    words += ["-T", 'env_args={"max_turns": 2}']
    body = json.loads(completion("even")) | {"id": "1", "model": "name", "object": "chat.completion", "created": 0}
    body |= {"usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}}
    with ChatServer([(200, {"Content-Type": "application/json"}, json.dumps(body))] * 2) as server:
        done = subprocess.run(
            [sys.executable, "-m", "inspect_ai", "eval", *words, "--display", "plain", "--log-dir", str(tmp_path)],
            env=os.environ
            | {"LOCAL_BASE_URL": server.url, "LOCAL_API_KEY": "none", "PYTHONPATH": str(Path(__file__).parents[1])},
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert {request["messages"][0]["content"] for request in server.requests} == {"Say alpha.", "Say beta."}
    log = inspect_ai.log.read_eval_log(str(next(tmp_path.glob("*.eval"))))
    assert log.status == "success", log.error
    assert log.results.scores[0].metrics["accuracy"].value == 1.0
