"""A Docker engine: how to reach it, which containers on it are ours, and which of these nobody needs any more."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sdpo_gym.sandbox.protocol import SandboxError

if TYPE_CHECKING:
    from docker import DockerClient

OWNER = "sdpo-gym.owner"
"""Label of a worker's container: which process it belongs to."""

REMOVE_SECONDS = 30.0


def connect(base_url: str | None) -> DockerClient:
    """A client of an engine that answers.

    Args:
        base_url: Where the engine is, such as `unix:///run/user/1000/docker.sock` or `tcp://host:2376`. None: where
            `DOCKER_HOST` says, else the usual place. TLS is as `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` say.

    Raises:
        SandboxError: the package is missing, or there is no engine.
    """
    try:
        import docker
    except ImportError as error:
        raise SandboxError("DockerSandbox needs the package docker: pip install 'sdpo-gym[docker]'") from error
    environment = dict(os.environ) if base_url is None else {**os.environ, "DOCKER_HOST": base_url}
    try:
        client = docker.from_env(environment=environment)
        client.ping()
    except (docker.errors.DockerException, OSError) as error:
        place = environment.get("DOCKER_HOST") or "the default place"
        raise SandboxError(
            f"cannot reach a Docker engine at {place}: {error}. Start it, or set DOCKER_HOST to where it is; "
            "this user must be allowed to use it"
        ) from error
    return client


@contextlib.contextmanager
def errors_as(message: str) -> Iterator[None]:
    """Raise errors of docker-py, and of the connection to the engine, as a SandboxError that begins with a message."""
    import docker

    try:
        yield
    except (docker.errors.DockerException, OSError) as error:
        raise SandboxError(f"{message}: {error}") from error


@contextlib.contextmanager
def ignored_errors() -> Iterator[None]:
    """Go on after errors of docker-py, and of the connection to the engine."""
    import docker

    with contextlib.suppress(docker.errors.DockerException, OSError):
        yield


def owner() -> str:
    """This process, as the value of the label `OWNER`."""
    return "/".join((*_host(), str(os.getpid()), _start_time(os.getpid()) or ""))


def remove(api: Any, container: str) -> None:
    """End a container and wait until it is gone.

    Args:
        api: A docker-py `APIClient`.
        container: Its id.

    Raises:
        docker.errors.APIError: the engine refuses.
        OSError: the engine does not answer.
    """
    from docker.errors import APIError, NotFound

    deadline = time.monotonic() + REMOVE_SECONDS
    while True:
        try:
            api.remove_container(container, force=True, v=True)
            return
        except NotFound:
            return
        except APIError as error:
            if error.status_code != 409 or time.monotonic() > deadline:
                raise
        time.sleep(0.02)  # the engine is removing it already; waiting by `api.wait` may miss the end


def sweep(api: Any) -> None:
    """Remove containers whose owner was a process of this machine and is dead.

    Those of other machines, which may share the engine, and of other PID namespaces are left alone: nothing can be said
    about their owners. So are those that the engine fails to remove.

    Args:
        api: A docker-py `APIClient`.

    Raises:
        docker.errors.APIError: the engine refuses.
        OSError: the engine does not answer.
    """
    for container in api.containers(all=True, filters={"label": OWNER}):
        *host, pid, start_time = container["Labels"][OWNER].split("/")
        if tuple(host) == _host() and pid.isdecimal() and _start_time(int(pid)) != start_time:
            with ignored_errors():
                remove(api, container["Id"])


def _host() -> tuple[str, str]:
    """What process numbers are valid for: a boot of a machine, and a PID namespace on it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return boot, str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:  # not Linux
        return platform.node().replace("/", "-"), ""


def _start_time(pid: int) -> str | None:
    """When the process was started, as text that tells it from another of the same number; None if it is dead."""
    if not os.path.exists("/proc/self/stat"):
        lines = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True).stdout
        return "-".join(lines.split()) or None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
