"""Equation balancing. None of this needs RDKit."""

import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.chemistry.families.balance import _REDOX, FAMILY, atoms, balance

WATER = {"left": ["H2", "O2"], "right": ["H2O"]}
RUST = {"left": ["Fe", "O2"], "right": ["Fe2O3"]}


RIGHT = [
    "2 H2 + O2 -> 2 H2O", "2H2+O2->2H2O", "O2 + 2 H2 = 2 H2O", "2 H2 + 1 O2 → 2 H2O", "2H2 + O2 --> 2H2O",
    "H2+H2+O2=2H2O",
]  # fmt: skip
NO_EQUATIONS = [
    "water", "2 H2 + O2", "H2 -> O2 -> H2O", "-> 2 H2O", "-2 H2 + O2 -> 2 H2O", "0 H2 + O2 -> H2O", "H2 + O2 -> ",
    "2.5 H2 + O2 -> H2O", "+" * 300, "->" * 100, "2 2 H2 + O2 -> H2O",
]  # fmt: skip


@pytest.mark.parametrize("answer", RIGHT)
def test_right_answers(answer):
    assert FAMILY.check(WATER, answer).solved


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("H2 + O2 -> H2O", "balance: O 2 on the left, 1 on the right"),
        ("H2 + O2 -> 2 H2O", "balance: H 2 on the left, 4 on the right"),
        ("4 H2 + 2 O2 -> 4 H2O", "all numbers can be divided by 2"),
        ("H2 -> H2O", "left side: must contain exactly H2 and O2"),
        ("2 H2 + O -> 2 H2O", "left side: must contain exactly H2 and O2"),
        ("2 H2 + O2 -> 2 H2O + H2", "right side: must contain exactly H2O"),
        ("2 H2O -> 2 H2 + O2", "left side: must contain"),
    ],
)
def test_wrong_answers(answer, words):
    report = FAMILY.check(WATER, answer)
    assert not report.solved and 0 <= report.score < 1
    assert any(words in check.text for check in report.checks if not check.passed)


def test_the_fewer_elements_are_out_of_balance_the_better():
    scores = [FAMILY.check(WATER, answer).score for answer in ("2 H2 + O2 -> H2O", "H2 + O2 -> H2O", RIGHT[0])]
    assert scores == sorted(set(scores)) and scores[-1] == 1.0


@pytest.mark.parametrize("answer", NO_EQUATIONS)
def test_answers_that_are_no_equations(answer):
    report = FAMILY.check(WATER, answer)
    assert report.problem is not None


def test_numbers_of_atoms():
    assert atoms("Al2(SO4)3") == {"Al": 2, "S": 3, "O": 12}
    assert atoms("(NH4)2Cr2O7") == {"N": 2, "H": 8, "Cr": 2, "O": 7}
    assert atoms("CH3COOH") == {"C": 2, "H": 4, "O": 2} == atoms("CH3(CO)OH")
    for text in ("", "2H", "Xy", "(H", "H2(O", "H)", "h2o", "H2 O"):
        with pytest.raises(ValueError):
            atoms(text)


def test_the_solver():
    assert balance(["KMnO4", "HCl"], ["KCl", "MnCl2", "Cl2", "H2O"]) == [2, 16, 2, 2, 5, 8]
    assert balance(["H2"], ["O2"]) is None
    assert balance(["H2", "H2O"], ["O2"]) is None  # only with a negative number
    assert balance(["C", "O2"], ["CO", "CO2"]) is None  # several solutions


def test_hard_equations_have_one_solution_each():
    for equation in _REDOX:
        left, right = (side.split(" + ") for side in equation.split(" -> "))
        assert balance(left, right), equation


@given(st.integers(0, 10**9), st.integers(0, 4))
@settings(max_examples=200)
def test_own_answers_are_right(seed, level):
    question = FAMILY.propose(random.Random(seed), level)
    if question is not None:
        assert FAMILY.check(question.params, question.answer).solved


@given(st.text(max_size=400) | st.text(alphabet="HO2C ()+-=>→34", max_size=80))
@settings(max_examples=300)
def test_no_text_is_an_exception(answer):
    assert FAMILY.check(RUST, answer).score <= 1.0


def test_no_rdkit_is_needed_for_equations_and_the_extra_is_named_for_others():
    code = """
import sys
sys.modules["rdkit"] = None
import gymnasium, sdpo_gym
env = gymnasium.make("sdpo/Chemistry-v0", families="balance", n_shots=2)
print(env.reset(seed=1)[0])
print(env.step("<answer>H2</answer>")[4]["feedback"])
for families in (None, ["balance", "count"]):
    try:
        gymnasium.make("sdpo/Chemistry-v0", families=families)
    except ImportError as error:
        print(error)
print([name for name in sys.modules if name.startswith("rdkit.")])
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert "Balance the equation" in result.stdout and "with one arrow" in result.stdout
    assert result.stdout.count("pip install 'sdpo-gym[chem]'") == 2
    assert result.stdout.strip().endswith("[]")
