"""What is accepted as an answer in SMILES, and what is said about the rest."""

import pytest

pytest.importorskip("rdkit")

from hypothesis import given, settings
from hypothesis import strategies as st

from envs.chemistry.smiles.lint import SmilesProblem
from envs.chemistry.smiles.read import MAX_LENGTH, Molecule, molecule, read_molecule

ACCEPTED = [
    ("OCC", "CCO"), ("C(O)C", "CCO"), ("[CH3]CO", "CCO"), ("[H]OCC", "CCO"),
    ("[H]n1cccc1", "c1cc[nH]c1"), ("C1=CC=CC=C1", "c1ccccc1"),
    ("[nH]1cccc1", "c1cc[nH]c1"), ("C[N+](=O)[O-]", "C[N+](=O)[O-]"), ("CN=[N+]=[N-]", "CN=[N+]=[N-]"),
    ("C[N-][N+]#N", "CN=[N+]=[N-]"), ("N#[N+][N-]c1ccccc1[N-][N+]#N", "[N-]=[N+]=Nc1ccccc1N=[N+]=[N-]"),
    ("[O-][n+]1ccccc1", "[O-][n+]1ccccc1"), ("C[N+]#[C-]", "[C-]#[N+]C"), ("OB(O)C", "CB(O)O"),
    ("C[C@H](N)C(=O)O", "CC(N)C(=O)O"), ("F/C=C/F", "FC=CF"), ("C%10CC%10", "C1CC1"), ("C1CC2CCC1C2", "C1CC2CCC1C2"),
    ("CS(=O)(=O)N", "CS(N)(=O)=O"), ("OP(=O)(O)O", "O=P(O)(O)O"),
    ("O=P12CCC(CC1)CC2", "C1CC2CCP1(=O)CC2"),
    # As large as they may be: in length, atoms, rings, and ring size.
    ("[CH3]" + "[CH2]" * 38 + "[CH3]", "C" * 40), ("C" * 60, "C" * 60), ("C1CC1" * 8, "C1CC1" * 8),
    ("C1" + "C" * 10 + "C1", "C1" + "C" * 10 + "C1"),
]  # fmt: skip

REJECTED = [
    ("C.C", "the dot separates 2"), ("[Na+].[Cl-]", "the dot separates 2"), ("[13CH4]", "isotope"),
    ("[2H]C", "isotope"), ("CC[O-]", "charges"), ("C[N+](C)(C)C", "charges"), ("[C-]#[O+]", "charges"),
    ("[CH2]", "radical"), ("[C]", "radical"), ("C[CH]C", "radical"), ("*CC", "any atom"), ("[CH3:1]C", "atom-map"),
    ("[He]", "element He"), ("[Fe]", "element Fe"), ("[H][H]", "no atom other than hydrogen"),
    ("[H+]", "no atom other than hydrogen"), ("C~C", "only single"), ("N->B", "only single"), ("C$C", "only single"),
    ("B<-N", "only single"), ("C1CC1" * 9, "9 rings"), ("C1" + "C" * 11 + "C1", "ring of 13 atoms"),
    ("C[N+](C)([O-])[O-]", "charges"), ("CC[N-]C", "charges"),
    ("NNNNNN", "heteroatoms"), ("OOOO", "peroxide"), ("FOF", "halogen on oxygen"), ("CN(Cl)Cl", "halogen on oxygen or"),
    ("OC(O)(O)O", "two OH groups"), ("O=C=C=C=O", "cumulated"), ("C1#CC1", "linear"), ("C1=C=C1", "linear"),
    ("C1#CC=CC=C1", "linear"), ("C1" + "C" * 29 + "C1", "ring of 31 atoms"), ("C12C3C1C23", "tetrahedrane"),
    ("C1=CC=C1", "cyclobutadiene"), ("C1CC2=CCC1C2", "bridgehead"), ("C" * 61, "61 atoms other than hydrogen"),
    ("C" * 201, "201 characters"), ("CC |^1:0|", "white space"), ("cC", "not in a ring"),
    ("[H](C)C", "exactly one bond"), ("CC:C", "aromatic bond"), ("C[N+](=O)[O-5]", "charges"), ("ClCl", "halogen"),
]  # fmt: skip

# These take RDKit seconds to minutes, without the guards.
BOMBS = [
    "c1(cc2)ccc2" + "".join("c3ccc(cc3)" for _ in range(12)) + "1",
    "C1" + "".join(f"%{i}" for i in range(10, 60)) + "C" * 5 + "".join(f"%{i}" for i in range(10, 60)) + "1",
    "C12C3C4C1C5C2C3C45" * 9,
    "(" * 100_000,
    "C" * 100_000,
    "C(" * 60 + ")" * 60,
    "[" * 200,
    "C1CC1" * 39,
    "%(99999)" * 20,
    "[C:999999]" * 18,
]  # fmt: skip


@pytest.mark.parametrize(("text", "canonical"), ACCEPTED)
def test_accepted(text, canonical):
    assert molecule(text).canonical == molecule(canonical).canonical


@pytest.mark.parametrize(("text", "words"), REJECTED)
def test_rejected(text, words):
    problem = read_molecule(text)
    assert isinstance(problem, SmilesProblem)
    assert words in problem.message


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("CC(C)(C)(C)C", 2, "the atom C at character 2 has 5 bonds in all (to C, C, C, C, C"),
        ("CC(=O)(O)O", 2, "5 bonds in all"),
        ("c1ccc(=O)cc1", 1, "no alternating"),
        ("CN(C)(C)C", 2, "the atom N at character 2 has 4 bonds"),
        ("COF=C", 3, "the atom F at character 3"),
        ("[CH5]C", 1, "at most 4"),
        ("Cc1cccc1", 2, "5 lower-case (aromatic) atoms between characters 2 and 7"),
        ("Cc", 2, "not in a ring"),
        ("n", 1, "not in a ring"),
    ],
)
def test_impossible_molecules_are_located(text, position, words):
    problem = read_molecule(text)
    assert (problem.position, words in problem.message) == (position, True), problem


@pytest.mark.parametrize("text", BOMBS, ids=range(len(BOMBS)))
def test_hostile_strings_are_rejected(text):
    assert isinstance(read_molecule(text), SmilesProblem)


def test_our_own_strings_must_be_right():
    with pytest.raises(ValueError, match="no acceptable SMILES"):
        molecule("C1C")


@given(st.text(max_size=MAX_LENGTH + 20) | st.text(alphabet="CNOcnos()[]=#123%+-HFBrl@/\\.:", max_size=60))
@settings(max_examples=400)
def test_every_text_is_a_molecule_or_a_problem(text):
    read = read_molecule(text)
    assert isinstance(read, (Molecule, SmilesProblem))
    if isinstance(read, Molecule):
        assert molecule(read.canonical).canonical == read.canonical
        assert read.similarity(read) == 1.0
