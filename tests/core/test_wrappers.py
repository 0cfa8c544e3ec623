"""Wrappers for text environments."""

import json
import sys

import gymnasium
import numpy as np
import pytest
import toy_env
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import TimeLimit

from sdpo_gym.wrappers import ChatHistory, CompleteInfo, ContractError, RecordEpisodes


class PlainTwiceEnv(toy_env.PlainEnv):
    """Several turns, and nothing in `info`."""

    def step(self, action):
        return f"{action}?", 0.5, action == "end", False, {}


class ReturningEnv(toy_env.PlainEnv):
    """Returns what it is told to."""

    def __init__(self, reset=("?", {}), step=("!", 0.0, False, False, {})):
        super().__init__()
        self.returned = reset, step

    def reset(self, *, seed=None, options=None):
        return self.returned[0]

    def step(self, action):
        return self.returned[1]


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


class TestChatHistory:
    @pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
    def test_gymnasiums_checker(self):
        check_env(ChatHistory(toy_env.EvenLengthEnv(max_turns=3)), skip_render_check=True)

    def test_the_chat_is_the_observation(self):
        env = ChatHistory(toy_env.EvenLengthEnv(max_turns=2, render_mode="ansi"))
        assert env.reset(options={"task": 0})[0] == "[user]\nSay alpha."
        observation, *_, info = env.step("odd")
        assert observation == env.render() and info["turn"] == 1
        assert observation.startswith("[user]\nSay alpha.\n\n[assistant]\nodd\n\n[user]\nThe response has 3")
        assert env.step("even")[0].endswith("\n\n[assistant]\neven")
        assert env.reset(options={"task": 1})[0] == "[user]\nSay beta."

    def test_of_an_environment_that_tells_no_chat(self):
        env = ChatHistory(PlainTwiceEnv())
        prompt = env.reset(seed=0)[0]
        env.step("one")
        assert env.step("end")[0] == f"{prompt}\n\n[assistant]\none\n\n[user]\none?\n\n[assistant]\nend\n\n[user]\nend?"

    @pytest.mark.parametrize("max_length", [6, 20, 40, 1000])
    def test_the_beginning_of_a_long_chat_is_left_out(self, max_length):
        env, whole = (ChatHistory(PlainTwiceEnv(), length) for length in (max_length, 10_000))
        for each in (env, whole):
            each.reset(seed=0)
        for _ in range(5):
            short, full = env.step("word")[0], whole.step("word")[0]
            assert env.observation_space.contains(short)
            if len(full) > max_length:
                assert len(short) == max_length and short.startswith("[…]\n\n") and full.endswith(short[5:])
            else:
                assert short == full

    def test_no_room(self):
        with pytest.raises(ValueError, match="max_length must be more than 5, not 5"):
            ChatHistory(PlainTwiceEnv(), 5)


