"""Questions and verdicts of text environments, as trainers ask for them."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import toy_env
from hypothesis import given, settings
from hypothesis import strategies as st

from sdpo_gym import Verdict
from sdpo_gym.arguments import make_text_env
from sdpo_gym.integrations.judge import Judge, begin, shared_judge, started, step

EVEN = "toy_env:toy/Even-v0"
PLAIN = "toy_env:toy/Plain-v0"
SLOW = "toy_env:toy/Slow-v0"


@pytest.fixture(scope="module")
def even():
    judge = Judge(EVEN)
    yield judge
    judge.close()


def test_an_episode_that_a_time_limit_cuts_is_over():
    env = make_text_env("toy_env:toy/Endless-v0", {})
    env.reset(seed=0)
    assert [step(env, "a")[1], step(env, "b")[1]] == [False, True]
    env.close()


def test_questions_are_the_tasks_in_their_order(even):
    questions = even.questions()
    assert [question.task_id for question in questions] == list(toy_env.WORDS)
    assert [question.messages[-1]["content"] for question in questions] == [f"Say {word}." for word in toy_env.WORDS]
    assert questions[2].metadata == {"letters": 5}
    assert even.questions(2, first=1) == questions[1:3]


@pytest.mark.parametrize("count, first", [(5, 0), (1, 4), (0, 0), (1, -1), (None, 4)])
def test_questions_that_there_are_not_are_refused(even, count, first):
    with pytest.raises(ValueError, match="4 tasks"):
        even.questions(count, first=first)


def test_endless_tasks_need_a_count():
    judge = Judge("sdpo/ToolUse-v0")
    with pytest.raises(ValueError, match="endless"):
        judge.questions()
    questions = judge.questions(3)
    assert len({question.task_id for question in questions}) == 3
    assert not judge.verdict(questions[1].task_id, questions[1].seed, "no answer").success
    judge.close()


@settings(max_examples=50)
@given(st.sampled_from(toy_env.WORDS), st.text(max_size=30))
def test_a_verdict_is_what_the_environment_says(even, word, response):
    env = make_text_env(EVEN)
    env.reset(options={"task": word})
    _, reward, _, _, info = env.step(response)
    verdict = even.verdict(word, 0, response)
    assert (verdict.reward, verdict.success, verdict.feedback) == (reward, info["success"], info["feedback"])
    assert verdict.metrics == info["metrics"]


def test_verdicts_keep_their_order_under_threads(even):
    responses = ["x" * n for n in range(40)]
    verdicts = even.verdicts(["alpha"] * 40, [0] * 40, responses)
    assert [verdict.metrics["characters"] for verdict in verdicts] == list(range(40))
    with ThreadPoolExecutor(16) as threads:
        again = list(threads.map(lambda response: even.verdict("alpha", 0, response), responses))
    assert again == verdicts


def test_an_environment_that_knows_only_seeds():
    judge = Judge(PLAIN)
    with pytest.raises(ValueError, match="endless"):
        judge.questions()
    first, second = judge.questions(2)
    assert first.messages != second.messages
    assert judge.questions(1, first=1) == [second]
    assert judge.verdict(first.task_id, first.seed, "xx") == Verdict(1.0, True)
    assert judge.verdict(first.task_id, first.seed, "x") == Verdict(0.0, False, "odd")
    judge.close()


def test_an_environment_that_takes_numbers_and_names_no_task():
    judge = Judge("toy_env:toy/Numbered-v0")
    questions = judge.questions()
    assert [question.task_id for question in questions] == ["0", "1", "2", "3"]
    for question, word in zip(questions, toy_env.WORDS, strict=True):
        assert question.messages[0]["content"] == f"Say {word}."
        assert judge.verdict(question.task_id, question.seed, word).success
        assert judge.verdict(question.task_id, question.seed, "omega").feedback == "another word"
    judge.close()


def test_a_task_of_another_data_set_is_refused(even):
    with pytest.raises(ValueError, match="omega"):
        even.verdict("omega", 0, "x")
    judge = Judge(PLAIN)
    with pytest.raises(ValueError, match="other arguments"):
        judge.verdict("seed 4", 5, "x")
    judge.close()


def test_an_episode_of_another_data_set_is_refused():
    env = make_text_env("toy_env:toy/Moves-v0", {"rewards": (0.0, 1.0)})
    assert begin(env, "seed 5", 5).task_id == "seed 5"
    message = r"task 'seed 4', but seed 5 of 'toy/Moves-v0' with .*'rewards': \(0.0, 1.0\).* poses 'seed 5'"
    with pytest.raises(ValueError, match=message):
        begin(env, "seed 4", 5)


def test_a_judge_is_free_again_after_an_error():
    judge = Judge(EVEN, concurrency=1)
    for _ in range(3):
        with pytest.raises(ValueError):
            judge.verdict("omega", 0, "x")
    assert judge.verdict("alpha", 0, "xx").success
    judge.close()


def test_what_is_no_text_environment_is_refused():
    with pytest.raises(ValueError, match="not a text environment"):
        Judge("toy_env:toy/Numbers-v0")
    with pytest.raises(ValueError, match="concurrency"):
        Judge(EVEN, concurrency=0)


def test_episodes_of_several_attempts():
    env = make_text_env(EVEN, {"max_turns": 2})
    assert begin(env, "beta", 0).task_id == "beta"
    observation, done, verdict = step(env, "x")
    assert (observation, done, verdict.success) == (verdict.feedback, False, False)
    _, done, verdict = step(env, "xx")
    assert done and verdict.success and verdict.reward == 1.0


@pytest.mark.parametrize("cancelled_after", [0.05, 1.0, None])
def test_an_asynchronous_episode_is_closed_in_a_thread_also_when_it_is_cancelled(cancelled_after):
    begun = []

    async def play():
        async with started(SLOW, {}, "seed 3", 3) as respond:
            begun.append((await respond("x"))[0])
            if cancelled_after is not None:
                await asyncio.sleep(60)

    async def main():
        task = asyncio.create_task(play())
        if cancelled_after is not None:
            await asyncio.sleep(cancelled_after)
            task.cancel()
        [error] = await asyncio.gather(task, return_exceptions=True)
        return type(error)

    toy_env.SlowEnv.closed_by.clear()
    assert asyncio.run(main()) is (type(None) if cancelled_after is None else asyncio.CancelledError)
    assert begun == ([] if cancelled_after == 0.05 else ["Go on."])
    assert toy_env.SlowEnv.open == []
    [thread] = toy_env.SlowEnv.closed_by
    assert thread is not threading.main_thread()


def test_an_asynchronous_episode_that_is_cancelled_in_a_step_is_closed_after_it(monkeypatch):
    calls = []

    def call(name, method):
        def called(self, *arguments):
            calls.append(f"{name} begins")
            method(self, *arguments)
            calls.append(f"{name} ends")

        return called

    for name in ("step", "close"):
        monkeypatch.setattr(toy_env.SlowEnv, name, call(name, getattr(toy_env.SlowEnv, name)))

    async def play():
        async with started(SLOW, {}, "seed 3", 3) as respond:
            await respond("x")

    async def main():
        task = asyncio.create_task(play())
        while not calls:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert calls == ["step begins", "step ends", "close begins", "close ends"]


def test_an_episode_that_does_not_begin_is_closed():
    async def play():
        async with started(SLOW, {}, "seed 4", 5):
            pass

    with pytest.raises(ValueError, match="poses 'seed 5'"):
        asyncio.run(play())
    assert toy_env.SlowEnv.open == []


def test_a_process_has_one_shared_judge():
    assert shared_judge(EVEN) is shared_judge(EVEN)
    assert shared_judge(EVEN) is shared_judge(EVEN, "{}")
    two = shared_judge(EVEN, '{"max_turns": 2}')
    assert two is not shared_judge(EVEN) and two.env_args == {"max_turns": 2}


def test_threads_that_come_first_together_share_a_judge():
    before = toy_env.SlowEnv.opened
    with ThreadPoolExecutor(8) as threads:
        judges = set(threads.map(lambda _: shared_judge(SLOW), range(8)))
    judges.pop().close()
    assert not judges and toy_env.SlowEnv.opened == before + 1
