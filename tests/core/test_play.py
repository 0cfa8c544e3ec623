"""`sdpo-gym play` and `sdpo-gym grade`, as their users run them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
EVEN = "toy_env:toy/Even-v0"


def command(*words, text="", **environment):
    return subprocess.run(
        [sys.executable, "-m", "sdpo_gym.cli", *map(str, words)],
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": f"{TESTS.parent}:{TESTS}"} | environment,
    )


def test_play_until_solved():
    done = command("play", EVEN, "--task", "beta", "--env-arg", "max_turns=3", text="odd\nline\n.\n\neven\n.\n")
    assert done.returncode == 0, done.stderr
    assert "[beta]\n\nSay beta.\n" in done.stdout
    assert "The response has 9 characters, an odd number.\n[not solved yet, reward 0, characters 9]" in done.stdout
    assert "[solved, reward 1, characters 6]" in done.stdout  # the empty line belongs to the answer


def test_play_ends_with_the_last_turn_or_without_an_answer():
    done = command("play", EVEN, "--seed", 1, text="odd")  # Ctrl-D ends the answer
    assert done.returncode == 1 and "[not solved, reward 0, characters 3]" in done.stdout
    done = command("play", EVEN, "--seed", 1, text="")
    assert done.returncode == 1 and "No answer" in done.stderr


def test_the_seed_decides_the_task():
    first, again = (command("play", EVEN, "--seed", 5, text="x").stdout for _ in range(2))
    assert first == again and first.startswith("[")


def test_play_in_an_editor(tmp_path):
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nif [ -s "$1" ]; then printf again >>"$1"; else printf odd >"$1"; fi\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    done = command(
        "play", EVEN, "--task", "beta", "--env-arg", "max_turns=2", "--editor", VISUAL="", EDITOR=str(editor)
    )
    assert done.returncode == 0, done.stderr
    assert "characters 3]" in done.stdout and "[solved, reward 1, characters 8]" in done.stdout  # it began with "odd"
    done = command("play", EVEN, "--editor", EDITOR="true", VISUAL="")
    assert done.returncode == 1 and "No answer" in done.stderr
    done = command("play", EVEN, "--editor", EDITOR="false", VISUAL="")
    assert done.returncode == 2 and "the editor 'false' ended with code 1" in done.stderr
    done = command("play", EVEN, "--editor", EDITOR="", VISUAL="")
    assert done.returncode == 2 and "$VISUAL or $EDITOR" in done.stderr


def test_an_environment_of_others():
    done = command("play", "toy_env:toy/Plain-v0", "--seed", 0, text="even")
    assert done.returncode == 0 and "Number" in done.stdout and "[solved, reward 1]" in done.stdout
    done = command("play", "toy_env:toy/Plain-v0", "--task", "x", text="even")
    assert done.returncode == 2 and "no tasks that could be named" in done.stderr


def test_grade_a_response(tmp_path):
    file = tmp_path / "response.txt"
    file.write_text("odd")
    done = command("grade", EVEN, "--task", "beta", file)
    assert (done.returncode, done.stdout) == (1, "The response has 3 characters, an odd number.\n")
    assert done.stderr == "[not solved, reward 0, characters 3]\n"
    done = command("grade", EVEN, "--task", "beta", "-", text="even")
    assert (done.returncode, done.stdout) == (0, "")


def test_a_task_may_be_named_by_its_index():
    assert command("play", EVEN, "--task", "1", text="even").stdout.startswith("[beta]\n")
    assert command("grade", EVEN, "--task", "1", "-", text="even").returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")
def test_grade_a_program(tmp_path):
    file = tmp_path / "program.py"
    file.write_text("FENCE = '```'\ndef is_palindrome(s):\n    return s == s[::-1]\n")
    done = command("grade", "sdpo/LiveCodeBench-v0", "--task", "is-palindrome", file)
    assert done.returncode == 0 and done.stderr.startswith("[solved"), done.stdout
    file.write_text("def is_palindrome(s):\n    return s[\n")
    done = command("grade", "sdpo/LiveCodeBench-v0", "--task", "is-palindrome", file)
    assert done.returncode == 1 and "SyntaxError" in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="LocalSandbox needs Linux")
def test_grade_a_program_of_another_system(tmp_path):
    file = tmp_path / "PROGRAM.PY"
    file.write_bytes(b"\xef\xbb\xbfdef is_palindrome(s):\r\n    return s == s[::-1]\r\n")
    done = command("grade", "sdpo/LiveCodeBench-v0", "--task", "is-palindrome", file)
    assert done.returncode == 0 and done.stderr.startswith("[solved"), done.stdout


def test_feedback_does_not_command_the_terminal(tmp_path):
    file = tmp_path / "response.txt"
    file.write_text("\x1b[2J\a")
    done = command("grade", "toy_env:toy/Echo-v0", "--task", "echo", file)
    assert done.returncode == 1 and "You said" in done.stdout and "\x1b" not in done.stdout and "\a" not in done.stdout


@pytest.mark.parametrize("words", [("play", "--seed", 0), ("grade", "--task", "t", "-")])
def test_a_verifier_that_fails_shows_where(words, tmp_path):
    (tmp_path / "own.py").write_text(FAILING_VERIFIER)
    name, *rest = words
    done = command(name, "own:own/Int-v0", *rest, text="seven", PYTHONPATH=f"{TESTS.parent}:{tmp_path}")
    assert done.returncode == 2 and 'own.py", line 7, in verify' in done.stderr
    assert done.stderr.endswith("JudgingError: 'own/Int-v0' failed to judge the response to task 't'\n")


FAILING_VERIFIER = """
import gymnasium
from sdpo_gym import Task, TaskList, TextEnv, Verdict, Verifier

