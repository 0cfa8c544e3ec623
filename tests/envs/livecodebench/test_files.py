import gzip
import json
import sys

import pytest

from envs.livecodebench.loading import index
from envs.livecodebench.loading.files import read_problems


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Keeps the indexes of all files, however small, in a folder of its own."""
    monkeypatch.setenv("SDPO_GYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(index, "MIN_BYTES_KEPT", 0)
    return tmp_path / "cache" / "livecodebench"


def write_json(path, rows):
    path.write_text(json.dumps(rows))


def write_jsonl(path, rows):
    path.write_text("\n\n".join(map(json.dumps, rows)))


def write_gzip(path, rows):
    path.write_bytes(gzip.compress("\n\n".join(map(json.dumps, rows)).encode()))


def write_parquet(path, rows):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed; pip install 'sdpo-gym[parquet]'")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), path)


@pytest.mark.parametrize(
    ("ending", "write"),
    [(".jsonl", write_jsonl), (".jsonl.gz", write_gzip), (".json", write_json), (".parquet", write_parquet)],
)
def test_every_kind_of_file_gives_the_same_problems(make_row, pack, tmp_path, ending, write):
    row = make_row(question_title='Tést "☃"\\')
    other = make_row(None, question_id="other")
    rows = [row, other | {"private_test_cases": pack(other["private_test_cases"])}]
    path = tmp_path / f"rows{ending}"
    write(path, rows[:1])
    problem = read_problems(path)[0]
    assert (problem.id, problem.title, problem.entry_point) == ("sum", 'Tést "☃"\\', "add")
    assert [test.output for test in problem.tests] == ["3", "7", "110", "1500", "10000"]

    write(path, rows)
    other = read_problems(str(path))[1]
    assert (other.id, other.entry_point, len(other.tests)) == ("other", None, 5)
    assert other.place.startswith(f"{path}, ")


def with_mark(text):
    return text.encode("utf-8-sig")


def test_a_byte_order_mark_makes_no_difference(make_row, pack, tmp_path):
    row = make_row()
    packed = row | {"private_test_cases": pack(row["private_test_cases"])}
    for name, data in {
        "packed.jsonl": with_mark(json.dumps(packed)),
        "plain.jsonl": with_mark(json.dumps(row)),
        "rows.jsonl.gz": gzip.compress(with_mark(json.dumps(row))),
        "rows.json": with_mark(json.dumps([row])),
    }.items():
        (tmp_path / name).write_bytes(data)
        (problem,) = read_problems(tmp_path / name)
        assert (problem.id, len(problem.tests)) == ("sum", 5)


def test_a_file_is_read_once_until_it_changes(make_row, write_rows):
    path = write_rows(make_row())
    first = read_problems(path)
    assert read_problems(str(path)) is first
    write_rows(make_row(), make_row(question_id="second"))
    assert len(read_problems(path)) == 2


PACKED_LATER = [
    '{{"private_test_cases": "{blob}", {rest}}}',
    '{{{rest}, "private_test_cases" :\t"{blob}"}}',
    '{{"a": "\\"private_test_cases\\": \\"x\\"", {rest}, "private_test_cases": "{blob}"}}',
    '{{"x\\"private_test_cases": "y", {rest}, "private_test_cases": "{blob}"}}',
    '{{"private_test_cases": null, {rest}, "private_test_cases": "{blob}"}}',
    '{{{rest}, "private_test_cases": "{escaped}"}}',
    '{{{rest}, "private_test_cases": "{plain}"}}',
]


@pytest.mark.parametrize("line", PACKED_LATER)
def test_private_tests_are_found_wherever_they_are_in_a_line(make_row, pack, tmp_path, cache, line):
    row = make_row()
    plain = row.pop("private_test_cases")
    blob = pack(plain)
    parts = {
        "rest": json.dumps(row)[1:-1],
        "blob": blob,
        "escaped": f"\\u{ord(blob[0]):04x}{blob[1:]}",
        "plain": json.dumps(plain)[1:-1],
    }
    path = tmp_path / "rows.jsonl"
    path.write_text("\n" + line.format(**parts) + "\r\n")
    assert [test.output for test in read_problems(path)[0].tests] == ["3", "7", "110", "1500", "10000"]
    assert len(list(cache.iterdir())) == 1


def test_the_index_is_kept_and_made_again(make_row, pack, tmp_path, cache):
    row = make_row()
    path, copy = tmp_path / "rows.jsonl", tmp_path / "copy.jsonl"
    for file in (path, copy):
        write_jsonl(file, [row | {"private_test_cases": pack(row["private_test_cases"])}])
    problem = read_problems(path)[0]
    (kept,) = cache.iterdir()
    assert pack(row["private_test_cases"]) not in kept.read_text()

    content = json.loads(kept.read_text())
    content["lines"][0]["fields"]["question_title"] = "from the index"
    kept.write_text(json.dumps(content))
    assert index.read_index(_file(path))[0].fields["question_title"] == "from the index"
    for broken in ("", "{}", '{"lines": [{"number": 1}]}', "[1]"):
        kept.write_text(broken)
        assert index.read_index(_file(path))[0].fields["question_title"] == "Sum"
    assert len(problem.tests) == 5

    cache.rename(cache.with_name("elsewhere"))
    cache.write_text("a file where the folder should be")
    assert len(read_problems(copy)[0].tests) == 5


def _file(path):
    status = path.stat()
    return index.DataFile(path, status.st_mtime_ns, status.st_size)


def test_a_file_that_changes_under_way_is_refused(make_row, pack, write_rows):
    row = make_row()
    packed = row | {"private_test_cases": pack(row["private_test_cases"])}
    problem = read_problems(write_rows(packed))[0]
    path = write_rows(packed, packed)
    with pytest.raises(ValueError, match="has changed since its rows were read"):
        problem.private_tests()
    assert str(path) in problem.place


def test_a_malformed_row_is_named_by_file_line_and_field(make_row, write_rows):
    path = write_rows(make_row(), make_row(difficulty=7))
    with pytest.raises(ValueError, match="field 'difficulty' must be a text, not 7") as caught:
        read_problems(path)
    assert f"{path}, line 2: " in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("bad.jsonl.gz", b"not gzip", "not a complete gzip file"),
        ("bad.jsonl.gz", gzip.compress(b"{}" * 999)[:-9], "not a complete gzip file"),
        ("bad.jsonl.gz", gzip.compress(b"\n[]\n"), "line 2: the row must be a JSON object"),
        ("bad.jsonl.gz", gzip.compress(b"\n\xff\n"), r"bad\.jsonl\.gz, line 2: 'utf-8' codec can't decode"),
        ("bad.jsonl", b"nonsense\n", "line 1: the row is not JSON"),
        ("bad.jsonl", b'{"private_test_cases": "', "line 1: the row is not JSON"),
        ("bad.jsonl", b'{"private_test_cases": ""', "line 1: the row is not JSON"),
        ("bad.jsonl", b"\xff\n", "line 1: "),
        ("bad.jsonl", b"\n", r"bad\.jsonl holds no row"),
        ("bad.jsonl.gz", gzip.compress(b""), r"bad\.jsonl\.gz holds no row"),
        ("bad.json", b"[]", r"bad\.json holds no row"),
        ("bad.json", b'{"question_id": "a"}\n{}', "is not JSON: .* name it .jsonl"),
        ("bad.json", b'{"question_id": "a"}', "must hold a JSON list of rows"),
        ("bad.json", b"[{}]", "row 1: field 'private_test_cases' must be a text, but it is missing"),
        ("bad.csv", b"", r"must end with one of \.jsonl, \.jsonl\.gz, \.json, \.parquet"),
    ],
)
def test_what_is_no_data_file(tmp_path, name, data, message):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=message):
        read_problems(tmp_path / name)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no data file .*none\.jsonl"):
        read_problems(tmp_path / "none.jsonl")


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "rows.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"rows\.parquet .* needs pyarrow: pip install 'sdpo-gym\[parquet\]'"):
        read_problems(tmp_path / "rows.parquet")


def test_a_file_that_is_no_parquet(tmp_path):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed; pip install 'sdpo-gym[parquet]'")
    (tmp_path / "rows.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match="is not a Parquet file"):
        read_problems(tmp_path / "rows.parquet")
