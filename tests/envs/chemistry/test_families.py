"""What holds for every family of tasks, and what each family accepts."""

import json
import random
import re
from collections import Counter

import pytest

pytest.importorskip("rdkit")

from envs.chemistry.families import FAMILIES, load_family
from envs.chemistry.families.base import LEVELS, Report, counted
from envs.chemistry.families.choice import LETTERS
from envs.chemistry.families.reaction import ONE_REACTANT, TWO_REACTANTS
from envs.chemistry.families.repair import within
from envs.chemistry.families.smiles_answers import STOCK
from envs.chemistry.molecules.formula import Formula
from envs.chemistry.molecules.pool import stable
from envs.chemistry.smiles.read import molecule
from envs.chemistry.tasks import make_question

SMILES_FAMILIES = [name for name in FAMILIES if load_family(name).answer == "the SMILES string"]
EVERY = [(family, level) for family in FAMILIES for level in LEVELS]


def questions(family, level, count=12, split="all"):
    return [make_question(family, level, split, number) for number in range(count)]


@pytest.mark.parametrize(("family", "level"), EVERY)
def test_every_task_has_a_right_answer(family, level):
    check = load_family(family).check
    for question in questions(family, level):
        assert question.params == json.loads(json.dumps(question.params)) or family == "property"
        report = check(question.params, question.answer)
        assert report.solved and report.score == 1.0, question
        assert question.text.isascii() and len(question.text) < 1200
        if family in SMILES_FAMILIES:
            assert stable(question.answer) is not None, question.answer


@pytest.mark.parametrize(("family", "level"), [(family, level) for family in SMILES_FAMILIES for level in (1, 2, 3, 4)])
def test_stock_molecules_solve_nothing_from_level_1_on(family, level):
    check = load_family(family).check
    for question in questions(family, level):
        assert not [smiles for smiles in STOCK if check(question.params, smiles).solved]


@pytest.mark.parametrize(("family", "level"), EVERY)
def test_no_feedback_tells_a_right_answer(family, level):
    """No word of the feedback, taken as an answer, is one."""
    check = load_family(family).check
    asked = questions(family, level, 10)
    wrong = [question.answer for question in asked] + ["CCO", "7", "A", "B", "C2H6O", "H2 -> O2", "c1ccc1", "CC(C"]
    for question in asked:
        words = set()
        for answer in wrong:
            report = check(question.params, answer)
            if report.solved:
                continue
            text = "\n".join([c.text for c in report.checks] + list(report.hints))
            text += report.problem.message if report.problem else ""
            assert len(question.answer) < 4 or question.answer not in text.replace(answer, ""), (text, question)
            words |= {word.strip(mark) for word in re.split(r"[\s,;]+", text) for mark in ("", "'\".:()", ".:")}
        told = [word for word in words if word and check(question.params, word).solved]
        assert not told, (told, question)


@pytest.mark.parametrize("family", FAMILIES)
def test_hostile_answers_are_wrong_answers(family):
    check = load_family(family).check
    question = make_question(family, 2, "all", 1)
    for answer in (
        "",
        " ",
        "\x00",
        "\ud800",
        "1" * 400,
        "C" * 400,
        "[" * 400,
        "A" * 400,
        "²",
        "٣",
        "C1" * 150,
        "None",
        "{}",
    ):
        assert not check(question.params, answer).solved


def test_the_rank_of_the_right_choice_is_uniform():
    for level in LEVELS:
        ranks, letters = Counter(), Counter()
        for question in questions("choice", level, 240):
            values = question.params["values"]
            assert len(set(values)) == 4
            ranks[sorted(values).index(question.params["truth"])] += 1
            letters[question.answer] += 1
        assert all(35 <= n <= 85 for n in [*(ranks[r] for r in range(4)), *(letters[x] for x in LETTERS)])


NAMES = {
    "propane": "CCC", "butan-1-ol": "CCCCO", "ethanamine": "CCN", "pentanoic acid": "CCCCC(=O)O", "hexanal": "CCCCCC=O",
    "butanenitrile": "CCCC#N", "1-bromobutane": "CCCCBr", "hexan-2-one": "CC(=O)CCCC", "pent-1-ene": "C=CCCC",
}  # fmt: skip


def test_names_mean_what_they_say():
    """Names that the family makes, against structures written down by hand."""
    propose = load_family("name").propose
    found = {}
    for level in (0, 1):
        rng = random.Random(level)
        for _ in range(1500):
            question = propose(rng, level)
            if question:
                found[question.text.removeprefix("Give the SMILES string of ").removesuffix(".")] = question.answer
    for name, smiles in NAMES.items():
        assert molecule(found[name]).canonical == molecule(smiles).canonical, name


