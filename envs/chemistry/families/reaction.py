"""The product of a named reaction."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from envs.chemistry.families.base import Check, Question, Report, listing
from envs.chemistry.families.smiles_answers import formula_check, same_molecule, smiles_family
from envs.chemistry.molecules.builder import join
from envs.chemistry.molecules.pool import stable
from envs.chemistry.smiles.read import Molecule, molecule

# Groups that take no part in any of the reactions. Each bonds by its first atom.
_PRIMARY = (
    "C", "CC", "CCC", "CCCC", "CCCCC", "CC(C)C", "CCC(C)C", "CCCCCC", "CC1CCCC1", "CC1CCCCC1", "CCOC", "CCC1CC1",
    "CCC(F)(F)F", "CCc1ccccc1", "CCc1ccc(F)cc1", "CCc1ccc(OC)cc1", "CCCc1ccccc1",
)  # fmt: skip
_SECONDARY = ("C(C)C", "C(C)CC", "C1CCCC1", "C1CCCCC1", "C1CCOCC1", "C1CCC1", "C1CC1", "C(CC)CC", "C(C)CCC")
_INERT = ("F", "Cl", "C", "CC", "OC", "C(C)C", "C(F)(F)F", "OCC")
_ARYL = (
    *(ring.format(group) for ring in ("c1ccc({})cc1", "c1cccc({})c1", "c1ccccc1{}") for group in _INERT),
    "c1ccccc1", "c1cccnc1", "c1ccncc1", "c1cccs1", "c1ccsc1", "c1ccc2ccccc2c1", "c1ccc(F)c(F)c1", "c1ccc(OC)c(OC)c1",
)  # fmt: skip

Draw = Callable[[random.Random], str]


def _alkyl(rng: random.Random) -> str:
    return rng.choice(_PRIMARY + _SECONDARY)


def _primary(rng: random.Random) -> str:
    return rng.choice(_PRIMARY)


def _aryl(rng: random.Random) -> str:
    return rng.choice(_ARYL)


def _any(rng: random.Random) -> str:
    return _aryl(rng) if rng.random() < 0.5 else _alkyl(rng)


@dataclass(frozen=True)
class Reaction:
    """A reaction of one or two starting materials, written with the groups {0} and {1}."""

    name: str
    conditions: str
    reactants: tuple[str, ...]
    product: str
    groups: tuple[Draw, ...]
    what_happens: str


ONE_REACTANT = (
    Reaction("reduction of an aldehyde", "NaBH4 in methanol", ("O=C{0}",), "OC{0}", (_any,), "C=O becomes CH-OH"),
    Reaction("oxidation of a primary alcohol to the aldehyde", "PCC", ("OC{0}",), "O=C{0}", (_any,),
             "CH2-OH becomes CH=O"),
    Reaction("oxidation of a primary alcohol to the carboxylic acid", "Jones reagent", ("OC{0}",), "O=C(O){0}",
             (_any,), "CH2-OH becomes COOH"),
    Reaction("catalytic hydrogenation of an alkene", "H2, Pd/C", ("C=C{0}",), "CC{0}", (_any,),
             "C=C becomes a single bond"),
    Reaction("reduction of a ketone", "NaBH4 in methanol", ("O=C({0}){1}",), "OC({0}){1}", (_alkyl, _any),
             "C=O becomes CH-OH"),
    Reaction("oxidation of a secondary alcohol", "PCC", ("OC({0}){1}",), "O=C({0}){1}", (_alkyl, _any),
             "CH-OH becomes C=O"),
    Reaction("hydrolysis of a nitrile to the carboxylic acid", "H2SO4, water, heat", ("N#C{0}",), "O=C(O){0}", (_any,),
             "the nitrogen leaves as ammonia, and the nitrile carbon becomes COOH"),
    Reaction("reduction of a nitro group", "H2, Pd/C", ("O=[N+]([O-]){0}",), "N{0}", (_aryl,), "NO2 becomes NH2"),
    Reaction("reduction of a nitrile to the amine", "LiAlH4", ("N#C{0}",), "NC{0}", (_any,), "C#N becomes CH2-NH2"),
    Reaction("hydrolysis of an ester to the carboxylic acid", "NaOH, then acid", ("O=C(O{1}){0}",), "O=C(O){0}",
             (_any, _primary), "the group on the single-bonded oxygen leaves as an alcohol, which is not asked for"),
    Reaction("Wittig methylenation", "Ph3P=CH2", ("O=C{0}",), "C=C{0}", (_any,),
             "the oxygen of C=O is exchanged for CH2"),
    Reaction("Markovnikov addition of HBr", "HBr", ("C=C{0}",), "CC(Br){0}", (_primary,),
             "hydrogen goes to the end of the double bond, bromine to its inner carbon"),
    Reaction("substitution of bromide by azide", "NaN3 in DMF", ("Br{0}",), "[N-]=[N+]=N{0}", (_primary,),
             "bromide leaves, and an azide group N=[N+]=[N-] takes its place"),
    Reaction("substitution of bromide by cyanide", "NaCN in DMSO", ("Br{0}",), "N#C{0}", (_primary,),
             "bromide leaves, and a nitrile group takes its place"),
)  # fmt: skip

TWO_REACTANTS = (
    Reaction("Fischer esterification", "H2SO4, heat", ("O=C(O){0}", "O{1}"), "O=C(O{1}){0}", (_any, _primary),
             "water leaves, and the C=O carbon is bonded to the oxygen of the alcohol"),
    Reaction("amide coupling", "EDC, HOBt", ("O=C(O){0}", "N{1}"), "O=C(N{1}){0}", (_any, _alkyl),
             "the OH of the acid leaves with a hydrogen of the amine, and the C=O carbon is bonded to the nitrogen"),
    Reaction("acylation of an amine with an acyl chloride", "Et3N", ("O=C(Cl){0}", "N{1}"), "O=C(N{1}){0}",
             (_any, _any), "HCl leaves, and the C=O carbon is bonded to the nitrogen"),
    Reaction("sulfonylation of an amine", "pyridine", ("O=S(=O)(Cl){0}", "N{1}"), "O=S(=O)(N{1}){0}", (_aryl, _any),
             "HCl leaves, and the sulfur is bonded to the nitrogen"),
    Reaction("Williamson ether synthesis", "NaH", ("O{0}", "Br{1}"), "O({1}){0}", (_any, _primary),
             "HBr leaves, and the oxygen is bonded to the carbon that carried bromine"),
    Reaction("reductive amination", "NaBH(OAc)3", ("O=C{0}", "N{1}"), "N(C{0}){1}", (_any, _alkyl),
             "the C=O carbon becomes CH2 and is bonded to the nitrogen"),
    Reaction("Grignard addition to an aldehyde", "then water", ("O=C{0}", "Br[Mg]{1}"), "OC({1}){0}", (_any, _alkyl),
             "the carbon that carried magnesium is bonded to the C=O carbon, which becomes CH-OH"),
    Reaction("Suzuki coupling", "Pd(PPh3)4, K2CO3", ("Br{0}", "OB(O){1}"), "{0}-{1}", (_aryl, _aryl),
             "Br and B(OH)2 leave, and the two aromatic carbons are joined"),
)  # fmt: skip

_FIRST_STEPS = {
    "acid": ("hydrolysis of an ester", "hydrolysis of a nitrile", "oxidation of a primary alcohol to the carboxylic"),
    "amine": ("reduction of a nitro group", "reduction of a nitrile"),
    "aldehyde": ("oxidation of a primary alcohol to the aldehyde",),
}
_SECOND_STEPS = {
    "acid": ("Fischer", "amide coupling"),
    "amine": ("acylation", "sulfonylation"),
    "aldehyde": ("Grignard", "reductive"),
}


def _propose(rng: random.Random, level: int) -> Question | None:
    if level == 4:
        return _two_steps(rng)
    reaction = rng.choice((ONE_REACTANT[:4], ONE_REACTANT, TWO_REACTANTS, TWO_REACTANTS)[level])
    groups = [draw(rng) if level in (1, 3) else _small(rng, draw) for draw in reaction.groups]
    reactants = [_write(text, groups) for text in reaction.reactants]
    product = _write(reaction.product, groups)
    return _question([reaction], reactants, product)


def _small(rng: random.Random, draw: Draw) -> str:
    """A group of few atoms of the kind that the reaction needs."""
    found = draw(rng)
    while len(found) > 12:
        found = draw(rng)
    return found


def _two_steps(rng: random.Random) -> Question | None:
    kind = rng.choice(sorted(_FIRST_STEPS))
    first = _named(ONE_REACTANT, rng.choice(_FIRST_STEPS[kind]))
    second = _named(TWO_REACTANTS, rng.choice(_SECOND_STEPS[kind]))
    one = [draw(rng) for draw in first.groups]
    reactants = [_write(text, one) for text in first.reactants]
    # What the first step makes takes the place of the second step's acid or aldehyde {0}, or amine {1}.
    other = second.groups[0 if kind == "amine" else 1](rng)
    made = one[0] if kind != "amine" else first.product.format(one[0]).removeprefix("N")
    groups = [other, made] if kind == "amine" else [made, other]
    added = second.reactants[0] if kind == "amine" else second.reactants[1]
    return _question([first, second], [*reactants, _write(added, groups)], _write(second.product, groups))


def _named(reactions: tuple[Reaction, ...], beginning: str) -> Reaction:
    return next(reaction for reaction in reactions if reaction.name.startswith(beginning))


def _write(text: str, groups: list[str]) -> str:
    return join(*groups) if text == "{0}-{1}" else text.format(*groups)


def _question(steps: list[Reaction], reactants: list[str], product: str) -> Question | None:
    if stable(product) is None:
        return None
    if len(steps) == 1:
        text = f"Reaction: {steps[0].name} ({steps[0].conditions})\n"
        text += f"Starting material{'s' if len(reactants) > 1 else ''}: {listing(reactants)}\n"
    else:
        text = f"Step 1: {steps[0].name} ({steps[0].conditions}) of {reactants[0]}\n"
        text += f"Step 2: {steps[1].name} ({steps[1].conditions}) with {reactants[1]}\n"
    text += "Give the SMILES string of the main organic product."
    happens = [step.what_happens for step in steps]
    return Question(text, {"smiles": product, "reactants": reactants, "happens": happens}, product)


def _check(params: Mapping[str, Any], answer: Molecule) -> Report:
    product = molecule(params["smiles"])
    same = answer.canonical == product.canonical
    formula = formula_check(answer.formula, product.formula)
    if same:
        text = "structure: right"
    elif any(answer.canonical == canonical for canonical in _readable(params["reactants"])):
        text = "structure: this is an unchanged starting material"
    elif formula.passed:
        text = "structure: the atoms are right, but they are not connected as in the product"
    else:
        text = f"structure: not the product (similarity to it {answer.similarity(product):.2f})"
    score = 1.0 if same else min(0.99, answer.similarity(product))
    hints = tuple(f"in this reaction {happens}" for happens in params["happens"])
    return Report((formula, Check("structure", same, text, score)), hints)


def _readable(reactants: list[str]) -> list[str]:
    found = [stable(smiles) for smiles in reactants]
    return [molecule.canonical for molecule in found if molecule is not None]


FAMILY = smiles_family("reaction", _propose, _check, same_molecule)
