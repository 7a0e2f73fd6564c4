"""What polynomials are made of: symbols, floors, minima and maxima."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias, final

from archspec.sizes.bounds import Pick, choose, least, most

if TYPE_CHECKING:
    from archspec.sizes.expression import Expr, Size

Known: TypeAlias = "dict[Atom, int]"  # values of what expressions share

LONGEST: Final = 24  # symbols in the text of a floor
DEEPEST: Final = 32  # floors within each other that are written, and computed by recursion
LOWEST: Final = 1  # no symbol is smaller: it stands for the size of an input


class Atom:
    """What polynomials are made of; `low` and `high` bound its values, where known."""

    __slots__ = ("depth", "high", "low", "rank", "span", "symbols")

    relaxes: ClassVar[bool] = True
    """Whether `least` may take its place in a proof: it is made of other sizes."""

    def __init__(
        self, rank: int, symbols: frozenset[str], low: int | None, high: int | None
    ) -> None:
        self.rank: Final = rank  # an atom is made after those inside it: their ranks are lower
        self.symbols: Final = symbols
        self.low: Final = low
        self.high: Final = high
        self.span: int = 1
        """How many symbols are written in it: what is made of many floors shares parts of them."""
        self.depth: int = 1
        """How many atoms are within each other."""

    def value(self, values: Mapping[str, int], known: Known) -> int:
        """Its value for these symbols; `known` spares computing a shared part again."""
        raise NotImplementedError

    def least(self, scale: int, rest: Size, depth: int) -> int | None:
        """A lower bound of `scale * self + rest` that sees what the two have in common."""
        raise NotImplementedError


@final
class Symbol(Atom):
    """An unknown size of an input."""

    __slots__ = ("name",)

    relaxes: ClassVar[bool] = False

    def __init__(self, rank: int, name: str) -> None:
        super().__init__(rank, frozenset([name]), LOWEST, None)
        self.name: Final = name

    def value(self, values: Mapping[str, int], known: Known) -> int:
        return values[self.name]

    def __str__(self) -> str:
        return self.name


@final
class Floor(Atom):
    """`inner // divisor`: coefficients and constant in 0..divisor-1, nothing left to cancel."""

    __slots__ = ("divisor", "inner")

    def __init__(self, rank: int, inner: Expr, divisor: int) -> None:
        low, high = least(inner), most(inner)
        super().__init__(
            rank,
            inner.symbols,
            None if low is None else low // divisor,
            None if high is None else high // divisor,
        )
        self.inner: Final = inner
        self.divisor: Final = divisor
        self.span = span_of(inner)
        self.depth = depth_of(inner) + 1

    def value(self, values: Mapping[str, int], known: Known) -> int:
        if self not in known:
            known[self] = value_of(self.inner, values, known) // self.divisor
        return known[self]

    def least(self, scale: int, rest: Size, depth: int) -> int | None:
        # inner - (divisor - 1) <= divisor * self <= inner
        inner = self.inner - (self.divisor - 1) if scale > 0 else self.inner
        low = least(self.divisor * rest + scale * inner, depth)
        return None if low is None else -(-low // self.divisor)

    def __str__(self) -> str:
        return f"{grouped(self.inner)} // {self.divisor}"


@final
class Extreme(Atom):
    """The least (`pick` is min) or greatest of several sizes."""

    __slots__ = ("parts", "pick")

    def __init__(self, rank: int, pick: Pick, parts: frozenset[Size]) -> None:
        names = (part.symbols for part in parts if not isinstance(part, int))
        low = choose(pick, pick is min, map(least, parts))
        high = choose(pick, pick is max, map(most, parts))
        super().__init__(rank, frozenset().union(*names), low, high)
        self.pick: Final = pick
        self.parts: Final = parts
        self.span = sum(map(span_of, parts))
        self.depth = max(map(depth_of, parts)) + 1

    def value(self, values: Mapping[str, int], known: Known) -> int:
        if self not in known:
            known[self] = self.pick([value_of(part, values, known) for part in self.parts])
        return known[self]

    def least(self, scale: int, rest: Size, depth: int) -> int | None:
        # scale * min(a, b) is the min of the scaled parts, or their max if the scale is negative
        low_one = (scale > 0) == (self.pick is min)
        bounds = (least(scale * part + rest, depth) for part in self.parts)
        return choose(min if low_one else max, low_one, bounds)

    def __str__(self) -> str:
        if self.span > LONGEST or self.depth > DEEPEST:
            return f"{'min' if self.pick is min else 'max'}(…)"
        parts = sorted(self.parts, key=lambda part: (isinstance(part, int), str(part)))
        return f"{'min' if self.pick is min else 'max'}({', '.join(map(str, parts))})"


@final
class Rounded(Atom):
    """`floor(inner * scale)` in double precision, where that is no fraction of `inner`."""

    __slots__ = ("inner", "scale")

    relaxes: ClassVar[bool] = False

    def __init__(self, rank: int, inner: Expr, scale: float) -> None:
        low, high = least(inner), most(inner)
        super().__init__(
            rank,
            inner.symbols,
            None if low is None else math.floor(low * scale),
            None if high is None else math.floor(high * scale),
        )
        self.inner: Final = inner
        self.scale: Final = scale
        self.span = span_of(inner)
        self.depth = depth_of(inner) + 1

    def value(self, values: Mapping[str, int], known: Known) -> int:
        if self not in known:
            known[self] = math.floor(value_of(self.inner, values, known) * self.scale)
        return known[self]

    def __str__(self) -> str:
        inner = grouped(self.inner)
        plain = inner.isidentifier() or inner.startswith("(")
        return f"floor({self.scale}*{inner if plain else f'({inner})'})"


def evaluated(size: Size, values: Mapping[str, int]) -> int:
    """The value of a size for these symbols, however deep it is."""
    known: Known = {}
    if depth_of(size) > DEEPEST:
        for atom in atoms_of([size]):  # from the inside out
            atom.value(values, known)
    return value_of(size, values, known)


def value_of(size: Size, values: Mapping[str, int], known: Known) -> int:
    """The value of a size for these symbols, by recursion."""
    if isinstance(size, int):
        return size
    total = size.constant
    for monomial, coefficient in size.terms.items():
        total += math.prod((atom.value(values, known) for atom in monomial), start=coefficient)
    return total


def span_of(size: Size) -> int:
    """How many symbols are written in a size."""
    if isinstance(size, int):
        return 0
    return sum(atom.span for monomial in size.terms for atom in monomial)


def depth_of(size: Size) -> int:
    """How many atoms of a size are within each other."""
    if isinstance(size, int):
        return 0
    return max(atom.depth for monomial in size.terms for atom in monomial)


def atoms_of(sizes: Iterable[Size]) -> list[Atom]:
    """All atoms in these sizes, those inside others included, in the order they were made."""
    found: set[Atom] = set()
    waiting = list(sizes)
    while waiting:
        size = waiting.pop()
        if isinstance(size, int):
            continue
        for atom in {atom for monomial in size.terms for atom in monomial} - found:
            found.add(atom)
            waiting += inside(atom)
    return sorted(found, key=lambda atom: atom.rank)


def inside(atom: Atom) -> list[Size]:
    """The sizes that an atom is made of."""
    if isinstance(atom, Floor | Rounded):
        return [atom.inner]
    return list(atom.parts) if isinstance(atom, Extreme) else []


def grouped(x: Expr) -> str:
    """The text of a size as an operand; a very long or deep one is left out."""
    if span_of(x) > LONGEST or depth_of(x) > DEEPEST:
        return "…"
    return f"({x})" if x.constant or len(x.terms) > 1 else str(x)
