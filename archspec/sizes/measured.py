"""A symbolic size that code can compute: `skip.height // 2` is `skip.shape[2] // 2` at run time.

An `Expr` says what a size is for every input, but not where a module finds it. A `Measured` knows
both: the exact size, and the dimensions of tensors that it was computed from. Expressions compute
with it as with a number; what comes out as a constant is a plain number again.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, final

from archspec.sizes.conditions import Condition
from archspec.sizes.expression import Expr, Size
from archspec.sizes.functions import equal, maximum, minimum

MOST_READS: Final = 64
"""Numbers and dimensions that one size is computed from, at most."""


@final
@dataclass(frozen=True, slots=True)
class Dimension:
    """Dimension `index` of a value, counted as in PyTorch (0 is the batch).

    `scope` and `value` are the composite and the number by which it knows the value; `name` is
    what a spec calls it.
    """

    scope: object
    value: int
    index: int
    name: str


@final
@dataclass(frozen=True, slots=True)
class Operation:
    """`left sign right`; without `left`, `-right`."""

    sign: str
    left: int | Measured | None
    right: int | Measured


@final
@dataclass(frozen=True, slots=True)
class Measured:
    """A size that depends on the input, and how it is computed from dimensions of tensors."""

    size: Expr
    origin: Dimension | Operation

    def __add__(self, other: Term) -> Term:
        if isinstance(other, int) and other < 0:
            return self - -other
        return _made("+", self, other)

    def __radd__(self, other: Term) -> Term:
        return _made("+", other, self)

    def __sub__(self, other: Term) -> Term:
        if isinstance(other, int) and other < 0:
            return self + -other
        return _made("-", self, other)

    def __rsub__(self, other: Term) -> Term:
        return _made("-", other, self)

    def __mul__(self, other: Term) -> Term:
        return _made("*", self, other)

    def __rmul__(self, other: Term) -> Term:
        return _made("*", other, self)

    def __floordiv__(self, other: Term) -> Term:
        return _made("//", self, other)

    def __mod__(self, other: Term) -> Term:
        return _made("%", self, other)

    def __neg__(self) -> Measured:
        return Measured(-self.size, Operation("-", None, self))

    def __pos__(self) -> Measured:
        return self

    def __ge__(self, other: Term) -> bool | Condition:
        return self.size >= size_of(other)

    def __gt__(self, other: Term) -> bool | Condition:
        return self.size > size_of(other)

    def __le__(self, other: Term) -> bool | Condition:
        return self.size <= size_of(other)

    def __lt__(self, other: Term) -> bool | Condition:
        return self.size < size_of(other)

    def __str__(self) -> str:
        return str(self.size)

    __repr__ = __str__

    def reads(self) -> Iterator[Dimension]:
        """The dimensions that it is computed from, from left to right."""
        if isinstance(self.origin, Dimension):
            yield self.origin
            return
        for part in (self.origin.left, self.origin.right):
            if isinstance(part, Measured):
                yield from part.reads()

    def code(self, read: Callable[[Dimension], str]) -> str:
        """Python code that computes it; `read` gives the code of a dimension."""
        return _code(self, read, 0)

    def recomputed(self, shape: Callable[[Dimension], Size]) -> Size:
        """The size where dimensions are what `shape` says of them."""
        if isinstance(self.origin, Dimension):
            return shape(self.origin)
        left, right = (
            part.recomputed(shape) if isinstance(part, Measured) else part
            for part in (self.origin.left, self.origin.right)
        )
        assert right is not None
        return -right if left is None else _COMPUTE[self.origin.sign](left, right)

    def moved(self, place: Callable[[Measured], Measured | None]) -> Measured | None:
        """The same size from other dimensions, as `place` puts them; None if it has no place."""
        found = place(self)
        if found is not None or isinstance(self.origin, Dimension):
            return found
        left, right = (
            part.moved(place) if isinstance(part, Measured) else part
            for part in (self.origin.left, self.origin.right)
        )
        if right is None or (left is None and self.origin.left is not None):
            return None
        return Measured(self.size, Operation(self.origin.sign, left, right))


Term: TypeAlias = int | Measured
"""A number of an expression: known, or read when the module runs."""

_COMPUTE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
_BINDS: Final = {"+": 1, "-": 1, "*": 2, "//": 2, "%": 2}
_NEGATION: Final = 3


def size_of(value: Term | Expr) -> Size:
    """The size that a number of an expression is."""
    return value.size if isinstance(value, Measured) else value


def least_of(values: Iterable[Term]) -> Term | None:
    """The smallest of several numbers; None if that is another one for other inputs."""
    return _first_that(values, minimum)


def largest_of(values: Iterable[Term]) -> Term | None:
    """The largest of several numbers; None if that is another one for other inputs."""
    return _first_that(values, maximum)


def _first_that(values: Iterable[Term], pick: Callable[[Size, Size], Size]) -> Term | None:
    best, *others = values
    for each in others:
        chosen = pick(size_of(best), size_of(each))
        if equal(chosen, size_of(each)) is True:
            best = each
        elif equal(chosen, size_of(best)) is not True:
            return None
    return best


def _made(sign: str, left: Term, right: Term) -> Term:
    if not isinstance(left, int | Measured) or not isinstance(right, int | Measured):
        return NotImplemented
    size = _COMPUTE[sign](size_of(left), size_of(right))
    if isinstance(size, int):
        return size
    made = Measured(size, Operation(sign, left, right))
    if _leaves(made) > MOST_READS:
        raise ValueError(f"a size is computed from {MOST_READS} numbers at most")
    return made


def _leaves(term: Term | None) -> int:
    if not isinstance(term, Measured) or isinstance(term.origin, Dimension):
        return 1
    return _leaves(term.origin.left) + _leaves(term.origin.right)


def _code(term: Term, read: Callable[[Dimension], str], binds: int) -> str:
    """Code of a term, in parentheses if what stands around it binds more tightly."""
    if isinstance(term, int):
        return f"({term})" if term < 0 and binds else str(term)
    origin = term.origin
    if isinstance(origin, Dimension):
        return read(origin)
    if origin.left is None:
        own, text = _NEGATION, f"-{_code(origin.right, read, _NEGATION)}"
    else:
        own = _BINDS[origin.sign]
        tighter = own if origin.sign == "+" else own + 1
        left, right = _code(origin.left, read, own), _code(origin.right, read, tighter)
        text = f"{left} {origin.sign} {right}"
    return f"({text})" if own < binds else text
