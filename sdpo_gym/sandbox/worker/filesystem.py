"""Which files programs may read: the standard library, shared libraries, time zones, and given packages."""

import os
import sys
import sysconfig
from collections.abc import Iterator

# Parts of the standard library's folder that hold other things: any package of the host may lie there, such as one with
# the answers to the very tasks.
FOREIGN = ("site-packages", "dist-packages")

SYSTEM = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
)


def readable(packages: list[str]) -> list[str]:
    """Files, and folders with all that is in them, that programs may read. Those that do not exist are left out."""
    paths = [*packages, *SYSTEM, *_library_folders()]
    for folder in _standard_library():
        paths += [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name not in FOREIGN]
    found = [path for path in dict.fromkeys(paths) if os.path.exists(path)]
    return [path for path in found if not any(path.startswith(folder + "/") for folder in found)]


def _standard_library() -> Iterator[str]:
    for name in ("stdlib", "platstdlib"):
        folder = sysconfig.get_path(name)
        if folder and os.path.isdir(folder):
            yield folder
    for entry in sys.path:
        if os.path.basename(entry) == "lib-dynload" and os.path.isdir(entry):
            yield entry


def _library_folders() -> Iterator[str]:
    """Folders of the shared libraries, which hold no Python packages."""
    multiarch = sysconfig.get_config_var("MULTIARCH")
    if multiarch:
        yield from (f"/lib/{multiarch}", f"/usr/lib/{multiarch}")
    prefix = os.path.join(sys.base_prefix, "lib")
    for folder in ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", prefix):
        if os.path.isdir(folder):
            yield from (os.path.join(folder, name) for name in sorted(os.listdir(folder)) if ".so" in name)
