"""The SMILES linter: what it says, and that it agrees with RDKit."""

import random

import pytest

pytest.importorskip("rdkit")

from hypothesis import given, settings
from hypothesis import strategies as st
from mutated_smiles import mutated, parses
from rdkit import Chem

from envs.chemistry.molecules.pool import real_smiles
from envs.chemistry.smiles.lint import scan


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 1, "empty"),
        ("CC1CCC", 3, "ring label 1 at character 3 is never closed"),
        ("CC%12CC", 3, "ring label 12 at character 3 is never closed"),
        ("CC(CC", 3, "'(' at character 3 is never closed"),
        ("CC)C", 3, "')' at character 3 closes no branch"),
        ("C()C", 3, "no atom at its end"),
        ("(C)C", 1, "must follow an atom"),
        ("C=(C)C", 3, "write the bond inside the branch"),
        ("CC=", 3, "the bond '=' at character 3 has no atom after it"),
        ("=CC", 1, "has no atom before it"),
        ("C==C", 3, "two bond symbols in a row"),
        ("C11", 3, "closes onto the atom it starts at"),
        ("C1C1", 4, "bonded already"),
        ("C12CC12", 7, "bonded already"),
        ("C(C1)1", 6, "bonded already"),
        ("C(C.)", 5, "no atom at its end"),
        ("C1CC2C", 2, "never closed"),
        ("1CC1", 1, "must follow an atom"),
        ("CCO is ethanol", 4, "white space at character 4"),
        ("CCO\tx", 4, "white space"),
        ("CH3CH2OH", 2, "hydrogens are implicit"),
        ("CC[Cl", 3, "never closed"),
        ("CC]", 3, "never opened"),
        ("C[]", 2, "are empty"),
        ("C[#119]", 3, "no element with the number 119"),
        ("C[Xx]", 3, "'Xx' in the brackets at character 2 is no element symbol"),
        ("C[C-H]", 5, "'H' at character 5 does not belong in brackets there"),
        ("CNaC", 3, "'a' at character 3 is no atom symbol"),
        ("LiC", 1, "must stand in brackets: [Li]"),
        ("CX", 2, "'X' at character 2 is no atom symbol"),
        ("CC.", 3, "no atom after it"),
        ("CC>>CO", 3, "not a reaction"),
        ("C%1C", 2, "two digits"),
        ("C\u200bC", 2, "U+200B"),
        ("C{C}", 2, "no meaning"),
        ("Ｃ", 1, "no meaning"),
        ("C\x00", 2, "U+0000"),
    ],
)
def test_what_is_said(text, position, words):
    problem = scan(text).problem
    assert words in problem.message
    assert problem.position == position


def test_atoms_are_numbered_as_in_rdkit():
    text = "[O-][N+](=O)c1cc(Cl)ccc1Br"
    found = scan(text)
    assert found.problem is None
    symbols = [atom.GetSymbol() for atom in Chem.MolFromSmiles(text).GetAtoms()]
    assert len(found.atoms) == len(symbols)
    for position, symbol in zip(found.atoms, symbols, strict=True):
        assert text[position - 1 :].lstrip("[").lower().startswith(symbol.lower())


@given(st.text(max_size=40) | st.text(alphabet="CNOcno()[]=#123%+-HFBrl@/\\.:", max_size=30))
@settings(max_examples=400)
def test_no_text_is_an_exception_and_what_rdkit_rejects_is_rejected(text):
    found = scan(text)
    if found.problem is None:
        assert parses(text)
    elif (
        text and text.isascii() and text.isprintable() and " " not in text
    ):  # RDKit drops control characters at the ends
        assert not parses(text)
        assert found.problem.message and 1 <= found.problem.position <= len(text)


def test_mutated_molecules_are_judged_as_by_rdkit():
    rng = random.Random(7)
    texts = [mutated(rng, real_smiles(rng, 40)) for _ in range(3000)]
    different = [text for text in texts if (scan(text).problem is None) != parses(text)]
    assert len(different) <= 3, different
    assert 500 < sum(map(parses, texts)) < 2500
