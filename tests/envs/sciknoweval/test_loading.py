"""Questions from files and from the hub: its real client, with a hub of our own on this machine."""

import json
import os
import subprocess
import sys

import pytest
from local_hub import fill_cache, serve_hub

from envs.sciknoweval.env import SciKnowEvalEnv
from envs.sciknoweval.loading import FILE, PAPER_COUNTS, REPOSITORY, load_questions, split_indices
from envs.sciknoweval.questions import paper_messages
from envs.sciknoweval.subtasks import DOMAINS, SUBTASKS, subtask_of

FOLDERS = {domain: "material" if domain == "materials" else domain for domain in DOMAINS}


def authors_rows(data_folder, domain):
    """By split, in order."""
    files = {split: data_folder / FOLDERS[domain] / f"{split}.json" for split in ("train", "test")}
    return {split: [json.loads(line) for line in file.read_text().splitlines()] for split, file in files.items()}


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_authors_files(data_folder, domain):
    rows = authors_rows(data_folder, domain)
    indices = split_indices(PAPER_COUNTS[domain])
    for split in ("train", "test"):
        questions = load_questions(data_folder, domain, split)
        assert questions == load_questions(data_folder / FOLDERS[domain], domain, split)
        assert questions == load_questions(data_folder / FOLDERS[domain] / f"{split}.json", domain, None)
        assert [question.index for question in questions] == indices[split]
        for row, question in zip(rows[split], questions, strict=True):
            assert [message["content"] for message in paper_messages(question)] == [row["system"], row["prompt"]]
            assert question.answer == row["answer"]
            assert row["description"].startswith(question.text)
            assert question.subtask.domain == domain


@pytest.mark.parametrize("domain", DOMAINS)
def test_filter_and_split_of_the_benchmarks_own_rows_are_the_papers(data_folder, tmp_path, domain, make_raw_row):
    """The authors' questions, put back into SciKnowEval's format and order, among rows that the paper leaves out."""
    rows = authors_rows(data_folder, domain)
    questions = [question for split in rows for question in load_questions(data_folder, domain, split)]
    others = [
        {"details": {"level": "L1"}},
        {"type": "true_or_false"},
        {"type": "filling", "choices": {"text": [], "label": []}},
        {"domain": FOLDERS[DOMAINS[DOMAINS.index(domain) - 1]].capitalize()},
    ]
    name = FOLDERS[domain].capitalize()
    with open(tmp_path / "v2.jsonl", "w", encoding="utf-8") as file:
        for question in sorted(questions, key=lambda question: question.index):
            letters, texts = zip(*question.options, strict=True)
            choices = {"text": list(texts), "label": list(letters)}
            row = make_raw_row(question=question.text, choices=choices, answerKey=question.answer, domain=name)
            row["type"] = f"mcq-{len(letters)}-choices"
            print(json.dumps(row), file=file)
            print(json.dumps(make_raw_row(**{"domain": name} | others[question.index % len(others)])), file=file)
    for split in ("train", "test"):
        loaded = load_questions(tmp_path / "v2.jsonl", domain, split)
        assert [(q.index, q.listing) for q in loaded] == [
            (row["idx"], row["prompt"].removesuffix("\nPlease reason step by step.")) for row in rows[split]
        ]


def test_subtasks_are_told_apart(data):
    names = [question.subtask.name for question in load_questions(data, "chemistry", None)]
    assert names == [
        "molar_weight_smiles",
        "counts_smiles",
        "solubility",
        "retrosynthesis",
        "reaction_prediction",
    ]
    assert len({subtask.name for subtask in SUBTASKS}) == len(SUBTASKS)
    assert subtask_of("").name == "general_physics"


def test_a_changed_count_is_warned_of(make_raw_row, write_rows):
    path = write_rows(*[make_raw_row()] * 20, name="v2.jsonl")
    with pytest.warns(UserWarning, match="has 20 questions on chemistry, and the SDPO paper 2100"):
        assert len(load_questions(path, "chemistry", "test")) == 2
    with pytest.warns(UserWarning):
        assert len(load_questions(path, "chemistry", None)) == 18


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"idx": "1"}, r"rows.json, line 2: field 'idx' must be a whole number, not '1'"),
        ({"prompt": "Which?"}, "line 2: field 'prompt' has no line that begins with 'A: '"),
        ({"prompt": 7}, "line 2: field 'prompt' must be a text, not 7"),
        ({"answer": "E"}, "line 2: the right answer must be the letter of an option, not 'E'"),
        ({"answer": "AB"}, "line 2: the right answer must be the letter of an option, not 'AB'"),
        ({"prompt": "Which?\n\nA: x\nB: y", "answer": "C"}, "line 2: the right answer must be the letter of an option"),
        ({"prompt": "Which?\n\nA: x\nB: y\nC: z"}, "must have the letters A to D, or A and B, .*not 'ABC'"),
        ({"prompt": "Which?\n\nA: x\nC: y\nPlease reason step by step."}, "must have the letters A to D"),
    ],
)
def test_malformed_rows_of_the_authors(make_row, write_rows, changes, message):
    path = write_rows(make_row(index=1), make_row(index=2, **changes))
    with pytest.raises(ValueError, match=message):
        load_questions(path, "chemistry", None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"choices": {"text": ["x"]}}, "line 1: field 'choices' must hold 'text' and 'label'"),
        ({"choices": {"text": [1, 2, 3, 4], "label": list("ABCD")}}, "must hold lists of texts"),
        ({"choices": {"text": ["x"], "label": list("ABCD")}}, "line 1: .*argument 2 is"),
        ({"answerKey": None}, "field 'answerKey' must be a text, not None"),
    ],
)
def test_malformed_rows_of_the_benchmark(make_raw_row, write_rows, changes, message):
    with pytest.raises(ValueError, match=message):
        load_questions(write_rows(make_raw_row(**changes)), "chemistry", None)


