"""Formulas, groups, properties, and where molecules come from."""

import random

import pytest

pytest.importorskip("rdkit")

from hypothesis import given, settings
from hypothesis import strategies as st

from envs.chemistry.families.smiles_answers import STOCK
from envs.chemistry.molecules.builder import assemble, join, tree
from envs.chemistry.molecules.formula import Formula, difference
from envs.chemistry.molecules.groups import GROUPS, HOW_TO_WRITE, count_groups
from envs.chemistry.molecules.pool import FILE, draw_molecule, real_smiles, stable
from envs.chemistry.molecules.properties import PROPERTIES
from envs.chemistry.molecules.substituents import SUBSTITUENTS, add_somewhere, changed_formula, move_somewhere, without
from envs.chemistry.smiles.motifs import odd_motif
from envs.chemistry.smiles.read import molecule

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
CAFFEINE = "Cn1cnc2c1c(=O)n(C)c(=O)n2C"


def test_formulas():
    assert str(molecule(ASPIRIN).formula) == "C9H8O4"
    assert str(Formula({"Br": 2, "H": 2, "C": 1, "N": 0})) == "CH2Br2"
    assert str(Formula({"S": 1, "O": 4, "H": 2})) == "H2O4S"
    assert molecule(ASPIRIN).formula.unsaturation == 6
    assert molecule(CAFFEINE).formula.weight == pytest.approx(194.19, abs=0.01)
    assert difference({"C": 2, "H": 6, "O": 1}, {"C": 3, "H": 6, "N": 1}) == "1 more C and 1 more N and 1 fewer O"
    assert difference({"C": 1}, {"C": 1}) == ""
    assert Formula({"C": 1}).closeness({"C": 1}) == 1.0 > Formula({"C": 1}).closeness({"C": 2}) > 0


@pytest.mark.parametrize("text", ["", "c2h6", "C2H6O ", "C02", "2C", "CH3(CH2)", "Xx2", "C-H", "C2H6O+", "١"])
def test_what_is_no_formula(text):
    assert Formula.parse(text) is None


@given(st.dictionaries(st.sampled_from(["C", "H", "N", "O", "Cl", "Br", "S"]), st.integers(1, 99), min_size=1))
def test_formulas_are_read_as_written(counts):
    assert Formula.parse(str(Formula(counts))) == counts


@pytest.mark.parametrize(
    ("smiles", "groups"),
    [
        (ASPIRIN, {"carboxylic acid": 1, "ester": 1, "benzene ring": 1}),
        ("CC(=O)Nc1ccc(O)cc1", {"amide": 1, "phenol": 1, "benzene ring": 1}),
        ("OCCN", {"alcohol": 1, "primary amine": 1}),
        ("CNC", {"secondary amine": 1}),
        ("CN(C)C", {"tertiary amine": 1}),
        ("COC", {"ether": 1}),
        ("CC(C)=O", {"ketone": 1}),
        ("CC=O", {"aldehyde": 1}),
        ("OC=O", {"carboxylic acid": 1}),
        ("COC=O", {"ester": 1}),
        ("CC(=O)OC(C)=O", {}),
        ("CC#N", {"nitrile": 1}),
        ("C[N+](=O)[O-]", {"nitro group": 1}),
        ("CSC", {"thioether": 1}),
        ("CS", {"thiol": 1}),
        ("CS(=O)(=O)N", {"sulfonamide": 1}),
        ("CS(C)(=O)=O", {"sulfone": 1}),
        ("FC(F)(F)CCl", {"fluorine atom": 3, "chlorine atom": 1}),
        ("C=CC#C", {"C=C double bond": 1, "C#C triple bond": 1}),
        ("c1ccncc1", {"pyridine ring": 1}),
        ("c1ccoc1", {"furan ring": 1}),
        ("c1ccsc1", {"thiophene ring": 1}),
        ("CCC", {}),
    ],
)
def test_groups(smiles, groups):
    assert count_groups(molecule(smiles)) == groups


def test_every_group_has_a_hint():
    assert set(GROUPS) == set(HOW_TO_WRITE)


