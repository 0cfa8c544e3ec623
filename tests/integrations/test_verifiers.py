"""verifiers: its own commands on our taskset, against a local server that plays the model."""

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import toy_env
from chat_server import ChatServer

vf = pytest.importorskip("verifiers.v1", reason="verifiers is not installed: pip install -e '.[verifiers]'")

from sdpo_gym.integrations.judge import Question  # noqa: E402
from sdpo_gym.integrations.verifiers import (  # noqa: E402
    EnvironmentTask,
    EnvironmentTaskConfig,
    EnvironmentTaskset,
    EnvironmentTasksetConfig,
    EpisodeEnv,
    EpisodeEnvConfig,
    record_attempt,
    task_data,
)
from sdpo_gym.verdict import Verdict  # noqa: E402

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "examples" / "trainers" / "verifiers_taskset"
EVEN = "toy_env:toy/Even-v0"


def taskset(env_id=EVEN, **options):
    return EnvironmentTaskset(EnvironmentTasksetConfig(id="sdpo-gym-taskset", env_id=env_id, **options))


def run(command, *arguments, timeout=300):
    binaries = Path(sys.executable).parent
    paths = [str(ROOT), str(PACKAGE), str(ROOT / "tests")]
    environment = os.environ | {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "PYTHONPATH": ":".join(paths),
        "NO_KEY": "none",
    }
    result = subprocess.run(
        [binaries / command, *map(str, arguments)], env=environment, capture_output=True, text=True, timeout=timeout
    )
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    return result.stdout


