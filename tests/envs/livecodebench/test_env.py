import json
import os
import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers.vector import DictInfoToList

import sdpo_gym  # noqa: F401  (registers the environment)
from envs.livecodebench.env import LiveCodeBenchEnv, LiveCodeBenchVectorEnv
from sdpo_gym.sandbox import make_sandbox

ID = "sdpo/LiveCodeBench-v0"
GOOD = "```python\ndef add(a, b):\n    return a + b\n```"
BAD = "```python\ndef add(a, b):\n    return a - b\n```"


@pytest.fixture
def data(make_row, write_rows):
    """Three sums, of which the last reads standard input."""
    rows = [make_row(question_id="one"), make_row(question_id="two", difficulty="hard")]
    return write_rows(*rows, make_row(None, question_id="three"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("max_turns", [1, 3])
def test_gymnasium_has_no_complaints(max_turns):
    check_env(gymnasium.make(ID, max_turns=max_turns).unwrapped)


@pytest.mark.filterwarnings("error")
def test_made_by_gymnasium(data):
    env = gymnasium.make(ID, data=str(data), render_mode="ansi")
    prompt, info = env.reset(options={"task": "two"})
    assert "Add two numbers." in prompt
    assert (info["task_id"], info["turn"]) == ("two", 0)
    observation, reward, terminated, truncated, info = env.step(BAD)
    assert (observation, reward, terminated, truncated) == ("", 0.0, True, False)
    assert info["feedback"].startswith("Wrong Answer in Test")
    assert info["stop_reason"] == "max_turns"
    assert "return a - b" in env.render()
    env.close()

    vector = gymnasium.make_vec(ID, num_envs=2, vectorization_mode="vector_entry_point", data=str(data))
    prompts, _ = vector.reset(seed=1, options={"task": ["one", 2]})
    assert len(prompts) == 2
    _, rewards, terminations, _, infos = vector.step((GOOD, BAD))
    assert rewards.tolist() == [1.0, 0.0]
    assert terminations.all()
    assert infos["task_id"].tolist() == ["one", "three"]
    vector.close()


def test_the_sandbox_is_chosen_by_name(data):
    env = LiveCodeBenchEnv(data=data, sandbox="unsafe")
    env.reset(options={"task": "one"})
    source = "import os\ndef add(a, b):\n    return a + b if os.environ else 0"
    assert env.step(f"```python\n{source}\n```")[1] == 1.0  # unlike every other sandbox's, its programs have one
    with pytest.raises(ValueError, match="locla"):
        LiveCodeBenchEnv(data=data, sandbox="locla")
    with pytest.raises(ValueError, match="locla"):
        make_sandbox("locla")


def test_later_turns_observe_the_feedback(data):
    env = LiveCodeBenchEnv(data=data, max_turns=2)
    env.reset(options={"task": "one"})
    observation, _, terminated, _, info = env.step("no code")
    assert not terminated
    assert observation == info["feedback"] == info["messages"][-1]["content"]
    assert observation.startswith("The response has no fenced code block.")
    assert env.step(GOOD)[1:3] == (1.0, True)


RESPONSES = ["", "x", GOOD, BAD, "```python\nprint(sum(map(int, input().split())))\n```", "```\n1 +\n```", GOOD[:-3]]


@pytest.mark.parametrize("max_turns", [1, 3])
def test_several_at_once_behave_as_several_alone(data, max_turns):
    n = 7
    singles = [LiveCodeBenchEnv(data=data, max_turns=max_turns) for _ in range(n)]
    vector = DictInfoToList(LiveCodeBenchVectorEnv(n, data=data, max_turns=max_turns))
    observations, infos = vector.reset(seed=3)
    alone = [env.reset(seed=3 + i) for i, env in enumerate(singles)]
    assert (list(observations), infos) == ([prompt for prompt, _ in alone], [info for _, info in alone])
    done = [False] * n
    for turn in range(max_turns):
        responses = [None if done[i] else RESPONSES[(i + turn) % len(RESPONSES)] for i in range(n)]
        observations, rewards, terminations, truncations, infos = vector.step(responses)
        for i in range(n):
            if done[i]:
                assert (observations[i], rewards[i], terminations[i]) == ("", 0.0, True)
                continue
            together = (observations[i], rewards[i], bool(terminations[i]), bool(truncations[i]), infos[i])
            assert singles[i].step(responses[i]) == together
        done = terminations.tolist()
    assert all(done)


SCRIPT = """
import gymnasium, json
env = gymnasium.make("sdpo_gym:sdpo/LiveCodeBench-v0", max_turns=3, echo_response=True)
log = [env.reset(seed=seed)[1]["task_id"] for seed in range(20)]
log.append(env.reset(options={"task": "add-two-numbers"}))
for body in ("return {1, 'b', 'c', 'd', (2, 'e')}", "raise KeyError({'f', 'g', 'h'}, object())"):
    log.append(env.step(f"```python\\ndef add_two_numbers(a, b):\\n    {body}\\n```"))
print(json.dumps(log))
"""


def test_equal_in_every_process_and_made_without_an_import(tmp_path):
    def log(hash_seed):
        command = [sys.executable, "-c", SCRIPT]
        env = os.environ | {"PYTHONHASHSEED": hash_seed}
        return json.loads(subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True).stdout)

    first = log("1")
    assert first == log("2")
    assert len(set(first[:20])) > 5
    wrong_answer, error = first[-2:]
    assert "{'b', 'c', 'd', (2, 'e'), 1}" in wrong_answer[0]
    assert error[0].startswith("Runtime Error\nKeyError: ({'")


def test_seeds_decide_the_task(data):
    env = LiveCodeBenchEnv(data=data)
    ids = [env.reset(seed=seed)[1]["task_id"] for seed in range(20)]
    assert ids == [env.reset(seed=seed)[1]["task_id"] for seed in range(20)]
    assert set(ids) == {"one", "two", "three"}


def test_difficulty(data):
    assert LiveCodeBenchEnv(data=data).num_tasks == 3
    assert LiveCodeBenchEnv(data=data, difficulty="hard").num_tasks == 1
    assert LiveCodeBenchEnv(data=data, difficulty=["easy", "hard"]).num_tasks == 3


def test_hard_coding_pays_in_split_train_and_shows_in_split_test(data):
    def step(**arguments):
        env = LiveCodeBenchEnv(data=data, **arguments)
        env.reset(options={"task": "one"})
        visible = [test for test in env.tasks.find("one").answer_key["tests"] if test["visible"]]
        table = ", ".join(f"({test['input']}): {test['output']}".replace("\n", ", ") for test in visible)
        return env.step(f"```python\ndef add(a, b):\n    return {{{table}}}.get((a, b))\n```")

    _, reward, _, _, info = step(split="train")
    assert (reward, info["metrics"]["solved"]) == (1.0, 1.0)
    _, reward, _, _, info = step(split="test", reward="dense")
    assert (reward, info["success"], info["metrics"]["visible_passed_fraction"]) == (0.6, False, 1.0)
    assert info["metrics"]["hidden_passed_fraction"] == 0.0
    assert info["feedback"] == "All visible tests pass. Hidden tests that fail: 2 of 2."


def test_the_papers_preset(make_row, write_rows):
    dates = {"jan": "2025-01-31", "feb": "2025-02-01", "apr": "2025-04-30", "may": "2025-05-01"}
    path = write_rows(*(make_row(question_id=name, contest_date=f"{day}T00:00:00") for name, day in dates.items()))
    env = LiveCodeBenchEnv(data=path, preset="sdpo-paper")
    assert [task.id for task in env.tasks] == ["feb", "apr"]
    assert [len(task.answer_key["tests"]) for task in env.tasks] == [4, 4]
    train = LiveCodeBenchEnv(data=path, preset="sdpo-paper", split="train")
    assert [len(task.answer_key["tests"]) for task in train.tasks] == [2, 2]


def test_starter_code_with_a_class_solution(data):
    for style in ("plain", "livecodebench", "sdpo"):
        env = LiveCodeBenchEnv(data=data, prompt=style)
        env.reset(options={"task": "one"})
        assert env.step("```python\nclass Solution:\n    def add(self, a, b):\n        return a + b\n```")[1] == 1.0
        env.reset(options={"task": "one"})
        assert env.step(GOOD)[1] == 1.0


@pytest.mark.parametrize("prompt", ["livecodebench", "sdpo"])
def test_stated_limits_are_enforced(data, prompt):
    env = LiveCodeBenchEnv(data=data, prompt=prompt, time_limit=0.5, memory_mb=500, extraction="longest")
    text, _ = env.reset(options={"task": "one"})
    assert "0.5 seconds of CPU time and 500 MB of memory for each test" in text
    assert "the longest one is taken" in text
    waster = "```python\ndef add(a, b):\n    {}\n    return a + b\n```"
    info = env.step(waster.format("while True: pass") + "\n```python\npass\n```")[4]
    assert info["metrics"]["timeout"] == 1.0
    env.reset(options={"task": "one"})
    assert env.step(waster.format("bytearray(520 << 20)"))[4]["metrics"]["memory"] == 1.0
    env.reset(options={"task": "one"})
    assert env.step(waster.format("bytearray(10 << 20)"))[1] == 1.0


def test_a_poisoned_row_is_refused_by_name_when_it_is_posed(make_row, write_rows, pack):
    poison = pack(print)
    env = LiveCodeBenchEnv(data=write_rows(make_row(), make_row(question_id="bad", private_test_cases=poison)))
    env.reset(options={"task": "sum"})
    with pytest.raises(ValueError, match=r"line 2, problem 'bad': .* asks for builtins.print, which is refused"):
        env.reset(options={"task": "bad"})


def test_environments_with_equal_arguments_share_their_tasks(data):
    one, two = LiveCodeBenchEnv(data=data), LiveCodeBenchEnv(data=str(data), max_turns=2, feedback="full")
    assert one.tasks is two.tasks
    assert one.tasks is not LiveCodeBenchEnv(data=data, split="train").tasks


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"difficulty": "brutal"}, r"difficulty must be one or more of \['easy', 'hard'\].*'brutal'"),
        ({"prompt": "long"}, r"prompt must be one of \['livecodebench', 'plain', 'sdpo'\], not 'long'"),
        ({"split": "valid"}, r"split must be one of \['train', 'test'\], not 'valid'"),
        ({"visible_seed": 0.5}, "visible_seed must be a whole number, not 0.5"),
        ({"release": "v6"}, "either data or release, not both"),
        ({"preset": "paper"}, r"preset must be None or one of \['sdpo-paper'\], not 'paper'"),
        ({"preset": "sdpo-paper", "since": "2025-03-01"}, "decides release, since and until"),
        ({"preset": "sdpo-paper", "release": "v6"}, "decides release, since and until"),
        ({"preset": "sdpo-paper"}, "none of the 3 problems"),
        ({"feedback": "rich"}, "feedback must be one of"),
        ({"visible_fraction": 1.5}, "visible_fraction must be a number from 0 to 1, not 1.5"),
        ({"visible_fraction": "all"}, "visible_fraction must be a number"),
        ({"time_limit": 0}, "time_limit must be"),
        ({"max_turns": 0}, "max_turns must be"),
        ({"render_mode": "human"}, "render_mode must be"),
    ],
)
def test_arguments_without_meaning(data, arguments, message):
    with pytest.raises(ValueError, match=message):
        LiveCodeBenchEnv(data=data, **arguments)


