"""The problems that come with the package, and real data where there are any."""

import gzip
import json

import pytest

from envs.livecodebench import build
from envs.livecodebench.env import PROBLEMS, LiveCodeBenchEnv
from envs.livecodebench.sources import DIFFICULTIES
from envs.livecodebench.verifier import LiveCodeBenchVerifier


@pytest.fixture(scope="module")
def sources():
    return [build.read_folder(path.parent) for path in sorted(build.FOLDER.glob("*/problem.json"))]


def test_right_solutions_pass_wrong_ones_fail_and_the_file_is_up_to_date(capsys):
    assert build.main(["--check"]) == 0, capsys.readouterr().out


def test_the_file_is_small_and_holds_no_solution(sources):
    assert PROBLEMS.stat().st_size < 1_500_000
    rows = [json.loads(line) for line in PROBLEMS.read_text(encoding="utf-8").splitlines()]
    text = "\n".join(value for row in rows for value in row.values())
    assert [row["question_id"] for row in rows] == [source.slug for source in sources]
    for source in sources:
        for program in (source.solution, *source.wrong.values()):
            assert program.strip() not in text


@pytest.mark.parametrize("prompt", ["plain", "livecodebench"])
def test_prompts_hold_no_solution(sources, prompt):
    env = LiveCodeBenchEnv(prompt=prompt)
    for source in sources:
        text, _ = env.reset(options={"task": source.slug})
        for program in (source.solution, *source.wrong.values()):
            assert program.strip() not in text


def test_every_difficulty_is_there():
    numbers = [LiveCodeBenchEnv(difficulty=difficulty).num_tasks for difficulty in DIFFICULTIES]
    assert len(numbers) == 5 and min(numbers) >= 15
    assert sum(numbers) == LiveCodeBenchEnv().num_tasks >= 100


@pytest.fixture
def folder(tmp_path):
    """A folder with one problem, in order but for the fact that it is not built."""
    folder = tmp_path / "sum"
    folder.mkdir()
    files = {
        "problem.json": '{"title": "Sum", "difficulty": "easy", "func_name": "total", "tags": ["math"]}',
        "statement.md": "Add two numbers.\n",
        "starter.txt": "def total(a, b):\n",
        "tests.py": "PUBLIC = [[1, 2], [3, 4]]\n\n\ndef generate(rng):\n"
        "    return [[1, 2]] + [[i, rng.random()] for i in range(9)]\n",
        "solution.py": "def total(a, b):\n    return a + b\n",
        "wrong_minus.py": "def total(a, b):\n    return a - b\n",
        "wrong_product.py": "def total(a, b):\n    return a * b\n",
        "slow_one_by_one.py": "def total(a, b):\n    while a > 4: pass\n    return a + b\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def run_build(folder, *arguments):
    return build.main([str(folder.parent), "--output", str(folder.parent / "rows.jsonl"), *arguments])


def test_build(folder, capsys):
    assert run_build(folder, "--check") == 1
    assert "build it again" in capsys.readouterr().err
    assert run_build(folder) == 0
    assert run_build(folder, "--check") == 0, capsys.readouterr().err
    task = LiveCodeBenchEnv(data=folder.parent / "rows.jsonl").tasks.find("sum")
    assert len(task.answer_key["tests"]) == 11  # the private test that repeats a public one is dropped


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("problem.json", '{"title": "Sum", "difficulty": "cruel", "func_name": "total"}', "difficulty must be one of"),
        ("tests.py", "PUBLIC = [[1, 2]]\ngenerate = lambda rng: [[i, i] for i in range(9)]", "1 public and 9 private"),
        ("tests.py", "PUBLIC = [[1, 2], [2, 2]]\ngenerate = lambda rng: []", "2 public and 0 private"),
        ("tests.py", "PUBLIC = [[1, 2], [(2,), 2]]\ngenerate = lambda rng: []", "arguments that JSON can hold"),
        ("solution.py", "def total(a, b):\n    return (a, b)", "JSON cannot hold what solution.py returns"),
        ("solution.py", "def total(a, b):\n    return 1 // (a - 1)", "solution.py ends with exception"),
    ],
)
def test_build_refuses(folder, name, text, message, capsys):
    (folder / name).write_text(text)
    assert run_build(folder) == 1
    error = capsys.readouterr().err
    assert "sum" in error and message in error
    assert not (folder.parent / "rows.jsonl").exists()


def test_check_tells_a_wrong_solution_that_passes(folder, capsys):
    (folder / "wrong_minus.py").write_text("def total(a, b):\n    return b + a\n")
    assert run_build(folder) == 0
    assert run_build(folder, "--check") == 1
    assert "sum: wrong_minus.py fails no private test" in capsys.readouterr().err
    for wrong in folder.glob("wrong_*.py"):
        wrong.unlink()
    assert run_build(folder, "--check") == 1
    assert "wrong_" in capsys.readouterr().err


SORTED = """
for _ in range(int(input())):
    row = input()
    print("YES" if sum(one != other for one, other in zip(row, "abc")) <= 2 else "NO")
"""


def test_a_real_row(data_folder, fenced):
    env = LiveCodeBenchEnv(data=data_folder / "real_1873_A.jsonl", visible_fraction=0.0, max_turns=2)
    prompt, _ = env.reset()
    assert "Short" not in prompt and "Example input" not in prompt  # the statement shows its sample
    observation, reward, _, _, _ = env.step(fenced("print('YES\\n' * int(input()))"))
    assert reward == 0.0
    assert observation.startswith("Wrong Answer in Test 1\n\nInput:\n6\nabc\n")
    _, reward, _, _, info = env.step(fenced(SORTED))
    assert (reward, info["metrics"]["tests_total"]) == (1.0, 5.0)


def test_real_references_are_right(data_folder, fenced):
    path = data_folder / "mbpp_plus_120.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        references = [json.loads(line)["_reference"] for line in file]
    tasks = list(LiveCodeBenchEnv(data=path).tasks)
    verdicts = LiveCodeBenchVerifier().verify_many(tasks, [fenced(code) for code in references])
    assert len(verdicts) == 120
    assert {
        task.id: verdict.feedback for task, verdict in zip(tasks, verdicts, strict=True) if not verdict.success
    } == {}
