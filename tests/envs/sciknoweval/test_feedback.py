import re
import sys

import pytest

from envs.sciknoweval.env import SciKnowEvalEnv
from envs.sciknoweval.molecules import molecule_in
from envs.sciknoweval.verifier import SciKnowEvalVerifier, question_of


def feedback(data, subtask, response, **arguments):
    env = SciKnowEvalEnv(data=data, subtasks=subtask, **arguments)
    env.reset(seed=0)
    return env.step(response)[4]["feedback"]


def test_levels(data):
    def say(level, response, **arguments):
        return feedback(data, "molar_weight_smiles", response, feedback=level, **arguments)

    assert say("none", "A") == say("none", "") == ""
    assert say("verdict", "A") == "The chosen option is not right."
    assert say("verdict", "A", echo_response=True) == "Option A is not right."
    assert say("verdict", "hm") == "The response has no answer that could be read."
    assert say("verdict", "<think>hm") == "The response ends before its thinking does."
    assert say("standard", "hm") == (
        "The response has no answer that could be read. End the response with the letter of one option (A, B, C or D) "
        "between <answer> and </answer>, and nothing else between them."
    )
    assert say("standard", "<answer>Q</answer>", prompt="plain") == (
        "The answer is no letter of an option. Reply with the letter of one option (A, B, C or D), and nothing else."
    )
    assert say("standard", "A").splitlines() == [
        "The chosen option is not right.",
        "Count the atoms of each element in the SMILES, with the hydrogens that it leaves out, and add up their atomic "
        "weights.",
    ]
    for level in ("none", "verdict", "standard"):
        assert say(level, "B") == ""


