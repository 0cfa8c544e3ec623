"""The contract of text environments, on a small one."""

import re
from concurrent.futures import ThreadPoolExecutor

import gymnasium
import numpy as np
import pytest
import toy_env
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

from sdpo_gym import Task, TaskList, TextEnv, TextVectorEnv, Verdict, Verifier


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("max_turns", [1, 3])
def test_gymnasiums_checker(max_turns):
    check_env(gymnasium.make("toy/Even-v0", max_turns=max_turns, render_mode="ansi").unwrapped)


def test_one_turn():
    env = toy_env.EvenLengthEnv()
    prompt, info = env.reset(options={"task": "beta"})
    assert prompt == "Say beta."
    messages = [{"role": "user", "content": "Say beta."}]
    assert info == {"task_id": "beta", "metadata": {"letters": 4}, "messages": messages, "turn": 0}
    observation, reward, terminated, truncated, info = env.step("odd")
    assert (observation, reward, terminated, truncated) == ("", 0.0, True, False)
    assert info["feedback"] == "The response has 3 characters, an odd number."
    assert (info["success"], info["stop_reason"], info["turn"]) == (False, "max_turns", 1)
    assert info["metrics"] == {"characters": 3.0} and info["feedback_items"] == []
    assert info["messages"][-1] == {"role": "assistant", "content": "odd"}


def test_several_turns_until_success():
    env = toy_env.EvenLengthEnv(max_turns=3)
    env.reset(options={"task": 0})
    observation, reward, terminated, _, info = env.step("odd")
    assert "odd number" in observation and not terminated and info["stop_reason"] == ""
    assert info["messages"][-1] == {"role": "user", "content": observation}
    observation, reward, terminated, _, info = env.step("even")
    assert (observation, reward, terminated, info["stop_reason"], info["feedback"]) == ("", 1.0, True, "success", "")


def test_the_seed_decides_the_task():
    env = toy_env.EvenLengthEnv()
    tasks = [env.reset(seed=seed)[1]["task_id"] for seed in range(30)]
    assert set(tasks) == set(toy_env.WORDS)
    assert tasks == [toy_env.EvenLengthEnv().reset(seed=seed)[1]["task_id"] for seed in range(30)]
    env.reset(seed=7)
    later = [env.reset()[1]["task_id"] for _ in range(10)]
    env.reset(seed=7)
    assert later == [env.reset()[1]["task_id"] for _ in range(10)]


def test_the_caller_cannot_change_the_episode_through_info():
    env = toy_env.EvenLengthEnv(max_turns=2)
    _, info = env.reset(options={"task": 0})
    info["messages"].append("x")
    info["messages"][0]["content"] = "y"
    assert env.step("odd")[4]["messages"][0]["content"] == "Say alpha."


@pytest.mark.parametrize(
    ("task", "message"),
    [("omega", "unknown task id 'omega'"), (4, "out of range"), (-1, "out of range"), (1.5, "1.5"), (True, "True")],
)
def test_unknown_tasks(task, message):
    with pytest.raises(ValueError, match=message):
        toy_env.EvenLengthEnv().reset(options={"task": task})


@pytest.mark.parametrize("make", [toy_env.EvenLengthEnv, toy_env.EvenVectorEnv])
def test_unknown_options(make):
    with pytest.raises(ValueError, match=r"\['colour'\]; there is 'task' .*, and for vector environments 'reset_mask'"):
        make().reset(options={"colour": 1})


@pytest.mark.parametrize("options", [3, 0, "alpha", ["alpha"]])
@pytest.mark.parametrize("make", [toy_env.EvenLengthEnv, toy_env.EvenVectorEnv])
def test_options_that_are_none(make, options):
    with pytest.raises(TypeError, match=re.escape(f"must be a dict such as {{'task': 3}}, not {options!r}")):
        make().reset(options=options)