class TestCompleteInfo:
    @pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
    def test_contract(self):
        check_env(CompleteInfo(toy_env.EvenLengthEnv(max_turns=3)), skip_render_check=True)

    def test_nothing_is_changed_where_nothing_is_missing(self):
        plain, completed = toy_env.EvenLengthEnv(max_turns=2), CompleteInfo(toy_env.EvenLengthEnv(max_turns=2))
        assert completed.reset(seed=3) == plain.reset(seed=3)
        for response in ("x", "xx"):
            assert completed.step(response) == plain.step(response)

    def test_feedback_that_is_no_text_is_missing(self):
        class WithoutWordsEnv(PlainTwiceEnv):
            def step(self, action):
                return f"{action}?", 0.0, False, False, {"feedback": None}

        env = CompleteInfo(WithoutWordsEnv())
        env.reset(seed=0)
        assert env.step("x")[4]["feedback"] == "x?"

    def test_what_is_missing_is_filled_in(self):
        env = CompleteInfo(PlainTwiceEnv())
        observation, info = env.reset(seed=3)
        chat = [{"role": "user", "content": observation}]
        assert info == {"task_id": "seed 3", "metadata": {}, "messages": chat}
        assert env.reset(seed=3, options={"task": 7})[1]["task_id"] == "7"
        assert env.reset()[1]["task_id"] == "PlainTwiceEnv"
        observation = env.reset(seed=3)[0]
        for word, stop_reason in (("one", ""), ("end", "terminated")):
            chat = [*chat, {"role": "assistant", "content": word}, {"role": "user", "content": f"{word}?"}]
            success = word == "end"
            feedback = "" if success else f"{word}?"
            said = {"success": success, "feedback": feedback, "stop_reason": stop_reason, "messages": chat}
            assert env.step(word)[4] == said | {"feedback_items": (), "metrics": {}}

    def test_an_episode_that_a_time_limit_cuts_is_truncated(self):
        env = CompleteInfo(gymnasium.make("toy/Even-v0", max_turns=3, max_episode_steps=2))
        for words, reasons in ((["odd", "odd"], ["", "truncated"]), (["odd", "even"], ["", "success"])):
            env.reset(seed=0)
            assert [env.step(word)[4]["stop_reason"] for word in words] == reasons

    @pytest.mark.parametrize(("terminated", "reason"), [(True, "terminated"), (False, "truncated")])
    def test_an_empty_reason_at_the_end_is_missing(self, terminated, reason):
        env = CompleteInfo(ReturningEnv(step=("!", 0.0, terminated, True, {"stop_reason": ""})))
        env.reset(seed=0)
        assert env.step("x")[4]["stop_reason"] == reason

    @pytest.mark.parametrize(
        ("key", "value", "expected"),
        [
            ("messages", ["hello"], None),
            ("messages", "hello", None),
            ("messages", [{"role": "tool", "content": "x"}], None),
            ("success", None, False),
            ("feedback_items", [{"type": "x"}], ()),
            ("feedback_items", ["wrong"], ()),
            ("metrics", None, {}),
            ("metrics", {"note": "abc", "n": 1, "even": np.True_, "nan": float("nan")}, {"n": 1, "even": np.True_}),
            ("stop_reason", None, ""),
        ],
    )
    def test_keys_that_mean_something_else_are_missing(self, key, value, expected):
        env = CompleteInfo(ReturningEnv(("?", {key: value}), ("!", 0.0, False, False, {key: value})))
        chat = [{"role": "user", "content": "?"}]
        assert env.reset(seed=3)[1]["messages"] == chat
        info = env.step("x")[4]
        assert info[key] == (
            [*chat, {"role": "assistant", "content": "x"}, {"role": "user", "content": "!"}]
            if key == "messages"
            else expected
        )

    @pytest.mark.parametrize("value", [None, {"name": "a"}])
    def test_a_task_id_of_another_shape_is_missing(self, value):
        env = CompleteInfo(ReturningEnv(("?", {"task_id": value})))
        assert env.reset(seed=3)[1]["task_id"] == "seed 3"
        assert env.reset(seed=3, options={"task": 7})[1]["task_id"] == "7"

    @pytest.mark.parametrize("value", ["a", 7, np.int64(7)])
    def test_the_task_id_is_what_the_environment_says(self, value):
        env = CompleteInfo(ReturningEnv(("?", {"task_id": value})))
        assert env.reset(seed=3, options={"task": 1})[1]["task_id"] == value

    def test_metadata_of_another_shape_are_missing(self):
        assert CompleteInfo(ReturningEnv(("?", {"metadata": None}))).reset()[1]["metadata"] == {}

    @pytest.mark.parametrize(
        ("returned", "message"),
        [
            ("ab", r"reset must return \(observation, info\), not 'ab'"),
            (("a", {}, {}), r"reset must return \(observation, info\), not 3 values"),
            ((None, {}), "observation of reset must be a str, not None"),
            (("a", None), "info of reset must be a dict, not None"),
        ],
    )
    def test_what_is_no_reset(self, returned, message):
        with pytest.raises(ContractError, match=f"^'ReturningEnv': .*{message}"):
            CompleteInfo(ReturningEnv(returned)).reset(seed=0)

    @pytest.mark.parametrize(
        ("returned", "message"),
        [
            (
                ("a", 0.0, True, {}),
                r"step must return \(observation, reward, terminated, truncated, info\), not 4 values",
            ),
            ((None, 0.0, True, False, {}), "observation of step must be a str, not None"),
            (("a", None, True, False, {}), "reward of step must be a finite number, not None"),
            (("a", float("nan"), True, False, {}), "reward of step must be a finite number, not nan"),
            (("a", 0.0, True, False, []), r"info of step must be a dict, not \[\]"),
        ],
    )
    def test_what_is_no_step(self, returned, message):
        env = CompleteInfo(ReturningEnv(step=returned))
        env.reset(seed=0)
        with pytest.raises(ContractError, match=f"^'ReturningEnv': .*{message}"):
            env.step("x")

    @pytest.mark.parametrize("method", ["reset", "step"])
    def test_an_environment_that_would_end_the_program(self, method):
        env = ReturningEnv()
        setattr(env, method, lambda *arguments, **options: sys.exit(3))
        env = CompleteInfo(env)
        with pytest.raises(ContractError, match=rf"^'ReturningEnv': {method} must not end .* by SystemExit\(3\)$"):
            env.reset(seed=0)
            env.step("x")

    def test_another_return_may_be_a_success(self):
        for success_return, success in ((0.5, True), (0.6, False)):
            env = CompleteInfo(PlainTwiceEnv(), success_return)
            env.reset(seed=0)
            assert env.step("end")[4]["success"] is success

    def test_success_is_a_return_of_one_at_the_end(self):
        env = CompleteInfo(PlainTwiceEnv())
        for words, success in ((["end"], False), (["a", "end"], True), (["a", "b", "end"], True)):
            env.reset(seed=0)
            assert [env.step(word)[4]["success"] for word in words] == [False] * (len(words) - 1) + [success]


