"""`sdpo-gym doctor`: what works on this machine, and what to do about what does not."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path

from sdpo_gym.sandbox import LocalSandbox, SandboxError
from sdpo_gym.sandbox.factory import ADVICE, REQUIRED, WAYS_OUT

DISTRIBUTION = "sdpo-gym"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")


def examine() -> int:
    """Print what there is; return 0 if a sandbox with everything that `auto` requires works, else 1."""
    print(f"platform   {platform.platform()}, {os.cpu_count()} CPUs")
    print(f"python     {platform.python_version()} ({sys.executable})")
    _print_section("packages", _packages())
    _print_section("device", _devices())
    _print_section("caches", _caches())
    local, lines = _local_sandbox()
    _print_section("local sandbox", lines)
    docker, lines = _docker_sandbox()
    _print_section("docker sandbox", lines)
    if not local and not docker:
        print(f"\nNo sandbox here keeps {', '.join(sorted(REQUIRED))} from programs. Ways out:\n{WAYS_OUT}")
        return 1
    return 0


def _print_section(title: str, lines: list[str]) -> None:
    print(f"\n{title}")
    for line in lines:
        print("  " + line.replace("\n", "\n    "))


def _packages() -> list[str]:
    """The project's own dependencies, then those of each extra."""
    lines = []
    for group, names in _requirements().items():
        found = [(name, _version(name)) for name in names]
        texts = [f"{name} {version}" if version else f"{name} MISSING" for name, version in found]
        remedy = f"; pip install '{DISTRIBUTION}[{group}]'" if group and not all(v for _, v in found) else ""
        lines.append(f"{f'[{group}]' if group else _own_name()}: {', '.join(texts)}{remedy}")
    return lines


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


def _own_name() -> str:
    return f"{DISTRIBUTION} {_version(DISTRIBUTION) or '(not installed)'}"


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _devices() -> list[str]:
    if _version("torch") is None:
        return ["no torch: environments work, agents do not"]
    import torch

    lines = [f"CPU, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"]
    if torch.cuda.is_available():
        lines += [f"CUDA {i}: {torch.cuda.get_device_name(i)}" for i in range(torch.cuda.device_count())]
    return lines


def _caches() -> list[str]:
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface")
    user = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    folders = {
        "Hugging Face hub": Path(os.environ.get("HF_HUB_CACHE") or home / "hub"),
        DISTRIBUTION: Path(os.environ.get("SDPO_GYM_CACHE") or user / DISTRIBUTION),
    }
    return [_cache(name, folder.expanduser()) for name, folder in folders.items()]


def _cache(name: str, folder: Path) -> str:
    return f"{name}: {folder}" + ("" if folder.is_dir() else " (nothing there yet)")


def _local_sandbox() -> tuple[bool, list[str]]:
    """Whether it provides everything, and its layers one by one."""
    try:
        sandbox = LocalSandbox()
    except SandboxError as error:
        return False, [str(error)]
    try:
        report = sandbox.isolation
        missing = report.missing(REQUIRED)
    except SandboxError as error:
        return False, [str(error)]
    finally:
        sandbox.close()
    lines = [f"{sandbox.workers} workers"]
    for kind in ("filesystem", "network", "processes", "memory", "kernel"):
        lines.append(f"{kind:<11}{getattr(report, kind)}")
        if report.missing([kind]):
            lines.append(f"{'':<11}{'to have more' if kind == 'kernel' else 'WHAT TO DO'}: {ADVICE[kind]}")
    return not missing, lines + [f"note: {note}" for note in report.notes]


def _docker_sandbox() -> tuple[bool, list[str]]:
    """Whether engine and image are there, and what is known about them."""
    from sdpo_gym.sandbox import docker_engine, docker_image

    try:
        client = docker_engine.connect(None)
    except SandboxError as error:
        return False, [str(error)]
    from docker.errors import DockerException

    lines: list[str] = []
    try:
        info = client.info()
        runtimes = sorted(info.get("Runtimes") or {})
        lines += [
            f"engine     {info.get('ServerVersion')} with {info.get('NCPU')} CPUs",
            f"runtimes   {', '.join(runtimes)}" + ("" if "runsc" in runtimes else "; no runsc (gVisor)"),
        ]
        image = docker_image.find(client, None)
        return True, [*lines, f"image      {image}"]
    except (SandboxError, DockerException, OSError) as error:
        return False, [*lines, str(error)]
    finally:
        client.close()
