"""Formulas over index tensors: the value of a Buffer, evaluated at once for all its elements.

`check` never evaluates one; it is turned into torch code, which runs when the module is built.
"""

import ast
import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from archspec.diagnostics import shown
from archspec.expr.compiler import compile_expression
from archspec.expr.errors import ExpressionError
from archspec.expr.operators import by_zero, truth
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

_FUNCTIONS: dict[str, str] = {
    **{name: f"torch.{name}({{0}})" for name in ("abs", "ceil", "floor", "round", "sign")},
    **{name: f"torch.{name}({{0}})" for name in ("sqrt", "exp", "sin", "cos")},
    "int": "{0}.long()",
}
"""Functions of one number, as torch has them for all elements at once."""
_LOGARITHMS: dict[float, str] = {2: "torch.log2({0})", 10: "torch.log10({0})"}
_EXTREMES: dict[str, str] = {"min": "torch.minimum", "max": "torch.maximum"}


Spell = Callable[[str, int | float], str | None]
"""Code for a name with its value; None where the value itself is to be written."""


def _by_value(name: str, value: int | float) -> None:
    """No name is spelled: their values are."""


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression over indices, with the values of all other names in it."""

    text: str
    values: tuple[tuple[str, int | float | bool], ...]

    def reads(self, index: str) -> bool:
        """Whether it depends on an index of this name."""
        return index in compile_expression(self.text).names

    def code(self, index: Mapping[str, str], spell: Spell = _by_value) -> str:
        """Torch code for it; `index` has the variable of every index.

        Conditions become `torch.where`, `and` and `or` become `&` and `|`. Parts without an index
        are written as their value, unless `spell` has code for a name in them.
        Raises `ExpressionError` for what has no meaning over tensors.
        """
        names = {**dict(self.values), **CONSTANTS}
        writer = _Writer(names, index, spell)
        tree = copy.deepcopy(compile_expression(self.text).tree)
        return writer.number(_Decided(writer).visit(tree))


def capture(text: str, index: tuple[str, ...], names: Mapping[str, Any]) -> Formula:
    """The formula with the values of its names. Raises `ExpressionError`."""
    expression = compile_expression(text)
    values: dict[str, int | float | bool] = {}
    for name in sorted(expression.names - set(index) - set(CONSTANTS)):
        value = compile_expression(name).run(Scope(names))
        if not isinstance(value, int | float):
            raise ExpressionError(f"`{name}` is {shown(value)}: a formula takes numbers")
        values[name] = value
    formula = Formula(text, tuple(values.items()))
    formula.code({name: name for name in index})
    return formula


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes torch code. Parts without an index are computed, and written as their value."""

    names: Mapping[str, Any]
    index: Mapping[str, str]
    spell: Spell

    def number(self, node: ast.expr) -> str:
        """Code for a part that counts: a condition in it is 0 or 1, as in Python."""
        if isinstance(node, ast.BoolOp) and not self.is_condition(node):
            raise _meaningless(node)
        if not self.is_condition(node):
            return self.code(node)
        return f"{self.code(node)}.long()" if self.varies(node) else repr(int(self.value(node)))

    def code(self, node: ast.expr) -> str:
        """Code for any part."""
        if not self.varies(node):
            return self.constant(node)
        if isinstance(node, ast.Name):
            return self.index[node.id]
        if isinstance(node, ast.BinOp):
            return self.arithmetic(node)
        if isinstance(node, ast.UnaryOp):
            return self.unary(node)
        if isinstance(node, ast.BoolOp):
            return self.joined(node)
        if isinstance(node, ast.IfExp):
            return self.conditional(node)
        if isinstance(node, ast.Compare) and all(type(op) in _OPERATORS for op in node.ops):
            return self.comparison(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self.call(node, node.func.id)
        raise _meaningless(node)

    def joined(self, node: ast.BoolOp) -> str:
        """Code for `and` and `or`, without the parts that are decided and change nothing."""
        idle = isinstance(node.op, ast.And)
        parts = [self.condition(each) for each in node.values]
        counting = [part for part in parts if part != repr(idle)]
        sign = f" {_OPERATORS[type(node.op)]} "
        return f"({sign.join(counting)})"

    def constant(self, node: ast.expr) -> str:
        """Code for a part without an index: its value, or what it is computed from."""
        value = self.value(node)
        if not _is_arithmetic(node):
            return _literal(value)
        names = (each.id for each in ast.walk(node) if isinstance(each, ast.Name))
        known = {name: self.names[name] for name in names}  # in reading order
        if not all(map(_is_number, known.values())):
            return _literal(value)
        codes = {name: self.spell(name, each) for name, each in known.items()}
        if not any(codes.values()):
            return _literal(value)
        spelled = {name: code or _literal(known[name]) for name, code in codes.items()}
        return f"({ast.unparse(_Spelled(spelled).visit(copy.deepcopy(node)))})"

    def arithmetic(self, node: ast.BinOp) -> str:
        """Code for an operator. Torch has no integers to negative powers."""
        left, right = self.number(node.left), self.number(node.right)
        if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod):
            self.check_divisor(node)
        if isinstance(node.op, ast.Pow):
            if not self.varies(node.right) and self.value(node.right) < 0:
                right = _literal(float(self.value(node.right)))
            elif not self.varies(node.left) and _may_be_negative(node.right):
                left = _literal(float(self.value(node.left)))
        return f"({left} {_OPERATORS[type(node.op)]} {right})"

    def call(self, node: ast.Call, name: str) -> str:
        """Code for a function that torch has too."""
        if name in _FUNCTIONS and len(node.args) == 1:
            return _FUNCTIONS[name].format(self.number(node.args[0]))
        if name == "log" and len(node.args) in (1, 2):
            return self.logarithm(*node.args)
        if name in _EXTREMES and len(node.args) > 1:
            first, *others = (self.tensor(each) for each in node.args)
            return reduce(lambda a, b: f"{_EXTREMES[name]}({a}, {b})", others, first)
        raise _meaningless(node)

    def logarithm(self, value: ast.expr, base: ast.expr | None = None) -> str:
        """Code for a logarithm: natural, or to a base."""
        if base is None:
            return f"torch.log({self.tensor(value)})"
        known = None if self.varies(base) else self.value(base)
        if known in _LOGARITHMS:
            return _LOGARITHMS[known].format(self.tensor(value))
        return f"(torch.log({self.tensor(value)}) / torch.log({self.tensor(base)}))"

    def tensor(self, node: ast.expr) -> str:
        """Code for a part that counts, as a tensor whatever it is."""
        code = self.number(node)
        return code if self.varies(node) else f"torch.tensor({code})"

    def check_divisor(self, node: ast.BinOp) -> None:
        """Refuse what divides by zero for some index: whole numbers, then, have no result."""
        if not self.varies(node.right):
            if self.value(node.right) == 0:
                raise by_zero(node)
        elif not isinstance(node.op, ast.Div):
            message = f"`{ast.unparse(node)}` divides by an index, which may be 0"
            raise ExpressionError(message, code="E109", offset=node.col_offset)

    def unary(self, node: ast.UnaryOp) -> str:
        """Code for a sign, or `not`."""
        if isinstance(node.op, ast.Not):
            return f"(~{self.condition(node.operand)})"
        operand = self.number(node.operand)
        return f"(-{operand})" if isinstance(node.op, ast.USub) else operand

    def conditional(self, node: ast.IfExp) -> str:
        """Code for `a if c else b` whose `c` has an index."""
        write = self.code if self.is_condition(node) else self.number
        branches = f"{write(node.body)}, {write(node.orelse)}"
        return f"torch.where({self.condition(node.test)}, {branches})"

    def comparison(self, node: ast.Compare) -> str:
        """Code for a chain of comparisons."""
        sides = [self.number(each) for each in (node.left, *node.comparators)]
        signs = [_OPERATORS[type(op)] for op in node.ops]
        pairs = [f"({a} {s} {b})" for a, s, b in zip(sides, signs, sides[1:], strict=False)]
        return f"({' & '.join(pairs)})" if len(pairs) > 1 else pairs[0]

    def condition(self, node: ast.expr) -> str:
        """Code for a part that must be true or false."""
        if not self.varies(node):
            return repr(truth(self.value(node)))
        code = self.code(node)
        return code if self.is_condition(node) else f"({code} != 0)"

    def is_condition(self, node: ast.expr) -> bool:
        """Whether a part is true or false, not a number."""
        if not self.varies(node):
            return isinstance(self.value(node), bool)
        if isinstance(node, ast.IfExp):
            return self.is_condition(node.body) and self.is_condition(node.orelse)
        if isinstance(node, ast.BoolOp):
            return all(map(self.is_condition, node.values))
        negation = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        return negation or isinstance(node, ast.Compare)

    def varies(self, node: ast.expr) -> bool:
        """Whether an index stands in a part."""
        return any(isinstance(n, ast.Name) and n.id in self.index for n in ast.walk(node))

    def value(self, node: ast.expr) -> int | float | bool:
        """The value of a part without an index."""
        value = compile_expression(ast.unparse(node)).run(Scope(self.names))
        if not isinstance(value, int | float):
            raise ExpressionError(f"`{ast.unparse(node)}` is {shown(value)}, not a number")
        return value