class TestRecordEpisodes:
    def test_a_line_per_episode(self, tmp_path):
        path = tmp_path / "new" / "episodes.jsonl"
        env = RecordEpisodes(gymnasium.make("toy/Even-v0", max_turns=2), path)
        env.reset(seed=3, options={"task": "beta"})
        env.step("odd")
        assert records(path) == []
        env.step("even")
        [record] = records(path)
        messages = record.pop("messages")
        assert record == {
            "env_id": "toy/Even-v0",
            "seed": 3,
            "options": {"task": "beta"},
            "task_id": "beta",
            "rewards": [0.0, 1.0],
            "feedback": ["The response has 3 characters, an odd number.", ""],
            "success": True,
            "metrics": {"characters": 4.0},
            "stop_reason": "success",
            "terminated": True,
            "truncated": False,
        }
        assert [message["content"] for message in messages[:2]] == ["Say beta.", "odd"] and len(messages) == 4
        env.close()
        assert len(records(path)) == 1

    def test_an_episode_that_is_given_up(self, tmp_path):
        path = tmp_path / "episodes.jsonl"
        env = RecordEpisodes(PlainTwiceEnv(), path)
        for _ in range(2):
            env.reset(seed=0)
            env.step("one")
        env.close()
        env.close()
        given_up = records(path)
        assert [record["rewards"] for record in given_up] == [[0.5], [0.5]]
        assert {(record["success"], record["terminated"], record["truncated"]) for record in given_up} == {
            (None, False, False)
        }
        assert given_up[0]["feedback"] == ["one?"] and given_up[0]["env_id"] == "PlainTwiceEnv"

    def test_an_episode_that_is_cut_off(self, tmp_path):
        path = tmp_path / "episodes.jsonl"
        env = RecordEpisodes(TimeLimit(PlainTwiceEnv(), 2), path)
        env.reset(seed=0)
        env.step("one")
        env.step("two")
        assert [(record["terminated"], record["truncated"]) for record in records(path)] == [(False, True)]
        with pytest.raises(ResetNeeded, match="reset"):
            env.step("three")

    def test_several_environments_in_one_file(self, tmp_path):
        path = tmp_path / "episodes.jsonl"
        path.write_text('{"env_id": "older"}\n')
        envs = [RecordEpisodes(toy_env.EvenLengthEnv(), path) for _ in range(3)]
        for i, env in enumerate(envs):
            env.reset(options={"task": i})
        for env in envs:
            env.step("lone \ud800 surrogate")
        assert [record.get("task_id") for record in records(path)] == [None, "alpha", "beta", "gamma"]

    def test_a_file_that_cannot_be_written(self, tmp_path):
        with pytest.raises(OSError, match="Is a directory"):
            RecordEpisodes(PlainTwiceEnv(), tmp_path)


def test_wrappers_are_part_of_the_spec(tmp_path):
    env = RecordEpisodes(ChatHistory(gymnasium.make("toy/Even-v0", max_turns=2), 500), tmp_path / "episodes.jsonl")
    again = gymnasium.make(env.spec)
    assert isinstance(again, RecordEpisodes) and isinstance(again.env, ChatHistory)
    assert again.observation_space == env.observation_space
    assert again.reset(seed=1) == env.reset(seed=1)