@pytest.mark.parametrize("level", ["verdict", "standard"])
def test_nothing_needs_rdkit_below_full(data, level, monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    assert feedback(data, "solubility", "B", feedback=level)
    with pytest.raises(ImportError, match=r"needs RDKit: pip install 'sdpo-gym\[chem\]', or take feedback='standard'"):
        SciKnowEvalEnv(data=data, feedback="full")


def test_what_rdkit_says(data):
    pytest.importorskip("rdkit", reason="RDKit is not installed; pip install 'sdpo-gym[chem]'")

    def say(subtask, letter):
        return feedback(data, subtask, letter, feedback="full").splitlines()[2:]

    assert say("molar_weight_smiles", "A") == ["The molecule's formula is C2H4O2.", "It has no ring."]
    assert say("counts_smiles", "A") == ["The molecule's formula is C3H8O2.", "It has no ring."]
    assert say("solubility", "B") == [
        "The molecule's formula is C5H12O.",
        "It has no ring.",
        "Crippen's estimate of logP is 1.2.",
        "The topological polar surface area in Å² is 20.",
        "The number of hydrogen-bond donors is 1.",
        "The molar weight in g/mol is 88.",
    ]
    assert say("retrosynthesis", "B") == [
        "The product's formula is C4H8O2.",
        "The chosen reactant lacks 2 O of the product, which a reagent would have to bring.",
        "It has 1 Br, 2 C more than the product, which would have to leave.",
    ]
    assert say("retrosynthesis", "D")[1] == "The chosen reactant is the product itself."
    assert say("reaction_prediction", "A") == [
        "The chosen product has 1 S more than all reactants and reagents together."
    ]
    assert say("reaction_prediction", "C")[0] == "The chosen product is one of the reactants, unchanged."
    assert say("reaction_prediction", "D") == [
        "The atoms of the chosen product could all come from the reactants: look at its bonds."
    ]


@pytest.mark.parametrize(("option", "said"), [("3", True), ("2", False), ("1", False), ("1.0", False)])
def test_rings_are_not_said_where_an_option_has_their_number(make_row, write_rows, option, said):
    pytest.importorskip("rdkit", reason="RDKit is not installed; pip install 'sdpo-gym[chem]'")
    question = "How many hydrogen-bond acceptors are there in the molecule with the SMILES representation"
    options = f"A: 7\nB: {option}\nC: 8\nD: 9\nPlease reason step by step."
    row = make_row("counts_smiles", prompt=f"{question} 'C1CC1c1ccccc1'?\n\n{options}", answer="B")
    text = feedback(write_rows(row), "counts_smiles", "A", feedback="full")
    assert "The molecule's formula is C9H10." in text
    assert ("It has 2 rings, 1 of them aromatic." in text) == said


@pytest.mark.parametrize(
    "smiles", ["", "C1CC", "c1cc2ccc1" + "-c3ccc(cc3)" * 40 + "-2", "C" * 5000, "C(" * 400, "xyz", "\u00e9", "$%"]
)
def test_molecules_that_rdkit_cannot_take(make_row, write_rows, smiles):
    pytest.importorskip("rdkit", reason="RDKit is not installed; pip install 'sdpo-gym[chem]'")
    row = make_row()
    row["prompt"] = row["prompt"].replace("CC(=O)O", smiles)
    text = feedback(write_rows(row), "molar_weight_smiles", "A", feedback="full")
    assert text.startswith("The chosen option is not right.") and "formula" not in text
    row = make_row("reaction_prediction")
    row["prompt"] = row["prompt"].replace("CCSC", smiles)
    assert feedback(write_rows(row), "reaction_prediction", "A", feedback="full").startswith("The chosen option")


@pytest.mark.parametrize(("rings", "said"), [(10, True), (11, False)])
def test_molecules_with_many_joined_rings(make_row, write_rows, rings, said):
    pytest.importorskip("rdkit", reason="RDKit is not installed; pip install 'sdpo-gym[chem]'")
    closures = "".join(f"C%{i}%{i + 1}C" for i in range(11, 10 + rings))  # each shares an atom with the next
    row = make_row()
    row["prompt"] = row["prompt"].replace("CC(=O)O", f"C%11C{closures}C%{10 + rings}")
    text = feedback(write_rows(row), "molar_weight_smiles", "A", feedback="full")
    assert (f"It has {rings} rings, none of them aromatic." in text) == ("formula" in text) == said


def test_a_molecule_that_is_no_reactant_may_have_other_atoms(make_row, write_rows):
    pytest.importorskip("rdkit", reason="RDKit is not installed; pip install 'sdpo-gym[chem]'")
    row = make_row("retrosynthesis")
    row["prompt"] = row["prompt"].replace("the only correct reactant", "NOT the reactant")
    text = feedback(write_rows(row), "retrosynthesis", "C", feedback="full")
    assert text.splitlines()[2:] == ["The product's formula is C4H8O2."]


def test_the_molecule_in_question():
    assert molecule_in('… for the molecule "CCO" ?') == "CCO"
    assert molecule_in("representation 'CC(=O)O'?") == "CC(=O)O"
    assert molecule_in('separated by ".":\nCCO.[Na+].[Cl-]\nWhich product?') == "CCO.[Na+].[Cl-]"


def assert_no_leak(task, letter, verdict):
    question = question_of(task.answer_key)
    right = dict(question.options)[question.answer].strip()
    text = verdict.feedback
    assert not re.search(rf"(option|answer)[^.]*\b{question.answer}\b", text), (task.id, text)
    shown = re.escape(right)
    found = re.search(rf"(?<![\w.(]){shown}(?![\w.=(])", text)
    # A short option such as "1" may be in the text by chance; then it is there whatever is right.
    assert found is None or right in question.text or len(right) < 3, (task.id, letter, right, text)


def test_no_feedback_gives_an_answer_away(data_folder):
    pytest.importorskip("rdkit", reason="RDKit is not installed; pip install 'sdpo-gym[chem]'")
    verifier = SciKnowEvalVerifier(feedback="full", echo_response=True)
    for domain in ("chemistry", "physics", "biology", "materials"):
        for task in SciKnowEvalEnv(data=data_folder, domain=domain, split="test").tasks:
            answer = task.answer_key["answer"]
            texts = set()
            for letter, _ in task.answer_key["options"]:
                verdict = verifier.verify(task, letter)
                assert verdict.success == (letter == answer)
                if not verdict.success:
                    assert_no_leak(task, letter, verdict)
                    texts.add(verdict.feedback)
            assert len(texts) == len(task.answer_key["options"]) - 1


def test_the_asked_quantity_is_not_said(data_folder):
    """For a molar weight, no number of the size of the options; for counts and logD, no number of an option."""
    pytest.importorskip("rdkit", reason="RDKit is not installed; pip install 'sdpo-gym[chem]'")
    verifier = SciKnowEvalVerifier(feedback="full")
    subtasks = ["molar_weight_smiles", "counts_smiles", "solubility", "lipophilicity"]
    for task in SciKnowEvalEnv(data=data_folder, subtasks=subtasks).tasks:
        options = {float(text) for _, text in task.answer_key["options"]}
        wrong = next(letter for letter, _ in task.answer_key["options"] if letter != task.answer_key["answer"])
        said = verifier.verify(task, wrong).feedback
        numbers = {float(number) for number in re.findall(r"(?<=is )-?\d+(?:\.\d+)?(?=\.$)", said, re.MULTILINE)}
        rings = {float(number) for number in re.findall(r"\d+(?= rings?,| of them aromatic)", said)}
        assert not (numbers | rings) & options, (task.id, said)
        if task.id.startswith("molar_weight"):
            assert not numbers