def test_a_folder_without_a_split_is_that_of_training(make_row, write_rows):
    folder = write_rows(make_row(index=1), name="train.json").parent
    write_rows(make_row(index=2), name="test.json")
    for split, index in ((None, 1), ("train", 1), ("test", 2)):
        assert [question.index for question in load_questions(folder, "chemistry", split)] == [index]


def test_questions_on_unknown_templates_are_of_any_domain(make_row, write_rows):
    path = write_rows(make_row(prompt="Which?\n\nA: x\nB: y", answer="A"))
    for domain in DOMAINS:
        assert len(load_questions(path, domain, None)) == 1


def test_files_that_hold_something_else(make_row, make_raw_row, write_rows, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file or folder"):
        load_questions(tmp_path / "nothing", "chemistry", None)
    with pytest.raises(FileNotFoundError, match=r"none of these files: train\.json, materials/train\.json, material/"):
        load_questions(tmp_path, "materials", "train")
    with pytest.raises(ValueError, match=r"holds no multiple-choice question of level 3 on physics"):
        load_questions(write_rows(make_raw_row()), "physics", None)
    with pytest.raises(ValueError, match=r"are on chemistry, not biology: domain='chemistry'"):
        load_questions(write_rows(make_row()), "biology", None)
    with pytest.raises(ValueError, match="mixes SciKnowEval's rows with others"):
        load_questions(write_rows(make_row(), make_raw_row()), "chemistry", None)
    with pytest.raises(ValueError, match=r"split='train' has no meaning for .*, which is one split already"):
        load_questions(write_rows(make_row()), "chemistry", "train")
    (tmp_path / "list.json").write_text("[1, 2]\n")
    with pytest.raises(ValueError, match="line 1: a row must be a JSON object"):
        load_questions(tmp_path / "list.json", "chemistry", None)
    (tmp_path / "list.json").write_text("{")
    with pytest.raises(ValueError, match=r"line 1: not JSON: .*one row per line"):
        load_questions(tmp_path / "list.json", "chemistry", None)


def test_a_changed_file_is_read_anew(make_row, write_rows):
    assert len(load_questions(write_rows(make_row()), "chemistry", None)) == 1
    assert len(load_questions(write_rows(make_row(), make_row(index=1)), "chemistry", None)) == 2


# The hub


@pytest.fixture
def hub_file(make_raw_row):
    rows = [make_raw_row(question=f"Molecule {i}: how many reactants and reagents?") for i in range(20)]
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of huggingface_hub's, and no network."""
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed; pip install 'sdpo-gym[hub]'")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.mark.filterwarnings("ignore:.*the SDPO paper 2100")
def test_the_cached_file_needs_no_network(cache, hub_file):
    fill_cache(cache, REPOSITORY, {FILE: hub_file})
    assert SciKnowEvalEnv(split="test").num_tasks == 2
    assert SciKnowEvalEnv().num_tasks == SciKnowEvalEnv(split="train").num_tasks == 18
    system = SciKnowEvalEnv().reset(seed=0)[1]["messages"][0]
    assert system["role"] == "system" and "one letter (A, B, C or D) and nothing else" in system["content"]


def test_without_network_and_cache_both_ways_out_are_named(cache):
    with pytest.raises(ConnectionError) as caught:
        SciKnowEvalEnv()
    for words in ("SciKnowEval is not in", str(cache), "connect to the network once", "about 100 MB", "data=PATH"):
        assert words in str(caught.value)


def test_without_the_client(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"pip install 'sdpo-gym\[hub\]', or give its rows as a file: data=PATH"):
        SciKnowEvalEnv()


def test_the_file_is_downloaded_once(tmp_path, hub_file):
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed; pip install 'sdpo-gym[hub]'")
    code = "from envs.sciknoweval.env import *\nprint([task.id for task in SciKnowEvalEnv(split='test').tasks])"
    with serve_hub(REPOSITORY, {FILE: hub_file}) as (variables, asked):
        variables = os.environ | variables | {"HF_HUB_CACHE": str(tmp_path / "hub")}

        def run():
            command = [sys.executable, "-W", "ignore", "-c", code]
            return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120)

        first = run()
        assert first.stdout.count("reaction_prediction/") == 2, first.stderr
        assert {path.rpartition("/main/")[2] for path in asked if "/resolve/" in path} == {FILE}
    assert run().stdout == first.stdout
