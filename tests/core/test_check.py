"""`sdpo-gym check`: what it finds in environments that are wrong, and that it finds nothing in those that are not."""

import sqlite3

import gymnasium
import numpy as np
import pytest
import toy_env

from sdpo_gym import Task, TaskList, TextEnv, UnicodeText, Verdict, Verifier
from sdpo_gym.cli import main


class Judge(Verifier):
    """Judges as it is told to."""

    def __init__(self, verdict):
        self.verdict = verdict

    def verify(self, task, response):
        return self.verdict(response)


class JudgedEnv(TextEnv):
    def __init__(self, verdict):
        super().__init__(TaskList([Task("t", ({"role": "user", "content": "?"},))]), Judge(verdict))


class PairOfTasks:
    """Two tasks with these ids, of which this one is found by any id."""

    def __init__(self, ids, found):
        self.ids, self.found = ids, found

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return Task(self.ids[index], ({"role": "user", "content": f"Number {index}?"},))

    def find(self, task_id):
        return self[self.found]


class PairEnv(TextEnv):
    def __init__(self, ids, found):
        super().__init__(PairOfTasks(ids, found), toy_env.LengthVerifier())


class TellingEnv(toy_env.PlainEnv):
    """Says this in `info`."""

    def __init__(self, **info):
        self.observation_space = self.action_space = UnicodeText()
        self.info = info

    def step(self, action):
        return *super().step(action)[:4], self.info


class SqlEnv(toy_env.PlainEnv):
    """Has a database, which only the thread that made it may use."""

    def __init__(self):
        self.observation_space = self.action_space = UnicodeText()
        self.database = sqlite3.connect(":memory:")

    def step(self, action):
        self.database.execute("SELECT 1")
        return super().step(action)


class CountingEnv(toy_env.PlainEnv):
    """Has a method where others have the number of tasks."""

    def num_tasks(self):
        return 3


def by_chance(response, rng=np.random.default_rng(0)):
    return Verdict(rng.random(), False)


ENVIRONMENTS = {
    "Int": lambda: JudgedEnv(lambda response: Verdict(float(int(response[:9] or "0")), False)),
    "Chance": lambda: JudgedEnv(by_chance),
    "NoVerdict": lambda: JudgedEnv(lambda response: None),
    "Twins": lambda: PairEnv(("twin", "twin"), 0),
    "Lost": lambda: PairEnv(("a", "b"), 1),
    "Nowhere": lambda: PairEnv(("a", "b"), 2),
    "Telling": TellingEnv,
    "Sql": SqlEnv,
    "Counting": CountingEnv,
}
for name, make in ENVIRONMENTS.items():
    gymnasium.register(f"checked/{name}-v0", entry_point=make)


@pytest.mark.parametrize("env_id", ["toy/Even-v0", "checked/Telling-v0", "sdpo/ToolUse-v0"])
def test_nothing_is_found_in_what_is_right(env_id, capsys):
    assert main(["check", env_id]) == 0
    assert capsys.readouterr().out.startswith("no problem found, with ")


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ["checked/Int-v0"],
            ["* at the response ' \\n\\t' and ", "step fails, but any text", "in <lambda>", "ValueError"],
        ),
        (["checked/Chance-v0"], ["* at the response ''", "different verdicts", "judge by task and response alone"]),
        (["checked/NoVerdict-v0"], ["Judge.verify returned None; return a Verdict"]),
        (["checked/Twins-v0"], ["* tasks 0 and 1 have the same id, 'twin'"]),
        (["checked/Lost-v0"], ["* options {'task': 0} and {'task': 'a'}, its id, pose different tasks"]),
        (["toy/Plain-v0"], ["* gymnasium.utils.env_checker.check_env: ", "sdpo_gym.UnicodeText()"]),
        (["checked/Nowhere-v0"], ["num_tasks is 2, but reset to task 0", "IndexError"]),
        (["checked/Telling-v0", "--env-arg", "metrics=null"], ["* info['metrics'] of step must be a dict of finite"]),
        (
            ["checked/Telling-v0", "--env-arg", 'feedback=["no"]'],
            ["* info['feedback'] of step must be a str, not ['no']"],
        ),
        (["checked/Sql-v0"], ["* an episode fails in another thread", "check_same_thread=False", "ProgrammingError"]),
        (
            ["checked/Counting-v0"],
            ["* num_tasks must be an int, how many tasks there are, or None", "not <bound method"],
        ),
        (["toy/Unseeded-v0"], ["* reset(seed=0) gives different prompts", "super().reset(seed=seed)"]),
        (["toy/Failing-v0", "--env-arg", "where=reset"], ["* 'toy/Failing-v0': reset must return (observation, info)"]),
        (["toy/Failing-v0", "--env-arg", "where=step"], ["others: 'toy/Failing-v0': step must return (observation,"]),
        (["toy/Failing-v0", "--env-arg", "where=data"], ["* reset(seed=0) fails:", "the data are damaged"]),
    ],
)
def test_what_is_wrong_is_said(words, lines, capsys):
    assert main(["check", *words]) == 1
    printed = capsys.readouterr().out
    assert printed.rstrip().endswith(" found")
    for line in lines:
        assert line in printed


def test_what_cannot_be_checked_is_one_line(capsys):
    assert main(["check", "toy/Numbers-v0"]) == 2
    assert "is not a text environment" in capsys.readouterr().err
