"""Evaluation of a model behind an OpenAI-compatible server, which here fails in every way."""

import io
import json
import time
from dataclasses import fields
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import toy_env
from chat_server import ChatServer, completion, ok
from rich.console import Console

from agents.errors import UsageError, warn_once
from agents.evaluate.__main__ import main
from agents.evaluate.chat_client import ServerConfig
from agents.evaluate.config import EvaluateConfig
from agents.evaluate.report import report

FAILURES = [
    (500, {}, "oops"),
    (503, {"Retry-After": "0"}, ""),
    (429, {"Retry-After": "0.01"}, '{"error": "slow down"}'),
    (200, {}, "<html>a proxy's page</html>"),
    (200, {}, "{}"),
    (200, {}, '{"choices": []}'),
    (200, {}, '{"choices": [{"message": {"content": 7}}]}'),
    (200, {}, completion("", finish="error")),
    (200, {}, completion("half an ans", finish="abort")),
    (200, {}, completion("", error={"message": "the model's replica died"})),
    (200, {}, completion("", choice_error={"message": "the model's replica died"})),
    (200, {}, "[" * 100_000),
    (200, {}, b"\xff\xfe"),
    (200, {"Content-Length": "100"}, "cut off"),
    "hang up",
    "hang",
    "drip",
]


def evaluate(output, server, console=None, **settings):
    url = server if isinstance(server, str) else server.url
    options = {field.name: settings.pop(field.name) for field in fields(ServerConfig) if field.name in settings}
    config = EvaluateConfig(
        model=("openai:toy",),
        env=settings.pop("env", "toy/Even-v0"),
        output=output,
        max_new_tokens=9,
        server=ServerConfig(**{"base_url": url, "backoff": 0.001, "timeout": 60.0, "concurrency": 1} | options),
        **{"samples": 2} | settings,
    )
    return main(config, console or Console(file=io.StringIO(), width=200))[0]


