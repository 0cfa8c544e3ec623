"""The first thing that runs in a container: starts the worker from its source code, which comes over standard input.

Passed to `python -c`, so that any image with Python will do and its worker is always this version's. The worker then
finds what it finds when it is started from a folder.
"""

import importlib
import importlib.abc
import importlib.util
import json
import os
import site
import sys

FOLDER = "/worker"  # what the modules say they come from; there is no such folder
PACKAGES = "/packages"  # of images that `docker_image` makes
__file__ = FOLDER + "/container_bootstrap.py"


class Sources(importlib.abc.SourceLoader):
    """Finds and loads modules whose source code is in a dictionary."""

    def __init__(self, sources):
        self._files = {FOLDER + "/" + name + ".py": text.encode() for name, text in sources.items()}

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if self.get_filename(name) in self._files else None

    def get_filename(self, fullname):
        return FOLDER + "/" + fullname + ".py"

    def get_data(self, path):
        return self._files[path]


def read(count):
    parts = []
    while count:
        part = os.read(0, count)
        if not part:
            sys.exit("the host is gone")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def numpy_folders():
    """The package's folder, and that of the libraries that come with it."""
    for packages in (PACKAGES, *site.getsitepackages()):
        folders = [os.path.join(packages, name) for name in ("numpy", "numpy.libs")]
        if os.path.isdir(folders[0]):
            return [folder for folder in folders if os.path.isdir(folder)]
    return []


if not hasattr(os, "eventfd"):
    sys.exit("a worker needs Python 3.10 or newer, the image has " + sys.version)
sys.path[:] = [entry for entry in sys.path if entry]  # `python -c` adds the current folder
sources = json.loads(read(int(sys.argv[1])))
sources["worker"] = sources.pop("__main__")
finder = Sources(sources)
sys.meta_path.append(finder)
for name in sources:
    importlib.import_module(name)
sys.meta_path.remove(finder)
sys.modules["worker"].main({**json.loads(sys.argv[2]), "packages": numpy_folders()})
