"""Which packages are installed, by what they are needed for."""

from __future__ import annotations

import importlib.metadata
import re

from sdpo_gym.doctor.finding import Finding

DISTRIBUTION = "sdpo-gym"
PURPOSES = {
    "agents": "training and evaluation",
    "chem": "sdpo/Chemistry-v0",
    "hub": "data from the Hugging Face hub",
    "parquet": "data in .parquet files",
    "docker": "the Docker sandbox",
    "serve": "sdpo-gym serve, sdpo-gym sandbox serve",
    "trackers": "TensorBoard",
    "report": "plots, agents.report",
    "qlora": "--quantize 4bit",
    "vllm": "--engine vllm",
    "smollm2": "--model smollm2, with everything around it",
    "ray": "a sandbox on a Ray cluster",
    "inspect": "Inspect AI",
    "gepa": "GEPA",
    "trl": "TRL's trainers",
    "verifiers": "verifiers, prime-rl",
    "skyrl": "SkyRL-gym",
    "reasoning-gym": "tasks of reasoning-gym",
    "gem": "games of GEM",
    "textarena": "games of TextArena",
    "docs": "the API reference",
    "test": "the tests",
    "all": "nearly everything",
}
"""What each extra is for."""

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")


def find_packages() -> list[Finding]:
    """The project's own dependencies, then those of each extra."""
    findings = []
    for extra, names in _requirements().items():
        found = {name: version(name) for name in names}
        missing = [name for name, there in found.items() if there is None]
        texts = [f"{name} {there}" for name, there in found.items() if there] + [f"no {name}" for name in missing]
        purpose = f"{PURPOSES[extra]}: " if extra in PURPOSES else ""
        advice = f"pip install '{DISTRIBUTION}{f'[{extra}]' if extra else ''}'" if missing else ""
        own = f"{DISTRIBUTION} {version(DISTRIBUTION)}"
        findings.append(Finding(f"[{extra}]" if extra else own, purpose + ", ".join(texts), advice))
    return findings or [Finding(DISTRIBUTION, "not installed, only imported", "pip install -e . in its repository")]


def version(name: str) -> str | None:
    """The version of an installed distribution."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _requirements() -> dict[str, list[str]]:
    """Names of packages by extra, `""` for none."""
    groups: dict[str, list[str]] = {}
    try:
        requirements = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return groups
    for requirement in requirements:
        name = _NAME.match(requirement)
        extra = _EXTRA.search(requirement)
        if name and name[0] != DISTRIBUTION:
            groups.setdefault(extra[1] if extra else "", []).append(name[0])
    return groups
