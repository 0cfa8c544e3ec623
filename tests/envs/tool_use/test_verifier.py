import re

from hypothesis import given, settings
from hypothesis import strategies as st

from envs.tool_use.env import ToolUseEnv
from envs.tool_use.questions import LEVELS
from envs.tool_use.tasks import solution_of


def start(task="level2-train-1", **arguments):
    """An environment at the beginning of a task, its solution, and the question."""
    env = ToolUseEnv(**arguments)
    env.reset(options={"task": task})
    question = env.tasks.question(task)
    return env, solution_of(question, arguments.get("call_format", "react")), question


def feedback(level, *responses, task="level2-train-1", **arguments):
    env, _, _ = start(task, feedback=level, **arguments)
    for response in responses:
        info = env.step(response)[4]
    return info["feedback"]


def test_refused_calls_are_observed_and_the_episode_goes_on():
    env, solution, _ = start()
    observation, reward, terminated, _, info = env.step('Action: get_shelf\nAction Input: {"book_id": "B1"}')
    assert observation == "Observation: Error: no book has the id 'B1'; find_books gives ids."
    assert info["feedback"] == "The call of 'get_shelf' was refused: no book has the id 'B1'; find_books gives ids."
    assert (reward, terminated, info["success"]) == (0.0, False, False)
    assert info["metrics"]["refused_calls"] == 1.0
    for response in solution:
        reward = env.step(response)[1]
    assert reward == 1.0


def test_responses_that_cannot_be_read_are_failed_attempts():
    env, solution, _ = start()
    observation, _, terminated, _, info = env.step("I do not know.")
    assert observation == info["feedback"] and not terminated
    assert observation.startswith("The response has neither an 'Action:'") and "Final Answer: the value" in observation
    assert info["metrics"]["format_errors"] == 1.0
    for response in solution:
        reward = env.step(response)[1]
    assert reward == 1.0


def test_a_wrong_answer_ends_the_episode():
    env, solution, _ = start()
    env.step(solution[0])
    observation, reward, terminated, _, info = env.step("Final Answer: nothing")
    assert (observation, reward, terminated, info["stop_reason"]) == ("", 0.0, True, "final")
    assert info["metrics"]["answered"] == 1.0 and info["metrics"]["solution_calls_made"] == 0.5
    env, _, _ = start(call_format="json")
    _, reward, terminated, _, info = env.step('{"answer": ""}')
    assert (reward, terminated, info["metrics"]["answered"]) == (0.0, True, 1.0)


def test_a_call_of_the_solution_counts_once():
    env, solution, _ = start()
    env.step(solution[0])
    metrics = env.step(solution[0])[4]["metrics"]
    assert (metrics["calls"], metrics["solution_calls_made"]) == (2.0, 0.5)


def test_why_an_answer_is_wrong():
    _, solution, question = start()
    book = question.calls[0].arguments["query"]["title"]
    assert question.template == "shelf_by_title"
    assert feedback("standard", "Final Answer: 7") == (
        "The final answer is not right. No tool was called before: the answer has to come from the tools' results."
    )
    refused = 'Action: get_shelf\nAction Input: {"book_id": "B1"}'
    assert feedback("standard", refused, "Final Answer: 7") == (
        "The final answer is not right. No call gave a result: the answer has to come from the tools' results."
    )
    assert feedback("standard", solution[0], f"Final Answer: {book}") == (
        "The final answer is not right. The answer must be one number."
    )
    assert feedback("standard", solution[0], "Final Answer: 7") == (
        "The final answer is not right. No result of a tool has this value."
    )
    env, _, _ = start()
    year = re.search(r'"year": (\d+)', env.step(solution[0])[0])[1]
    assert env.step(f"Final Answer: {year}")[4]["feedback"] == (
        "The final answer is not right. The value is in a result, but it is not the one that is asked for."
    )


def test_an_answer_that_is_computed_need_not_be_in_a_result():
    task = next(f"level3-train-{n}" for n, template in enumerate(LEVELS[3]) if template.__name__ == "windier_by")
    _, solution, question = start(task)
    assert question.template == "windier_by"
    assert feedback("standard", *solution[:-1], "Final Answer: 98765", task=task) == "The final answer is not right."


def test_levels_of_feedback():
    _, solution, _ = start()
    refused = 'Action: get_shelf\nAction Input: {"book_id": 1}'
    assert feedback("none", "Final Answer: 7") == feedback("none", refused) == feedback("none", "hm") == ""
    assert feedback("verdict", "Final Answer: 7") == "The final answer is not right."
    assert feedback("verdict", f"{refused}\n{refused}") == "A tool refused a call."
    assert "The calls were:" not in feedback("full", solution[0], refused)
    assert feedback("verdict", "hm") == "The response is neither a call nor an answer that can be read."
    assert feedback("full", refused, solution[0], "Final Answer: 7").splitlines() == [
        "The final answer is not right. No result of a tool has this value.",
        "The calls were:",
        "1. get_shelf: refused, argument 'book_id' must be a text, not 1",
        "2. find_books: a result",
    ]