def test_misuse():
    env = toy_env.EvenLengthEnv(render_mode="ansi")
    for call in (lambda: env.step("x"), env.render):
        with pytest.raises(ResetNeeded, match="reset"):
            call()
    env.reset(seed=0)
    for action in (None, 1, b"bytes", ["text"], np.array("text")):
        with pytest.raises(TypeError, match="str"):
            env.step(action)
    env.step("even")
    with pytest.raises(ResetNeeded, match="over"):
        env.step("even")
    for arguments in ({"max_turns": 0}, {"max_turns": 1.5}, {"max_turns": True}, {"render_mode": "human"}):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            toy_env.EvenLengthEnv(**arguments)


@given(st.text())
@settings(max_examples=50)
def test_no_text_is_an_exception(text):
    env = toy_env.EvenLengthEnv()
    env.reset(seed=0)
    assert env.step(text)[1] in (0.0, 1.0)


def test_lone_surrogates_and_endless_texts_are_failed_attempts():
    env = toy_env.EvenLengthEnv()
    env.reset(seed=0)
    assert "?" in env.step("a\ud800b")[4]["messages"][-1]["content"]
    env.reset(seed=0)
    _, reward, *_, info = env.step("x" * (env.action_space.max_length + 1))
    assert reward == 0.0 and "at most 1000000" in info["feedback"]
    env.reset(seed=0)
    assert env.step("x" * env.action_space.max_length)[1] == 1.0


def test_a_verifier_that_fails_is_not_a_wrong_answer():
    class Lost(Verifier):
        def verify(self, task, response):
            raise RuntimeError("sandbox lost")

    env = TextEnv(TaskList([Task("t", ({"role": "user", "content": "?"},))]), Lost())
    env.reset(seed=0)
    with pytest.raises(RuntimeError, match="sandbox lost"):
        env.step("x")


@pytest.mark.parametrize("returned", [None, 1.0, (1.0, True)])
@pytest.mark.parametrize("num_envs", [None, 1])
def test_a_verifier_that_returns_no_verdict_is_named(returned, num_envs):
    class ForgetfulVerifier(Verifier):
        def verify(self, task, response):
            return returned

    class ForgetfulEnv(TextEnv):
        def __init__(self):
            super().__init__(TaskList([Task("t", ({"role": "user", "content": "?"},))]), ForgetfulVerifier())

    class ForgetfulVectorEnv(TextVectorEnv):
        env_type = ForgetfulEnv

    env = ForgetfulEnv() if num_envs is None else ForgetfulVectorEnv(num_envs)
    env.reset(seed=0)
    with pytest.raises(TypeError, match=re.escape(f"ForgetfulVerifier.verify returned {returned!r}; return a Verdict")):
        env.step("x" if num_envs is None else ["x"])


@pytest.mark.parametrize("returned", [None, [], [Verdict(0.0, False)] * 2])
def test_a_batch_needs_a_verdict_for_each_response(returned):
    class BatchVerifier(toy_env.LengthVerifier):
        def verify_many(self, tasks, responses):
            return returned

    env = TextEnv(TaskList([Task("t", ({"role": "user", "content": "?"},))]), BatchVerifier())
    env.reset(seed=0)
    with pytest.raises(TypeError, match=r"BatchVerifier.verify_many returned .*; return a list of 1 Verdict"):
        env.step("x")


class ThreadedVerifier(toy_env.LengthVerifier):
    """A thread for each response: there must be one."""

    def verify_many(self, tasks, responses):
        with ThreadPoolExecutor(len(tasks)) as threads:
            return list(threads.map(self.verify, tasks, responses))


class ThreadedEnv(TextEnv):
    def __init__(self):
        super().__init__(TaskList([Task("t", ({"role": "user", "content": "?"},))]), ThreadedVerifier())


class ThreadedVectorEnv(TextVectorEnv):
    env_type = ThreadedEnv


def test_verifiers_are_not_asked_about_nothing():
    env = ThreadedEnv()
    env.reset(seed=0)
    assert "at most" in env.step("x" * (env.action_space.max_length + 1))[4]["feedback"]
    vector = ThreadedVectorEnv(2)
    vector.reset(seed=0)
    assert vector.step(["even", "odd"])[1].tolist() == [1.0, 0.0]
    observations, rewards, terminations, _, infos = vector.step([None, None])
    assert (observations, rewards.tolist(), terminations.tolist(), infos) == (("", ""), [0.0, 0.0], [True, True], {})