def streamed(text):
    """A reply as a stream of events, which verifiers' client asks for."""
    chunk = {"id": "reply", "object": "chat.completion.chunk", "created": 1, "model": "model"}
    choices = [{"role": "assistant", "content": text}, {}]
    chunks = [
        chunk | {"choices": [{"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}]}
        for delta in choices
    ]
    chunks.append(chunk | {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}})
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    return 200, {"Content-Type": "text/event-stream"}, body


def test_the_taskset_lists_the_questions():
    tasks = list(taskset())
    assert [task.data.id for task in tasks] == list(toy_env.WORDS)
    assert [task.data.prompt for task in tasks] == [f"Say {word}." for word in toy_env.WORDS]
    assert len({task.key for task in tasks}) == 4
    assert len(list(taskset(count=2))) == 2


def test_endless_tasks_are_an_infinite_taskset():
    tasks = taskset("sdpo/ToolUse-v0")
    assert not tasks.bounded
    first, second = tasks.take(2)
    assert first.key != second.key
    assert taskset("sdpo/ToolUse-v0", count=3).bounded


def test_a_system_message_is_the_system_prompt():
    system, user = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}
    data = task_data(Question("hello", 0, (system, user)), EVEN, {})
    assert (data.system_prompt, data.prompt) == ("Be brief.", "Hello")
    longer = task_data(Question("hello", 0, (user, {"role": "assistant", "content": "Hi"}, user)), EVEN, {})
    assert longer.system_prompt is None
    assert [message.content for message in longer.prompt] == ["Hello", "Hi", "Hello"]


def test_the_module_is_found_by_its_name(monkeypatch):
    monkeypatch.syspath_prepend(str(PACKAGE))
    assert vf.taskset_config_type("sdpo-gym-taskset") is EnvironmentTasksetConfig
    assert vf.env_config_type("sdpo-gym-taskset") is EpisodeEnvConfig


def test_gold_responses_are_validated(tmp_path):
    ids = [task.data.id for task in taskset("sdpo/LiveCodeBench-v0", env_args={"difficulty": "trivial"}, count=3)]
    program = (ROOT / "envs" / "livecodebench" / "problems" / ids[1] / "solution.py").read_text()
    gold = tmp_path / "gold.json"
    gold.write_text(json.dumps({ids[0]: "no program", ids[1]: f"```python\n{program}\n```"}))
    run(
        "vf-validate", "sdpo-gym-taskset", "--taskset.env-args", '{"difficulty": "trivial"}',
        "--taskset.task.gold", gold, "--runtime.type", "subprocess", "--no-rich", "-o", tmp_path, "--run.name", "run",
        "-n", 3,
    )  # fmt: skip
    rows = [json.loads(line) for line in (tmp_path / "run" / "results.jsonl").read_text().splitlines()]
    verdicts = {ids[row["index"]]: (row["gold"]["valid"], row["noop"]["valid"]) for row in rows}
    assert verdicts == {ids[0]: (False, True), ids[1]: (True, True), ids[2]: (None, True)}


def test_an_episode_that_is_cancelled_at_its_beginning_is_closed():
    question = Question("seed 0", 0, ({"role": "user", "content": "Hello"},))
    task = EnvironmentTask(task_data(question, "toy_env:toy/Slow-v0", {}), EnvironmentTaskConfig())

    async def main():
        before = toy_env.SlowEnv.opened
        episode = asyncio.create_task(EpisodeEnv.run(None, task, None))
        while toy_env.SlowEnv.opened == before:
            await asyncio.sleep(0.01)
        episode.cancel()
        await asyncio.gather(episode, return_exceptions=True)
        return episode.cancelled()

    assert asyncio.run(main())
    assert toy_env.SlowEnv.open == []


@pytest.mark.skipif(
    not (shutil.which("uv") or importlib.util.find_spec("uv")), reason="verifiers' harnesses need uv: pip install uv"
)
def test_an_episode_is_played_scored_and_scored_again(tmp_path):
    with ChatServer([streamed("odd"), streamed("even")]) as server:
        run(
            "vf-eval", "sdpo-gym-taskset", "--env.taskset.env-id", EVEN, "--env.taskset.env-args", '{"max_turns": 3}',
            "--env.agent.runtime.type", "subprocess", "-n", 1, "--model", "model", "--client.base-url", server.url,
            "--client.api-key-var", "NO_KEY", "--no-rich", "--no-push", "-o", tmp_path, "--run.name", "run",
        )  # fmt: skip
    assert [request["messages"][-1]["content"] for request in server.requests] == [
        "Say alpha.",
        "The response has 3 characters, an odd number.",
    ]
    [episode] = [json.loads(line) for line in (tmp_path / "run" / "traces.jsonl").read_text().splitlines()]
    [trace] = episode["traces"]
    assert trace["rewards"]["environment"]["score"] == 1.0 and trace["metrics"]["success"] == 1.0
    assert [attempt["success"] for attempt in trace["info"]["attempts"]] == [False, True]
    assert trace["info"]["feedback"] == "" and trace["errors"] == []


def test_a_trace_that_nobody_has_judged_is_judged_by_its_last_reply():
    task = next(iter(taskset()))
    trace = FinishedTrace("odd")
    assert asyncio.run(task.environment(trace)) == 0.0
    assert trace.info["feedback"] == "The response has 3 characters, an odd number."
    assert trace.metrics == {"characters": 3.0, "success": 0.0}


def test_attempts_add_up():
    trace = FinishedTrace("even")
    record_attempt(trace, Verdict(0.0, False, "no"))
    record_attempt(trace, Verdict(1.0, True))
    assert asyncio.run(next(iter(taskset())).environment(trace)) == 1.0
    assert trace.info == {
        "attempts": [
            {"reward": 0.0, "success": False, "feedback": "no"},
            {"reward": 1.0, "success": True, "feedback": ""},
        ],
        "feedback": "",
    }


@pytest.mark.parametrize("rewards", [(1.0, 0.0), (0.5, 0.5)])
def test_the_reward_is_the_sum_of_the_attempts(rewards):
    trace = FinishedTrace("go")
    for reward in rewards:
        record_attempt(trace, Verdict(reward, False))
    assert asyncio.run(next(iter(taskset())).environment(trace)) == 1.0


class FinishedTrace:
    def __init__(self, last_reply):
        self.last_reply, self.info, self.metrics = last_reply, {}, {}

    def record_metrics(self, values):
        self.metrics.update(values)
