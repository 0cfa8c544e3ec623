"""The agents' view of environments: ours and other people's."""

import pytest
import toy_env  # noqa: F401

from agents.environments import Environments, Start, TaskSchedule, parse_env_args
from agents.errors import UsageError


def test_an_environment_of_this_project():
    environments = Environments("toy/Even-v0", {"max_turns": 2}, 2)
    assert environments.num_tasks == 4
    openings = environments.reset([Start(0, task=1), Start(0, task=1)])
    assert [opening.task for opening in openings] == ["beta", "beta"]
    assert openings[0].messages == ({"role": "user", "content": "Say beta."},)
    outcomes = environments.step({0: "odd", 1: "even"})
    assert not outcomes[0].done and "odd number" in outcomes[0].feedback and not outcomes[0].success
    assert outcomes[1].done and outcomes[1].success and outcomes[1].stop_reason == "success"
    assert environments.step({0: "again!"})[0].success  # only the one that goes on
    environments.close()


def test_an_environment_that_says_nothing_in_info():
    environments = Environments("toy_env:toy/Plain-v0", {}, 2)
    assert environments.num_tasks is None
    first, second = environments.reset([Start(5), Start(5)])
    assert first == second and first.messages[0]["content"].startswith("Number")
    outcomes = environments.step({0: "odd", 1: "even"})
    assert outcomes[0].feedback == "odd" and not outcomes[0].success
    assert outcomes[1].feedback == "" and outcomes[1].success
    environments.close()


@pytest.mark.parametrize(
    ("env_id", "arguments", "message"),
    [
        ("sdpo/Nothing-v0", {}, "sdpo/LiveCodeBench-v0"),
        ("no_such_module:x/Y-v0", {}, "no_such_module"),
        ("toy/Numbers-v0", {}, "not a text environment"),
        ("toy/Even-v0", {"colour": 1}, "colour"),
        ("toy/Even-v0", {"max_turns": 0}, "max_turns"),
        ("sdpo/LiveCodeBench-v0", {"data": "/no/such/file.jsonl"}, "/no/such/file.jsonl"),
    ],
)
def test_clear_refusals(env_id, arguments, message):
    with pytest.raises(UsageError, match=message):
        Environments(env_id, arguments, 1)


def test_every_pass_over_the_tasks_holds_each_once():
    schedule = TaskSchedule(num_tasks=5, seed=1)
    tasks = [start.task for start in schedule.starts(0, 15)]
    for epoch in range(3):
        assert sorted(tasks[5 * epoch : 5 * epoch + 5]) == list(range(5))
    assert tasks[:5] != tasks[5:10] or tasks[5:10] != tasks[10:]
    assert [start.task for start in schedule.starts(7, 3)] == tasks[7:10]
    assert TaskSchedule(5, seed=2).starts(0, 15) != schedule.starts(0, 15)


def test_without_indexed_tasks_seeds_differ():
    starts = TaskSchedule(num_tasks=None, seed=1).starts(0, 50)
    assert len({start.seed for start in starts}) == 50
    assert all(start.task is None for start in starts)


def test_env_args():
    parsed = parse_env_args(["a=1", "b=true", "c=text", 'd=["x"]', "e=a=b", "f="])
    assert parsed == {"a": 1, "b": True, "c": "text", "d": ["x"], "e": "a=b", "f": ""}
    with pytest.raises(UsageError, match="key=value"):
        parse_env_args(["nothing"])