def test_verdicts_hold_plain_values():
    verdict = Verdict(np.float32(0.5), np.bool_(True))
    assert (type(verdict.reward), type(verdict.success)) == (float, bool)
    assert verdict == Verdict(0.5, True)
    assert type(Verdict(1, True).reward) is float
    metrics = Verdict(0.0, False, metrics={"a": np.float32(1), "b": np.True_, "c": 2}).metrics
    assert metrics == {"a": 1, "b": 1, "c": 2} and {type(value) for value in metrics.values()} == {float}


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        (("1.0", True), TypeError, "reward.*number, not '1.0'"),
        ((None, True), TypeError, "reward.*number, not None"),
        ((float("nan"), True), ValueError, "reward.*finite, not nan"),
        ((np.float64("inf"), True), ValueError, "reward.*finite, not"),
        ((1.0, "yes"), TypeError, "success.*True or False, not 'yes'"),
        ((1.0, 1), TypeError, "success.*True or False, not 1"),
        ((0.0, False, None), TypeError, "feedback.*str, not None"),
        ((0.0, False, ["no"]), TypeError, r"feedback.*str, not \['no'\]"),
        ((0.0, False, "", ({"problem": "x"},)), TypeError, r"feedback_items.*str 'kind', not \(\{'problem': 'x'\},\)"),
        ((0.0, False, "", ("wrong",)), TypeError, r"feedback_items.*not \('wrong',\)"),
        ((0.0, False, "", {"kind": "wrong"}), TypeError, "feedback_items.*tuple of mappings"),
        ((0.0, False, "", (), None), TypeError, "metrics.*mapping, not None"),
        ((0.0, False, "", (), {"m": "high"}), TypeError, "metrics.*numbers by name, not 'm': 'high'"),
        ((0.0, False, "", (), {1: 0.5}), TypeError, "metrics.*numbers by name, not 1: 0.5"),
        ((0.0, False, "", (), {"m": float("inf")}), ValueError, "metric 'm'.*finite, not inf; leave it out"),
    ],
)
def test_verdicts_that_make_no_sense(fields, error, message):
    with pytest.raises(error, match=message):
        Verdict(*fields)


def test_failures_without_feedback_are_said_to_be_failures():
    class Silent(Verifier):
        def verify(self, task, response):
            return Verdict(0.0, False)

    env = TextEnv(TaskList([Task("t", ({"role": "user", "content": "?"},))]), Silent(), max_turns=2)
    env.reset(seed=0)
    observation, *_, info = env.step("x")
    assert observation == "That is not correct." and info["feedback"] == ""


def test_a_step_that_led_to_nothing_is_no_failed_attempt():
    class Nothing(Verifier):
        def verify(self, task, response):
            return Verdict(0.0, False, "There was a warning.", observation="")

    env = TextEnv(TaskList([Task("t", ({"role": "user", "content": "?"},))]), Nothing(), max_turns=2)
    env.reset(seed=0)
    observation, *_, info = env.step("x")
    assert observation == info["messages"][-1]["content"] == "" and info["feedback"] == "There was a warning."