@pytest.mark.parametrize(
    ("smiles", "values"),
    [
        (ASPIRIN, {"weight": 180.2, "donors": 1, "acceptors": 4, "rotatable": 3, "rings": 1, "heavy": 13}),
        (ASPIRIN, {"tpsa": 63.6, "logp": 1.31}),
        (CAFFEINE, {"donors": 0, "acceptors": 3, "rotatable": 0, "rings": 2}),
        ("CCO", {"donors": 1, "acceptors": 1, "rotatable": 0, "logp": 0.0}),
        ("CCCC", {"rotatable": 1, "acceptors": 0}),
        ("CC(=O)NC", {"rotatable": 0, "acceptors": 1, "donors": 1}),
        ("Nc1ccccc1", {"acceptors": 0, "donors": 1}),
        ("c1ccncc1", {"acceptors": 1}),
        ("c1cc[nH]c1", {"acceptors": 0, "donors": 1}),
        ("CC#CC", {"rotatable": 0}),
        ("C1CC2CCC1C2", {"rings": 2}),
    ],
)
def test_properties(smiles, values):
    found = molecule(smiles)
    assert {key: PROPERTIES[key].of(found) for key in values} == values


def test_the_pool_holds_what_a_chemist_would_accept():
    lines = [line.split() for line in FILE.read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 3500 and len({smiles for _, smiles in lines}) == len(lines)
    assert [int(size) for size, _ in lines] == sorted(int(size) for size, _ in lines)
    for size, smiles in lines[::5]:
        assert stable(smiles).heavy_atoms == int(size)


UNSTABLE = [
    "CC(O)O", "CC(O)OC", "OC1CCCCO1", "CC(N)O", "COCOC", "C=CO", "CC=CN", "NC(=O)O", "COC(=O)O", "COC(=O)Cl", "CC=N",
    "CN(C)N=O", "CON=O", "CN(C)N=NC", "CC=C=O", "C[N+]#[C-]", "C=C=C", "CO[N+](=O)[O-]", "CNOC", "CC=S", "CC(=S)C",
    "CNN", "C1=CC1",
]  # fmt: skip


@pytest.mark.parametrize("smiles", UNSTABLE)
def test_unstable_molecules_are_not_generated(smiles):
    assert stable(smiles) is None


@pytest.mark.parametrize("smiles", [ASPIRIN, CAFFEINE, "FC(F)F", "CC(F)(F)F", "CC(=O)N", "C=COC", "C1COCO1"])
def test_stable_molecules_are(smiles):
    assert stable(smiles) is not None


@pytest.mark.parametrize("level", range(5))
def test_drawn_molecules_are_stable_and_grow(level):
    rng = random.Random(3)
    drawn = [found for found in (draw_molecule(rng, level) for _ in range(150)) if found]
    assert len(drawn) > 100 and not any(odd_motif(found.mol, stable=True) for found in drawn)
    mean = sum(found.heavy_atoms for found in drawn) / len(drawn)
    low, high = ((3, 6), (5, 9), (6, 16), (11, 22), (14, 40))[level]
    assert low <= mean <= high


@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(0, 4), st.booleans())
@settings(max_examples=150)
def test_trees_are_valid_and_have_their_size(seed, size, heteroatoms, unsaturated):
    found = molecule(tree(random.Random(seed), size, heteroatoms, unsaturated))
    assert found.heavy_atoms == size and found.rings == 0
    assert size - found.formula.get("C", 0) <= heteroatoms


@given(st.integers(0, 10**6), st.integers(1, 4))
@settings(max_examples=150)
def test_assembled_molecules_are_well_formed(seed, parts):
    from envs.chemistry.smiles.lint import scan

    assert scan(assemble(random.Random(seed), parts)).problem is None


def test_groups_are_joined_by_their_first_atoms():
    assert molecule(join("c1ccccc1", "c1ccncc1")).canonical == molecule("c1ccc(-c2ccncc2)cc1").canonical
    assert molecule(join("C", "c1ccccc1")).canonical == molecule("Cc1ccccc1").canonical
    assert molecule(join("C(C)C", "O")).canonical == molecule("CC(C)O").canonical


@pytest.mark.parametrize("name", SUBSTITUENTS)
def test_a_substituent_comes_and_goes(name):
    rng = random.Random(name)
    for start in (
        molecule(smiles) for smiles in ("CCCC", "Cc1ccncc1", "c1ccccc1C(=O)C", "[CH3][CH2]C", "[O-][N+](=O)c1ccccc1")
    ):
        added = add_somewhere(rng, start, name)
        assert added.formula == changed_formula(start.formula, added=name)
        assert start.canonical in list(without(added, name))


@given(st.integers(0, 10**6))
@settings(max_examples=60)
def test_moved_substituents_give_isomers(seed):
    rng = random.Random(seed)
    start = molecule(real_smiles(rng, 20))
    moved = move_somewhere(rng, start)
    assert moved is None or (moved.formula == start.formula and moved.canonical != start.canonical)


def test_stock_molecules_are_readable():
    assert len({molecule(smiles).canonical for smiles in STOCK}) == len(STOCK) > 20
