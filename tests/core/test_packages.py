"""What may import what, and what the environments need installed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {"sdpo_gym": {"sdpo_gym"}, "envs": {"envs", "sdpo_gym"}, "agents": {"agents", "sdpo_gym"}}
OURS = set(ALLOWED)
HEAVY = (
    "torch",
    "transformers",
    "accelerate",
    "peft",
    "docker",
    "huggingface_hub",
    "pyarrow",
    "fastapi",
    "uvicorn",
    "ray",
    "tyro",
    "rich",
    "tokenizers",
    "httpx2",
    "matplotlib",
)


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_dependencies_point_one_way(package):
    modules = list((ROOT / package).rglob("*.py"))
    assert modules
    wrong = {str(path.relative_to(ROOT)): imports(path) & OURS - ALLOWED[package] for path in modules}
    assert not {path: names for path, names in wrong.items() if names}


def run_python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/", timeout=120)


def test_environments_need_gymnasium_and_numpy_alone():
    code = f"""
import sys
for name in {HEAVY!r}:
    sys.modules[name] = None  # importing it raises ImportError
import sdpo_gym, gymnasium
env = gymnasium.make("sdpo/LiveCodeBench-v0")
prompt, info = env.reset(seed=0)
print(env.step("no code")[4]["feedback"])
"""
    result = run_python(code)
    assert result.returncode == 0, result.stderr
    assert "code block" in result.stdout


def test_importing_sdpo_gym_imports_no_environment():
    code = "import sdpo_gym, sys; print([m for m in sys.modules if m.startswith(('envs', 'agents'))])"
    assert run_python(code).stdout.strip() == "[]"


def test_made_without_an_import():
    code = "import gymnasium; print(gymnasium.make('sdpo_gym:sdpo/LiveCodeBench-v0').reset(seed=0)[1]['task_id'])"
    result = run_python(code)
    assert result.returncode == 0 and result.stdout.strip()
