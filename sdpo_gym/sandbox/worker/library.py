"""What programs may import: the standard library, part of it loaded beforehand, and given packages."""

import builtins
import contextlib
import gc
import importlib.machinery
import importlib.util
import os
import sys
import threading
from typing import Any

RECURSION_LIMIT = 50_000
INT_DIGITS = 50_000
THREAD_STACK_BYTES = 8 << 20

# What LiveCodeBench puts in front of every program, in its order.
MODULES = (
    "string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json"
)
SLOW_TO_IMPORT = {"numpy": ("numpy", "numpy.linalg", "numpy.fft", "numpy.random", "numpy.polynomial")}


def load_preamble() -> None:
    """Prepare the interpreter, and define among the builtins the names that every program finds defined.

    There they cost nothing; 400 names copied for each program would take as long as the fork.
    """
    names: dict[str, Any] = {}
    exec("\n".join(f"from {module} import *" for module in f"{MODULES} builtins typing".split()), names)
    exec("\n".join(f"import {module}" for module in MODULES.split()), names)
    del names["__builtins__"]
    vars(builtins).update(names)
    sys.setrecursionlimit(RECURSION_LIMIT)
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(INT_DIGITS)
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # `python -S` leaves them out
    threading.stack_size(THREAD_STACK_BYTES)  # the default is RLIMIT_STACK, which would use up the address space


class PackageFinder:
    """Finds given packages and nothing else, without a look into the folders in which they lie."""

    def __init__(self, folders: list[str]) -> None:
        self._places = {os.path.basename(folder): folder for folder in folders}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        folder = self._places.get(name)
        if folder is None:
            return None
        start = os.path.join(folder, "__init__.py")
        return importlib.util.spec_from_file_location(name, start, submodule_search_locations=[folder])


def find_packages(folders: list[str]) -> None:
    """Let programs import these packages."""
    sys.meta_path.append(PackageFinder(folders))  # type: ignore[arg-type]


def preload(packages: list[str]) -> None:
    """Import packages that take long, once for this and all later programs.

    A package that does not load here fails in the program as well, which then says so.
    """
    for name in packages:
        if name in SLOW_TO_IMPORT and name not in sys.modules:
            os.environ["OPENBLAS_NUM_THREADS"] = "1"  # threads would use up the address space, and be lost by fork
            with contextlib.suppress(Exception):
                for module in SLOW_TO_IMPORT[name]:
                    importlib.import_module(module)
            os.environ.clear()
            gc.collect()
            gc.freeze()


def reach_through_descriptors() -> None:
    """Keep the standard library importable for another user when it lies in a folder that is closed to that user."""
    places = {}
    for folder in sys.path:
        if os.path.isdir(folder) and not _open_to_all(folder):
            places[folder] = f"/proc/self/fd/{os.open(folder, os.O_PATH | os.O_DIRECTORY)}"
    sys.path[:] = [places.get(folder, folder) for folder in sys.path]
    for module in list(sys.modules.values()):
        if hasattr(module, "__path__"):
            module.__path__ = [
                places[os.path.dirname(folder)] + "/" + os.path.basename(folder)
                if os.path.dirname(folder) in places
                else folder
                for folder in module.__path__
            ]


def _open_to_all(folder: str) -> bool:
    folder = os.path.realpath(folder)
    while os.stat(folder).st_mode & 0o001:
        if folder == "/":
            return True
        folder = os.path.dirname(folder)
    return False


def hide_worker(folder: str) -> None:
    """Leave no trace of the worker's own modules for programs to import."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != folder]
    sys.orig_argv[:] = ["python"]
    for name in [name for name, module in sys.modules.items() if _lies_in(module, folder)]:
        sys.modules.pop(name)
    warm_finders()
    gc.collect()
    gc.freeze()


def warm_finders() -> None:
    """Let the import system read the folders of the path now: programs may not list them."""
    importlib.util.find_spec("no_such_module_" + "x" * 8)


def _lies_in(module: Any, folder: str) -> bool:
    return os.path.dirname(os.path.abspath(getattr(module, "__file__", None) or "/")) == folder
