"""Sizes along one remainder: on `residue + period * z`, each is in the end a polynomial in z.

By induction over what sizes are made of. A symbol is `residue + period * z`. Let `p(z)` be a
polynomial with whole coefficients: if the divisor divides all of them but the constant, then
`p(z) // divisor` is a polynomial again, with whole coefficients; `repeats` makes the period long
enough for that. Of several polynomials one is the least for all large z.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeAlias

from archspec.sizes.atoms import Atom, Extreme, Floor, Rounded, Symbol, atoms_of, inside
from archspec.sizes.expression import Expr, Size

Polynomial: TypeAlias = tuple[int, ...]  # coefficients, constant first; () is 0


def repeats(size: Expr, limit: int) -> int | None:
    """A period for which `along` works; None if it is longer than `limit`."""
    known: dict[Atom, tuple[int, int]] = {}
    for atom in atoms_of([size]):
        if isinstance(atom, Rounded):
            return None
        parts = [_repeats(part, known) for part in inside(atom)] or [(1, 1)]
        period = math.lcm(*(period for period, _ in parts))
        # What divides all coefficients but the constant, at that period.
        common = math.gcd(*(common * (period // own) for own, common in parts))
        if isinstance(atom, Floor):
            longer = atom.divisor // math.gcd(atom.divisor, common)
            period, common = period * longer, common * longer // atom.divisor
        if period > limit:
            return None
        known[atom] = period, common
    period, _ = _repeats(size, known)
    return period if period <= limit else None


def _repeats(size: Size, known: dict[Atom, tuple[int, int]]) -> tuple[int, int]:
    if isinstance(size, int):
        return 1, 0
    period = math.lcm(*(known[atom][0] for monomial in size.terms for atom in monomial))
    common = 0
    for monomial, coefficient in size.terms.items():
        for own, each in (known[atom] for atom in monomial):
            common = math.gcd(common, coefficient * each * (period // own))
    return period, common


def along(size: Size, residue: int, period: int, atoms: Iterable[Atom]) -> tuple[Polynomial, int]:
    """A size on `residue + period * z`: the polynomial in z that it is, and from which z on.

    `atoms` are `atoms_of` it, and the period is a multiple of what it `repeats` at.
    """
    known: dict[Atom, Polynomial] = {}
    start = 0
    for atom in atoms:
        if isinstance(atom, Floor):
            constant, *others = _combined(atom.inner, known) or (0,)
            scaled = (other // atom.divisor for other in others)
            known[atom] = _trimmed([constant // atom.divisor, *scaled])
        elif isinstance(atom, Extreme):
            known[atom], above = _extreme(atom, known)
            start = max(start, above)
        else:
            known[atom] = _trimmed([residue, period])
    return _combined(size, known), start


def rise_over(size: Expr, period: int, atoms: Iterable[Atom]) -> int | None:
    """How much larger a size is one period later, whatever the remainder; None if that depends."""
    known: dict[Atom, int] = {}
    for atom in atoms:
        if isinstance(atom, Floor):
            rise = _rise(atom.inner, known)
            if rise is None:
                return None
            known[atom] = rise // atom.divisor
        elif isinstance(atom, Symbol):
            known[atom] = period
        else:
            return None
    return _rise(size, known)


def _rise(size: Expr, known: dict[Atom, int]) -> int | None:
    if any(len(monomial) > 1 for monomial in size.terms):
        return None
    return sum(coefficient * known[atom] for (atom,), coefficient in size.terms.items())


def _extreme(atom: Extreme, known: dict[Atom, Polynomial]) -> tuple[Polynomial, int]:
    """The part that is the least or greatest in the end, and from which z on."""
    polynomials = [_combined(part, known) for part in atom.parts]
    best = polynomials[0]
    for each in polynomials[1:]:
        sign, _ = eventual_sign(difference(each, best))
        if sign == (-1 if atom.pick is min else 1):
            best = each
    return best, max(eventual_sign(difference(each, best))[1] for each in polynomials)


def _combined(size: Size, known: dict[Atom, Polynomial]) -> Polynomial:
    if isinstance(size, int):
        return _trimmed([size])
    total = [size.constant]
    for monomial, coefficient in size.terms.items():
        term: Polynomial = (coefficient,)
        for atom in monomial:
            term = _times(term, known[atom])
        total += [0] * (len(term) - len(total))
        for power, each in enumerate(term):
            total[power] += each
    return _trimmed(total)


def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    if len(a) == 1:
        return tuple(a[0] * each for each in b)
    result = [0] * max(len(a) + len(b) - 1, 0)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            result[i + j] += x * y
    return _trimmed(result)


def difference(a: Polynomial, b: Polynomial) -> Polynomial:
    """The difference of two polynomials."""
    longest = max(len(a), len(b))
    pairs = zip(a + (0,) * (longest - len(a)), b + (0,) * (longest - len(b)), strict=True)
    return _trimmed([x - y for x, y in pairs])


def _trimmed(coefficients: list[int]) -> Polynomial:
    while coefficients and not coefficients[-1]:
        coefficients.pop()
    return tuple(coefficients)


def eventual_sign(polynomial: Polynomial) -> tuple[int, int]:
    """The sign for large z, and a z from which on it is that, never 0 unless always."""
    if not polynomial:
        return 0, 0
    sign = 1 if polynomial[-1] > 0 else -1
    positive = tuple(sign * each for each in polynomial)
    low, high = -1, 0
    while not _stays_positive(positive, high):
        low, high = high, 2 * high + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _stays_positive(positive, middle) else (middle, high)
    return sign, high


def eventual_sign_of_line(first: int, rise: int) -> tuple[int, int]:
    """`eventual_sign` of `first + rise * z`."""
    if not rise:
        return (first > 0) - (first < 0), 0
    sign = 1 if rise > 0 else -1
    behind = -first * sign  # how far it has to go to get to 0
    return sign, 0 if behind < 0 else behind // abs(rise) + 1


def _stays_positive(polynomial: Polynomial, z: int) -> bool:
    """Whether it grows from a positive value at z: in powers of `z' - z`, nothing is negative."""
    shifted = list(polynomial)
    for first in range(len(shifted) - 1):
        for power in range(len(shifted) - 2, first - 1, -1):
            shifted[power] += z * shifted[power + 1]
    return shifted[0] > 0 and min(shifted) >= 0
