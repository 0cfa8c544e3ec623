import pytest

from envs.tool_use.answers import is_right, numbers_in, occurs_in


@pytest.mark.parametrize(
    "given",
    [
        "57",
        "57.",
        " 57 ",
        "57 pieces",
        "57.0",
        "**57**",
        "There are 57 in stock.",
        "A4821: 57",
        "57pcs",
        "57km/h",
        "57°C",
    ],
)
def test_right_numbers(given):
    assert is_right(given, 57)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "58",
        "-57",
        "5 7",
        "57 or 58",
        "57 57",
        "570",
        "A57",
        "a57b",
        "57e3",
        "57pcs of A4821 or 58",
        "fifty-seven",
        "57" + " " * 300,
    ],
)
def test_wrong_numbers(given):
    assert not is_right(given, 57)


def test_signs_and_thousands():
    assert is_right("-3 °C", -3) and is_right("−3", -3) and not is_right("3", -3)
    assert is_right("–3 degrees", -3) and not is_right("–3", 3)
    assert is_right("1,769", 1769) and not is_right("1,769.5", 1769)


@pytest.mark.parametrize("given", ["The Iron Dream", "the iron  dream.", '"The Iron Dream"', "'The Iron Dream'."])
def test_right_texts(given):
    assert is_right(given, "The Iron Dream")


@pytest.mark.parametrize("given", ["", "Iron Dream", "The Iron Dream, The Amber Archive", "It is The Iron Dream"])
def test_wrong_texts(given):
    assert not is_right(given, "The Iron Dream")


def test_numbers_in():
    assert numbers_in("T4821 departs 09:30 for -5.5, not 1,200m or x2 in 2e3s") == [9.0, 30.0, -5.5, 1200.0, 2000.0]


def test_occurs_in():
    results = [[{"id": "A1", "n": 3}], {"stock": {"n": 57}}]
    assert occurs_in("a1", results) and occurs_in("57 pieces", results)
    assert not occurs_in("58", results) and not occurs_in("stock", results)
