"""A Docker engine for tests: the one that runs, else one of their own where that is possible."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

START_SECONDS = 30.0
STOP_SECONDS = 30.0
FLAGS = "--iptables=false --ip6tables=false --ip-masq=false --bridge=none --exec-opt=native.cgroupdriver=cgroupfs"
RUNSC = '#!/bin/sh\nexec runsc --platform=ptrace --network=none "$@"\n'


@contextlib.contextmanager
def running_engine() -> Iterator[str | None]:
    """Where an engine is, as `base_url`; None: the default place. Skips the tests where there is none."""
    docker = pytest.importorskip("docker", reason="the package docker is not installed")
    with contextlib.suppress(docker.errors.DockerException, OSError), contextlib.closing(docker.from_env()) as client:
        client.ping()
        yield None
        return
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("no Docker engine runs, and none can be started: that takes root on Linux, and dockerd")
    folder = Path(tempfile.mkdtemp(prefix="dockerd-"))
    try:
        with _own_engine(folder) as base_url:
            yield base_url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _own_engine(folder: Path) -> Iterator[str]:
    base_url = f"unix://{folder}/docker.sock"
    places = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}
    command = ["unshare", "--mount", "dockerd", "--host", base_url, *FLAGS.split()]  # its mounts end with it
    command += [f"--{name}={folder / place}" for name, place in places.items()]
    if shutil.which("runsc"):
        wrapper = folder / "runsc"
        wrapper.write_text(RUNSC)
        wrapper.chmod(0o755)
        command.append(f"--add-runtime=runsc={wrapper}")
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        _wait_for(base_url, process, folder / "log")
        yield base_url
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _end_containerd(folder / "exec" / "containerd" / "containerd.pid")


def _wait_for(base_url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    import docker

    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with (
            contextlib.suppress(docker.errors.DockerException, OSError),
            contextlib.closing(docker.DockerClient(base_url)) as client,
        ):
            client.ping()
            return
        time.sleep(0.1)
    pytest.skip(f"dockerd cannot be started here: {log.read_text(errors='replace')[-500:]}")


def _end_containerd(pid_file: Path) -> None:
    """The engine ends it, unless it had to be killed itself."""
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(pid_file.read_text()), 9)
