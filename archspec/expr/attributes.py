"""Expressions over a layer's own arguments → Python code over the attributes of its module."""

import ast
from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any, Final

from archspec.expr.compiler import compile_expression, parse

CALLS: Final[Mapping[str, str]] = {
    **{name: name for name in ("abs", "int", "len", "max", "min", "sum")},
    **{name: f"math.{name}" for name in ("ceil", "floor", "log", "sqrt")},
}
"""Functions that mean the same in Python."""


def over_attributes(
    text: str, owner: str, attributes: Collection[str], names: Mapping[str, Any]
) -> str | None:
    """Code in which attributes of `owner` stand for their names, and numbers for all others.

    None if there is no such code, or if it would be no more than a number: then the value says it.
    """
    expression = compile_expression(text)
    if not any(name in attributes for name in expression.names):
        return None
    writer = _Writer(owner, attributes, names)
    try:
        tree = writer.visit(parse(text))
    except _NoCode:
        return None
    return ast.unparse(tree)


class _NoCode(Exception):
    """This part has no equal in Python."""


class _Writer(ast.NodeTransformer):
    def __init__(self, owner: str, attributes: Collection[str], names: Mapping[str, Any]) -> None:
        self.owner = owner
        self.attributes = attributes
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """An attribute, or a number."""
        if node.id in self.attributes:
            return ast.Attribute(ast.Name(self.owner), node.id)
        value = self.names.get(node.id)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise _NoCode
        number = ast.Constant(abs(value))
        return number if value >= 0 else ast.UnaryOp(ast.USub(), number)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A function that Python has, too."""
        if not isinstance(node.func, ast.Name) or node.func.id not in CALLS or node.keywords:
            raise _NoCode
        arguments = [self.visit(argument) for argument in node.args]
        return ast.Call(ast.Name(CALLS[node.func.id]), arguments, [])

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Arithmetic and indices; what else there may be stays a value."""
        plain = (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.Subscript, ast.Constant)
        if not isinstance(node, (*plain, ast.expr_context)):
            raise _NoCode
        return super().generic_visit(node)
