"""Sets of sizes that repeat: after some size, whether one is in depends on its remainder alone."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, final

from archspec.sizes.atoms import LOWEST

MOST_PERIOD: Final = 100_000
"""Sizes after which one condition repeats, at most, and remainders that a set has."""
LONGEST: Final = 10**10
"""Sets that repeat more rarely are not worked out."""


@final
@dataclass(frozen=True, slots=True)
class Stretch:
    """From `start` to the next stretch: sizes whose remainder by `period` is in `residues`."""

    start: int
    period: int
    residues: frozenset[int]

    def contains(self, size: int) -> bool:
        """Whether a size of this stretch is in the set."""
        return size % self.period in self.residues

    def first(self, size: int) -> int | None:
        """The first member from `size` on, if the stretch never ended."""
        ahead = ((residue - size) % self.period for residue in self.residues)
        return min((size + step for step in ahead), default=None)

    def members(self, end: int | None) -> Iterator[int]:
        """The members before `end`, smallest first."""
        ordered = sorted(self.residues)
        bases = itertools.count(self.start - self.start % self.period, self.period)
        for base in bases if ordered else ():
            for residue in ordered:
                if end is not None and base + residue >= end:
                    return
                if base + residue >= self.start:
                    yield base + residue


NOTHING: Final[frozenset[int]] = frozenset()
ALL: Final = frozenset([0])  # of period 1


@final
@dataclass(frozen=True, slots=True)
class SizeSet:
    """A set of sizes >= LOWEST, as stretches in order; the last one never ends."""

    stretches: tuple[Stretch, ...]

    @property
    def last(self) -> Stretch:
        """The stretch of all large sizes."""
        return self.stretches[-1]

    def contains(self, size: int) -> bool:
        """Whether a size is in the set."""
        return size >= LOWEST and self.at(size).contains(size)

    def at(self, size: int) -> Stretch:
        """The stretch that a size is in."""
        return self.stretches[bisect_right(self.stretches, size, key=_start) - 1]

    def spans(self) -> Iterator[tuple[Stretch, int | None]]:
        """Every stretch, and where it ends: at the start of the next."""
        yield from itertools.zip_longest(
            self.stretches, (stretch.start for stretch in self.stretches[1:])
        )

    def members(self) -> Iterator[int]:
        """All members, smallest first; there may be no end of them."""
        for stretch, end in self.spans():
            yield from stretch.members(end)

    @property
    def smallest(self) -> int | None:
        """The smallest member; None if there is none."""
        return next(self.members(), None)


def _start(stretch: Stretch) -> int:
    return stretch.start


ANY: Final = SizeSet((Stretch(LOWEST, 1, ALL),))
NO_SIZES: Final = SizeSet((Stretch(LOWEST, 1, NOTHING),))


def tidy(stretches: Iterable[Stretch]) -> SizeSet:
    """The same set, every stretch with its smallest period and as long as it can be."""
    kept: list[Stretch] = []  # from the last to the first
    for stretch in reversed(list(stretches)):
        if not kept:
            kept.append(_shortest(stretch, None))
            continue
        after = kept.pop()
        start = _reach(stretch, after)
        kept.append(Stretch(start, after.period, after.residues))
        if start > stretch.start:
            kept.append(_shortest(stretch, start))
    return SizeSet(tuple(reversed(kept)))


def _shortest(stretch: Stretch, end: int | None) -> Stretch:
    """With the smallest period; one without members says so."""
    first = stretch.first(stretch.start)
    if first is None or (end is not None and first >= end):
        return Stretch(stretch.start, 1, NOTHING)
    period, residues = stretch.period, stretch.residues
    for prime in _primes(period):
        while period % prime == 0:
            shorter = period // prime
            fewer = frozenset(residue % shorter for residue in residues)
            if len(fewer) * prime != len(residues):
                break
            period, residues = shorter, fewer
    return Stretch(stretch.start, period, residues)


def _primes(number: int) -> list[int]:
    found, divisor = [], 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            found.append(divisor)
            number //= divisor
        else:
            divisor += 1
    return found if number == 1 else list(dict.fromkeys([*found, number]))


def _reach(before: Stretch, after: Stretch) -> int:
    """How far down the rule of a stretch holds in the one before it."""
    joint = math.lcm(before.period, after.period)
    lowest = max(before.start, after.start - joint)
    if after.start - lowest > MOST_PERIOD:
        return after.start
    for size in range(after.start - 1, lowest - 1, -1):
        if before.contains(size) != after.contains(size):
            return size + 1
    return before.start


def intersection(a: SizeSet, b: SizeSet) -> SizeSet | None:
    """What is in both; None if it repeats too rarely to be worked out."""
    starts = sorted({stretch.start for stretch in (*a.stretches, *b.stretches)})
    common = []
    for start in starts:
        left, right = a.at(start), b.at(start)
        if not left.residues or not right.residues:
            common.append(Stretch(start, 1, NOTHING))
            continue
        both = _both(start, left, right)
        if both is None:
            return None
        common.append(both)
    return tidy(common)


def _both(start: int, a: Stretch, b: Stretch) -> Stretch | None:
    """What two rules have in common: their remainders agree where the periods overlap."""
    period, shared = math.lcm(a.period, b.period), math.gcd(a.period, b.period)
    alike: dict[int, list[int]] = {}
    for residue in b.residues:
        alike.setdefault(residue % shared, []).append(residue)
    count = sum(len(alike.get(residue % shared, ())) for residue in a.residues)
    if period > LONGEST or count > MOST_PERIOD:
        return None
    # The size `first + a.period * k` has the remainder `second` by b.period for one k.
    inverse = pow(a.period // shared, -1, b.period // shared)
    residues = (
        first + a.period * ((second - first) // shared * inverse % (b.period // shared))
        for first in a.residues
        for second in alike.get(first % shared, ())
    )
    return Stretch(start, period, frozenset(residues))


def union(a: SizeSet, b: SizeSet) -> SizeSet | None:
    """What is in one of two sets; None if it repeats too rarely to be worked out."""
    joint = []
    for start in sorted({stretch.start for stretch in (*a.stretches, *b.stretches)}):
        left, right = a.at(start), b.at(start)
        period = math.lcm(*(each.period for each in (left, right) if each.residues))
        if period > MOST_PERIOD:
            return None
        residues = (
            residue + shift
            for each in (left, right)
            for residue in each.residues
            for shift in range(0, period, each.period)
        )
        joint.append(Stretch(start, period, frozenset(residues)))
    return tidy(joint)