def samples(folder):
    return [json.loads(line) for line in (folder / "openai-toy" / "samples.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("failure", FAILURES, ids=str)
def test_a_failure_is_tried_again_and_never_a_failed_attempt(failure, tmp_path):
    endless = failure in ("hang", "drip")  # each takes the whole time limit, within which the others must be answered
    with ChatServer([failure, ok()] if endless else [failure, ok(), failure]) as server:
        result = evaluate(tmp_path / "run", server, timeout=2.0 if endless else 60.0)
    assert result["metrics"]["success_rate"]["value"] == 1.0
    assert len(server.requests) == (9 if endless else 10) and len(samples(tmp_path / "run")) == 8
    assert server.waited_for == 0


def test_answers_are_judged_and_counted(tmp_path):
    script = [ok("even"), ok("odd", finish="length"), ok(None), ok("a\ud800b")]
    with ChatServer(script) as server:
        result = evaluate(tmp_path / "run", server, samples=1, price_in=2.0, price_out=4.0)
    turns = [sample["turns"][0] for sample in samples(tmp_path / "run")]
    assert [t["response"] for t in turns] == ["even", "odd", "", "a?b"]
    assert [t["truncated"] for t in turns] == [False, True, False, False]
    assert [t["reward"] for t in turns] == [1.0, 0.0, 1.0, 0.0]
    assert result["cost"] == {"tokens_in": 40, "tokens_out": 20, "cost": pytest.approx((40 * 2 + 20 * 4) / 1e6)}
    assert "entropy" not in result["metrics"]
    request = server.requests[0]
    assert request["model"] == "toy" and request["max_tokens"] == 9 and request["temperature"] == 1.0
    assert request["messages"] == [{"role": "user", "content": "Say alpha."}]


def test_what_a_server_does_not_say_is_left_out(tmp_path):
    with ChatServer([ok(usage=False)]) as server:
        result = evaluate(tmp_path / "run", server, samples=1, price_in=2.0, price_out=4.0)
    assert "response_tokens" not in result["metrics"] and result["cost"] == {}


def test_entropy_is_of_the_tokens_that_have_log_probs(tmp_path):
    with ChatServer([ok(logprobs=[-1.0, -2.0, -3.0])] * 4) as server:  # of five tokens: two were thoughts
        result = evaluate(tmp_path / "run", server, samples=1, logprobs=True)
    assert server.requests[0]["logprobs"] is True
    assert result["metrics"]["entropy"]["value"] == 2.0 and result["metrics"]["response_tokens"]["value"] == 5
    with ChatServer([ok(logprobs=[-1.0, -9999.0, -3.0])] * 4) as server:  # OpenAI's "not among the 20 likeliest"
        result = evaluate(tmp_path / "unlikely", server, samples=1, logprobs=True)
    assert result["metrics"]["entropy"]["value"] == 2.0


def test_tasks_of_one_name_are_compared_one_by_one(tmp_path):
    settings = {"env": "toy_env:toy/Alike-v0", "num_tasks": 12, "samples": 1}
    results = []
    for name, script in (("first", [ok("odd")] * 11), ("second", [])):
        with ChatServer(script) as server:
            results.append(evaluate(tmp_path / name, server, **settings))
    row = next(line for line in report(results).splitlines() if "success rate" in line)
    assert row.split("|")[4].strip().startswith("+0.917 [")
    assert list(results[0]["by"]["level"]) == sorted(results[0]["by"]["level"], key=int)


def test_every_token_counts_the_same_in_the_entropy(tmp_path):
    """Else it would depend on how long responses are: what is likely to end one is in the short ones."""
    script = [ok(logprobs=[-1.0]), ok(logprobs=[-2.0, -3.0, -4.0])]
    with ChatServer(script) as server:
        result = evaluate(tmp_path / "run", server, samples=2, tasks=("beta",), logprobs=True)
    assert result["metrics"]["entropy"]["value"] == 10 / 4


def test_several_turns_show_the_feedback(tmp_path):
    with ChatServer([ok("odd")]) as server:
        evaluate(tmp_path / "run", server, samples=1, tasks=("beta",), env_arg=["max_turns=3"])
    last = server.requests[1]["messages"]
    assert [m["role"] for m in last] == ["user", "assistant", "user"] and "odd number" in last[-1]["content"]
    (sample,) = samples(tmp_path / "run")
    assert sample["success"] and len(sample["turns"]) == 2


def test_a_chat_that_grows_too_long_ends_the_attempt(tmp_path):
    long = (400, {}, '{"error": {"code": "context_length_exceeded"}}')
    with ChatServer([ok("odd"), long]) as server:
        evaluate(tmp_path / "run", server, samples=1, tasks=("beta",), env_arg=["max_turns=3"])
    (sample,) = samples(tmp_path / "run")
    assert sample["stop_reason"] == "context_length" and not sample["success"]


def test_a_prompt_that_is_too_long_is_a_failure_at_its_task(tmp_path, caplog):
    warn_once.cache_clear()
    long = (400, {}, '{"error": {"code": "context_length_exceeded"}}')
    with ChatServer([long, ok("even"), long]) as server:
        result = evaluate(tmp_path / "run", server, tasks=("beta", "gamma"))
    first, *others = samples(tmp_path / "run")
    assert first["turns"] == [] and first["stop_reason"] == "context_length" and not first["success"]
    assert result["metrics"]["success_rate"]["value"] == sum(sample["success"] for sample in others) / 4
    assert sum("'beta' is too long for the model" in message for message in caplog.messages) == 1
    with ChatServer([long]) as server, pytest.raises(UsageError, match="every task leaves no room"):
        evaluate(tmp_path / "first", server, samples=1, tasks=("beta",))


@pytest.mark.parametrize(
    "said",
    [
        "This model's maximum context length is 4096 tokens.",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        "Input length (5000 tokens) exceeds the maximum allowed length (4096 tokens).",
        "Prompt is too long: 5000 tokens > 4096 maximum",
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 and 9",
    ],
)
def test_servers_say_in_many_ways_that_a_chat_is_too_long(said, tmp_path):
    with ChatServer([ok("odd"), (400, {}, json.dumps({"message": said}))]) as server:
        evaluate(tmp_path / "run", server, samples=1, tasks=("beta",), env_arg=["max_turns=3"])
    (sample,) = samples(tmp_path / "run")
    assert sample["stop_reason"] == "context_length" and not sample["success"]


def test_a_server_that_stays_down_stops_the_run_which_goes_on_later(tmp_path):
    console = Console(file=io.StringIO(), width=200)
    with (
        ChatServer([ok(), ok("odd"), *[(500, {}, "on fire \x1b[31m")] * 3]) as server,
        pytest.raises(UsageError, match=r"no usable answer in 3 tries.*status 500, on fire") as error,
    ):
        evaluate(tmp_path / "run", server, console, retries=2)
    assert "\x1b" not in str(error.value)
    assert "attempts made so far" in console.file.getvalue() and str(tmp_path / "run") in console.file.getvalue()
    kept = samples(tmp_path / "run")
    assert len(kept) == 2
    with ChatServer() as again:
        settings = json.loads((tmp_path / "run" / "config.json").read_text())
        settings["config"]["base_url"] = again.url  # this server has another port
        (tmp_path / "run" / "config.json").write_text(json.dumps(settings))
        result = evaluate(tmp_path / "run", again)
    assert len(again.requests) == 6 and samples(tmp_path / "run")[:2] == kept
    assert result["metrics"]["success_rate"]["value"] == 7 / 8


def test_no_server_at_all(tmp_path):
    with ChatServer() as server:
        url = server.url
    with pytest.raises(UsageError, match="ConnectError"):
        evaluate(tmp_path / "run", url, retries=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("status", "message"), [(401, "key is taken from"), (404, "refused"), (400, "bad top_p")])
def test_refusals_are_not_tried_again(status, message, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret-key")
    with ChatServer([(status, {}, "bad top_p")] * 9) as server, pytest.raises(UsageError, match=message) as error:
        evaluate(tmp_path / "run", server)
    assert len(server.requests) == 1 and "secret-key" not in str(error.value)
    assert server.headers[0]["Authorization"] == "Bearer secret-key"
    assert "secret-key" not in "".join(p.read_text() for p in (tmp_path / "run").rglob("*") if p.is_file())


def test_retry_after_holds_everyone(tmp_path):
    with ChatServer([ok(), (429, {"Retry-After": "0.4"}, "")]) as server:
        evaluate(tmp_path / "run", server, samples=1)
    assert server.times[2] - server.times[1] >= 0.4
    date = (datetime.now(timezone.utc) + timedelta(seconds=2)).replace(microsecond=0)
    with ChatServer([(503, {"Retry-After": format_datetime(date, usegmt=True)}, "")]) as server:
        evaluate(tmp_path / "date", server, samples=1)
    assert server.times[1] + time.time() - time.monotonic() >= date.timestamp() - 0.01


def test_a_server_that_asks_for_no_wait_is_not_hammered(tmp_path):
    with ChatServer([(429, {"Retry-After": "0"}, "")] * 3) as server:
        evaluate(tmp_path / "run", server, samples=1, num_tasks=1, backoff=0.2)
    waits = [after - before for before, after in zip(server.times, server.times[1:], strict=False)]
    assert len(waits) == 3 and all(wait >= 0.1 * 2**i for i, wait in enumerate(waits))


def test_a_server_that_asks_for_an_hour(tmp_path):
    with ChatServer([(429, {"Retry-After": "3600"}, "")]) as server, pytest.raises(UsageError, match="3600 seconds"):
        evaluate(tmp_path / "run", server)
    assert len(server.requests) == 1


def test_the_rate_is_kept(tmp_path):
    started = time.monotonic()
    with ChatServer() as server:
        evaluate(tmp_path / "run", server, samples=1, concurrency=4, requests_per_minute=600)
    assert len(server.times) == 4 and server.times[-1] - started >= 0.3  # turns are 0.1 s apart


def test_concurrent_requests_give_every_attempt_once(tmp_path):
    failures = [failure for failure in FAILURES if failure not in ("hang", "drip")]
    with ChatServer(failures) as server:
        evaluate(tmp_path / "run", server, samples=8, concurrency=6)
    found = sorted((sample["position"], sample["sample"]) for sample in samples(tmp_path / "run"))
    assert found == [(p, s) for p in range(4) for s in range(8)]
    assert len(server.requests) == 32 + len(failures)


def test_a_judge_that_fails_is_not_an_answer(tmp_path, monkeypatch):
    def lost(self, task, response):
        raise RuntimeError("sandbox lost")

    monkeypatch.setattr(toy_env.LengthVerifier, "verify", lost)
    with ChatServer() as server, pytest.raises(UsageError, match=r"^'toy/Even-v0' failed at (.*\n)+.*sandbox lost"):
        evaluate(tmp_path / "run", server)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"concurrency": 0}, "--concurrency"),
        ({"retries": -1}, "--retries"),
        ({"timeout": 0.0}, "--timeout"),
    ],
)
def test_bad_settings(settings, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        evaluate(tmp_path / "run", "http://127.0.0.1:9", **settings)
    with pytest.raises(UsageError, match="http://"):
        evaluate(tmp_path / "run", "localhost:8000")


def test_another_name_of_the_token_limit(tmp_path):
    with ChatServer() as server:
        evaluate(tmp_path / "run", server, samples=1, max_tokens_field="max_completion_tokens")
    assert server.requests[0]["max_completion_tokens"] == 9 and "max_tokens" not in server.requests[0]
