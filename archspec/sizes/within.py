"""Sizes in fewer words, for inputs that work: where H is divisible by 4, `4*(H // 4)` is H."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, final

from archspec.sizes.atoms import Atom, atoms_of
from archspec.sizes.expression import Expr, Size
from archspec.sizes.functions import product
from archspec.sizes.members import is_cut
from archspec.sizes.periodic import SizeSet
from archspec.sizes.polynomial import along, repeats
from archspec.sizes.valid import ValidSizes


@final
@dataclass(frozen=True, slots=True)
class _Progression:
    """The values of a symbol: `residue` and a multiple of `period`, from `least`."""

    residue: int
    period: int
    least: int


@final
class Within:
    """Says sizes in the words that are true for some values of their symbols, which work."""

    def __init__(self, sizes: ValidSizes) -> None:
        self.symbols: Final = frozenset(sizes.symbols)
        found = ((name, _progression(each.sizes)) for name, each in sizes.sets.items())
        self.known: Final = {name: each for name, each in found if each is not None}
        self._done: dict[Size, Size] = {}

    def shape(self, sizes: Iterable[Size]) -> tuple[Size, ...]:
        """Sizes that are the same for all these values, and no longer to read."""
        return tuple(map(self.size, sizes))

    def size(self, size: Size) -> Size:
        """One of them."""
        if isinstance(size, int) or self.known.keys().isdisjoint(size.symbols):
            return size
        if size not in self._done:
            self._done[size] = self._sum(size)
        return self._done[size]

    def _sum(self, size: Expr) -> Size:
        total: Size = size.constant
        alone: dict[frozenset[str], Size] = {}  # a sum for every symbol
        for monomial, coefficient in size.terms.items():
            factors = _by_symbols(monomial)
            if len(factors) == 1:
                (symbols,) = factors
                alone[symbols] = alone.get(symbols, 0) + size.remade({monomial: coefficient}, 0)
            else:
                powers = (self._shorter(size.remade({f: 1}, 0), s) for s, f in factors.items())
                total = total + coefficient * product(powers)
        return sum((self._shorter(each, symbols) for symbols, each in alone.items()), start=total)

    def _shorter(self, size: Size, symbols: frozenset[str]) -> Size:
        """A size of these symbols as a fraction of the one that they are, if that is shorter."""
        if isinstance(size, int) or len(symbols) != 1 or symbols.isdisjoint(self.known):
            return size
        (name,) = symbols
        found = _fraction(size, size.domain.symbol(name), self.known[name])
        return min([size, *found], key=lambda each: len(str(each)))


def _progression(sizes: SizeSet | None) -> _Progression | None:
    if sizes is None or len(sizes.last.residues) != 1 or sizes.last.period == 1 or is_cut(sizes):
        return None
    (residue,) = sizes.last.residues
    return _Progression(residue, sizes.last.period, next(sizes.last.members(None)))


def _by_symbols(monomial: tuple[Atom, ...]) -> dict[frozenset[str], tuple[Atom, ...]]:
    found: dict[frozenset[str], tuple[Atom, ...]] = {}
    for atom in monomial:
        found[atom.symbols] = (*found.get(atom.symbols, ()), atom)
    return found


def _fraction(size: Expr, symbol: Expr, known: _Progression) -> list[Size]:
    """Ways to write a size as `(a * symbol + b) // c`; none if it is no straight line."""
    period = repeats(size, known.period)
    if period is None or known.period % period:
        return []
    line, start = along(size, known.residue, known.period, atoms_of([size]))
    if len(line) != 2 or known.least < known.residue + start * known.period:
        return []
    # first + rise * z, and the symbol is residue + period * z
    first, rise = line
    rest = first * known.period - rise * known.residue
    common = math.gcd(rise, known.period, rest)
    rise, divisor, rest = rise // common, known.period // common, rest // common
    rounded = -(-rest // divisor) * divisor  # it divides without rest, so that more is cut off
    return [(rise * symbol + each) // divisor for each in (rest, rounded)]
