"""What is said when a package that an extra brings is not installed."""

import subprocess
import sys

import pytest

import sdpo_gym
from sdpo_gym.doctor.packages import PURPOSES
from sdpo_gym.registry import ADAPTERS

MODULES = {
    "sdpo_gym.integrations.gepa": ("gepa", "sdpo-gym[gepa]"),
    "sdpo_gym.integrations.inspect_ai": ("inspect_ai", "sdpo-gym[inspect]"),
    "sdpo_gym.integrations.skyrl": ("skyrl_gym", "sdpo-gym[skyrl]"),
    "sdpo_gym.integrations.trl": ("datasets", "sdpo-gym[trl]"),
    "sdpo_gym.integrations.trl_sdpo": ("trl", "sdpo-gym[trl]"),
    "sdpo_gym.integrations.verifiers": ("verifiers", "sdpo-gym[verifiers]"),
    "sdpo_gym.integrations.verl_agent_loop": ("verl", "verl"),
    "sdpo_gym.sandbox.server": ("fastapi", "sdpo-gym[serve]"),
    "sdpo_gym.serving.server": ("websockets", "sdpo-gym[serve]"),
}
ENVIRONMENTS = {
    "sdpo/Gem-v0": ("gem", "sdpo-gym[gem]"),
    "sdpo/ReasoningGym-v0": ("reasoning_gym", "sdpo-gym[reasoning-gym]"),
    "sdpo/Remote-v0": ("websockets", "sdpo-gym[serve]"),
    "sdpo/TextArena-v0": ("textarena", "sdpo-gym[textarena]"),
}

# One process for all, as this one may have imported them.
WITHOUT = """
import importlib, sys
import gymnasium, sdpo_gym

for package in sys.argv[1].split(","):
    sys.modules[package] = None
for name in sys.argv[2:]:
    try:
        if "/" in name:
            gymnasium.make(name, **({"url": "http://localhost:1"} if "Remote" in name else {}))
        else:
            importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(name, error)
"""


@pytest.fixture(scope="module")
def messages():
    wanted = MODULES | ENVIRONMENTS
    packages = ",".join(sorted({package for package, _ in wanted.values()}))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, packages, *wanted], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", [*MODULES, *ENVIRONMENTS])
def test_what_to_install_is_named(name, messages):
    _, requirement = (MODULES | ENVIRONMENTS)[name]
    assert messages[name].endswith(f": pip install '{requirement}'")


def test_the_extras_exist():
    requirements = [requirement for _, requirement in (MODULES | ENVIRONMENTS).values()]
    extras = {requirement[9:-1] for requirement in requirements if requirement.startswith("sdpo-gym[")}
    assert extras <= set(PURPOSES)  # which `test_doctor` compares with pyproject.toml


def test_every_adapter_is_tested():
    assert set(ENVIRONMENTS) == set(ADAPTERS) and not set(ADAPTERS) & set(sdpo_gym.ENVIRONMENTS)
