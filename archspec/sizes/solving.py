"""Conditions on one symbol, solved exactly: the set of sizes that meet them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, final

from archspec.sizes.atoms import LOWEST, Atom, Rounded, Symbol, atoms_of, inside
from archspec.sizes.conditions import Condition
from archspec.sizes.expression import Expr, Size
from archspec.sizes.factored import factored
from archspec.sizes.periodic import (
    ALL,
    ANY,
    MOST_PERIOD,
    NO_SIZES,
    NOTHING,
    SizeSet,
    Stretch,
    intersection,
    tidy,
    union,
)
from archspec.sizes.polynomial import (
    along,
    eventual_sign,
    eventual_sign_of_line,
    repeats,
    rise_over,
)
from archspec.sizes.scaling import TABLE

LARGEST: Final = 2**40
"""Where the search for the size at which a growing size passes a number ends."""
WORK: Final = 250_000
"""Values of floors that are worked out for the conditions of one symbol."""
CURVED: Final = 10
"""How much more work a remainder is where a size is no straight line along it."""

_MEETS: Final[dict[str, Callable[[int], bool]]] = {
    "==": lambda gap: gap == 0,
    "!=": lambda gap: gap != 0,
    ">=": lambda gap: gap >= 0,
    ">": lambda gap: gap > 0,
}


def solve(symbol: str, conditions: Sequence[Condition]) -> tuple[SizeSet, bool]:
    """The values of the one symbol that meet all conditions that are decided; were all of them?"""
    solver = _Solver(symbol)
    found, decided = ANY, True
    for condition in conditions:
        each = solver.one(condition)
        both = intersection(found, each) if each is not None else None
        if both is None:
            decided = False
            continue
        found = both
        if found.smallest is None:  # whatever the others are
            return found, True
    return found, decided


def first_meeting(condition: Condition, symbol: str) -> int | None:
    """The size from which on a condition holds, and before which it never does; if known."""
    gap = condition.left - condition.right
    if isinstance(gap, int) or condition.relation not in (">=", ">") or direction(gap) != 1:
        return None
    return _first(symbol, gap, int(condition.relation == ">"))


def _first(symbol: str, gap: Expr, least: int) -> int | None:
    """The first size at which a growing gap is `least` or more."""
    low, high = LOWEST - 1, LOWEST
    while gap.at({symbol: high}) < least:
        low, high = high, 2 * high
        if high > LARGEST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        if gap.at({symbol: middle}) < least:
            low = middle
        else:
            high = middle
    return high


def implied(condition: Condition, least: Mapping[str, int]) -> bool:
    """Whether it is certain for all sizes from these on: it holds there, of a growing size."""
    for option in condition.options:
        gap = option.left - option.right
        if isinstance(gap, int) or not _grows(option) or not _reached(option, gap.at(least)):
            continue
        if all(factor.at(least) >= 0 for factor in _factors(gap)):
            return True
    return False


def grows(condition: Condition) -> bool:
    """Whether what is compared never falls as symbols grow, from some sizes on at the latest."""
    return any(map(_grows, condition.options))


def _grows(condition: Condition) -> bool:
    gap = condition.left - condition.right
    if isinstance(gap, int) or condition.relation == "==":
        return False
    return all(direction(size) == 1 for size in _factors(gap) or [gap])


def _factors(gap: Expr) -> Sequence[Expr]:
    """Sizes in whose product a gap grows once none of them is below 0, if it is a product."""
    product = factored(gap)
    return product.factors if product and product.scale > 0 else ()


def _reached(condition: Condition, gap: int) -> bool:
    return gap >= (condition.relation != ">=")


@final
class _Solver:
    """Solves conditions on one symbol, within bounds of work."""

    def __init__(self, symbol: str) -> None:
        self.symbol: Final = symbol
        self.work = WORK

    def one(self, condition: Condition) -> SizeSet | None:
        """The sizes that meet one condition; None if they are not worked out."""
        if not condition.others:
            return self._comparison(condition)
        found: SizeSet | None = NO_SIZES
        for option in condition.options:
            each = self._comparison(option)
            found = None if found is None or each is None else union(found, each)
        return found

    def _comparison(self, condition: Condition) -> SizeSet | None:
        gap = condition.left - condition.right
        if isinstance(gap, int):
            return ANY if _MEETS[condition.relation](gap) else NO_SIZES
        found = None
        way = direction(gap)
        if way:
            found = self._growing(gap * way, condition.relation, way)
        return found or self._tabled(gap, condition) or self._repeating(gap, condition.relation)

    def _tabled(self, gap: Expr, condition: Condition) -> SizeSet | None:
        """Of a size that is known up to some size: each is tried, and there are no others.

        What is larger is excluded anyway: by the requirement of the layer that says so.
        """
        tables = [atom.inner for atom in atoms_of([gap]) if isinstance(atom, Rounded)]
        ends = [_first(self.symbol, t, TABLE + 1) for t in tables if direction(t) == 1]
        if not tables or len(ends) < len(tables) or None in ends:
            return None
        end = min(end for end in ends if end is not None)
        if not self._affords(end * len(atoms_of([gap]))):
            return None
        meets = ((size, condition.at({self.symbol: size})) for size in range(LOWEST, end))
        return _ranges([*meets, (end, False)])

    def _affords(self, work: int) -> bool:
        """Take that much work from what is left, if it is enough."""
        if work > self.work:
            return False
        self.work -= work
        return True

    def _growing(self, gap: Size, relation: str, direction: int) -> SizeSet | None:
        """Of a size that never falls: it passes 0 once. None if it does so nowhere near."""
        assert isinstance(gap, Expr)
        zero = _first(self.symbol, gap, 0)
        above = _first(self.symbol, gap, 1)
        if relation in ("==", "!="):
            if zero is None or above is None:
                return None
            out = relation == "!="
            return _ranges([(LOWEST, out), (zero, not out), (above, out)])
        # gap >= 0 begins at `zero`; where the size falls, -gap >= 0 ends before `above`.
        strict = relation == ">"
        turn = (above if strict else zero) if direction > 0 else (zero if strict else above)
        if turn is None:
            return None
        return _ranges([(LOWEST, direction < 0), (turn, direction > 0)])

    def _repeating(self, gap: Expr, relation: str) -> SizeSet | None:
        """Of any size: remainders decide from some size on; up to there, every size is tried."""
        meets, period = _MEETS[relation], repeats(gap, MOST_PERIOD)
        if period is None:
            return None
        atoms = atoms_of([gap])
        rise = rise_over(gap, period, atoms)
        if not self._affords(period * len(atoms) * (CURVED if rise is None else 1)):
            return None
        residues, start = [], LOWEST
        for residue in range(period):
            if rise is None:
                polynomial, defined = along(gap, residue, period, atoms)
                sign, settled = eventual_sign(polynomial)
            else:
                sign, settled = eventual_sign_of_line(gap.at({self.symbol: residue}), rise)
                defined = 0
            if meets(sign):
                residues.append(residue)
            start = max(start, residue + period * (max(defined, settled) - 1) + 1)
        if not self._affords(start * len(atoms)):
            return None
        tried = ((size, meets(gap.at({self.symbol: size}))) for size in range(LOWEST, start))
        stretches = [Stretch(size, 1, ALL if good else NOTHING) for size, good in tried]
        return tidy([*stretches, Stretch(start, period, frozenset(residues))])


def _ranges(turns: Sequence[tuple[int, bool]]) -> SizeSet:
    """The set that begins to have members, or ends to, at the given sizes."""
    ordered: dict[int, bool] = {}
    for start, good in turns:
        ordered[start] = good  # of two at the same size the later one counts
    return tidy([Stretch(at, 1, ALL if good else NOTHING) for at, good in ordered.items()])


def direction(size: Expr, along: str | None = None) -> int:
    """1 if a size never falls as its symbols grow, -1 if it never rises, 0 if that is not known.

    `along` is the only symbol that grows; all of them without it.
    """
    known: dict[Atom, int] = {}  # those that grow
    for atom in atoms_of([size]):
        if along is not None and along not in atom.symbols:
            continue
        if isinstance(atom, Symbol):
            known[atom] = 1
        else:
            parts = [part for part in inside(atom) if isinstance(part, Expr)]
            grow = [part for part in parts if along is None or along in part.symbols]
            known[atom] = _agreed([_direction_of(part, known) for part in grow])
    return _direction_of(size, known)


def _direction_of(size: Expr, known: dict[Atom, int]) -> int:
    found = []
    for monomial, coefficient in size.terms.items():
        growing = [known[atom] for atom in monomial if atom in known]
        if not growing:
            continue
        way = _agreed(growing)
        positive = all(atom.low is not None and atom.low >= 0 for atom in monomial)
        if len(monomial) > 1 and not (way == 1 and positive):
            return 0
        found.append(way if coefficient > 0 else -way)
    return _agreed(found)


def _agreed(directions: list[int]) -> int:
    return directions[0] if len(set(directions)) == 1 else 0
