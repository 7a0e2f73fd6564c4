"""A size times a factor that is no whole number, rounded down as PyTorch does it.

PyTorch computes `floor(size * scale)` in double precision. Where the factor is the double of a
fraction p / q, that is `p * size // q` for every size if nothing is lost: the double is not below
the fraction, or so little that the product of a multiple of q is rounded up to the whole number
again (2**-54 of it: half the distance to the next double below). Other factors, such as 0.7, go
wrong at some multiples of q; for them a size is known as far as it was tried, by `TABLE`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import Final

from archspec.sizes.atoms import Rounded
from archspec.sizes.conditions import Condition
from archspec.sizes.expression import Expr, Size

TABLE: Final = 4096
"""Sizes up to which a factor is tried that is not the same as a fraction."""
LARGEST_TERM: Final = 10**6
"""Numerators and denominators of factors."""
CLOSE: Final = Fraction(1, 2**54)


def scaled(size: Size, scale: float) -> Size:
    """`floor(size * scale)` as PyTorch computes it; for a symbolic size see `scalable`."""
    if isinstance(size, int):
        return math.floor(size * scale)
    fraction = _fraction(scale)
    if fraction is not None:
        return size * fraction.numerator // fraction.denominator
    atoms = size.domain.atoms
    key = ("rounded", size, scale)
    atom = atoms.get(key)
    if atom is None:
        atom = atoms[key] = Rounded(len(atoms), size, scale)
    return Expr(size.domain, {(atom,): 1}, 0)


def scalable(size: Size, scale: float) -> bool | Condition:
    """For which sizes `scaled` is known: all, or those of the table."""
    if isinstance(size, int) or _fraction(scale) is not None:
        return True
    within = size <= TABLE
    if isinstance(within, Condition):
        size.domain.table_ends.add(within)
    return within


def is_table_end(condition: Condition) -> bool:
    """Whether a condition keeps a size within a table: larger ones may work, or not."""
    return condition in condition.domain.table_ends


@lru_cache(maxsize=256)
def _fraction(scale: float) -> Fraction | None:
    """The fraction that gives the same sizes; None if there is none, for all sizes."""
    fraction = Fraction(scale).limit_denominator(LARGEST_TERM)
    if float(fraction) != scale or not 0 < fraction.numerator <= LARGEST_TERM:
        return None
    lost = 1 - Fraction(scale) / fraction
    return fraction if lost <= CLOSE else None
