"""Sets of sizes in plain words: `H >= 16 and H divisible by 16`."""

from __future__ import annotations

import itertools
from typing import Final

from archspec.sizes.atoms import LOWEST
from archspec.sizes.periodic import SizeSet, Stretch

FEW: Final = 8
"""Members of a finite part that are listed one by one."""
EXCEPTIONS: Final = 4
"""Sizes that are named as exceptions from a rule."""
LONG: Final = 60
"""Characters of a list of remainders; a longer one ends in dots."""


def words(symbol: str, sizes: SizeSet) -> str:
    """A set of sizes of one symbol, in words."""
    smallest = sizes.smallest
    if smallest is None:
        return f"no {symbol}"
    missing = _missing(sizes, smallest)
    if missing is not None:
        rule = _rule(symbol, smallest, sizes.last)
        return f"{rule}, except {_listed(missing)}" if missing else rule
    parts = _finite(symbol, sizes)
    if sizes.last.residues:
        first = sizes.last.first(sizes.last.start)
        assert first is not None
        parts.append(_rule(symbol, first, sizes.last))
    return ", or ".join(parts)


def _missing(sizes: SizeSet, smallest: int) -> list[int] | None:
    """What lacks for the last rule to hold from the smallest member on; None if that is much."""
    if not sizes.last.residues:
        return None
    missing: list[int] = []
    for stretch, end in sizes.spans():
        if end is None:
            return missing
        if end - stretch.start > 100 * EXCEPTIONS and end > smallest:
            return None
        for size in range(max(stretch.start, smallest), end):
            if stretch.contains(size) != sizes.last.contains(size):
                missing.append(size)
                if stretch.contains(size) or len(missing) > EXCEPTIONS:
                    return None
    return missing


def _rule(symbol: str, first: int, stretch: Stretch) -> str:
    """The sizes from `first` on that follow the rule of a stretch."""
    low = [f"{symbol} >= {first}"] if first > LOWEST else []
    rule = [] if stretch.period == 1 else [remainders(symbol, stretch)]
    return " and ".join(low + rule) or f"any {symbol}"


def remainders(symbol: str, stretch: Stretch) -> str:
    """Which remainders are in: `H odd`, `H divisible by 16`, `H mod 4 in {0, 1}`."""
    period, residues = stretch.period, stretch.residues
    if period == 2:
        return f"{symbol} {'odd' if 1 in residues else 'even'}"
    if residues == {0}:
        return f"{symbol} divisible by {period}"
    if len(residues) == 1:
        return f"{symbol} mod {period} = {min(residues)}"
    inside = _listed(sorted(residues))
    if 2 * len(residues) > period:
        out = [residue for residue in range(period) if residue not in residues]
        if out == [0]:
            return f"{symbol} not divisible by {period}"
        outside = _listed(out)
        if len(outside) < len(inside):
            return f"{symbol} mod {period} not in {{{_shortened(outside, len(out))}}}"
    return f"{symbol} mod {period} in {{{_shortened(inside, len(residues))}}}"


def _finite(symbol: str, sizes: SizeSet) -> list[str]:
    """What comes before the last stretch: a short list, or rules with an end."""
    spans = [(stretch, end) for stretch, end in sizes.spans() if stretch.residues]
    if sizes.last.residues:
        spans.pop()
    listed: list[int] = []
    parts = []
    for stretch, end in spans:
        assert end is not None
        few = list(itertools.islice(stretch.members(end), FEW + 1))
        if len(few) <= FEW and len(listed) + len(few) <= FEW:
            listed += few
        else:
            parts.append(_span(symbol, stretch, end))
    if len(listed) == 1:
        parts.insert(0, f"{symbol} = {listed[0]}")
    elif listed:
        parts.insert(0, f"{symbol} in {{{_listed(listed)}}}")
    return parts


def _span(symbol: str, stretch: Stretch, end: int) -> str:
    first = stretch.first(stretch.start)
    last = next(size for size in range(end - 1, stretch.start - 1, -1) if stretch.contains(size))
    if first == last:
        return f"{symbol} = {first}"
    rule = f" and {remainders(symbol, stretch)}" if stretch.period > 1 else ""
    return f"{symbol} from {first} to {last}{rule}"


def _listed(numbers: list[int]) -> str:
    """Numbers in order, with runs of three or more as `2..5`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = ([f"{run[0]}..{run[-1]}"] if len(run) > 2 else list(map(str, run)) for run in runs)
    return ", ".join(text for group in texts for text in group)


def _shortened(listing: str, count: int) -> str:
    if len(listing) <= LONG:
        return listing
    cut = listing[: listing.rindex(",", 0, LONG)]
    return f"{cut}, … ({count} remainders)"