BRANCHED = {
    "2-methylbutane": "CC(C)CC", "2,2-dimethylbutane": "CCC(C)(C)C", "3-ethylpentane": "CCC(CC)CC",
    "2,3-dimethylpentane": "CCC(C)C(C)C", "2-chloro-3-methylbutane": "CC(Cl)C(C)C",
    "3-methylbutanoic acid": "CC(C)CC(=O)O",
    "4-methylpentan-2-one": "CC(C)CC(C)=O", "3-methylbutan-2-ol": "CC(C)C(C)O", "2-methylbutan-2-ol": None,
    "4-chlorophenol": "Oc1ccc(Cl)cc1", "1,4-dimethylbenzene": "Cc1ccc(C)cc1", "2-nitroaniline": "Nc1ccccc1[N+](=O)[O-]",
    "4-methylcyclohexan-1-ol": "CC1CCC(O)CC1", "1-bromo-3-chlorobenzene": "Clc1cccc(Br)c1",
}  # fmt: skip


def test_branched_names_follow_the_rules():
    propose = load_family("name").propose
    found = {}
    for level in (2, 3, 4):
        rng = random.Random(level)
        for _ in range(12_000):
            question = propose(rng, level)
            if question:
                name = question.text.removeprefix("Give the SMILES string of ").removesuffix(".")
                assert found.setdefault(name, question.answer) is not None
    for name, smiles in BRANCHED.items():
        if smiles is None:
            assert name not in found  # two groups on the carbon of the suffix are not drawn
        else:
            assert molecule(found[name]).canonical == molecule(smiles).canonical, name
    structures = Counter(molecule(smiles).canonical for smiles in list(found.values())[:3000])
    assert max(structures.values()) == 1  # a structure has one name only


def test_ring_names_have_the_lowest_locants():
    rng = random.Random(2)
    questions = [load_family("name").propose(rng, 4) for _ in range(500)]
    for text in (question.text for question in questions if question is not None):
        locants = sorted(int(n) for n in re.findall(r"\d", text.partition("cyclohexan-1")[0]))
        assert len(locants) <= 3 and sum(locants) <= (9 if "benzene" in text else 11), text


REACTIONS = {
    "reduction of an aldehyde": ("CC", "CCCO"),
    "oxidation of a primary alcohol to the aldehyde": ("CC", "CCC=O"),
    "oxidation of a primary alcohol to the carboxylic acid": ("CC", "CCC(=O)O"),
    "catalytic hydrogenation of an alkene": ("CC", "CCCC"),
    "reduction of a ketone": ("CC", "CCC(C)O"),
    "oxidation of a secondary alcohol": ("CC", "CCC(C)=O"),
    "hydrolysis of a nitrile to the carboxylic acid": ("CC", "CCC(=O)O"),
    "reduction of a nitro group": ("c1ccccc1", "Nc1ccccc1"),
    "reduction of a nitrile to the amine": ("CC", "CCCN"),
    "hydrolysis of an ester to the carboxylic acid": ("CC", "CCC(=O)O"),
    "Wittig methylenation": ("CC", "CCC=C"),
    "Markovnikov addition of HBr": ("CC", "CCC(C)Br"),
    "substitution of bromide by azide": ("CC", "CCN=[N+]=[N-]"),
    "substitution of bromide by cyanide": ("CC", "CCC#N"),
    "Fischer esterification": ("CC", "CCC(=O)OC"),
    "amide coupling": ("CC", "CCC(=O)NC"),
    "acylation of an amine with an acyl chloride": ("CC", "CCC(=O)NC"),
    "sulfonylation of an amine": ("c1ccccc1", "CNS(=O)(=O)c1ccccc1"),
    "Williamson ether synthesis": ("CC", "CCOC"),
    "reductive amination": ("CC", "CCCNC"),
    "Grignard addition to an aldehyde": ("CC", "CCC(C)O"),
}
"""Products where the first group is the one given, and the second a methyl group."""


@pytest.mark.parametrize("reaction", ONE_REACTANT + TWO_REACTANTS, ids=lambda reaction: reaction.name)
def test_reactions_give_their_products(reaction):
    if reaction.name == "Suzuki coupling":
        return
    group, product = REACTIONS[reaction.name]
    written = reaction.product.format(group, "C")
    assert molecule(written).canonical == molecule(product).canonical


def test_suzuki_couplings_join_two_rings():
    found = [q for q in questions("reaction", 3, 60) if "Suzuki" in q.text]
    assert found
    for question in found:
        bromide, acid = question.params["reactants"]
        product = molecule(question.answer).formula
        lost = molecule(bromide).formula["Br"], molecule(acid).formula["B"], molecule(acid).formula["O"]
        assert lost[:2] == (1, 1) and "Br" not in product and "B" not in product
        assert product["C"] == molecule(bromide).formula["C"] + molecule(acid).formula["C"]