def test_the_last_turn_has_to_answer():
    env, solution, _ = start(max_turns=1)
    observation, reward, terminated, _, info = env.step(solution[0])
    assert (observation, reward, terminated, info["stop_reason"]) == ("", 0.0, True, "max_turns")
    assert info["feedback"] == "The turns ran out before a final answer."
    assert feedback("standard", "hm", max_turns=1).endswith("\nThe turns ran out before a final answer.")


def test_what_the_tools_change_counts():
    task = next(f"level3-train-{n}" for n, template in enumerate(LEVELS[3]) if template.__name__ == "reservation")
    _, (find, reserve, answer), question = start(task)
    assert question.template == "reservation"
    other = reserve.replace('"card_number": ', '"card_number": 1')

    def outcome(*responses):
        env, _, _ = start(task)
        for response in responses:
            _, reward, _, _, info = env.step(response)
        return reward, info["feedback"]

    assert outcome(find, reserve, answer) == (1.0, "")
    assert outcome(find, answer)[1].endswith(
        "The question asks to order, book or reserve something, which was not done."
    )
    for calls in ([reserve, reserve], [other], [other, reserve]):
        reward, text = outcome(find, *calls, answer)
        assert reward == 0.0
        assert text.endswith("What was ordered, booked or reserved is not what the question asks for.")

    other_task = next(f"level3-train-{n}" for n, t in enumerate(LEVELS[3]) if t.__name__ == "train_between_towns")
    env, solution, question = start(other_task)
    books = env.tasks.find(other_task).answer_key["tools"]
    assert "place_order" in books
    for response in solution[:-1]:
        env.step(response)
    train = re.search(r"T\d{4}", env.render() or "\n".join(m["content"] for m in env._episode.messages))[0]
    env.step(f'Action: book_seats\nAction Input: {{"train_id": "{train}", "passengers": [{{"name": "A", "age": 9}}]}}')
    _, reward, _, _, info = env.step(solution[-1])
    assert reward == 0.0
    assert info["feedback"].endswith("Something was ordered, booked or reserved that the question does not ask for.")


def _strings(value):
    """Texts and numbers in JSON."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [str(value)]


def _occurs(text, said):
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", said) is not None


WRONG = st.sampled_from(
    [
        "",
        "hm",
        "Final Answer: nothing",
        "Final Answer: -1",
        "Final Answer: S0000",
        'Action: get_stock\nAction Input: {"product_id": "A0000"}',
        'Action: find_trains\nAction Input: {"from_id": "S0000"}',
        "Action: reserve_book\nAction Input: {}",
        "Action: nothing\nAction Input: {}",
        "Action: get_stock\nAction Input: {",
    ]
)


@given(
    st.integers(0, 199),
    st.lists(WRONG, min_size=1, max_size=4),
    st.integers(0, 3),
    st.sampled_from(["standard", "full"]),
)
@settings(max_examples=200)
def test_neither_the_answer_nor_the_solution_is_in_the_feedback(index, responses, done, level):
    """Whatever is done first, feedback has nothing of the answer or of the solution's arguments beyond the question."""
    env = ToolUseEnv(feedback=level, max_turns=10)
    prompt, info = env.reset(options={"task": index})
    question = env.tasks.question(info["task_id"])
    solution = solution_of(question, "react")[:-1][:done]
    secrets = {str(question.answer), *(text for call in question.calls for text in _strings(call.to_json()))}
    secrets = {text for text in secrets if not _occurs(text, prompt) and len(text) > 1}
    for response in [*solution, *responses]:
        _, _, terminated, _, info = env.step(response)
        for secret in secrets:
            assert not _occurs(secret, info["feedback"]), (secret, info["feedback"])
            assert secret not in {str(item.get("answer")) for item in info["feedback_items"]}
        if terminated:
            break


@given(st.text(max_size=200), st.integers(0, 24), st.sampled_from(["react", "json"]))
@settings(max_examples=50)
def test_any_text_is_survived(response, index, call_format):
    env = ToolUseEnv(call_format=call_format, max_turns=2)
    env.reset(options={"task": index})
    observation, reward, _, _, info = env.step(response)
    assert reward == 0.0 and isinstance(observation, str) and info["metrics"]["solved"] == 0.0
