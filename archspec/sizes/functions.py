"""What shape rules do with sizes besides arithmetic."""

from __future__ import annotations

from collections.abc import Iterable

from archspec.sizes.conditions import Condition, is_zero
from archspec.sizes.expression import Expr, Monomial, Size, extreme


def holds(condition: bool | Condition) -> bool:
    """Whether a shape rule may go on; what depends on the input becomes a requirement on it."""
    if isinstance(condition, Condition):
        condition.domain.require(condition)
        return True
    return condition


def always(condition: bool | Condition) -> bool:
    """Whether it is proved for every input."""
    return condition is True


def equal(a: Size, b: Size) -> bool | Condition:
    """Whether two sizes are the same number."""
    return is_zero(a - b)


def unequal(a: Size, b: Size) -> bool | Condition:
    """Whether two sizes are different numbers."""
    same = equal(a, b)
    return Condition(same.left, "!=", same.right) if isinstance(same, Condition) else not same


def divisible(a: Size, k: int) -> bool | Condition:
    """Whether `k` divides a size."""
    return equal(a % k, 0)


def minimum(a: Size, b: Size) -> Size:
    """The smaller of two sizes."""
    if always(a <= b):
        return a
    return b if always(b <= a) else extreme(min, a, b)


def maximum(a: Size, b: Size) -> Size:
    """The larger of two sizes."""
    if always(a >= b):
        return a
    return b if always(b >= a) else extreme(max, a, b)


def ceil_div(a: Size, k: int) -> Size:
    """`a / k`, rounded up."""
    return (a + (k - 1)) // k


def product(sizes: Iterable[Size]) -> Size:
    """All the sizes, multiplied."""
    total: Size = 1
    for size in sizes:
        total = total * size
    return total


def quotient(a: Size, b: Size) -> Size | None:
    """`a / b` where it is a size with whole coefficients for all inputs; None where it is not."""
    if isinstance(b, int):
        return a // b if b > 0 and always(divisible(a, b)) else None
    found: Size = 0
    lead, factor = _leading(b)
    while not isinstance(a, int):
        monomial, coefficient = _leading(a)
        rest = _without(monomial, lead)
        if rest is None or coefficient % factor:
            return None
        term = b.remade({rest: 1}, 0) if rest else 1
        found = found + term * (coefficient // factor)
        a = a - term * (coefficient // factor) * b
    return found if a == 0 else None


def _leading(size: Expr) -> tuple[Monomial, int]:
    """The term that comes first in an order that products keep: by degree, then by factors."""
    monomial = max(size.terms, key=lambda m: (len(m), [-atom.rank for atom in m]))
    return monomial, size.terms[monomial]


def _without(monomial: Monomial, factor: Monomial) -> Monomial | None:
    """A product divided by another; None if it does not have all its factors."""
    rest = list(monomial)
    for atom in factor:
        if atom not in rest:
            return None
        rest.remove(atom)
    return tuple(rest)
