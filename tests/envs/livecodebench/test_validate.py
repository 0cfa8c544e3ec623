import json

import pytest

from envs.livecodebench import validate


def test_rows_in_order(make_row, write_rows, capsys):
    path = write_rows(make_row(), make_row(None, question_id="other"))
    assert validate.main([str(path)]) == 0
    assert capsys.readouterr().out == "2 problems with 10 tests are in order; 0 complaints\n"


def test_every_complaint_is_told(make_row, write_rows, pack, capsys):
    rows = [
        make_row(),
        make_row(question_id="a", difficulty=None),
        make_row(question_id="b", private_test_cases=pack(print)),
        make_row(question_id="c", private_test_cases=pack(json.dumps([{"input": 1}]))),
        make_row(question_id="d", public_test_cases="[]", private_test_cases="[]"),
        make_row(),
    ]
    assert validate.main([str(write_rows(*rows))]) == 1
    *complaints, summary = capsys.readouterr().out.splitlines()
    assert summary == "1 problems with 5 tests are in order; 5 complaints"
    for complaint, line, words in zip(
        complaints,
        (2, 3, 4, 5, 6),
        (
            "'difficulty' must be",
            "'b': field 'private_test_cases': the pickle asks",
            "'c'",
            "has no test",
            "is also in",
        ),
        strict=True,
    ):
        assert f"line {line}" in complaint and words in complaint


def test_a_file_that_cannot_be_read_on(tmp_path, make_row, capsys):
    (tmp_path / "rows.jsonl").write_text(json.dumps(make_row()) + "\n[]\n")
    assert validate.main([str(tmp_path / "rows.jsonl")]) == 1
    assert "line 2: the row must be a JSON object" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["none.jsonl"], [__file__]])
def test_misuse(arguments):
    with pytest.raises(SystemExit) as caught:
        validate.main(arguments)
    assert caught.value.code == 2
