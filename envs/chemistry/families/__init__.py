"""Families of tasks, a module each. They are imported when they are asked for: most need RDKit."""

from __future__ import annotations

import importlib

from envs.chemistry.families.base import Family

FAMILIES = (
    "choice",
    "count",
    "formula",
    "contains",
    "chain",
    "atoms",
    "isomer",
    "groups",
    "property",
    "complete",
    "edit",
    "optimize",
    "repair",
    "reaction",
    "name",
    "balance",
)
WITHOUT_RDKIT = ("balance",)


def load_family(name: str) -> Family:
    """The family of this name.

    Raises:
        ImportError: it needs RDKit, which is not installed.
    """
    if name not in WITHOUT_RDKIT:
        try:
            import rdkit  # noqa: F401
        except ImportError as error:
            raise ImportError(
                f"the chemistry family {name!r} needs RDKit: pip install 'sdpo-gym[chem]' "
                f"(without it there are only families={list(WITHOUT_RDKIT)})"
            ) from error
    return importlib.import_module(f"envs.chemistry.families.{name}").FAMILY
