"""Questions about the members of sets of sizes: is one set within another, which are nearest."""

from __future__ import annotations

import math
from itertools import islice
from typing import Final

from archspec.sizes.periodic import ALL, SizeSet, Stretch

COMPARED: Final = 200_000
"""Members that are looked at to see whether a set is within another."""


def first_outside(inner: SizeSet, outer: SizeSet) -> tuple[int | None, bool]:
    """The smallest member of `inner` that `outer` lacks, and whether that is certain.

    None and True: every member is in `outer`. None and False: the members that were looked at
    are, and they were too few to know of all.
    """
    starts = sorted({stretch.start for stretch in (*inner.stretches, *outer.stretches)})
    left = COMPARED
    for start, after in zip(starts, [*starts[1:], None], strict=True):
        rule, other = inner.at(start), outer.at(start)
        repeated = start + math.lcm(rule.period, other.period)  # from there on, all is as before
        end = repeated if after is None else min(after, repeated)
        for size in islice(Stretch(start, rule.period, rule.residues).members(end), left + 1):
            if left == 0:
                return None, False
            left -= 1
            if not other.contains(size):
                return size, True
    return None, True


def is_all_from(sizes: SizeSet | None) -> bool:
    """Whether a set is every size from some size on."""
    if sizes is None:
        return False
    endless = sizes.last.period == 1 and sizes.last.residues == ALL
    return endless and not is_cut(sizes)


def is_cut(sizes: SizeSet) -> bool:
    """Whether a set has members before those of its last progression."""
    return any(stretch.residues for stretch in sizes.stretches[:-1])


def nearest_below(sizes: SizeSet, size: int) -> int | None:
    """The largest member that is smaller than `size`."""
    for stretch, end in reversed(list(sizes.spans())):
        last = size - 1 if end is None else min(size, end) - 1
        back = min(((last - residue) % stretch.period for residue in stretch.residues), default=0)
        if stretch.residues and last - back >= stretch.start:
            return last - back
    return None


def nearest_above(sizes: SizeSet, size: int) -> int | None:
    """The smallest member that is larger than `size`."""
    for stretch, end in sizes.spans():
        found = stretch.first(max(size + 1, stretch.start))
        if found is not None and (end is None or found < end):
            return found
    return None