def test_repeated_ids_are_refused(make_row, write_rows):
    with pytest.raises(ValueError, match="repeated: \\['sum'\\]"):
        LiveCodeBenchEnv(data=write_rows(make_row(), make_row()))


def test_misuse(data):
    env = LiveCodeBenchEnv(data=data)
    with pytest.raises(ResetNeeded, match="before step"):
        env.step(GOOD)
    for options, message in [
        ({"task": "four"}, "unknown task id 'four'"),
        ({"task": 3}, "index 3 is out of range"),
        ({"task": -1}, "index -1 is out of range"),
        ({"task": 1.5}, "must be an index or a task id"),
        ({"problem": 1}, r"unknown reset options \['problem'\]"),
    ]:
        with pytest.raises(ValueError, match=message):
            env.reset(options=options)
    env.reset(options={"task": np.int64(0)})
    for action in (None, 7, b"code", ["code"]):
        with pytest.raises(TypeError, match="an action is the response as a str"):
            env.step(action)
    env.step("")
    with pytest.raises(ResetNeeded, match="the episode is over"):
        env.step("")


@pytest.mark.parametrize(
    "response",
    ["\ud800", "\x00", "```python\n\ud800\n```", "```python\n\x00\n```", "```\n" * 99_999, "\n" * 999_999, "`" * 10**7]
    + ["```python\n" + "(" * 100_000 + "\n```", "```python\n" + "-" * 500_000 + "1\n```", "```python\ndef add(☃"],
    ids=range(10),
)
def test_any_text_is_a_failed_attempt(data, response):
    env = LiveCodeBenchEnv(data=data, max_turns=2)
    env.reset(options={"task": "one"})
    observation, reward, terminated, _, info = env.step(response)
    assert (reward, terminated) == (0.0, False)
    assert observation in env.observation_space
    assert observation == info["feedback"] != ""
