"""What the tests of this environment share."""

from __future__ import annotations

import base64
import json
import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def data_folder() -> Path:
    folder = Path(os.environ.get("SDPO_GYM_DATA", REPOSITORY.parent / "shared" / "data")) / "livecodebench"
    if not folder.is_dir():
        pytest.skip(f"no data in {folder}; set SDPO_GYM_DATA to the folder that holds livecodebench/")
    return folder


@pytest.fixture
def fenced() -> Callable[[str], str]:
    return lambda code: f"Here it is.\n```python\n{code}\n```\n"


@pytest.fixture
def pack() -> Callable[[Any], str]:
    """Packs an object the way LiveCodeBench packs private tests."""
    return lambda value: base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


@pytest.fixture
def make_row() -> Callable[..., dict[str, Any]]:
    """Makes a row that asks for the sum of two numbers: 1 public and 4 private tests."""

    def make(func_name: str | None = "add", **changes: Any) -> dict[str, Any]:
        pairs = [(1, 2), (3, 4), (50, 60), (700, 800), (9000, 1000)]
        joint = " " if func_name is None else "\n"
        kind = "stdin" if func_name is None else "functional"
        tests = [{"input": f"{a}{joint}{b}", "output": str(a + b), "testtype": kind} for a, b in pairs]
        row = {
            "question_title": "Sum",
            "question_content": "Add two numbers.",
            "platform": "leetcode",
            "question_id": "sum",
            "contest_id": "1",
            "contest_date": "2025-01-01T00:00:00",
            "starter_code": "" if func_name is None else f"class Solution:\n    def {func_name}(self, a, b):\n        ",
            "difficulty": "easy",
            "public_test_cases": json.dumps(tests[:1]),
            "private_test_cases": json.dumps(tests[1:]),
            "metadata": json.dumps({} if func_name is None else {"func_name": func_name}),
        }
        return row | changes

    return make


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: dict[str, Any]) -> Path:
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write
