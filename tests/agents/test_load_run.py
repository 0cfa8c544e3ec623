"""Reading what a run left: also after a crash, and where there is nothing to read."""

import json

import pytest
from report_runs import make_run

from agents.errors import UsageError
from agents.runs.folder import RunFolder
from agents.runs.load import load_run
from agents.runs.resumable import ResumableRun


@pytest.fixture
def folder(tmp_path):
    return make_run(tmp_path / "run")


def test_a_run_comes_back(folder):
    run = load_run(folder)
    assert (run.program, run.settings["lr"], run.settings["advantage_clip"]) == ("agents.sdpo", 1e-5, float("inf"))
    assert "python" in run.versions
    assert [record["step"] for record in run.metrics["train"]] == [1, 2, 3, 4]
    assert [record["step"] for record in run.metrics["evaluation"]] == [0, 4] and run.metrics["preflight"] == []
    assert [rollout["id"] for rollout in run.rollouts[:4]] == [f"{n}" for n in _ids()][:4]
    assert {record["rollout"] for record in run.credit} == {f"train-{s}-{i}" for s in (1, 2, 3, 4) for i in (0, 1)}


def _ids():
    return ["evaluation-0-0", "evaluation-0-1", "train-1-0", "train-1-1"]


def test_records_are_rows_of_a_table(folder):
    """Equal columns everywhere, so that a data frame has no holes."""
    run = load_run(str(folder))
    for records in (run.rollouts, run.metrics["train"], run.metrics["evaluation"]):
        assert {tuple(record) for record in records} == {tuple(records[0])}


@pytest.mark.parametrize("rest", [b'{"step": 5, "phase": "tra', b"\x00\x00", b"{"])
def test_a_line_that_a_crash_cut_off_is_left_out(rest, folder):
    whole = load_run(folder)
    counts = len(whole.metrics["train"]), len(whole.rollouts), len(whole.credit)
    for name in ("metrics.jsonl", "rollouts.jsonl", "credit.jsonl"):
        with open(folder / name, "ab") as file:
            file.write(rest)
    run = load_run(folder)
    assert (len(run.metrics["train"]), len(run.rollouts), len(run.credit)) == counts


@pytest.mark.parametrize(
    ("line", "message"), [("{broken", "is not JSON"), ("[]", "is no record"), ('{"step": 1}', "is no record with step")]
)
def test_another_broken_line_is_named(line, message, folder):
    for name, read in (("rollouts.jsonl", lambda run: run.rollouts), ("metrics.jsonl", lambda run: run.metrics)):
        lines = (folder / name).read_text().splitlines()
        (folder / name).write_text("\n".join([lines[0], line, *lines[1:]]) + "\n")
        with pytest.raises(UsageError, match=f"{name}, line 2, {message}"):
            read(load_run(folder))


def test_folders_from_before_there_were_versions(folder):
    content = json.loads((folder / "config.json").read_text())
    del content["format"], content["program"]
    (folder / "config.json").write_text(json.dumps(content))
    rollouts = load_run(folder).rollouts
    lines = [json.loads(line) for line in (folder / "rollouts.jsonl").read_text().splitlines()]
    for line in lines:
        del line["id"]
    (folder / "rollouts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "credit.jsonl").unlink()
    run = load_run(folder)
    assert run.program == "agents.sdpo" and run.credit == []
    assert [rollout["id"] for rollout in run.rollouts] == [rollout["id"] for rollout in rollouts]


class TestWhatIsNoRun:
    def test_nothing(self, tmp_path):
        with pytest.raises(UsageError, match=r"nowhere holds no run"):
            load_run(tmp_path / "nowhere")

    def test_another_folder(self, tmp_path):
        (tmp_path / "config.json").write_text('{"name": "of another program"}')
        with pytest.raises(UsageError, match="does not say what run it belongs to"):
            load_run(tmp_path)

    def test_another_version(self, folder):
        content = json.loads((folder / "config.json").read_text()) | {"format": "sdpo-gym run 7"}
        (folder / "config.json").write_text(json.dumps(content))
        with pytest.raises(UsageError, match="'sdpo-gym run 7'; this version of sdpo-gym reads 'sdpo-gym run 1'"):
            load_run(folder)

    def test_an_empty_run(self, tmp_path):
        RunFolder(tmp_path / "run", {"steps": 3}, program="agents.grpo")
        with pytest.raises(UsageError, match="is empty"):
            load_run(tmp_path / "run")
        (tmp_path / "run" / "metrics.jsonl").write_text('{"step": 0, "ph')
        with pytest.raises(UsageError, match="is empty"):
            load_run(tmp_path / "run")

    @pytest.mark.parametrize("program", ["agents.evaluate", "agents.discovery"])
    @pytest.mark.parametrize("tells", [True, False])
    def test_what_others_wrote(self, program, tells, tmp_path):
        settings = {"model": ["smollm2"]} if program == "agents.evaluate" else {"budget": 64}
        folder = ResumableRun(tmp_path / "run", program, settings)
        folder.write("report.md", "a table")
        if not tells:
            (folder.path / "config.json").write_text(json.dumps({"config": settings, "versions": {}}))
        with pytest.raises(UsageError, match=f"holds what {program} wrote, not a training run; its own report is .*md"):
            load_run(folder.path)
