from datetime import date, datetime

import pytest

from envs.livecodebench.rows import parse_row
from envs.livecodebench.selection import ERRATA, make_selection


@pytest.fixture
def problems(make_row):
    facts = [
        ("abc311_c", "Find it!", "atcoder", "easy", "2023-07-22T00:00:00"),
        ("3000", "find-the-peaks", "leetcode", "easy", "2023-11-26T00:00:00"),
        ("3001", "Two Sum", "leetcode", "hard", "2025-01-31T23:59:59"),
        ("1873_A", "A. Short Sort", "codeforces", "medium", "2025-02-01T00:00:00"),
        ("abc400_a", "ABC400 Party", "atcoder", "easy", "2025-05-01T00:00:00"),
    ]
    names = ("question_id", "question_title", "platform", "difficulty", "contest_date")
    return [parse_row(make_row(**dict(zip(names, values, strict=True)))) for values in facts]


def ids(problems, **arguments):
    return [problem.id for problem in make_selection(**arguments).apply(problems)]


def test_errata_are_left_out_by_default(problems):
    assert ids(problems) == ["3001", "1873_A", "abc400_a"]
    assert len(ids(problems, exclude=None)) == 5
    assert len(ERRATA) == 17


def test_exclude(problems):
    assert ids(problems, exclude="3001") == ["abc311_c", "3000", "1873_A", "abc400_a"]
    assert ids(problems, exclude=["errata", "two-sum", "1873_A"]) == ["abc400_a"]
    assert len(ids(problems, exclude=[])) == 5


@pytest.mark.parametrize("since", ["2025-02-01", "2025-02-01T12:00:00.5Z", date(2025, 2, 1), datetime(2025, 2, 1, 12)])
def test_dates_include_the_first_and_exclude_the_last(problems, since):
    assert ids(problems, since=since) == ["1873_A", "abc400_a"]
    assert ids(problems, since=since, until="2025-05-01") == ["1873_A"]
    assert ids(problems, until="2025-02-01") == ["3001"]


def test_difficulty_and_platform(problems):
    assert ids(problems, difficulty="easy") == ["abc400_a"]
    assert ids(problems, difficulty=("easy", "medium")) == ["1873_A", "abc400_a"]
    assert ids(problems, platform="atcoder", exclude=None) == ["abc311_c", "abc400_a"]
    assert ids(problems, platform={"leetcode"}, difficulty=["hard"]) == ["3001"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"since": "February"}, "since must be a date such as '2025-02-01', not 'February'"),
        ({"until": 20250501}, "until must be a date"),
        ({"difficulty": "cruel"}, r"difficulty must be one or more of \['easy', 'hard', 'medium'\], .*'cruel'"),
        ({"difficulty": ["easy", "cruel"]}, r"difficulty must be one or more .*not \['cruel', 'easy'\]"),
        ({"difficulty": []}, "difficulty must be one or more"),
        ({"difficulty": "easy,hard"}, r"not \['easy,hard'\]; several are a list: difficulty=\[\"easy\", \"hard\"\]$"),
        ({"difficulty": 3}, "difficulty must be a text, a list of texts or None, not 3"),
        ({"platform": "topcoder"}, r"platform must be one or more of \['atcoder', 'codeforces', 'leetcode'\]"),
        ({"exclude": ["3001", "3002"]}, r"no problem of the data has: \['3002'\]"),
        ({"exclude": [3001]}, "exclude must be a text"),
        (
            {"since": "2030-01-01", "difficulty": "easy", "exclude": None},
            r"none of the 5 problems, with contest dates from 2023-07-22 to 2025-05-01, "
            r"fits since='2030-01-01', difficulty=\['easy'\]; leave some of these out$",
        ),
        (
            {"platform": "codeforces", "exclude": ["errata", "1873_A"]},
            r"fits platform=\['codeforces'\], exclude=\['errata', '1873_A'\]; leave",
        ),
    ],
)
def test_what_cannot_be_selected(problems, arguments, message):
    with pytest.raises(ValueError, match=message):
        ids(problems, **arguments)
