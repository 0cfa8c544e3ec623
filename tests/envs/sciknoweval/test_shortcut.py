import json

import pytest

from envs.sciknoweval.env import SciKnowEvalEnv
from envs.sciknoweval.loading import load_questions
from envs.sciknoweval.shortcut import main, shortcut


def test_rules_choose_without_the_answer(data):
    chosen = {question.subtask.name: shortcut(question) for question in load_questions(data, "chemistry", None)}
    assert chosen == {
        "molar_weight_smiles": "A",  # the lowest
        "counts_smiles": "B",
        "solubility": "A",  # the second-highest
        "retrosynthesis": "D",  # the product itself
        "reaction_prediction": "D",
    }


def test_score_on_the_papers_test_questions(data_folder, capsys):
    assert main(["--data", str(data_folder)]) == 0
    lines = {}
    for line in capsys.readouterr().out.splitlines():
        lines.setdefault(line[:30].strip(), []).append(line.split()[-4:])
    chemistry, physics, _, _ = lines["all: the shortcut"]
    assert chemistry == ["1890", "0.666", "210", "0.648"]
    assert float(physics[-1]) > 0.5
    assert lines["lipophilicity"] == [["308", "1.000", "32", "1.000"]]


def test_beside_a_models_accuracy(data, tmp_path, capsys):
    env = SciKnowEvalEnv(data=data)
    records = []
    for task, response in ((0, "B"), (1, "C"), (2, "B"), (2, "A")):
        _, info = env.reset(options={"task": task})
        info = env.step(response)[4]
        records.append({"task": info["task_id"], "success": info["success"], "metrics": info["metrics"]})
    path = tmp_path / "rollouts.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert main(["--rollouts", str(path)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["subtask", "attempts", "model", "shortcut"],
        ["molar_weight_smiles", "1", "1.000", "0.000"],
        ["counts_smiles", "1", "1.000", "0.000"],
        ["solubility", "2", "0.500", "1.000"],
        ["all", "4", "0.750", "0.500"],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "holds no attempts"), ("{}", "line 1: not an attempt"), ("[", "line 1: not an attempt")],
)
def test_other_files_than_rollouts(tmp_path, content, message, capsys):
    path = tmp_path / "rollouts.jsonl"
    path.write_text(content)
    with pytest.raises(SystemExit):
        main(["--rollouts", str(path)])
    assert message in capsys.readouterr().err