def test_edits_reach_exactly_what_they_can():
    check = load_family("edit").check
    add = {"start": "CCCC", "added": "chlorine atom", "removed": None, "formula": Formula.parse("C4H9Cl")}
    assert check(add, "CCCCCl").solved and check(add, "CCC(C)Cl").solved
    for wrong in ("CCCC", "CCCCCCl", "CC(C)CCl", "ClCCCCCl", "CCCCBr"):
        assert not check(add, wrong).solved
    assert [one.passed for one in check(add, "CCCC").checks] == [False, False, False]
    acid = {"start": "CCC=O", "added": "hydroxyl group", "removed": None, "formula": Formula.parse("C3H6O2")}
    assert check(acid, "CCC(=O)O").solved and check(acid, "OCCC=O").solved and not check(acid, "CC(=O)CO").solved
    remove = {"start": "CC(O)CCO", "added": None, "removed": "hydroxyl group", "formula": Formula.parse("C4H10O")}
    assert check(remove, "CCCCO").solved and check(remove, "CCC(C)O").solved
    assert not check(remove, "CCCC").solved and not check(remove, "CCOCC").solved
    swap = {
        "start": "Fc1ccc(O)cc1",
        "added": "cyano group",
        "removed": "fluorine atom",
        "formula": Formula.parse("C7H5NO"),
    }
    assert check(swap, "N#Cc1ccc(O)cc1").solved
    assert not check(swap, "N#Cc1cccc(O)c1").solved and not check(swap, "N#Cc1ccccc1").solved


@pytest.mark.parametrize(("level", "number"), [(3, 5040), (4, 586)])
def test_a_group_may_be_added_to_an_aldehydes_carbon(level, number):
    question = make_question("edit", level, "train", number)
    assert load_family("edit").check(question.params, question.answer).solved


def test_what_is_shown_of_similarity_is_what_is_compared():
    """It is 3/16, that is 0.1875, here."""
    params = {"start": "CCCCC", "targets": {"logp": -0.3}, "floor": 0.19}
    check = load_family("optimize").check
    assert check(params, "CCC(CC)OC").checks[-1].text == "similarity to the start: 0.19, at least 0.19 required"
    assert check(params, "CCC(CC)OC").solved
    assert not check(params | {"floor": 0.2}, "CCC(CC)OC").solved


def test_completions_begin_as_given():
    check = load_family("complete").check
    params = {"prefix": "CC(C", "size": 4, "formula": None, "most": None}
    assert check(params, "CC(C)C").solved and check(params, "CC(C)N").solved
    assert "character 3 of the answer" in check(params, "CCCC").checks[0].text
    assert "character 3 is never closed" in check(params, "CC(C").hints[0]


def test_isomers_are_other_molecules():
    check = load_family("isomer").check
    params = {"formula": {"C": 3, "H": 8, "O": 1}, "other_than": "CCCO", "rings": 0}
    assert check(params, "CC(O)C").solved and check(params, "COCC").solved
    report = check(params, "OCCC")
    assert not report.solved and "the one that was shown" in report.checks[-1].text


