"""Complete the beginning of a SMILES string."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from envs.chemistry.families.base import Check, Family, Question, Report, counted
from envs.chemistry.families.smiles_answers import formula_check, same_formula, smiles_family
from envs.chemistry.molecules.builder import tree
from envs.chemistry.molecules.pool import draw_molecule, stable
from envs.chemistry.smiles.lint import SmilesProblem, scan
from envs.chemistry.smiles.read import Molecule, read_molecule

_TOKEN = re.compile(r"\[[^]]*\]|Cl|Br|%\d\d|.")


def _propose(rng: random.Random, level: int) -> Question | None:
    drawn = stable(tree(rng, rng.randint(4, 7), 1)) if level == 0 else draw_molecule(rng, min(level + 1, 4))
    if drawn is None:
        return None
    tokens = _TOKEN.findall(drawn.smiles)
    if len(tokens) < 4:
        return None
    cut = rng.randrange(max(2, len(tokens) // 3), len(tokens))
    prefix = "".join(tokens[:cut])
    if isinstance(read_molecule(prefix), Molecule):
        return None  # the beginning alone would be an answer
    params: dict[str, Any] = {"prefix": prefix, "size": None, "formula": None, "most": None}
    text = f"Complete the SMILES string that begins with {prefix}"
    if level == 0:
        params["most"] = drawn.heavy_atoms + 4
        text += f" to any valid molecule of at most {params['most']} atoms other than hydrogen."
    elif level <= 2:
        params["size"] = drawn.heavy_atoms
        text += f" to a valid molecule of exactly {drawn.heavy_atoms} atoms other than hydrogen."
    else:
        params["formula"] = dict(drawn.formula)
        text += f" to a molecule with the formula {drawn.formula}."
    return Question(text + " Give the whole string, with its beginning.", params, drawn.smiles)


def _check_molecule(params: Mapping[str, Any], answer: Molecule) -> Report:
    checks = [_beginning(params["prefix"], answer.smiles)]
    size = answer.heavy_atoms
    if params["most"] is not None:
        text = f"atoms other than hydrogen: {size}, at most {params['most']} allowed"
        checks.append(Check("size", size <= params["most"], text, min(1.0, params["most"] / size)))
    if params["size"] is not None:
        checks.append(counted("atoms other than hydrogen", size, params["size"]))
    if params["formula"] is not None:
        checks.append(formula_check(answer.formula, params["formula"]))
    return Report(tuple(checks))


def _beginning(prefix: str, answer: str) -> Check:
    if answer.startswith(prefix):
        return Check("beginning", True, "beginning: right")
    same = next((i for i, (one, other) in enumerate(zip(prefix, answer, strict=False)) if one != other), len(answer))
    if same < len(answer):
        text = f"beginning: character {same + 1} of the answer is not that of the given beginning"
    else:
        text = f"beginning: the answer ends after {same} characters, but the given beginning has {len(prefix)}"
    return Check("beginning", False, text, same / len(prefix))


def _open_ends(prefix: str) -> tuple[str, ...]:
    problem = scan(prefix).problem
    return (f"of the given beginning: {problem.message}",) if problem else ()


_MOLECULES = smiles_family("complete", _propose, _check_molecule, same_formula)


def _check(params: Mapping[str, Any], answer: str) -> Report:
    report = _MOLECULES.check(params, answer)
    if report.problem is None:
        return Report(report.checks, _open_ends(params["prefix"]))
    message = report.problem.message
    if not answer.startswith(params["prefix"]):
        message += "; and it does not begin as it must"
    return Report(hints=_open_ends(params["prefix"]), problem=SmilesProblem(message, report.problem.position))


FAMILY = Family("complete", _MOLECULES.answer, _MOLECULES.propose, _check)
