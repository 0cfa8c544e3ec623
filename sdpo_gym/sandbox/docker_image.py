"""Images for `DockerSandbox`: this process's Python packed without a registry, or a registry's image."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import io
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sdpo_gym.sandbox import docker_engine
from sdpo_gym.sandbox.local import numpy_folders
from sdpo_gym.sandbox.protocol import SandboxError

if TYPE_CHECKING:
    from docker import DockerClient

REPOSITORY = "sdpo-gym-sandbox"
PYTHON_LABEL = "sdpo-gym.python"
NUMPY_LABEL = "sdpo-gym.numpy"
BUILD = "sdpo-gym sandbox build-image"

# What no program needs: other packages, tests, graphical programs, what installs and compiles.
LEFT_OUT = re.compile(
    r"site-packages|dist-packages|tests?|idlelib|idle_test|turtledemo|tkinter|_tkinter\..*|lib2to3|ensurepip|config-.*"
)
SYSTEM = ("/etc/ld.so.cache", "/usr/lib/locale/C.utf8", "/usr/share/zoneinfo")
PYTHON = Path("/usr/local/bin/python3")
PACKAGES = Path("/packages")  # where `container_bootstrap` looks for numpy first
PASSWD = Path("/etc/passwd")
USERS = "root:x:0:0::/:\nnobody:x:65534:65534::/:\n"


def default_tag() -> str:
    """The name of the image of this process's Python."""
    return f"{REPOSITORY}:{'.'.join(map(str, sys.version_info[:3]))}"


def build_image(tag: str | None = None, base: str | None = None, base_url: str | None = None) -> str:
    """Give the engine an image for `DockerSandbox`.

    Without `base`, it is made of this process's interpreter, its standard library, the shared libraries that they need,
    and numpy if it is installed; no registry is asked. Build it again after an update of Python or numpy.

    Args:
        tag: What to call it. None: `sdpo-gym-sandbox:X.Y.Z`, by this process's Python, which `DockerSandbox` takes by
            default.
        base: An image of a registry, by digest (`python:3.12-slim@sha256:…`), to take instead. It needs Python 3.10 or
            newer as `python3`.
        base_url: Where the engine is. None: where `DOCKER_HOST` says, else the usual place.

    Returns:
        The tag.

    Raises:
        SandboxError: there is no engine, it is of another kind than this machine, or the registry refuses.
        ValueError: `base` names no digest.
    """
    tag = default_tag() if tag is None else tag
    if base is not None and not re.search(r"@sha256:[0-9a-f]{64}$", base):
        raise ValueError(f"base must end in a digest, @sha256: and 64 hex digits, so that it stays the same: {base!r}")
    client = docker_engine.connect(base_url)
    with contextlib.closing(client), docker_engine.errors_as(f"cannot build the image {tag}"):
        if base is None:
            _import_local(client, tag)
        else:
            _pull(client, base).tag(tag)
    return tag


def find(client: DockerClient, image: str | None) -> str:
    """The id of an image that the engine has; None: of the default one.

    Raises:
        SandboxError: it has no such image; the message says how to get it.
    """
    import docker

    name = default_tag() if image is None else image
    with docker_engine.errors_as(f"cannot look for the image {name}"):
        try:
            return client.images.get(name).id
        except docker.errors.NotFound as error:
            remedy = BUILD if image is None else f"docker pull {name}"
            raise SandboxError(f"the Docker engine has no image {name}; run: {remedy}") from error


def _pull(client: DockerClient, base: str) -> Any:
    import docker

    try:
        return client.images.get(base)
    except docker.errors.NotFound:
        return client.images.pull(base)


def _import_local(client: DockerClient, tag: str) -> None:
    info = client.info()
    theirs, ours = (info["OSType"], info["Architecture"]), (sys.platform, platform.machine())
    if ours != theirs:
        raise SandboxError(
            f"this Python is made for {'/'.join(ours)} and the Docker engine runs {'/'.join(theirs)}; "
            f"take an image of a registry: {BUILD} --base python:X.Y-slim@sha256:…"
        )
    numpy = numpy_folders()
    changes = [f"LABEL {PYTHON_LABEL}={platform.python_version()}", f"ENV PATH={PYTHON.parent}"]
    if numpy:
        changes.append(f"LABEL {NUMPY_LABEL}={importlib.metadata.version('numpy')}")
    if "LD_LIBRARY_PATH" in os.environ:
        changes.append(f"ENV LD_LIBRARY_PATH={os.environ['LD_LIBRARY_PATH']}")  # some interpreters need it to start
    repository, _, version = tag.partition(":")
    with tempfile.TemporaryFile() as file:
        _pack(file, numpy)
        file.seek(0)
        client.api.import_image_from_data(file, repository, version or None, changes)


def _pack(file: IO[bytes], numpy: list[Path]) -> None:
    """Write this Python as the file system of a container."""
    executable = Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
    contents = {executable: executable}
    for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
        contents |= {path: path for path in _files(Path(folder), LEFT_OUT)}
    for folder in numpy:
        contents |= {PACKAGES / folder.name / path.relative_to(folder): path for path in _files(folder)}
    binaries = [path for path in contents.values() if path == executable or ".so" in path.suffixes]
    libraries = [path for path in _shared_libraries(binaries) if not any(path.is_relative_to(n) for n in numpy)]
    contents |= {path: path for path in libraries}
    for place in map(Path, SYSTEM):
        contents |= {path: path for path in (_files(place) if place.is_dir() else [place]) if path.is_file()}
    with tarfile.open(fileobj=file, mode="w", dereference=True) as tar:
        folders = {folder for path in (*contents, PYTHON, PASSWD) for folder in path.parents}
        for folder in sorted(folders - {Path("/")}):
            _add(tar, folder, tarfile.DIRTYPE)
        for path, source in contents.items():
            tar.add(source, str(path), filter=_of_root)
        if PYTHON not in contents:
            _add(tar, PYTHON, tarfile.SYMTYPE, link=str(executable))
        _add(tar, PASSWD, text=USERS)


def _files(folder: Path, left_out: re.Pattern[str] | None = None) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if left_out is not None and left_out.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from _files(path, left_out)
        elif path.is_file():
            yield path


def _shared_libraries(binaries: list[Path]) -> set[Path]:
    """The shared libraries that these need, with those that they need in turn, and the dynamic linker."""
    try:
        listing = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True).stdout
    except OSError as error:
        raise SandboxError(f"cannot run ldd, which tells the shared libraries that Python needs: {error}") from error
    paths = [*re.findall(r"(/\S+) \(0x", listing), *_thread_library()]
    return {Path(os.path.normpath(path)) for path in paths}


def _thread_library() -> list[str]:
    """What the C library loads when a thread is ended."""
    with contextlib.suppress(OSError):
        ctypes.CDLL("libgcc_s.so.1")
    return sorted(set(re.findall(r"/\S*/libgcc_s\.so\.1$", Path("/proc/self/maps").read_text(), re.MULTILINE)))


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Everybody may read it; it says nothing of the user who packs."""
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mode = 0o755 if member.isdir() or member.mode & 0o111 else 0o644
    return member


def _add(tar: tarfile.TarFile, path: Path, kind: bytes = tarfile.REGTYPE, *, link: str = "", text: str = "") -> None:
    """Add something that is not a file of this machine."""
    member = tarfile.TarInfo(str(path))
    member.type, member.linkname, member.size = kind, link, len(text)
    tar.addfile(_of_root(member), io.BytesIO(text.encode("ascii")))