NO_SIZE = {"size": None, "formula": None, "most": None}
ETHANOL, PROPANOL = {"C": 2, "H": 6, "O": 1}, {"smiles": "CCCO"}
BUTANE = {"start": "CCCC", "floor": 0.0}
VERDICTS = [
    ("atoms", {"elements": {"C": 2, "O": 1}, "more": {}}, "CCO COC", "CCCO CO CC OCCO NCCO C1CCCCCCCCC1"),
    ("atoms", {"elements": {"C": 3}, "more": {"rings": 1}}, "C1CC1", "CCC C=CC"),
    ("chain", {"smiles": "CC(O)CC"}, "CCC(C)O", "CCCCO CC(C)(O)C CC(O)CCC CC(N)CC"),
    ("choice", {"values": [9, 7, 6, 8], "truth": 7, "letter": "B", "definition": "", "property": "heavy"},
     "B (B) B.", "A C D AB BC 7"),
    ("complete", NO_SIZE | {"prefix": "CC", "most": 4}, "CCO CCCC", "CCCCC CNCC C"),
    ("complete", NO_SIZE | {"prefix": "CC", "size": 3}, "CCO CCC", "CCCC CC"),
    ("complete", NO_SIZE | {"prefix": "CC", "formula": ETHANOL}, "CCO", "CCC CCCO COC"),
    ("contains", {"required": ["alcohol"], "absent": ["ether"], "size": 5, "exact": True},
     "CCCCO OCCCO", "CCCCC COCCO CCCO CCCCCO"),
    ("contains", {"required": ["alcohol"], "absent": [], "size": 3, "exact": False}, "CO CCO", "CCCO CCN"),
    ("count", {"smiles": "CCO", "thing": "heavy", "truth": 3}, "3 +3 03", "2 4 -3 33 3.0 three 0000003"),
    ("formula", {"formula": ETHANOL}, "C2H6O OC2H6 CH3CH2OH", "C2H6 C2H5O C2H7O C2H6NO C3H6O C2H6O2"),
    ("groups", {"formula": {"C": 3, "H": 8, "O": 2}, "groups": {"alcohol": 1}}, "COCCO", "OCCCO COCOC COCCCO"),
    ("isomer", {"formula": {"C": 5, "H": 10}, "other_than": "C1CCCC1", "rings": 1}, "CC1CCC1",
     "C1CCCC1 C2CCCC2 C=CCCC CC1CCCC1"),
    ("name", PROPANOL, "OCCC", "CC(C)O COCC CCO CCCN"),
    ("optimize", BUTANE | {"targets": {"weight": 14.1}}, "CCCCC CCCCCC", "CCCN CCCC CC CCCC1"),
    ("optimize", BUTANE | {"targets": {"weight": -14.0}}, "CCC CC", "CCCC CCCCC"),
    ("optimize", BUTANE | {"targets": {"weight": 16.0}}, "CCCCO", "CCCCN"),  # of floats, a change below 16
    ("optimize", BUTANE | {"targets": {"weight": 14.1}, "floor": 0.5}, "CCCCCC", "CC(C)(C)CC"),
    ("property", {"windows": {"heavy": [3, 5]}}, "CCC CCCC CCCCC", "CC CCCCCC"),
    ("reaction", PROPANOL | {"reactants": ["CCC=O"], "happens": []}, "OCCC", "CCC=O CC(C)O CCO"),
    ("repair", {"broken": "CCO)", "formula": ETHANOL, "errors": 1}, "CCO C(CO)", "OCC CC-O CCO) CCCO CCO1 CCOC"),
]  # fmt: skip


@pytest.mark.parametrize(("family", "params", "right", "wrong"), VERDICTS)
def test_verdicts_on_answers_written_down_by_hand(family, params, right, wrong):
    check = load_family(family).check
    for answer in right.split():
        assert check(params, answer).solved, answer
    for answer in wrong.split():
        report = check(params, answer)
        assert not report.solved and 0 <= report.score < 1, answer


def test_feedback_says_in_which_direction_an_answer_is_off():
    for family, params, answer, words in (
        ("atoms", {"elements": {"C": 2}, "more": {}}, "CCC", "carbon atoms: 3, required 2: 1 fewer"),
        ("atoms", {"elements": {"C": 2}, "more": {}}, "C", "carbon atoms: 1, required 2: 1 more"),
        ("choice", VERDICTS[3][1], "C", "too low"),
        ("choice", VERDICTS[3][1], "D", "too high"),
        ("count", {"smiles": "CCO", "thing": "heavy", "truth": 3}, "2", "too low"),
        ("property", {"windows": {"heavy": [3, 5]}}, "CC", "1 too low"),
        ("property", {"windows": {"heavy": [3, 5]}}, "CCCCCC", "1 too high"),
    ):
        assert words in load_family(family).check(params, answer).checks[0].text
    for answer, words in (("CC(C)C", "the carbon chain has a branch"), ("C1CCC1", "the molecule has a ring")):
        check = load_family("chain").check({"smiles": "CCCC"}, answer).checks[1]
        assert not check.passed and words in check.text
    assert "must be one of the four letters" in load_family("choice").check(VERDICTS[3][1], "AB").problem.message


DISTANCES = [
    ("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("ab", "abc", 1), ("kitten", "sitting", 3), ("abcd", "badc", 3),
    ("a" * 90, "a" * 88, 2),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other", "distance"), DISTANCES)
def test_edit_distance(one, other, distance):
    assert within(one, other, distance) == distance == within(other, one, distance + 2)
    if distance:
        assert within(one, other, distance - 1) is None


def test_dense_scores_rise_towards_the_answer():
    check = load_family("isomer").check
    params = {"formula": {"C": 5, "H": 12}, "other_than": None, "rings": None}
    scores = [check(params, "C" * n).score for n in range(1, 6)]
    assert scores == sorted(set(scores)) and len(scores) == 5 and scores[-1] == 1.0 > scores[-2]
    assert counted("rings", 3, 4).credit == counted("rings", 5, 4).credit == 0.75
    nearly = Report((*[counted("rings", 4, 4)] * 999, counted("rings", 3, 4)))
    assert nearly.score == 0.99 and not nearly.solved
