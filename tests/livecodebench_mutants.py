"""Programs that are nearly right, made from right ones by changing one operator, comparison or constant."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator

_OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.FloorDiv,
    ast.Mod: ast.FloorDiv,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


def mutants(code: str, count: int, rng: random.Random) -> list[str]:
    """At most `count` of a program's mutants."""
    tree = ast.parse(code)
    sites = [i for i, node in enumerate(ast.walk(tree)) if next(_changes(node), None) is not None]
    found = []
    for site in rng.sample(sites, min(count, len(sites))):
        mutant = copy.deepcopy(tree)
        node = list(ast.walk(mutant))[site]
        next(_changes(node))()
        found.append(ast.unparse(mutant))
    return found


def _changes(node: ast.AST) -> Iterator:
    """What could be done to a node."""
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in _OPERATORS:
        yield lambda: setattr(node, "op", _OPERATORS[type(node.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _OPERATORS:
        yield lambda: node.ops.__setitem__(0, _OPERATORS[type(node.ops[0])]())
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield lambda: setattr(node, "value", node.value + 1)
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield lambda: setattr(node, "value", not node.value)
    if isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
        yield lambda: setattr(node, "value", ast.List([node.value], ast.Load()))