class IntVerifier(Verifier):
    def verify(self, task, response):
        return Verdict(float(int(response)), False)

class IntEnv(TextEnv):
    def __init__(self):
        super().__init__(TaskList([Task("t", ({"role": "user", "content": "?"},))]), IntVerifier())

gymnasium.register("own/Int-v0", entry_point=IntEnv)
"""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["play", "sdpo/Nothing-v0"], "sdpo/LiveCodeBench-v0"),
        (["play", "CartPole-v1"], "is not a text environment"),
        (["play", EVEN, "--env-arg", "colour"], "key=value"),
        (["play", EVEN, "--env-arg", "colour=1"], "colour"),
        (["play", EVEN, "--seed", "-1"], "the seed must be 0 or more, not -1"),
        (["play", EVEN, "--task", "omega"], "unknown task id 'omega'"),
        (["grade", EVEN, "--task", "omega", __file__], "unknown task id 'omega'"),
        (["grade", EVEN, "--task", "4", __file__], "unknown task id '4'; ids look like 'alpha', and there are 4"),
        (["grade", EVEN, "--task", "beta", "/nowhere.txt"], "/nowhere.txt: No such file or directory"),
        (["grade", EVEN, __file__], "--task"),
    ],
)
def test_misuse_is_one_line_and_an_exit_code(words, message):
    done = command(*words)
    assert done.returncode == 2  # 1 would say that the answer is wrong
    assert message in done.stderr and "Traceback" not in done.stderr


OWN_ENV = """
import gymnasium
import toy_env

def refuse():
    raise ValueError("refused here")

gymnasium.register("my/Even-v0", entry_point=toy_env.EvenLengthEnv)
gymnasium.register("my/Refusing-v0", entry_point=refuse)
"""


def test_an_environment_in_the_current_folder(tmp_path):
    (tmp_path / "my_env.py").write_text(OWN_ENV)
    (tmp_path / "answer.txt").write_text("even")
    script = tmp_path / "bin" / "sdpo-gym"  # as pip installs it: its own folder is on the path, and not the current one
    script.parent.mkdir()
    script.write_text("import sys\nfrom sdpo_gym.cli import main\nsys.exit(main())\n")

    def run(*words):
        return subprocess.run(
            [sys.executable, script, *words],
            input="even",
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": f"{TESTS.parent}:{TESTS}", "SDPO_GYM_SERVE_TOKEN": "t" * 40},
        )

    for words in (("grade", "my_env:my/Even-v0", "answer.txt"), ("play", "my_env:my/Even-v0")):
        done = run(*words, "--task", "beta")
        assert done.returncode == 0, done.stderr
    assert "refused here" in run("grade", "my_env:my/Refusing-v0", "answer.txt", "--task", "beta").stderr
    pytest.importorskip("uvicorn", reason="the server needs the extra [serve]")
    assert "refused here" in run("serve", "my_env:my/Refusing-v0").stderr
