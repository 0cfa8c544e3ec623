"""Tasks of the real package reasoning-gym, as an environment."""

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

import sdpo_gym  # noqa: F401

package = pytest.importorskip("reasoning_gym", reason="reasoning-gym is not installed: pip install reasoning-gym")

ID = "sdpo/ReasoningGym-v0"
KINDS = ["chain_sum", "basic_arithmetic", "letter_counting", "leg_counting", "word_sorting", "gcd", "maze", "sudoku"]
KINDS += ["complex_arithmetic", "fraction_simplification", "decimal_arithmetic"]


@pytest.mark.filterwarnings("error")
def test_gymnasiums_checker():
    check_env(gymnasium.make(ID, max_turns=2, render_mode="ansi").unwrapped)


@pytest.mark.parametrize("kind", KINDS)
def test_the_packages_own_answers_are_right(kind):
    env = gymnasium.make(ID, dataset=kind, size=20, dataset_seed=3)
    for index, entry in enumerate(package.create_dataset(kind, size=3, seed=3)):
        prompt, info = env.reset(options={"task": index})
        assert prompt.startswith(entry["question"]) and info["task_id"] == f"{kind}-3-{index}"
        _, reward, terminated, _, info = env.step(f"<answer>no</answer> or <answer>\n{entry['answer']}\n</answer>.")
        assert (reward, terminated, info["success"], info["feedback"]) == (1.0, True, True, "")


@pytest.mark.parametrize(
    ("response", "feedback"),
    [
        ("", "no answer"),
        ("42", "no answer"),
        ("<answer>42", "no answer"),
        ("</answer>42<answer>", "no answer"),
        ("<answer>-123456789</answer>", "The answer is wrong."),
        ("<answer></answer>", "The answer"),
        ("<answer>\ud800 ≤</answer>", "The answer"),
        ("<answer>" * 100_000, "no answer"),
        ("<answer>" * 50_000 + "</answer>" * 50_000, "The answer"),
    ],
)
def test_bad_responses_are_failed_attempts(response, feedback):
    env = gymnasium.make(ID, max_turns=2)
    env.reset(seed=0)
    observation, reward, terminated, _, info = env.step(response)
    assert reward < 0.1 and not info["success"] and not terminated
    assert feedback in info["feedback"] and observation == info["feedback"]


@pytest.mark.parametrize("answer", ["nan", "NaN", "-nan", "(nan)", " nan + 1i\n", "1 - nani", "inf", "1e999"])
def test_what_is_no_finite_number_is_not_the_right_one(answer):
    env = gymnasium.make(ID, dataset="complex_arithmetic", size=5)
    env.reset(options={"task": 0})
    _, reward, _, _, info = env.step(f"<answer>{answer}</answer>")
    assert (reward, info["success"], info["feedback"]) == (0.0, False, "The answer is not a finite number.")


def test_the_settings_decide_the_tasks():
    easy = gymnasium.make(ID, dataset="chain_sum", config={"min_terms": 2, "max_terms": 2})
    assert easy.get_wrapper_attr("num_tasks") == 500
    prompts = [easy.reset(options={"task": i})[0] for i in range(5)]
    assert all(prompt.count("+") + prompt.count(" - ") == 1 for prompt in prompts)
    other = gymnasium.make(ID, dataset="chain_sum", config={"min_terms": 2, "max_terms": 2}, dataset_seed=1)
    assert other.reset(options={"task": 0})[0] != prompts[0]
    assert easy.reset(options={"task": "chain_sum-0-3"})[0] == prompts[3]
    for task in ("chain_sum-1-3", "chain_sum-0-500", "chain_sum-0--1", "chain_sum-0-x", "gcd-0-1"):
        with pytest.raises(ValueError, match="unknown task id"):
            easy.reset(options={"task": task})


@pytest.mark.parametrize("kind", ["countdown", "puzzle24", "n_queens", "spiral_matrix", "simple_integration"])
def test_kinds_that_run_answers_as_programs_are_refused(kind):
    with pytest.raises(ValueError, match=f"scores '{kind}' with .*allow_unsafe=True"):
        gymnasium.make(ID, dataset=kind)
    env = gymnasium.make(ID, dataset=kind, size=5, allow_unsafe=True)
    env.reset(seed=0)
    assert env.step("<answer>1</answer>")[1] < 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset": "nothing"}, "no dataset 'nothing'; it has .*chain_sum"),
        ({"config": {"colour": 1}}, "refuses these settings.*colour"),
        ({"config": {"min_terms": 0}}, "refuses these settings"),
        ({"max_turns": 0}, "max_turns"),
    ],
)
def test_misuse(arguments, message):
    with pytest.raises(ValueError, match=message):
        gymnasium.make(ID, **arguments)
