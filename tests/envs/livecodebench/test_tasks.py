import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from envs.livecodebench.rows import parse_row
from envs.livecodebench.tasks import Posing, ProblemTasks, make_task


@pytest.fixture
def problem(make_row):
    """A problem with 1 public and 4 private tests."""
    return parse_row(make_row())


def counted(problem, **arguments):
    return make_task(problem, Posing(**arguments)).answer_key["tests"]


def visible(problem, **arguments):
    return [test["input"] for test in counted(problem, **arguments) if test["visible"]]


def test_a_fraction_of_the_private_tests_is_visible(problem):
    assert [len(visible(problem, visible_fraction=fraction)) for fraction in (0, 0.01, 0.25, 0.5, 0.9, 1)] == [
        1,
        2,
        2,
        3,
        4,
        5,
    ]
    assert visible(problem, visible_fraction=0) == ["1\n2"]
    assert set(visible(problem, visible_fraction=0.25)) < set(visible(problem, visible_fraction=0.5))


def test_seed_and_id_pick_the_visible_ones(problem, make_row):
    other = parse_row(make_row(question_id="other"))
    picks = {tuple(visible(p, visible_seed=seed)) for p in (problem, other) for seed in range(9)}
    assert len(picks) > 4
    assert visible(problem, visible_seed=3) == visible(problem, visible_seed=3)


def test_all_tests_count_in_split_test_and_the_visible_ones_in_split_train(problem):
    everything = counted(problem, split="test")
    assert len(everything) == 5
    assert counted(problem) == everything
    assert counted(problem, split="train") == [test for test in everything if test["visible"]]


def test_public_tests_can_be_left_out(problem, make_row):
    assert len(counted(problem, private_only=True)) == 4
    assert len(counted(problem, private_only=True, split="train")) == 2
    single = json.loads(make_row()["private_test_cases"])[:1]
    few = parse_row(make_row(private_test_cases=json.dumps(single)))
    assert len(counted(few, private_only=True, split="train")) == 1


@pytest.mark.parametrize(
    ("row", "posing", "message"),
    [
        ({"public_test_cases": "[]", "private_test_cases": "[]"}, {}, "problem 'sum' has no public or private test"),
        ({"private_test_cases": "[]"}, {"private_only": True}, "problem 'sum' has no private test"),
        ({"public_test_cases": "[]"}, {"split": "train", "visible_fraction": 0}, "has no visible test"),
    ],
)
def test_a_problem_without_a_test_that_counts_is_refused(make_row, row, posing, message):
    with pytest.raises(ValueError, match=message):
        make_task(parse_row(make_row(**row)), Posing(**posing))


def test_tests_are_read_when_a_task_is_asked_for_and_shared_while_it_is_held(make_row):
    read = []

    def problem(name):
        row = make_row(question_id=name)
        private = row.pop("private_test_cases")
        return parse_row(row, read_private=lambda: read.append(name) or private)

    tasks = ProblemTasks([problem("a"), problem("b")], Posing())
    assert (len(tasks), read) == (2, [])
    with ThreadPoolExecutor(8) as pool:
        held = list(pool.map(lambda i: tasks[0], range(50)))
    assert all(task is held[0] for task in held)
    assert tasks.find("a") is tasks[-2] is tasks[:1][0] is held[0]
    assert read == ["a"]
    held.clear()
    assert [task.id for task in tasks] == ["a", "b"]
    assert read == ["a", "a", "b"]
    for index in (2, -3):
        with pytest.raises(IndexError):
            tasks[index]
    with pytest.raises(KeyError):
        tasks.find("c")


def test_ids_are_unique_and_there_are_some(problem):
    with pytest.raises(ValueError, match=r"repeated: \['sum'\]"):
        ProblemTasks([problem, problem], Posing())
    with pytest.raises(ValueError, match="at least one problem"):
        ProblemTasks([], Posing())
