"""Formulas over index tensors: the value of a Buffer, evaluated at once for all its elements.

`check` never evaluates one; it is turned into torch code, which runs when the module is built.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archspec.expr.compiler import compile_expression
from archspec.expr.errors import ExpressionError
from archspec.expr.scope import CONSTANTS, Scope

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.And: "&",
    ast.Or: "|",
}


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression over indices, with the values of all other names in it."""

    text: str
    values: tuple[tuple[str, int | float | bool], ...]

    def code(self, index: tuple[str, ...]) -> str:
        """Torch code for it, over tensors with the names in `index`.

        Conditions become `torch.where`, `and` and `or` become `&` and `|`.
        Raises `ExpressionError` for what has no meaning over tensors.
        """
        names = {**dict(self.values), **CONSTANTS}
        return _code(compile_expression(self.text).tree, names, frozenset(index))


def capture(text: str, index: tuple[str, ...], names: Mapping[str, Any]) -> Formula:
    """The formula with the values of its names. Raises `ExpressionError`."""
    expression = compile_expression(text)
    values: dict[str, int | float | bool] = {}
    for name in sorted(expression.names - set(index) - set(CONSTANTS)):
        value = compile_expression(name).run(Scope(names))
        if not isinstance(value, int | float):
            raise ExpressionError(f"`{name}` is {value!r}: a formula takes numbers")
        values[name] = value
    formula = Formula(text, tuple(values.items()))
    formula.code(index)
    return formula


def _code(node: ast.expr, names: Mapping[str, Any], index: frozenset[str]) -> str:
    def of(each: ast.expr) -> str:
        return _code(each, names, index)

    if not any(isinstance(n, ast.Name) and n.id in index for n in ast.walk(node)):
        return repr(compile_expression(ast.unparse(node)).run(Scope(names)))
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.BinOp):
        return f"({of(node.left)} {_OPERATORS[type(node.op)]} {of(node.right)})"
    if isinstance(node, ast.UnaryOp):
        return f"({'~' if isinstance(node.op, ast.Not) else '-'}{of(node.operand)})"
    if isinstance(node, ast.BoolOp):
        sign = f" {_OPERATORS[type(node.op)]} "
        return f"({sign.join(of(value) for value in node.values)})"
    if isinstance(node, ast.IfExp):
        return f"torch.where({of(node.test)}, {of(node.body)}, {of(node.orelse)})"
    if isinstance(node, ast.Compare) and all(type(op) in _OPERATORS for op in node.ops):
        sides = [of(each) for each in (node.left, *node.comparators)]
        signs = [_OPERATORS[type(op)] for op in node.ops]
        pairs = [f"({a} {s} {b})" for a, s, b in zip(sides, signs, sides[1:], strict=False)]
        return f"({' & '.join(pairs)})" if len(pairs) > 1 else pairs[0]
    message = f"`{ast.unparse(node)}` has no meaning over index tensors"
    raise ExpressionError(message, code="E109", offset=node.col_offset)
