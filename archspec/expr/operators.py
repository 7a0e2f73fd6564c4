"""Operators: arithmetic, comparison, `and or not`, and conditionals."""

import ast
import operator
from collections.abc import Callable
from typing import Any

from archspec.diagnostics import shown
from archspec.expr import bounds
from archspec.expr.errors import ExpressionError
from archspec.expr.scope import Compiled, Scope, Sub
from archspec.sizes import Condition, Measured, equal, size_of, unequal

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: bounds.multiply,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: bounds.power,
}
_INSTEAD: dict[type[ast.operator], str] = {
    ast.BitXor: "a power is written `**`",
    ast.BitAnd: "write `and`",
    ast.BitOr: "write `or`",
}
_ALLOWED = (int, float, bool, Measured)


def binary(node: ast.BinOp, sub: Sub) -> Compiled:
    """Arithmetic."""
    left, right = sub(node.left), sub(node.right)
    action = _BINARY.get(type(node.op))
    if action is None:
        message = f"`{ast.unparse(node)}` has an operator that expressions do not have"
        help = _INSTEAD.get(type(node.op))
        raise ExpressionError(message, code="E109", offset=node.col_offset, help=help)
    joins = isinstance(node.op, ast.Add | ast.Mult)

    def run(scope: Scope) -> Any:
        a, b = left(scope), right(scope)
        if not joins and not (isinstance(a, _ALLOWED) and isinstance(b, _ALLOWED)):
            raise ExpressionError(
                f"`{ast.unparse(node)}` works on numbers, not {shown(a)} and {shown(b)}"
            )
        size = a if isinstance(a, Measured) else b
        if isinstance(node.op, ast.Div) and isinstance(size, Measured):
            raise _fraction(node, size)
        try:
            result = bounds.bounded(action(a, b))
        except ZeroDivisionError:
            raise by_zero(node) from None
        except (TypeError, ValueError, ArithmeticError) as error:
            if isinstance(size, Measured) and isinstance(error, TypeError):
                raise _unknown(node, size) from None
            raise _refused(node, a, b, error) from None
        scope.spend(bounds.weight(result))
        return result

    return run


def by_zero(node: ast.BinOp) -> ExpressionError:
    """What is said of `n // groups`: which part of it is zero."""
    zero = node.left if isinstance(node.op, ast.Pow) else node.right  # `0 ** -1` is `1 / 0`
    cause = "" if isinstance(zero, ast.Constant) else f": `{ast.unparse(zero)}` is 0"
    return ExpressionError(f"`{ast.unparse(node)}` divides by zero{cause}")


def _refused(node: ast.BinOp, a: Any, b: Any, error: Exception) -> ExpressionError:
    """What is said of `[1] + null`, or of a power that is beyond all numbers."""
    whole = f"`{ast.unparse(node)}`"
    if not isinstance(error, TypeError):
        return ExpressionError(f"{whole} is beyond all numbers")
    if isinstance(node.op, ast.Add):
        wanted, joined = "numbers, lists or texts", "adds"
    else:
        wanted, joined = "numbers, or a list by a whole number", "multiplies"
    return ExpressionError(f"{whole} {joined} {wanted}, not {shown(a)} and {shown(b)}")


def _fraction(node: ast.BinOp, size: Measured) -> ExpressionError:
    """What is said of `H / 2`: it may be no whole number."""
    message = f"`{ast.unparse(node)}` may be a fraction: {size} is symbolic"
    left, right = ast.unparse(node.left), ast.unparse(node.right)
    help = f"`{left} // {right}` rounds down, `-(-{left} // {right})` rounds up"
    return ExpressionError(message, code="E114", offset=node.col_offset, help=help)


def _unknown(node: ast.BinOp, size: Measured) -> ExpressionError:
    """What is said of `8 // H` and `H ** 2`: only some of the arithmetic is for open sizes."""
    message = f"`{ast.unparse(node)}` is not worked out for every input: {size} is symbolic"
    help = "symbolic sizes take `+`, `-` and `*` with whole numbers, and `//` and `%` by a number"
    return ExpressionError(message, code="E114", offset=node.col_offset, help=help)


