"""Loads the questions of a domain: from the hub, from a copy of its file, or from the SDPO authors' files."""

from __future__ import annotations

import json
import math
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from envs.arguments import check_choice
from envs.hub import fetch_files
from envs.sciknoweval.questions import Question, is_paper_task, is_raw, parse_authors, parse_raw
from envs.sciknoweval.subtasks import DOMAINS

REPOSITORY = "hicai-zju/SciKnowEval"
FILE = "data/v2/sciknoweval_test_v2.jsonl"

SPLITS = ("train", "test")
SPLIT_SEED = 42
TEST_FRACTION = 0.1

PAPER_COUNTS = {"biology": 500, "chemistry": 2100, "materials": 935, "physics": 800}
"""How many questions the SDPO paper has, train and test together."""

_FOLDERS = {"materials": ("materials", "material")}


def load_questions(data: str | Path | None, domain: str, split: str | None) -> tuple[Question, ...]:
    """The questions of a domain. An unchanged file is read once per process.

    Args:
        data: A file of SciKnowEval's rows or of the SDPO authors'; a folder of the latter, `train.json` and
            `test.json`, or a folder that holds such a one for each domain; None for the hub.
        domain: One of `DOMAINS`.
        split: `train` or `test`. None: `train`, or, of a file of the SDPO authors', which is one split already, all.

    Raises:
        ConnectionError, ImportError: see `fetch_files`.
        FileNotFoundError: there is no such file or folder.
        ValueError: an argument has no meaning, a row is malformed, or the file holds another domain's questions.
    """
    check_choice("domain", domain, DOMAINS)
    if split not in (None, *SPLITS):
        raise ValueError(f"split must be one of {list(SPLITS)} or None, not {split!r}")
    if data is None:
        (path,) = fetch_files(REPOSITORY, [FILE], what="SciKnowEval", size="about 100 MB")
    else:
        path = Path(data).expanduser().absolute()
        if path.is_dir():
            path, split = _file_in(path, domain, split or "train"), None
        elif not path.is_file():
            raise FileNotFoundError(f"there is no file or folder {path}")
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size, domain, split)


def _file_in(folder: Path, domain: str, split: str) -> Path:
    names = ["", *_FOLDERS.get(domain, (domain,))]
    for name in names:
        path = folder / name / f"{split}.json"
        if path.is_file():
            return path
    places = ", ".join(f"{name}/{split}.json".removeprefix("/") for name in names)
    raise FileNotFoundError(f"the folder {folder} holds none of these files: {places}")


@lru_cache(maxsize=16)
def _read(path: Path, mtime_ns: int, size: int, domain: str, split: str | None) -> tuple[Question, ...]:
    raw: list[tuple[str, dict[str, Any]]] = []
    questions: list[Question] = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{path}, line {number}"
            row = _parse_line(line, place)
            if is_raw(row):
                if is_paper_task(row, domain):
                    raw.append((place, row))
            else:
                questions.append(_parsed(place, parse_authors, row))
    if raw:
        if questions:
            raise ValueError(f"{path} mixes SciKnowEval's rows with others; give a file of one kind")
        everything = [_parsed(place, parse_raw, row, i) for i, (place, row) in enumerate(raw)]
        if len(everything) != PAPER_COUNTS[domain]:
            warnings.warn(
                f"{path} has {len(everything)} questions on {domain}, and the SDPO paper {PAPER_COUNTS[domain]}: the "
                "data is not what the paper used, and so the split is another one",
                stacklevel=2,
            )
        questions = [everything[i] for i in split_indices(len(everything))[split or "train"]]
    elif split is not None and questions:
        raise ValueError(
            f"split={split!r} has no meaning for {path}, which is one split already; leave split out, or give the "
            "folder that holds train.json and test.json"
        )
    if not questions:
        raise ValueError(f"{path} holds no multiple-choice question of level 3 on {domain}")
    _check_domain(questions, domain, path)
    return tuple(questions)


def split_indices(n: int) -> dict[str, list[int]]:
    """Which of n questions are in which split: what `train_test_split` of the package datasets does for the paper."""
    order = np.random.default_rng(SPLIT_SEED).permutation(n).tolist()
    tests = math.ceil(TEST_FRACTION * n)
    return {"test": order[:tests], "train": order[tests:]}


def _parse_line(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: not JSON: {error}; the file must hold one row per line") from error
    if not isinstance(row, dict):
        raise ValueError(f"{place}: a row must be a JSON object, not {row!r:.100}")
    return row


def _parsed(place: str, parse: Any, *arguments: Any) -> Question:
    try:
        return parse(*arguments)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def _check_domain(questions: list[Question], domain: str, path: Path) -> None:
    domains = [question.subtask.domain for question in questions]
    commonest = max(set(domains), key=domains.count)
    # Physics is what matches no other subtask, so that an unknown template looks like it.
    if commonest not in (domain, "physics"):
        raise ValueError(f"most questions of {path} are on {commonest}, not {domain}: domain={commonest!r}")
