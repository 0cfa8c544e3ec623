import base64
import json
import os
import zlib

import pytest

from envs.livecodebench import rows


def test_public_tests_come_first_and_are_visible(make_row):
    problem = rows.parse_row(make_row())
    assert (problem.id, problem.entry_point, problem.difficulty) == ("sum", "add", "easy")
    assert problem.public_tests == problem.tests[:1]
    assert problem.tests[0] == rows.Test("1\n2", "3", visible=True)
    assert [test.visible for test in problem.tests] == [True, False, False, False, False]


def test_private_tests_may_be_packed(make_row, pack):
    row = make_row()
    packed = row | {"private_test_cases": pack(row["private_test_cases"])}
    assert rows.parse_row(packed).tests == rows.parse_row(row).tests


class Attack:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_pickle_cannot_run_code(make_row, pack, tmp_path):
    problem = rows.parse_row(make_row(private_test_cases=pack(Attack(str(tmp_path / "made")))), "rows.jsonl, line 7")
    message = r"rows\.jsonl, line 7, problem 'sum': field 'private_test_cases': .* posix\.mkdir, which is refused"
    with pytest.raises(ValueError, match=message):
        problem.private_tests()
    assert not (tmp_path / "made").exists()


def _blob(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cut short"),
        ("{}", "neither a JSON list nor base64"),
        ("AAAA", "neither a JSON list nor base64 of zlib data"),
        ("[1, 2", "not JSON"),
        ("[" * 100_000, "not JSON"),
        (_blob(b"Pouter\n."), "outside object"),
        (_blob(b"cos\nsystem\n."), "os.system, which is refused"),
        (_blob(b"no pickle"), "not a pickle"),
        (_blob(b""), "not a pickle"),
        (_blob(b"\x80\x04K\x07."), "type int, not a text"),
        (_blob(b"\x80\x04\x8c\x02{}."), "must be a JSON list"),
        (_blob(b"\x80\x05\x96" + (1 << 45).to_bytes(8, "little")), "not a pickle"),
        (base64.b64encode(zlib.compress(b"x" * 1000)[:-6]).decode(), "cut short"),
    ],
)
def test_bad_blobs_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        rows.decode_tests(text)


def test_unpacking_is_bounded(monkeypatch, pack):
    monkeypatch.setattr(rows, "MAX_TESTS_BYTES", 1000)
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        rows.decode_tests(pack("[" + " " * 1000 + "]"))


STDIN_TEST = {"input": "1", "output": "1", "testtype": "stdin"}
FUNCTIONAL_TEST = {"input": "1", "output": "1", "testtype": "functional"}


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("question_id", 7, "field 'question_id' must be a text, not 7"),
        ("public_test_cases", None, "field 'public_test_cases' must be a text, not None"),
        ("public_test_cases", '[{"input": "1"}]', "field 'public_test_cases': a test needs texts"),
        ("public_test_cases", json.dumps([STDIN_TEST | {"testtype": "?"}]), "'testtype'"),
        ("public_test_cases", json.dumps([FUNCTIONAL_TEST | {"input": "1\nx"}]), "functional input is not JSON"),
        ("public_test_cases", json.dumps([FUNCTIONAL_TEST | {"output": "x"}]), "functional output is not JSON"),
        ("private_test_cases", None, "field 'private_test_cases' must be a text, not None"),
        ("contest_date", "May 2025", "field 'contest_date' must be an ISO date, not 'May 2025'"),
        ("metadata", "[]", "field 'metadata' must be a JSON object"),
        ("metadata", "{", "field 'metadata' is not JSON"),
        ("metadata", '{"func_name": "a.b"}', "field 'metadata': func_name must be a name"),
        ("metadata", "{}", "needs a func_name"),
        ("metadata", '{"func_name": "adds"}', "field 'starter_code' does not mention 'adds'"),
    ],
)
def test_a_malformed_row_is_named_by_place_and_field(make_row, field, value, message):
    with pytest.raises(ValueError, match=message) as caught:
        rows.parse_row(make_row(**{field: value}), "rows.jsonl, line 2")
    assert str(caught.value).startswith("rows.jsonl, line 2: ")


def test_white_space_around_tests_and_arguments_is_nothing(make_row):
    tests = " \n" + json.dumps([FUNCTIONAL_TEST | {"input": "1\n\n2\n"}])
    assert rows.parse_row(make_row(public_test_cases=tests)).public_tests[0].input == "1\n\n2\n"


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ([FUNCTIONAL_TEST | {"input": "1\nx"}], "functional input is not JSON"),
        ([FUNCTIONAL_TEST | {"output": "x"}], "functional output is not JSON"),
        ([{}], "a test needs texts 'input' and 'output'"),
    ],
)
def test_malformed_private_tests_are_found_when_they_are_read(make_row, pack, tests, message):
    problem = rows.parse_row(make_row(private_test_cases=pack(json.dumps(tests))), "rows.jsonl, line 2")
    with pytest.raises(ValueError, match=message) as caught:
        problem.private_tests()
    assert str(caught.value).startswith("rows.jsonl, line 2, problem 'sum': field 'private_test_cases': ")


def test_integers_may_be_as_long_as_in_the_official_grader(make_row):
    long = FUNCTIONAL_TEST | {"input": f"[-1{'0' * 49_999}]", "output": f'{{"a": 1{"0" * 49_999}}}'}
    row = make_row(public_test_cases=json.dumps([long]))
    assert rows.parse_row(row).public_tests[0].output == long["output"]
    assert rows.load_value(long["input"]) == [-(10**49_999)]
    assert rows.load_value(long["output"]) == {"a": 10**49_999}
    row = make_row(public_test_cases=json.dumps([long | {"output": f"1{'0' * 50_000}"}]))
    with pytest.raises(ValueError, match=r"field 'public_test_cases': .*an integer of more than 50000 digits"):
        rows.parse_row(row)


def test_a_missing_field_is_named(make_row):
    row = make_row()
    del row["difficulty"]
    with pytest.raises(ValueError, match="field 'difficulty' must be a text, but it is missing"):
        rows.parse_row(row)