def unary(node: ast.UnaryOp, sub: Sub) -> Compiled:
    """A sign, or `not`."""
    operand = sub(node.operand)
    if isinstance(node.op, ast.Not):
        return lambda scope: not truth(operand(scope))
    sign = operator.neg if isinstance(node.op, ast.USub) else operator.pos
    if isinstance(node.op, ast.Invert):
        message = f"`{ast.unparse(node)}` has an operator that expressions do not have"
        raise ExpressionError(message, code="E109", offset=node.col_offset, help="write `not`")

    def run(scope: Scope) -> Any:
        value = operand(scope)
        if not isinstance(value, _ALLOWED):
            message = f"`{ast.unparse(node)}` works on numbers, not {shown(value)}"
            raise ExpressionError(message)
        return sign(value)

    return run


def boolean(node: ast.BoolOp, sub: Sub) -> Compiled:
    """`and`, `or`: the last value that decides, as in Python."""
    values = [sub(value) for value in node.values]
    stop = isinstance(node.op, ast.Or)

    def run(scope: Scope) -> Any:
        result: Any = None
        for value in values:
            result = value(scope)
            if truth(result) is stop:
                break
        return result

    return run


def truth(value: Any) -> bool:
    """The truth of a value; a symbolic one has none."""
    if isinstance(value, Measured | Condition):
        raise ExpressionError(f"whether {value} holds depends on a symbolic size", code="E114")
    try:
        return bool(value)
    except Exception:  # an object of Python data, such as a tensor
        raise ExpressionError(f"{shown(value)} is neither true nor false") from None


def _among(item: Any, items: Any) -> bool:
    """Whether an item is in a list or text; a symbolic size may be or not."""
    if not isinstance(items, list | str) or (isinstance(items, str) and not isinstance(item, str)):
        raise TypeError
    for each in (item, *items) if isinstance(items, list) else (item,):
        if isinstance(each, Measured):
            message = f"whether {each} is in the list depends on a symbolic size"
            raise ExpressionError(message, code="E114")
    return item in items


_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: _among(a, b),
    ast.NotIn: lambda a, b: not _among(a, b),
}


def comparison(node: ast.Compare, sub: Sub) -> Compiled:
    """A chain of comparisons."""
    first = sub(node.left)
    rest = [sub(each) for each in node.comparators]
    actions = [_comparator(op, node) for op in node.ops]

    def run(scope: Scope) -> Any:
        left = first(scope)
        for op, action, each in zip(node.ops, actions, rest, strict=True):
            right = each(scope)
            scope.spend(bounds.weight(right))
            try:
                if not truth(action(left, right)):
                    return False
            except TypeError:
                raise _incomparable(node, op, left, right) from None
            left = right
        return True

    return run


def _incomparable(node: ast.Compare, op: ast.cmpop, left: Any, right: Any) -> ExpressionError:
    """What is said of `'a' > 1` and `1 in 2`."""
    whole = f"`{ast.unparse(node)}`"
    if not isinstance(op, ast.In | ast.NotIn):
        pair = f"{shown(left)} and {shown(right)}"
        return ExpressionError(f"{whole} compares numbers, texts or lists, not {pair}")
    if isinstance(right, str):
        return ExpressionError(f"{whole}: there are texts in a text, not {shown(left)}")
    return ExpressionError(f"{whole} looks into a list, not into {shown(right)}")


def _comparator(op: ast.cmpop, node: ast.Compare) -> Callable[[Any, Any], Any]:
    if isinstance(op, ast.Eq | ast.NotEq):
        symbolic, plain = (equal, operator.eq) if isinstance(op, ast.Eq) else (unequal, operator.ne)

        def compare(a: Any, b: Any) -> Any:
            sizes = isinstance(a, Measured | int) and isinstance(b, Measured | int)
            if sizes and (isinstance(a, Measured) or isinstance(b, Measured)):
                return symbolic(size_of(a), size_of(b))
            return plain(a, b)

        return compare
    if type(op) not in _COMPARE:
        help = "compare with `== null`"
        raise ExpressionError(
            "`is` is not used here", code="E109", offset=node.col_offset, help=help
        )
    return _COMPARE[type(op)]


def conditional(node: ast.IfExp, sub: Sub) -> Compiled:
    """`a if c else b`."""
    test, yes, no = (sub(each) for each in (node.test, node.body, node.orelse))
    return lambda scope: yes(scope) if truth(test(scope)) else no(scope)