class _Decided(ast.NodeTransformer):
    """Puts branches in the place of conditionals whose condition has no index."""

    def __init__(self, writer: _Writer) -> None:
        self.writer = writer

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """The chosen branch. The other may have no meaning, and is not looked at."""
        node.test = self.visit(node.test)
        if self.writer.varies(node.test):
            return self.generic_visit(node)
        chosen: ast.AST = node.body if truth(self.writer.value(node.test)) else node.orelse
        return self.visit(chosen)  # type: ignore[no-any-return]


class _Spelled(ast.NodeTransformer):
    """Puts code in the place of names."""

    def __init__(self, codes: Mapping[str, str]) -> None:
        self.codes = codes

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The code of a name; those of constants stay."""
        code = self.codes.get(node.id)
        return node if code is None else ast.parse(code, mode="eval").body


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_arithmetic(node: ast.expr) -> bool:
    """Whether a part is nothing but names, numbers and operators, which mean the same in code."""
    kinds = ast.Name | ast.Constant | ast.BinOp | ast.UnaryOp | ast.operator | ast.USub | ast.Load
    return all(isinstance(each, kinds) for each in ast.walk(node))


def _literal(value: int | float | bool) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return f"({value!r})" if value < 0 else repr(value)


def _may_be_negative(node: ast.expr) -> bool:
    minus = (ast.USub, ast.Sub)
    return any(
        isinstance(n, ast.BinOp | ast.UnaryOp) and isinstance(n.op, minus) for n in ast.walk(node)
    )


def _meaningless(node: ast.expr) -> ExpressionError:
    message = f"`{ast.unparse(node)}` has no meaning over index tensors"
    return ExpressionError(message, code="E109", offset=node.col_offset)
