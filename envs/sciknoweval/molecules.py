"""What RDKit can say about the molecules of a question, without the quantity that is asked for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any

from envs.sciknoweval.questions import Question

MAX_CHARACTERS = 1000
MAX_CYCLES = 10
"""Longest SMILES, and most cycles in one system of joined rings, that RDKit is given: it takes time exponential in the
latter. Of larger molecules nothing is said."""

_SMILES = re.compile(r"[A-Za-z0-9@+\-\[\]()=#$/\\%.:*~]+")


def require_rdkit() -> None:
    """Raises ImportError, with what to do, if RDKit is not installed."""
    try:
        import rdkit  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "feedback='full' on chemistry needs RDKit: pip install 'sdpo-gym[chem]', or take feedback='standard'"
        ) from error


def facts(question: Question, chosen: str | None) -> list[str]:
    """Sentences on the molecule of the question and on the chosen option, which was wrong.

    The quantity that is asked for is not among them, nor, but for those in a formula, a number that an option has.

    Args:
        question: A question on chemistry.
        chosen: Letter of the option that was chosen, or None.
    """
    option = dict(question.options).get(chosen or "", "").strip()
    match question.subtask.name:
        case "molar_weight_smiles" | "counts_smiles":
            found = _composition(question)
        case "solubility" | "lipophilicity":
            found = [*_composition(question), *_polarity(question)]
        case "reaction_prediction":
            found = _against_reactants(question, option)
        case "retrosynthesis":
            found = _against_product(question, option)
        case _:
            found = []
    return found


def molecule_in(text: str) -> str:
    """The SMILES that a question is about: the longest quoted one, else the longest word of SMILES characters."""
    quoted = re.findall(r"'([^'\s]+)'|\"([^\"\s]+)\"", text)
    words = [first or second for first, second in quoted] + [""]
    longest = max(words, key=len)
    if len(longest) > 1:
        return longest
    return max((word for word in text.split() if _SMILES.fullmatch(word)), key=len, default="")


@lru_cache(maxsize=4096)
def parse(smiles: str) -> Any:
    """An RDKit molecule, or None where RDKit cannot read it or might take long to."""
    from rdkit import Chem, rdBase

    if not 0 < len(smiles) <= MAX_CHARACTERS:
        return None
    with rdBase.BlockLogs():  # silences the whole process, so it is held as shortly as can be
        mol = Chem.MolFromSmiles(smiles, sanitize=False)
        return None if mol is None or _cycles(mol) > MAX_CYCLES else Chem.MolFromSmiles(smiles)


def _cycles(mol: Any) -> int:
    """The most independent cycles in one system of joined rings of an unsanitised molecule; takes linear time."""
    from rdkit import Chem

    Chem.FastFindRings(mol)
    rings = Chem.RWMol(mol)
    for bond in mol.GetBonds():
        if not bond.IsInRing():
            rings.RemoveBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())
    degrees = [atom.GetDegree() for atom in rings.GetAtoms()]
    systems = Chem.GetMolFrags(rings)
    return max((sum(degrees[i] for i in system) // 2 - len(system) + 1 for system in systems), default=0)


def _composition(question: Question) -> Iterator[str]:
    from rdkit.Chem import rdMolDescriptors

    mol = parse(molecule_in(question.text))
    if mol is None:
        return
    yield f"The molecule's formula is {rdMolDescriptors.CalcMolFormula(mol)}."
    rings = rdMolDescriptors.CalcNumRings(mol)
    aromatic = rdMolDescriptors.CalcNumAromaticRings(mol)
    if {rings, aromatic} & _numbers(question):
        return
    if not rings:
        yield "It has no ring."
    else:
        yield f"It has {rings} ring{'s' * (rings > 1)}, {aromatic or 'none'} of them aromatic."


def _polarity(question: Question) -> Iterator[str]:
    """Descriptors that go with solubility. None of them is measured, and none is what is asked for."""
    from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

    mol = parse(molecule_in(question.text))
    if mol is None:
        return
    numbers = {
        "Crippen's estimate of logP": f"{Crippen.MolLogP(mol):.1f}",
        "the topological polar surface area in Å²": f"{rdMolDescriptors.CalcTPSA(mol):.0f}",
        "the number of hydrogen-bond donors": str(rdMolDescriptors.CalcNumLipinskiHBD(mol)),
        "the molar weight in g/mol": f"{Descriptors.MolWt(mol):.0f}",
    }
    options = _numbers(question)
    for name, number in numbers.items():
        if float(number) not in options:
            yield f"{name[0].upper()}{name[1:]} is {number}."


def _against_reactants(question: Question, option: str) -> Iterator[str]:
    """Which atoms of the chosen product no reactant could have given."""
    reactants = parse(molecule_in(question.text))
    if reactants is None or not option:
        return
    product = parse(option)
    if product is None:
        yield "The chosen option is not a molecule that RDKit can read."
        return
    if _canonical(product) in {_canonical(piece) for piece in _pieces(reactants)}:
        yield "The chosen product is one of the reactants, unchanged."
    surplus = _elements(product) - _elements(reactants)
    if surplus:
        yield f"The chosen product has {_listed(surplus)} more than all reactants and reagents together."
    else:
        yield "The atoms of the chosen product could all come from the reactants: look at its bonds."


def _against_product(question: Question, option: str) -> Iterator[str]:
    """Which atoms of the product the chosen reactant does not bring."""
    product = parse(molecule_in(question.text))
    if product is None or not option:
        return
    reactant = parse(option)
    if reactant is None:
        yield "The chosen option is not a molecule that RDKit can read."
        return
    from rdkit.Chem import rdMolDescriptors

    yield f"The product's formula is {rdMolDescriptors.CalcMolFormula(product)}."
    if "NOT" in question.text:
        return
    if _canonical(reactant) == _canonical(product):
        yield "The chosen reactant is the product itself."
        return
    missing, surplus = _elements(product) - _elements(reactant), _elements(reactant) - _elements(product)
    if missing:
        yield f"The chosen reactant lacks {_listed(missing)} of the product, which a reagent would have to bring."
    if surplus:
        yield f"It has {_listed(surplus)} more than the product, which would have to leave."
    if not missing and not surplus:
        yield "Without hydrogen, the chosen reactant has the product's formula; its bonds differ in too many places."


def _canonical(mol: Any) -> str:
    from rdkit import Chem

    return Chem.MolToSmiles(mol)


def _pieces(mol: Any) -> tuple[Any, ...]:
    from rdkit import Chem

    return Chem.GetMolFrags(mol, asMols=True)


def _elements(mol: Any) -> Counter[str]:
    """How many atoms of each element but hydrogen."""
    return Counter(atom.GetSymbol() for atom in mol.GetAtoms() if atom.GetAtomicNum() != 1)


def _listed(elements: Counter[str]) -> str:
    return ", ".join(f"{count} {symbol}" for symbol, count in sorted(elements.items()))


def _numbers(question: Question) -> set[float]:
    """The options that are numbers."""
    numbers = set()
    for _, text in question.options:
        with suppress(ValueError):
            numbers.add(float(text))
    return numbers
