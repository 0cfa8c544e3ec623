import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from envs.sciknoweval.grading import GRADERS, is_well_formed, read_lenient, read_paper

OPTIONS = (("A", "1.5"), ("B", "benzene\n"), ("C", "CCO"), ("D", "a long  one"))
FORMULAS = (("A", "118.15"), ("B", "The energy is $E = mc^2$"), ("C", "$\\frac{1}{2}$."), ("D", "**none** of them"))


@pytest.mark.parametrize("letter", "ABCD")
@pytest.mark.parametrize(
    "form",
    [
        "<reasoning>x</reasoning>\n<answer>\n{}\n</answer>",
        "<answer>{}</answer> and more",
        "<answer>A B</answer> no: <answer>{}</answer>",
        "{}",
        "  {}\n",
        "<answer>{}",
    ],
)
def test_what_both_graders_take(form, letter):
    for read in (read_paper, read_lenient):
        assert read(form.format(letter), OPTIONS).letter == letter


@pytest.mark.parametrize(
    "response",
    [
        "<answer>(B)</answer>",
        "<answer>B.</answer>",
        "<answer>**B**</answer>",
        "<answer>\\boxed{\\text{B}}</answer>",
        "<answer>b</answer>",
        "<answer>B: benzene</answer>",
        "<answer>B) benzene</answer>",
        "I think so.\nThe answer is B.",
        "I think so.\n\n**Answer: (B)**",
        "Therefore the correct option is $\\boxed{B}$",
        "B: benzene",
        "B: benzene.",
        "The correct answer is **B**.",
        "**Answer:** B",
        "Answer: B: benzene.",
        "Since A is not soluble, the answer is B.",
        "By elimination the answer is B",
        "So, the answer is A. No, the answer is B",
        "The final answer is $\\boxed{B}$.",
        "\\boxed{B}.",
        "\\(\\boxed{B}\\)",
        "\\(\\boxed{\\text{B}}\\)",
        "\\[\\boxed{B}.\\]",
        "**B**: benzene",
        "**B.** benzene",
        "**B: benzene**.",
        "<answer>**B**.</answer>",
        "<answer>Option B</answer>",
        "Option **B**",
        "The answer is option B.",
        "So I choose option B.",
        "I'd pick B",
    ],
)
def test_what_only_the_lenient_grader_takes(response):
    assert read_lenient(response, OPTIONS).letter == "B"
    assert read_paper(response, OPTIONS).letter is None


@pytest.mark.parametrize("letter", "ABCD")
@pytest.mark.parametrize("form", ["{}: {}", "{}: {}.", "**{}**: {}", "**{}. {}**", "<answer>({}) {}</answer>"])
def test_an_option_is_given_with_its_text(form, letter):
    """Also where the text begins or ends with what is a mark elsewhere."""
    assert read_lenient(form.format(letter, dict(FORMULAS)[letter]), FORMULAS).letter == letter


@pytest.mark.parametrize(
    "response",
    [
        "The answer is A.\n\nThis rules out option C.",
        "I'd pick D.\n(It cannot be option B)",
        "It is certainly not option C.",
        "Let me now check option B",
        "This is not the right choice: B",
        "I exclude this option: B",
        "I would not choose B.",
        "It isn't the answer: B",
        "It isn’t the answer: B",
    ],
)
def test_an_option_that_is_only_mentioned_is_no_answer(response):
    assert read_lenient(response, OPTIONS).problem == "no_answer"


def test_thoughts_are_not_read():
    for response in ("<think>\nThe answer is B", "<think> is it <answer>A</answer>", "<think>A</think>\n<think>B"):
        assert read_lenient(response, OPTIONS).problem == "unfinished_thought"
    assert read_lenient("<think>is it <answer>A</answer></think>", OPTIONS).problem == "no_answer"
    assert read_lenient("<think>C? <answer>A</answer></think>\nB.", OPTIONS).letter == "B"
    assert read_lenient("<answer>B</answer> without a <think>", OPTIONS).letter == "B"
    assert read_paper("<think> is it <answer>A</answer>", OPTIONS).letter == "A"


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("ABCD", "no_answer"),
        ("A, B, C, D", "no_answer"),
        ("A or B", "no_answer"),
        ("It is B, I think", "no_answer"),
        ("The answer is not B", "no_answer"),
        ("B: ethanol", "no_answer"),
        ("A\nbecause of this", "no_answer"),
        ("<answer>A B</answer>", "not_one_letter"),
        ("<answer>A: benzene</answer>", "not_one_letter"),
        ("<answer></answer>", "not_one_letter"),
        ("<answer>A</answer><answer></answer>", "not_one_letter"),
        ("<answer>E</answer>", "unknown_letter"),
        ("Z", "unknown_letter"),
    ],
)
def test_what_is_no_answer(response, problem):
    for read in (read_paper, read_lenient):
        choice = read(response, OPTIONS)
        assert (choice.letter, choice.problem) == (None, problem)


@pytest.mark.parametrize("read", [read_paper, read_lenient])
def test_a_letter_that_the_question_lacks_is_unknown(read):
    assert read("C", OPTIONS[:2]).problem == "unknown_letter" and read("C", OPTIONS).letter == "C"


@given(st.text(alphabet=st.sampled_from("ABCDE<>/answer()*`_$\\{}bowxd:. \n\x00é")), st.sampled_from(sorted(GRADERS)))
@example("*" * 100_000 + "x", "lenient")
@example("<answer>" * 50_000, "lenient")
@example("answer " * 100_000 + "x", "lenient")
@example("not, answer" * 100_000 + "x", "lenient")
@example("answer" + " " * 100_000 + "x", "lenient")
@example("B" + "*)" * 100_000 + "x", "lenient")
@example("\\boxed{" * 20_000 + "B" + "}" * 20_000, "lenient")
def test_any_text_is_read(response, grader):
    choice = GRADERS[grader](response, OPTIONS)
    assert (choice.letter in dict(OPTIONS)) == (choice.problem == "")
    assert isinstance(is_well_formed(response), bool)


def test_the_papers_form():
    good = "<reasoning>\nx\n</reasoning>\n<answer>\nA\n</answer>\n"
    assert is_well_formed(good)
    for bad in ("A", good + "!", good.replace("A", "A."), good.replace("</reasoning>", "")):
        assert not is_well_formed(bad)
