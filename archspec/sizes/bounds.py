"""Bounds that hold for all inputs: intervals, and floors relaxed so that terms cancel."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from archspec.sizes.atoms import Atom
    from archspec.sizes.expression import Expr, Size

RELAXATIONS: Final = 6  # steps of one bounds proof; each may branch in two
Pick = Callable[[Iterable[int]], int]  # min or max


def least(size: Size, depth: int = RELAXATIONS) -> int | None:
    """A number that `size` is never below, the best we know; None if we know of none."""
    if isinstance(size, int):
        return size
    bound = interval_least(size)
    if depth == 0 or len(size.terms) == 1:
        return bound
    # Replacing the last floor or minimum by what is in it lets terms cancel, as in H - 2*(H // 2).
    atoms = [m[0] for m in size.terms if len(m) == 1 and m[0].relaxes]
    if not atoms:
        return bound
    atom = max(atoms, key=rank_of)
    relaxed = atom.least(size.terms[(atom,)], size.without(atom), depth - 1)
    return choose(max, False, (bound, relaxed))


def most(size: Size) -> int | None:
    """A number that `size` is never above; None if we know of none."""
    low = least(-size)
    return None if low is None else -low


def interval_least(size: Expr) -> int | None:
    """The bound that the bounds of the atoms give, each for itself."""
    total = size.constant
    for monomial, coefficient in size.terms.items():
        bounds = [atom.low if coefficient > 0 else atom.high for atom in monomial]
        if None in bounds or (
            len(bounds) > 1 and any(a.low is None or a.low < 0 for a in monomial)
        ):
            return None
        total += math.prod((bound for bound in bounds if bound is not None), start=coefficient)
    return total


def choose(pick: Pick, all_needed: bool, bounds: Iterable[int | None]) -> int | None:
    """The least or greatest of bounds, of which some, or all, must be known."""
    bounds = list(bounds)
    known = [bound for bound in bounds if bound is not None]
    return None if not known or (all_needed and len(known) < len(bounds)) else pick(known)


def rank_of(atom: Atom) -> int:
    """Atoms are ordered as they were made."""
    return atom.rank
