"""The functions that expressions may call."""

import math
import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

from archspec.diagnostics import shown
from archspec.expr.bounds import MAX_DIGITS, MAX_ITEMS
from archspec.expr.errors import ExpressionError
from archspec.sizes import Measured, largest_of, least_of


def make_divisible(value: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `value`, never more than 10 % below it.

    The rounding of channel counts in MobileNet: https://arxiv.org/abs/1801.04381 and its code.
    """
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def _range(*bounds: int) -> list[int]:
    numbers = range(*bounds)
    if len(numbers) > MAX_ITEMS:
        raise ExpressionError(f"a range of more than {MAX_ITEMS} numbers")
    return list(numbers)


def _zip(*lists: list[Any]) -> list[list[Any]]:
    lengths = {len(each) for each in lists}
    if len(lengths) > 1:
        words = " and ".join(str(len(each)) for each in lists)
        raise ExpressionError(f"zip over lists of different lengths: {words}")
    return [list(row) for row in zip(*lists, strict=True)]


def _enumerate(items: list[Any], start: int = 0) -> list[list[Any]]:
    return [[number, item] for number, item in enumerate(items, start)]


def _sum(items: list[float]) -> float:
    # Numbers only: adding lists up one by one would copy them again and again.
    if not isinstance(items, list) or not all(isinstance(item, int | float) for item in items):
        raise TypeError
    return sum(items)


def _round(value: float, digits: int = 0) -> float:
    if not -MAX_DIGITS <= digits <= MAX_DIGITS:
        raise ExpressionError(f"`round` to more than {MAX_DIGITS} digits")
    return round(value, digits) if digits else round(value)


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _log(value: float, base: float | None = None) -> float:
    return math.log(value) if base is None else math.log(value, base)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": _round,
    "ceil": math.ceil,
    "floor": math.floor,
    "sqrt": math.sqrt,
    "log": _log,
    "exp": math.exp,
    "sin": math.sin,
    "cos": math.cos,
    "sign": _sign,
    "int": int,
    "len": len,
    "sum": _sum,
    "range": _range,
    "zip": _zip,
    "enumerate": _enumerate,
    "make_divisible": make_divisible,
}


_TAKES = {
    "min": "numbers, or a list of them",
    "max": "numbers, or a list of them",
    "round": "a number, and how many digits are kept",
    "log": "a number, and a base",
    "len": "a list or a text",
    "sum": "a list of numbers",
    "range": "one to three whole numbers",
    "zip": "lists",
    "enumerate": "a list, and the number to begin with",
    "make_divisible": "a number, and a divisor",
}
"""What a function is called with; all others take a number."""
_STRUCTURAL = ("len", "enumerate", "zip")
"""Functions that do not look at the numbers in a list."""


def _symbolic(arguments: list[Any]) -> Measured | None:
    """A symbolic size among the arguments, or in a list that is one."""
    items = (item for each in arguments for item in (each if isinstance(each, list) else [each]))
    return next((item for item in items if isinstance(item, Measured)), None)


def _call_symbolic(name: str, arguments: list[Any], symbolic: Measured) -> Any:
    """A function of symbolic sizes, where its value is the same expression for every input."""
    if name in ("int", "floor", "ceil", "round") and arguments == [symbolic]:
        return symbolic
    single = len(arguments) == 1 and isinstance(arguments[0], list)
    terms = arguments[0] if single else arguments
    if all(type(term) is int or isinstance(term, Measured) for term in terms):
        if name == "sum" and single:
            return reduce(operator.add, terms)
        picked = {"min": least_of, "max": largest_of}.get(name, lambda _: None)(terms)
        if picked is not None:
            return picked
    message = f"`{name}` needs known numbers here, but {symbolic} is symbolic"
    raise ExpressionError(message, code="E114")


def call(name: str, arguments: list[Any]) -> Any:
    """Call one of `FUNCTIONS`; whatever goes wrong is an `ExpressionError`."""
    symbolic = None if name in _STRUCTURAL else _symbolic(arguments)
    if name == "int" and any(isinstance(a, str) for a in arguments):
        raise ExpressionError(_refusal(name, arguments, TypeError()))
    try:
        if symbolic is not None:
            return _call_symbolic(name, arguments, symbolic)
        return FUNCTIONS[name](*arguments)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ExpressionError(_refusal(name, arguments, error)) from None


def _refusal(name: str, arguments: list[Any], error: Exception) -> str:
    """What is said of a function that Python refused to call, or could not compute."""
    given = ", ".join(map(shown, arguments))
    if isinstance(error, TypeError):
        return f"`{name}` takes {_TAKES.get(name, 'a number')}, not {given or 'nothing'}"
    if isinstance(error, ZeroDivisionError):
        return f"`{name}({given})` divides by zero"
    infinite = any(isinstance(each, float) and not math.isfinite(each) for each in arguments)
    beyond = isinstance(error, OverflowError) and not infinite
    return f"`{name}({given})` {'is beyond all numbers' if beyond else 'has no value'}"
