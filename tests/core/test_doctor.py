"""`sdpo-gym doctor`: what it finds, and what it advises."""

import json
import sys
from pathlib import Path

import pytest

from sdpo_gym import doctor
from sdpo_gym.doctor import machine, packages
from sdpo_gym.doctor.finding import Finding


def by_name(findings):
    return {finding.name: finding for finding in findings}


@pytest.fixture
def sandboxes(monkeypatch):
    """What is to be found of sandboxes, in place of what this machine has."""
    there = {"local": True, "docker": False}
    for kind in there:
        monkeypatch.setattr(
            doctor, f"find_{kind}_sandbox", lambda kind=kind: (there[kind], [Finding(kind, "seen", f"mend {kind}")])
        )
    return there


def test_text_and_json_say_the_same(sandboxes, capsys):
    assert doctor.examine() == 0
    text = capsys.readouterr().out
    assert doctor.examine(as_json=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["sandbox"] is True and set(report["findings"]) >= {"machine", "device", "packages", "caches"}
    for title, findings in report["findings"].items():
        assert f"{title}\n" in text
        for finding in findings:
            assert finding["name"] in text and finding["advice"] in text
    machine = {finding["name"]: finding["found"] for finding in report["findings"]["machine"]}
    assert int(machine["CPUs"].split()[0]) >= 1 and "GiB free" in machine["disk, cache"]


@pytest.mark.parametrize(("local", "docker_there", "code"), [(True, False, 0), (False, True, 0), (False, False, 1)])
def test_the_exit_code_says_whether_there_is_a_sandbox(local, docker_there, code, sandboxes, capsys):
    sandboxes |= {"local": local, "docker": docker_there}
    assert doctor.examine() == code
    assert ("Ways out" in capsys.readouterr().out) == bool(code)


def test_extras_are_listed_with_what_they_lack(tmp_path, monkeypatch):
    folder = tmp_path / "sdpo_gym-9.9.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: sdpo-gym\nVersion: 9.9\n"
        "Requires-Dist: gymnasium>=1.1\n"
        "Requires-Dist: no-such-package>=1; extra == 'chem'\n"
        'Requires-Dist: numpy; extra == "chem"\n'
        "Requires-Dist: sdpo-gym[chem]; extra == 'test'\n"
        "Requires-Dist: pytest; extra == 'test'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = by_name(packages.find_packages())
    assert set(found) == {"sdpo-gym 9.9", "[chem]", "[test]"}
    assert found["sdpo-gym 9.9"].found.startswith("gymnasium 1.") and not found["sdpo-gym 9.9"].advice
    assert "numpy 2" in found["[chem]"].found and "no no-such-package" in found["[chem]"].found
    assert found["[chem]"].advice == "pip install 'sdpo-gym[chem]'"


def test_every_extra_has_a_purpose():
    tomllib = pytest.importorskip("tomllib", reason="needs Python 3.11")
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert set(project["optional-dependencies"]) == set(packages.PURPOSES)


def test_torch_that_is_missing_or_broken(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it raises ImportError
    monkeypatch.setattr(machine, "version", lambda name: "2.0")
    [finding] = machine.find_devices()
    assert "cannot be imported" in finding.found and "reinstall torch" in finding.advice
    monkeypatch.setattr(machine, "version", lambda name: None)
    [finding] = machine.find_devices()
    assert "environments work" in finding.found and "sdpo-gym[agents]" in finding.advice


def test_caches_are_measured(tmp_path, monkeypatch):
    blob = tmp_path / "hub" / "models--a--b" / "blobs" / "x"
    blob.parent.mkdir(parents=True)
    with open(blob, "wb") as file:
        file.truncate(3 << 30)
    (blob.parents[1] / "link").symlink_to(blob)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("SDPO_GYM_CACHE", str(tmp_path / "own"))
    found = by_name(machine.find_caches())
    assert found["Hugging Face hub"].found == f"1 models and 0 datasets, 3.00 GiB at {tmp_path / 'hub'}"
    assert found["sdpo-gym"].found == f"nothing yet at {tmp_path / 'own'}"


def test_folders_that_cannot_be_used_are_told(sandboxes, monkeypatch, capsys):
    monkeypatch.setenv("SDPO_GYM_CACHE", "~no-such-user/cache")
    monkeypatch.setenv("HF_HUB_CACHE", f"/{'x' * 5_000}")
    assert doctor.examine(as_json=True) == 0
    sections = json.loads(capsys.readouterr().out)["findings"]
    found = {finding["name"]: finding for title in ("machine", "caches") for finding in sections[title]}
    for name in ("disk, cache", "Hugging Face hub", "sdpo-gym"):
        assert "cannot be used" in found[name]["found"] and found[name]["advice"], name
    assert "GiB free" in found["disk, temporary files"]["found"]


def test_a_full_disk(monkeypatch):
    monkeypatch.setattr(machine, "LITTLE_DISK", 0)
    assert not by_name(machine.find_machine())["disk, cache"].advice
    monkeypatch.setattr(machine, "LITTLE_DISK", 1 << 60)
    assert "make room" in by_name(machine.find_machine())["disk, cache"].advice
