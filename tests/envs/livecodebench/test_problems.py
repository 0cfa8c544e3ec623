"""The problems that come with the package, and real data where there are any."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from envs.livecodebench import build
from envs.livecodebench.env import PROBLEMS, LiveCodeBenchEnv
from envs.livecodebench.rows import parse_row
from envs.livecodebench.sources import DIFFICULTIES
from envs.livecodebench.verifier import LiveCodeBenchVerifier
from sdpo_gym.cli import main


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
        for program in (source.solution, *source.wrong.values(), *source.slow.values()):
            assert program.strip() not in text


def test_every_problem_has_tags_and_wrong_and_slow_programs(sources):
    for source in sources:
        assert len(source.wrong) >= 2 and source.slow and source.tags, source.slug
    assert sum(source.func_name is None for source in sources) >= 20
    assert sum("class Solution" in source.starter for source in sources) >= 10


def test_trivial_problems_are_those_of_the_published_numbers():
    """What a model is asked in this tier never changes; private tests may be added."""
    digest = hashlib.sha256()
    for line in PROBLEMS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["difficulty"] == "trivial":
            asked = ("question_id", "question_title", "question_content", "starter_code", "public_test_cases")
            digest.update("\0".join(row[field] for field in asked).encode())
    assert digest.hexdigest() == "1d7c02adfd13af81b995452bcd02be5d3ab4b707f440ea404c505df0a24085aa"


def test_tags_are_where_other_readers_ignore_them(sources):
    rows = [json.loads(line) for line in PROBLEMS.read_text(encoding="utf-8").splitlines()]
    for source, row in zip(sources, rows, strict=True):
        assert json.loads(row["metadata"])["tags"] == list(source.tags)
        assert parse_row(row).entry_point == source.func_name


def test_examples_in_statements_are_right(sources):
    rows = [json.loads(line) for line in PROBLEMS.read_text(encoding="utf-8").splitlines()]
    count = 0
    for source, row in zip(sources, rows, strict=True):
        public = json.loads(row["public_test_cases"])
        if source.func_name is None:
            examples = re.findall(r"Input:\n```\n(.*?)\n```\nOutput:\n```\n(.*?)\n```", source.statement, re.DOTALL)
            assert examples == [(test["input"].strip(), test["output"].strip()) for test in public], source.slug
        else:
            examples = re.findall(r"^Example: `(.+)` returns `(.+)`\.$", source.statement, re.MULTILINE)
            names = {source.func_name: lambda *arguments: list(arguments)}
            names["Solution"] = type("Solution", (), {source.func_name: lambda self, *arguments: list(arguments)})
            shown = [(eval(call, dict(names)), eval(value)) for call, value in examples]
            tests = [
                ([json.loads(x) for x in test["input"].split("\n")], json.loads(test["output"])) for test in public
            ]
            assert all(example in tests for example in shown), source.slug
            assert len(shown) == len(public) or source.difficulty not in ("medium", "hard"), source.slug
        count += len(examples)
    assert count >= 100


@pytest.mark.parametrize("prompt", ["plain", "livecodebench"])
def test_prompts_hold_no_solution(sources, prompt):
    env = LiveCodeBenchEnv(prompt=prompt)
    for source in sources:
        text, _ = env.reset(options={"task": source.slug})
        for program in (source.solution, *source.wrong.values(), *source.slow.values()):
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
    assert run_build(folder, "--check") == 0
    assert "rows.jsonl does not exist yet" in (said := capsys.readouterr().out) and "1 problems are in order" in said
    assert run_build(folder) == 0
    assert run_build(folder, "--check") == 0, capsys.readouterr().err
    (folder.parent / "rows.jsonl").write_bytes(b"\xff\n")
    assert run_build(folder, "--check") == 1
    assert "build it again" in capsys.readouterr().err
    assert run_build(folder) == 0
    task = LiveCodeBenchEnv(data=folder.parent / "rows.jsonl").tasks.find("sum")
    assert len(task.answer_key["tests"]) == 11  # the private test that repeats a public one is dropped


def test_byte_order_marks_make_no_difference(folder):
    assert run_build(folder) == 0
    before = (folder.parent / "rows.jsonl").read_bytes()
    for path in folder.iterdir():
        path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert run_build(folder, "--check") == 0
    assert run_build(folder) == 0
    assert (folder.parent / "rows.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("problem.json", '{"title": "Sum", "difficulty": "cruel", "func_name": "total"}', "difficulty must be one of"),
        ("tests.py", "PUBLIC = [[1, 2]]\ngenerate = lambda rng: [[i, i] for i in range(9)]", "1 public and 9 private"),
        ("tests.py", "PUBLIC = [[1, 2], [2, 2]]\ngenerate = lambda rng: []", "2 public and 0 private"),
        ("tests.py", "PUBLIC = [[1, 2], [(2,), 2]]\ngenerate = lambda rng: []", "arguments that JSON can hold"),
        ("tests.py", "raise SystemExit(0)", "tests.py raises SystemExit: 0"),
        ("tests.py", "PUBLIC = []\ndef generate(rng): exit()", "generate(rng) raises SystemExit"),
        ("tests.py", "PUBLIC = []\ndef generate(rng): yield 1 // 0", "generate(rng) raises ZeroDivisionError"),
        ("statement.md", " \n", "sum/statement.md is empty; write the problem's text"),
        ("statement.md", "caf\udce9", "sum/statement.md is not UTF-8"),
        ("wrong_minus.py", "# caf\udce9", "sum/wrong_minus.py is not UTF-8"),
        ("solution.py", "def total(a, b):\n    return (a, b)", "JSON cannot hold what solution.py returns"),
        ("solution.py", "def total(a, b):\n    return 1 // (a - 1)", "solution.py ends with exception"),
        ("solution.py", "def total(a, b):\n    return 10**5000", "JSON cannot hold what solution.py returns: (a value"),
        ("tests.py", "PUBLIC = [[10**5000, 2]]\ngenerate = lambda rng: []", "JSON can hold, not (a value too large"),
    ],
)
def test_build_refuses(folder, name, text, message, capsys):
    (folder / name).write_text(text, encoding="utf-8", errors="surrogateescape")
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
    assert "there must be at least two wrong_*.py and slow_*.py" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("slow_one_by_one.py", "def total(a, b):\n    return a + b", "slow_one_by_one.py fails no private test"),
        (
            "slow_one_by_one.py",
            "def total(a, b):\n    return 7",
            "slow_one_by_one.py must only be slow, but is wrong on",
        ),
        (
            "solution.py",
            "def total(a, b):\n    sum(range(a // 10 * 10**8))\n    return a + b",
            "solution.py fails with 0.5 s",
        ),
        ("solution.py", "def total(a, b):\n    return 0", "11 of 11 tests expect '0'"),
        ("wrong_product.py", "def total(a, b):\n    return a + b if a else 9", "fails the private test '2"),
        ("solution.py", "def total(a, b):\n    return int(a < 7)", "7 of 11 tests expect '1'"),
        ("solution.py", "def total(a, b):\n    return 9 if a < 6 else a % 3", "6 of 11 tests expect '9'"),
        (
            "wrong_minus.py",
            "def total(a, b):\n    return 7 if a == 1 else a + b",
            "wrong_minus.py fails no private test",
        ),
        ("statement.md", "Add: `total(5, 6)`", "the prompt contains the private test '5"),
    ],
)
def test_check_complains(folder, name, text, complaint, capsys):
    tests = "PUBLIC = [[1, 2], [3, 4]]\n\n\ndef generate(rng):\n    return [[i, i + 1] for i in range(11)]\n"
    (folder / "tests.py").write_text(tests)
    (folder / "wrong_minus.py").write_text("def total(a, b):\n    return 1 if a != 2 else a + b\n")
    (folder / name).write_text(text)
    assert run_build(folder) == 0
    capsys.readouterr()
    assert run_build(folder, "--check") == 1
    assert complaint in capsys.readouterr().err


def test_check_bears_two_answers_of_which_one_is_somewhat_commoner(folder, capsys):
    tests = "PUBLIC = [[0, 0], [1, 1]]\n\n\ndef generate(rng):\n    return [[i, i] for i in range(2, 11)]\n"
    (folder / "tests.py").write_text(tests)
    (folder / "solution.py").write_text("def total(a, b):\n    return int(a < 6)\n")
    assert run_build(folder) == 0
    run_build(folder, "--check")
    assert "tests expect" not in capsys.readouterr().err


def test_check_finds_private_tests_in_the_prompt(folder, capsys):
    tests = 'PUBLIC = [["a", "b"], ["c", "d"]]\n\n\ndef generate(rng):\n    return [[x, x + "!"] for x in "efghij"]\n'
    (folder / "tests.py").write_text(tests)
    (folder / "statement.md").write_text('Join them: `total("e", "e!")`.\n')
    assert run_build(folder) == 0
    assert run_build(folder, "--check") == 1
    assert 'the prompt contains the private test \'"e"' in capsys.readouterr().err
    (folder / "problem.json").write_text('{"title": "Product", "difficulty": "easy", "func_name": null}')
    (folder / "tests.py").write_text("PUBLIC = ['1', '2']\ngenerate = lambda rng: [str(i) for i in range(3, 12)]\n")
    (folder / "solution.py").write_text("print(int(input()) * 1001)\n")
    (folder / "statement.md").write_text("Multiply by a thousand and one.\n\n7\n\ngives\n\n7007\n")
    assert run_build(folder) == 0
    assert run_build(folder, "--check") == 1
    assert "the prompt contains the private test '7'" in capsys.readouterr().err


def test_check_complains_of_a_test_that_an_empty_program_passes(tmp_path, capsys):
    files = doc_example()
    files["solution.py"] = "n, d = map(int, input().split())\nprint('x' * (n // d % 7))\n"
    write_files(tmp_path / "problems" / "step-sum", files)
    arguments = [str(tmp_path / "problems"), "--output", str(tmp_path / "rows.jsonl")]
    assert build.main(arguments) == 0
    assert build.main([*arguments, "--check"]) == 1
    assert "an empty program passes a test" in capsys.readouterr().err


def test_a_folder_of_ones_own_needs_an_output_file(folder, capsys):
    before = PROBLEMS.read_bytes()
    assert build.main([str(folder.parent)]) == 1
    assert "--output" in capsys.readouterr().err
    assert PROBLEMS.read_bytes() == before
    assert build.main([str(folder), "--output", str(folder / "rows.jsonl")]) == 1
    assert "problem.json" in capsys.readouterr().err


def test_a_folder_of_ones_own_can_be_checked_without_a_file(folder, capsys):
    assert build.main([str(folder.parent), "--check"]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out == "1 problems are in order\n"
    (folder / "wrong_minus.py").write_text("def total(a, b):\n    return b + a\n")
    assert build.main([str(folder.parent), "--check"]) == 1
    assert "wrong_minus.py" in capsys.readouterr().err


def test_a_folder_that_is_no_problem_yet_is_named(folder, capsys):
    (folder.parent / "draft").mkdir()
    (folder.parent / "draft" / "statement.md").write_text("Add three numbers.")
    (folder.parent / "notes").mkdir()
    assert run_build(folder) == 0
    error = capsys.readouterr().err
    assert "draft: skipped, as there is no problem.json" in error and "notes" not in error


def test_a_check_that_fails_is_a_complaint(folder, monkeypatch, capsys):
    def fail(source, row, time_limit):
        raise ValueError(f"{source.slug}: cannot be checked")

    monkeypatch.setattr(build, "check", fail)
    assert run_build(folder, "--check") == 1
    said = capsys.readouterr()
    assert "sum: cannot be checked" in said.err and "in order" not in said.out


@pytest.mark.parametrize("seconds", ["0", "-1", "3600", "nan"])
def test_time_limits_that_make_no_sense(folder, seconds, capsys):
    with pytest.raises(SystemExit) as ended:
        run_build(folder, "--check", "--time-limit", seconds)
    assert ended.value.code == 2
    assert f"--time-limit must be above 0 and below 3600 seconds, not {seconds}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["rows.json", "rows"])
def test_rows_go_to_a_file_that_is_read_as_rows(folder, name, capsys):
    assert build.main([str(folder.parent), "--output", str(folder.parent / name)]) == 1
    assert "must end in .jsonl" in capsys.readouterr().err
    assert not (folder.parent / name).exists()


@pytest.mark.parametrize("arguments", [[], ["--embedded", "folder"]])
def test_the_embedded_problems_are_built_only_when_asked_for(arguments, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(build, "PROBLEMS", tmp_path / "rows.jsonl")
    with pytest.raises(SystemExit) as ended:
        main(["dataset", "build", *arguments])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and error.startswith("usage: sdpo-gym dataset build ") and "--embedded" in error
    assert not (tmp_path / "rows.jsonl").exists()


def test_the_embedded_problems_can_be_built(folder, monkeypatch, tmp_path):
    monkeypatch.setattr(build, "PROBLEMS", tmp_path / "rows.jsonl")
    monkeypatch.setattr(build, "FOLDER", folder.parent)
    assert build.main(["--embedded"]) == 0
    assert (tmp_path / "rows.jsonl").exists()


@pytest.mark.parametrize("missing", ["statement.md", "starter.txt", "tests.py", "solution.py"])
def test_a_missing_file_is_named(folder, missing, capsys):
    (folder / missing).unlink()
    assert run_build(folder) == 1
    error = capsys.readouterr().err
    assert str(folder) in error and missing in error and "write" in error


def doc_example():
    """The files of the example in the document."""
    text = (Path(__file__).parents[3] / "docs" / "own-problems.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^`([^`\s]+)`\n\n```\w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


def write_files(folder, files):
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def test_the_example_of_the_document_is_in_order(tmp_path, capsys, fenced):
    files = doc_example()
    assert len(files) == 7
    write_files(tmp_path / "problems" / "step-sum", files)
    arguments = [str(tmp_path / "problems"), "--output", str(tmp_path / "rows.jsonl")]
    assert main(["dataset", "build", *arguments]) == 0
    assert main(["dataset", "build", *arguments, "--check"]) == 0, capsys.readouterr().err
    env = LiveCodeBenchEnv(data=tmp_path / "rows.jsonl")
    prompt, _ = env.reset(options={"task": "step-sum"})
    assert "sum of the multiples" in prompt
    assert env.step(fenced(files["solution.py"]))[1] == 1.0


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
