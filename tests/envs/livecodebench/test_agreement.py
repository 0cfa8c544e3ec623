"""LiveCodeBench's own grader beside ours: they differ where docs/livecodebench.md says so, and nowhere else."""

import gzip
import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from livecodebench_edge_cases import EDGE_CASES
from livecodebench_mutants import mutants
from official_grader import MISSING, Grading, find_grader, grade

from envs.livecodebench.env import LiveCodeBenchEnv
from envs.livecodebench.verifier import LiveCodeBenchVerifier

DOCS = Path(__file__).parents[3] / "docs" / "livecodebench.md"

needs_grader = pytest.mark.skipif(find_grader() is None, reason=MISSING)


def test_every_edge_case_is_judged_as_said():
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(lambda case: case.solved(), EDGE_CASES))
    wrong = [case.name for case, verdict in zip(EDGE_CASES, verdicts, strict=True) if verdict != case.verdict]
    assert wrong == []
    assert len(EDGE_CASES) == len({case.name for case in EDGE_CASES}) > 100


@needs_grader
def test_the_official_grader_differs_where_it_is_said_to():
    official = grade([case.grading for case in EDGE_CASES])
    different = {case.name for case, passed in zip(EDGE_CASES, official, strict=True) if passed != case.verdict}
    assert different == {case.name for case in EDGE_CASES if case.difference}


def test_every_difference_is_in_the_documentation():
    _, table = DOCS.read_text(encoding="utf-8").split("| difference | official grader | here |")
    documented = re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == {case.difference for case in EDGE_CASES if case.difference}


@needs_grader
def test_real_tasks_are_judged_alike(data_folder):
    path = data_folder / "mbpp_plus_120.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        references = {row["question_id"]: row["_reference"] for row in map(json.loads, file)}
    cases = []
    for task in LiveCodeBenchEnv(data=path).tasks[::6]:
        right = references[task.id]
        for program in (right, *mutants(right, 2, random.Random(task.id))):
            tests = task.answer_key["tests"]
            inputs, outputs = (tuple(test[key] for test in tests) for key in ("input", "output"))
            cases.append((task, program, Grading(program, inputs, outputs, task.answer_key["entry_point"], timeout=3)))
    official = grade([grading for *_, grading in cases])
    assert sum(official) >= 20 and not all(official)
    verifier = LiveCodeBenchVerifier(time_limit=3)
    verdicts = verifier.verify_many([task for task, *_ in cases], [f"```\n{program}\n```" for _, program, _ in cases])
    assert [verdict.success for verdict in verdicts] == official
