"""Bounds on what an expression may compute: a spec may come from a stranger."""

from typing import Any

from archspec.expr.errors import ExpressionError

MAX_LENGTH = 2_000
"""Characters of an expression."""
MAX_DEPTH = 50
"""Nesting of an expression."""
MAX_STEPS = 1_000_000
"""Turns of all comprehensions of one expression, and items of all lists that it makes."""
MAX_ITEMS = 100_000
"""Items of a list and of the lists in it, characters of a text."""
MAX_INTEGER = 2**63
"""Magnitude of every intermediate integer."""
MAX_DIGITS = 400
"""Decimal places that `round` takes."""


def bounded(value: Any) -> Any:
    """The value, if it is within the bounds."""
    if type(value) is int and not -MAX_INTEGER < value < MAX_INTEGER:
        raise ExpressionError("a number beyond 64 bits")
    if isinstance(value, list | str):
        weight(value)
    return value


def weight(value: Any) -> int:
    """How many items a list holds, those of inner lists included. Bounded: it may be a bomb."""
    total = 0
    stack = [value] if isinstance(value, list | str) else []
    while stack:
        each = stack.pop()
        total += len(each)
        if total > MAX_ITEMS:
            raise ExpressionError(f"a list or text of more than {MAX_ITEMS} items")
        if isinstance(each, list):
            stack.extend(item for item in each if isinstance(item, list | str))
    return total


def multiply(left: Any, right: Any) -> Any:
    """`left * right`, checked before it is computed."""
    for sequence, times in ((left, right), (right, left)):
        if isinstance(sequence, list | str):
            if type(times) is int and weight(sequence) * times > MAX_ITEMS:
                raise ExpressionError(f"a list or text of more than {MAX_ITEMS} items")
            break
    return bounded(left * right)


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`, checked before it is computed."""
    if type(base) is int and type(exponent) is int:
        if (base.bit_length() - 1) * exponent > 64:  # at least that many bits
            raise ExpressionError("a number beyond 64 bits")
        if exponent < -1024:
            raise ExpressionError("an exponent below -1024")
    result = base**exponent
    if isinstance(result, complex):
        raise ExpressionError("the root of a negative number")
    return bounded(result)
