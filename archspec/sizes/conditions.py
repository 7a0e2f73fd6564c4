"""Comparisons of sizes: proved, refuted, or the condition under which they are true."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, NoReturn, TypeAlias, final

from archspec.sizes.atoms import evaluated
from archspec.sizes.bounds import least, most
from archspec.sizes.factored import factored
from archspec.sizes.text import ordered, remainder

if TYPE_CHECKING:
    from archspec.sizes.expression import Domain, Expr, Size

Relation: TypeAlias = Literal["==", "!=", ">=", ">"]


@final
@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison that some inputs meet; made by comparing, in one form per statement."""

    left: Size
    relation: Relation
    right: Size
    others: tuple[Condition, ...] = ()
    """Further comparisons: one of all of them must be true."""

    @property
    def options(self) -> tuple[Condition, ...]:
        """The comparisons of which one must be true."""
        return (replace(self, others=()), *self.others) if self.others else (self,)

    @property
    def domain(self) -> Domain:
        """Where its symbols come from."""
        side = self.right if isinstance(self.left, int) else self.left
        assert not isinstance(side, int), "two numbers compare to True or False"
        return side.domain

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols it speaks of."""
        sides = (side for each in self.options for side in (each.left, each.right))
        return frozenset().union(*(side.symbols for side in sides if not isinstance(side, int)))

    def at(self, values: Mapping[str, int]) -> bool:
        """Whether these values meet it."""
        left, right = evaluated(self.left, values), evaluated(self.right, values)
        if _COMPARE[self.relation](left, right):
            return True
        return any(other.at(values) for other in self.others)

    def __bool__(self) -> NoReturn:
        raise TypeError(f"`{self}` depends on the input: ask holds() or always()")

    def __str__(self) -> str:
        first = f"{self.left} {self.relation} {self.right}"
        return " or ".join([first, *map(str, self.others)])


_COMPARE: Final[Mapping[Relation, Callable[[int, int], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}


def at_least_zero(gap: Size) -> bool | Condition:
    """Whether a difference is 0 or more."""
    if isinstance(gap, int):
        return gap >= 0
    gap = primitive(gap)
    low = least(gap)
    if low is not None and low >= 0:
        return True
    high = most(gap)
    if high is not None and high < 0:
        return False
    left, right = sides_of(gap)
    if gap.constant == -1 and not (isinstance(left, int) or isinstance(right, int)):
        return Condition(left, ">", right - 1)
    return Condition(left, ">=", right)


def primitive(gap: Expr) -> Expr:
    """Divided by what the coefficients have in common, and rounded down: of the same sign."""
    common = math.gcd(*gap.terms.values())
    if common == 1:
        return gap
    return gap.divided(common)


def sides_of(gap: Expr) -> tuple[Size, Size]:
    """Two sizes of this difference, for people: remainders and products left whole, no minus."""
    if remainder(-gap):
        right, left = sides_of(-gap)
        return left, right
    floor = remainder(gap)
    if floor:
        extra = gap.constant - floor.inner.constant
        return gap - extra, -extra
    product = factored(gap)
    if product:
        whole = gap - product.rest
        return (whole, -product.rest) if product.scale > 0 else (product.rest, -whole)
    positive = {m: c for m, c in gap.terms.items() if c > 0}
    negative = {m: -c for m, c in gap.terms.items() if c < 0}
    left = gap.remade(positive, max(gap.constant, 0))
    return left, gap.remade(negative, max(-gap.constant, 0))


def is_zero(gap: Size) -> bool | Condition:
    """Whether a difference is 0."""
    if isinstance(gap, int):
        return gap == 0
    if gap.constant % math.gcd(*gap.terms.values()):
        return False
    gap = primitive(gap)
    low, high = least(gap), most(gap)
    if (low is not None and low > 0) or (high is not None and high < 0):
        return False
    if low == high == 0:
        return True
    if gap.terms[ordered(gap)[0]] < 0:
        gap = -gap
    left, right = sides_of(gap)
    return Condition(right, "==", left) if isinstance(left, int) else Condition(left, "==", right)
