"""Reads a problem's folder, as its author wrote it.

A folder, whose name becomes the problem's id, holds

* `problem.json`: `title`; `difficulty`, one of `DIFFICULTIES`; `func_name`, null if the program reads standard input;
  and `tags`, a list of topics, which may be left out;
* `statement.md`, and `starter.txt` if a function is to be written: its head, perhaps inside a `class Solution`;
* `tests.py`: `PUBLIC`, a list of inputs, and `generate(rng)`, which returns more of them for the private tests. An
  input is a text for standard input, or a list of arguments;
* `solution.py`, which is right;
* `wrong_*.py`, which make a mistake each, and `slow_*.py`, which are right but far too slow.

`tests.py` is run in this process: build folders of authors whom you trust. All other programs run in the sandbox.
"""

from __future__ import annotations

import json
import random
import runpy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envs.livecodebench.excerpts import clip, show_value

DIFFICULTIES = ("trivial", "basic", "easy", "medium", "hard")


@dataclass(frozen=True)
class Source:
    """A problem as its author wrote it."""

    slug: str
    title: str
    difficulty: str
    func_name: str | None
    tags: tuple[str, ...]
    statement: str
    starter: str
    public: tuple[str, ...]
    """Distinct inputs: texts for standard input, or arguments as JSON, one a line."""

    private: tuple[str, ...]
    """Distinct inputs that are not public."""

    solution: str
    wrong: Mapping[str, str]
    """Programs with a mistake, by file name."""

    slow: Mapping[str, str]
    """Programs that are right but too slow, by file name."""


def find_folders(root: Path) -> list[Path]:
    """The problems' folders in `root`, by name.

    Raises:
        ValueError: there are none.
    """
    folders = sorted(path.parent for path in root.glob("*/problem.json"))
    if not folders:
        raise ValueError(f"{root}: no folder in it holds a problem.json; give the folder of the problem folders")
    return folders


def find_incomplete(root: Path) -> list[Path]:
    """Folders in `root` that hold a statement but no `problem.json`, by name: they are no problems yet."""
    folders = sorted(path.parent for path in root.glob("*/statement.md"))
    return [folder for folder in folders if not (folder / "problem.json").exists()]


def read_folder(folder: Path) -> Source:
    """Read one problem.

    Raises:
        ValueError: the folder does not hold what it should; the message names it and says what to do.
    """
    facts = _read_facts(folder)
    func_name = facts["func_name"]
    public, generate = _read_tests(folder)
    try:
        private = list(generate(random.Random(folder.name)))
    except (Exception, SystemExit) as error:  # the author's own code
        raise ValueError(f"{folder}/tests.py: generate(rng) raises {type(error).__name__}: {error}") from error
    public = dict.fromkeys(_input_text(folder, func_name, item) for item in public)
    private = dict.fromkeys(_input_text(folder, func_name, item) for item in private)
    return Source(
        slug=folder.name,
        title=facts["title"],
        difficulty=facts["difficulty"],
        func_name=func_name,
        tags=tuple(facts.get("tags", [])),
        statement=_read_text(folder, "statement.md", "write the problem's text into it").strip(),
        starter=""
        if func_name is None
        else _read_text(folder, "starter.txt", f"write the head of {func_name} into it"),
        public=tuple(public),
        private=tuple(text for text in private if text not in public),
        solution=_read_text(folder, "solution.py", "write a program that is right into it"),
        wrong={path.name: _decode(path) for path in sorted(folder.glob("wrong_*.py"))},
        slow={path.name: _decode(path) for path in sorted(folder.glob("slow_*.py"))},
    )


def _read_text(folder: Path, name: str, advice: str) -> str:
    try:
        text = _decode(folder / name)
    except FileNotFoundError as error:
        raise ValueError(f"{folder}: there is no {name}; {advice}") from error
    if not text.strip():
        raise ValueError(f"{folder}/{name} is empty; {advice}")
    return text


def _decode(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error}); save it as UTF-8") from error


def _read_facts(folder: Path) -> dict[str, Any]:
    path = folder / "problem.json"
    try:
        facts = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(facts, dict) or not {"title", "difficulty", "func_name"} <= set(facts):
        raise ValueError(f"{path} must hold an object with title, difficulty and func_name, not {facts!r:.200}")
    if unknown := set(facts) - {"title", "difficulty", "func_name", "tags"}:
        raise ValueError(f"{path}: unknown {sorted(unknown)}; it takes title, difficulty, func_name and tags")
    title, func_name, tags = facts["title"], facts["func_name"], facts.get("tags", [])
    if not isinstance(title, str) or not title.strip():
        raise ValueError(f"{path}: title must be a text, not {title!r:.100}")
    if facts["difficulty"] not in DIFFICULTIES:
        raise ValueError(f"{path}: difficulty must be one of {DIFFICULTIES}, not {facts['difficulty']!r:.100}")
    if not (func_name is None or (isinstance(func_name, str) and func_name.isidentifier())):
        raise ValueError(
            f"{path}: func_name must be a function's name, or null if the program reads standard input, "
            f"not {func_name!r:.100}"
        )
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        raise ValueError(f"{path}: tags must be a list of words, not {tags!r:.100}")
    return facts


def _read_tests(folder: Path) -> tuple[Any, Any]:
    path = folder / "tests.py"
    if not path.is_file():
        raise ValueError(f"{folder}: there is no tests.py; write PUBLIC and generate(rng) into it")
    try:
        names = runpy.run_path(str(path))
    except (Exception, SystemExit) as error:  # the author's own code
        raise ValueError(f"{path} raises {type(error).__name__}: {error}") from error
    if not isinstance(names.get("PUBLIC"), list) or not callable(names.get("generate")):
        raise ValueError(f"{path} must define PUBLIC, a list of inputs, and generate(rng), which returns more of them")
    return names["PUBLIC"], names["generate"]


def _input_text(folder: Path, func_name: str | None, item: Any) -> str:
    if func_name is None:
        if not isinstance(item, str):
            raise ValueError(f"{folder}/tests.py: an input must be a text for standard input, not {item!r:.200}")
        return item
    try:
        plain = isinstance(item, list) and json.loads(json.dumps(item)) == item
    except (TypeError, ValueError):
        plain = False
    if not plain:
        shown = clip(show_value(item), 200)
        raise ValueError(f"{folder}/tests.py: an input must be a list of arguments that JSON can hold, not {shown}")
    return "\n".join(json.dumps(argument) for argument in item)
