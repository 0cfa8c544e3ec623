"""What the tests of this environment share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[3]

# Questions of our own on the benchmark's templates: question, options, right letter.
SPECIMENS = {
    "molar_weight_smiles": (
        "What is the molar weight (g/mol) of the molecule with the canonical SMILES representation 'CC(=O)O'?",
        ["46.070", "60.050", "58.080", "74.080"],
        "B",
    ),
    "counts_smiles": (
        "How many rotatable bonds are there in the molecule with the canonical SMILES representation 'OCCCO'?",
        ["7", "1", "2", "5"],
        "C",
    ),
    "solubility": (
        'What is the correct logarithmic solubility value of the molecule "CCCCCO" in aqueous solutions?',
        ["-0.6", "-3.1", "-1.9", "0.4"],
        "A",
    ),
    "retrosynthesis": (
        "Which of the following molecules is the only correct reactant used in the synthesis of the product "
        '"CCOC(C)=O" ?',
        ["CC(=O)O", "c1ccccc1Br", "CCN", "CCOC(C)=O"],
        "A",
    ),
    "reaction_prediction": (
        'Here is the reactants and reagents separated by ".":\nCC(=O)O.CCO\nWhich SMILES notation is the product?',
        ["CCSC", "CCOC(C)=O", "CCO", "CC(=O)CO"],
        "B",
    ),
}


@pytest.fixture
def data_folder() -> Path:
    folder = Path(os.environ.get("SDPO_GYM_DATA", REPOSITORY.parent / "shared" / "data")) / "sciknoweval"
    if not folder.is_dir():
        pytest.skip(f"no data in {folder}; set SDPO_GYM_DATA to the folder that holds sciknoweval/")
    return folder


@pytest.fixture
def make_row() -> Callable[..., dict[str, Any]]:
    """Makes a row in the format of the SDPO authors' files."""

    def make(subtask: str = "molar_weight_smiles", index: int = 0, **changes: Any) -> dict[str, Any]:
        question, options, answer = SPECIMENS[subtask]
        listing = "\n".join(f"{letter}: {option}" for letter, option in zip("ABCD", options, strict=True))
        prompt = f"{question}\n\n{listing}\nPlease reason step by step."
        return {"idx": index, "answer": answer, "prompt": prompt, "system": "Answer in tags."} | changes

    return make


@pytest.fixture
def make_raw_row() -> Callable[..., dict[str, Any]]:
    """Makes a row in SciKnowEval's own format."""

    def make(subtask: str = "molar_weight_smiles", **changes: Any) -> dict[str, Any]:
        question, options, answer = SPECIMENS[subtask]
        row = {
            "prompt": {"default": "Choose."},
            "question": question,
            "choices": {"text": options, "label": list("ABCD")},
            "answerKey": answer,
            "type": "mcq-4-choices",
            "domain": "Chemistry",
            "details": {"level": "L3", "task": "t", "subtask": "s", "source": "x"},
            "answer": "",
        }
        return row | changes

    return make


@pytest.fixture
def write_rows(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: dict[str, Any], name: str = "rows.json") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


@pytest.fixture
def data(make_row, write_rows) -> Path:
    """One question of each specimen."""
    return write_rows(*(make_row(subtask, index) for index, subtask in enumerate(SPECIMENS)))