def test_tasks_and_responses_are_judged_in_pairs():
    task = Task("t", ({"role": "user", "content": "?"},))
    verdicts = toy_env.LengthVerifier().verify_many([task, task], ["odd", "even"])
    assert [verdict.reward for verdict in verdicts] == [0.0, 1.0]
    with pytest.raises(ValueError):
        toy_env.LengthVerifier().verify_many([task], ["odd", "even"])


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ("Say something.", TypeError),
        ({"role": "user", "content": "?"}, TypeError),
        (None, TypeError),
        ((), ValueError),
        (("Say something.",), TypeError),
        (({"role": "usr", "content": "?"},), TypeError),
        (({"role": ["user"], "content": "?"},), TypeError),
        (({"role": "user", "content": None},), TypeError),
        (({"role": "user"},), TypeError),
        (({"role": "system", "content": "Be brief."},), ValueError),
        (({"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}), ValueError),
    ],
)
def test_messages_that_make_no_sense(messages, error):
    with pytest.raises(error, match=r"task 'odd': .*message"):
        Task("odd", messages)


@pytest.mark.parametrize("task_id", [3, np.int64(3), None, b"3", ("a", 3)])
def test_ids_are_texts(task_id):
    with pytest.raises(TypeError, match=re.escape(f"id of a Task must be a str, not {task_id!r}: give str(…) of it")):
        Task(task_id, ({"role": "user", "content": "?"},))


@pytest.mark.parametrize("metadata", [None, "easy", [("level", 3)]])
def test_metadata_are_mappings(metadata):
    with pytest.raises(
        TypeError, match=re.escape(f"task 't': metadata must be a mapping such as a dict, not {metadata!r}")
    ):
        Task("t", ({"role": "user", "content": "?"},), metadata=metadata)


@pytest.mark.parametrize(
    ("verifier", "message"),
    [
        (toy_env.LengthVerifier, r"LengthVerifier.*: call the class, LengthVerifier\(…\)"),
        (lambda task, response: Verdict(1.0, True), "derived from sdpo_gym.Verifier, not <function"),
        (None, "derived from sdpo_gym.Verifier, not None"),
    ],
)
def test_what_is_no_verifier(verifier, message):
    with pytest.raises(TypeError, match=message):
        TextEnv(Squares(), verifier)


def test_task_lists():
    task = Task("t", ({"role": "user", "content": "?"},))
    with pytest.raises(ValueError, match="at least one"):
        TaskList([])
    with pytest.raises(ValueError, match=r"unique.*'t'"):
        TaskList([task, task])
    many = [Task(str(i // 2), task.messages) for i in range(20_000)]
    with pytest.raises(ValueError, match=r"repeated: \['0', '1', '2', '3', '4'\] and 9995 more$"):
        TaskList(many)


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_list_of_tasks_is_a_task_set(kind):
    tasks = [Task(word, ({"role": "user", "content": f"Say {word}."},)) for word in toy_env.WORDS]
    env = TextEnv(kind(tasks), toy_env.LengthVerifier())
    assert env.num_tasks == 4 and env.reset(options={"task": "beta"})[0] == env.reset(options={"task": 1})[0]
    with pytest.raises(ValueError, match=r"unknown task id 'omega'; ids look like 'alpha'"):
        env.reset(options={"task": "omega"})
    with pytest.raises(ValueError, match=r"unique.*'alpha'"):
        TextEnv(kind([tasks[0], tasks[0]]), toy_env.LengthVerifier())


@pytest.mark.parametrize("tasks", [None, {"t": "?"}, (task for task in ()), {"t"}, "tasks.jsonl"])
def test_what_is_no_task_set(tasks):
    with pytest.raises(TypeError, match=re.escape(f"such as a sdpo_gym.TaskList, not {tasks!r:.100}")):
        TextEnv(tasks, toy_env.LengthVerifier())


class Squares:
    """Endless tasks."""

    def __getitem__(self, index):
        return Task(f"square-{index}", ({"role": "user", "content": f"{index} squared"},))

    def find(self, task_id):
        if not task_id.startswith("square-"):
            raise KeyError(task_id)
        return self[int(task_id.removeprefix("square-"))]


def test_endless_tasks():
    env = TextEnv(Squares(), toy_env.LengthVerifier())
    assert env.num_tasks is None
    drawn = [env.reset(seed=seed)[1]["task_id"] for seed in range(20)]
    assert len(set(drawn)) == 20
    assert drawn == [env.reset(seed=seed)[1]["task_id"] for seed in range(20)]
    assert env.reset(options={"task": 10**12})[0] == "1000000000000 squared"
    assert env.reset(options={"task": drawn[3]})[1]["task_id"] == drawn[3]
    for task, message in (("cube-1", "look like 'square-0', and they are endless"), (-1, "out of range.*from 0")):
        with pytest.raises(ValueError, match=message):
            env.reset(options={"task": task})


def test_render():
    env = toy_env.EvenLengthEnv(max_turns=2, render_mode="ansi")
    env.reset(options={"task": 0})
    env.step("odd")
    assert env.render().startswith("[user]\nSay alpha.\n\n[assistant]\nodd\n\n[user]\n")


def test_render_several_at_once():
    singles = [toy_env.EvenLengthEnv(max_turns=2, render_mode="ansi") for _ in range(2)]
    vector = toy_env.EvenVectorEnv(num_envs=2, max_turns=2, render_mode="ansi")
    with pytest.raises(ResetNeeded, match="reset"):
        vector.render()
    vector.reset(seed=0, options={"task": [0, 1]})
    vector.step(["odd", "even"])
    for i, (env, response) in enumerate(zip(singles, ("odd", "even"), strict=True)):
        env.reset(options={"task": i})
        env.step(response)
    assert vector.render() == tuple(env.render() for env in singles)
    silent = toy_env.EvenVectorEnv(num_envs=2)
    silent.reset(seed=0)
    assert silent.render() is None


class CountdownVerifier(Verifier):
    """ "down" is a step that counts down; "stop" is right at zero; "quit" gives up; all else is a failed attempt."""

    def verify(self, task, response):
        left = task.answer_key
        if response == "down":
            return Verdict(0.0, False, observation=f"{left - 1} left", next_task=Task(task.id, task.messages, left - 1))
        if response == "stop":
            return Verdict(float(left == 0), left == 0, "" if left == 0 else "Too early.", final=True)
        return Verdict(0.0, False, "Gone." if response == "quit" else "", final=response == "quit")


class CountdownEnv(TextEnv):
    def __init__(self, max_turns: int = 5, render_mode: str | None = None):
        tasks = [Task(str(n), ({"role": "user", "content": f"Count down from {n}."},), n) for n in (1, 2)]
        super().__init__(TaskList(tasks), CountdownVerifier(), max_turns=max_turns, render_mode=render_mode)


class CountdownVectorEnv(TextVectorEnv):
    env_type = CountdownEnv


EPISODES = {
    ("down", "down", "stop"): (["1 left", "0 left", ""], "success"),
    ("down", "stop"): (["1 left", ""], "final"),
    ("huh", "down", "quit"): (["That is not correct.", "1 left", ""], "final"),
    ("down", "down", "down", "down", "down"): (["1 left", "0 left", "-1 left", "-2 left", ""], "max_turns"),
}


@pytest.mark.parametrize("responses", EPISODES)
def test_steps_lead_on_and_a_final_verdict_ends(responses):
    observations, stop_reason = EPISODES[responses]
    env = CountdownEnv()
    env.reset(options={"task": "2"})
    for turn, (response, expected) in enumerate(zip(responses, observations, strict=True), 1):
        observation, reward, terminated, _, info = env.step(response)
        assert (observation, terminated, info["turn"]) == (expected, turn == len(responses), turn)
        assert info["task_id"] == "2"
        if response == "down":
            assert info["feedback"] == "" and not info["success"]
    assert info["stop_reason"] == stop_reason
    assert reward == float(stop_reason == "success")
    contents = [message["content"] for message in info["messages"][1:]]
    assert contents == [text for pair in zip(responses, observations, strict=True) for text in pair][:-1]


def test_an_episode_begins_with_the_task_as_it_was():
    env = CountdownEnv()
    for _ in range(2):
        env.reset(options={"task": "1"})
        assert env.step("down")[0] == "0 left"
        assert env.step("stop")[1] == 1.0


def test_steps_of_several_at_once():
    singles = [CountdownEnv() for _ in EPISODES]
    vector = CountdownVectorEnv(len(EPISODES))
    vector.reset(options={"task": [1] * len(EPISODES)})
    for env in singles:
        env.reset(options={"task": 1})
    done = np.zeros(len(EPISODES), dtype=bool)
    for turn in range(5):
        actions = [None if ended else responses[turn] for responses, ended in zip(EPISODES, done, strict=True)]
        observations, rewards, terminations, _, _ = vector.step(actions)
        for i, (env, action) in enumerate(zip(singles, actions, strict=True)):
            if action is not None:
                assert env.step(action)[:3] == (observations[i], rewards[i], terminations[i])
        done = terminations
    assert done.all()
