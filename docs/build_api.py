"""Builds the API reference from the docstrings: pages that need no server and no network.

python docs/build_api.py [FOLDER]

It needs the extras `[agents,docs]`. Integrations whose package is not installed are left out, and named. Any warning of
pdoc's is an error.
"""

import contextlib
import dataclasses
import importlib
import pkgutil
import sys
import typing
import warnings
from pathlib import Path
from types import ModuleType

import pdoc
import pdoc.extract

import sdpo_gym
import sdpo_gym.integrations

PACKAGES = ("sdpo_gym", "envs", "agents")


def build(folder: Path) -> None:
    """Write `index.html` and a page for each module."""
    # pdoc documents what `__all__` names; where a package has none, every module.
    sdpo_gym.__all__ += submodules(sdpo_gym)
    sdpo_gym.integrations.__all__ = [
        name for name in submodules(sdpo_gym.integrations) if can_be_imported(f"sdpo_gym.integrations.{name}")
    ]
    names = pdoc.extract.walk_specs(PACKAGES)
    for name in names:
        resolve_types(importlib.import_module(name))
    pdoc.render.configure(docformat="google", show_source=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pdoc.pdoc(*PACKAGES, output_directory=folder)
    print(f"{len(names)} modules: {folder / 'index.html'}")


def submodules(package: ModuleType) -> list[str]:
    return [module.name for module in pkgutil.iter_modules(package.__path__)]


def can_be_imported(name: str) -> bool:
    """Whether it can, and if not, say so."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(f"left out: {name} ({error})")
        return False
    return True


def resolve_types(module: ModuleType) -> None:
    """Have the constructors of dataclasses and named tuples know the types of their fields, inherited ones too.

    They know them as strings, which pdoc would look up in the wrong module.
    """
    for kind in vars(module).values():
        if not isinstance(kind, type) or kind.__module__ != module.__name__:
            continue
        if dataclasses.is_dataclass(kind):
            constructor = kind.__init__
        elif hasattr(kind, "_fields"):
            constructor = kind.__new__
        else:
            continue
        with contextlib.suppress(NameError):  # of a type that is imported for type checkers only: pdoc finds it
            constructor.__annotations__ |= typing.get_type_hints(kind, include_extras=True)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
