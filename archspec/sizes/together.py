"""Conditions on several symbols: do all sizes of some sets meet them together?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice, takewhile
from typing import Final

from archspec.sizes.atoms import Floor, Symbol, atoms_of
from archspec.sizes.conditions import Condition, Relation
from archspec.sizes.expression import Expr
from archspec.sizes.periodic import ANY, SizeSet, intersection
from archspec.sizes.search import meeting
from archspec.sizes.text import remainder
from archspec.sizes.valid import ValidSizes

TRIED: Final = 20_000
"""Sizes of all symbols that are tried together."""
_OPPOSITE: Final[Mapping[Relation, Relation]] = {"==": "!=", "!=": "=="}


def failing_together(allowed: ValidSizes, tie: Condition) -> tuple[dict[str, int] | None, bool]:
    """Small allowed sizes that break a condition; if there are none, whether that is certain.

    It is certain where the sizes are few, or the condition speaks of a remainder: then sizes of
    one period stand for all.
    """
    broken = [_negated(option) for option in tie.options]
    period = _period(tie)
    telling = [_telling(sizes, period) for sizes in joint_sets(allowed).values()]
    known = [sizes for sizes in telling if sizes is not None]
    if len(known) < len(telling) or math.prod(map(len, known)) > TRIED:
        known = []
    if known and meeting(allowed.symbols, known, broken) is None:
        return None, True
    each = int(TRIED ** (1 / len(allowed.symbols)))
    choices = [allowed.sets[name].first(each) for name in allowed.symbols]
    return meeting(allowed.symbols, choices, [*allowed.ties, *broken]), False


def equal_symbols(sizes: ValidSizes) -> dict[str, set[str]]:
    """For every symbol those that must be equal to it, itself among them."""
    alike = {name: {name} for name in sizes.symbols}
    for tie in sizes.conditions:
        left, right = str(tie.left), str(tie.right)
        if says_equal(tie) and left in alike and right in alike:
            joined = alike[left] | alike[right]
            alike.update(dict.fromkeys(joined, joined))
    return alike


def says_equal(tie: Condition) -> bool:
    """Whether a condition says that two symbols are the same number."""
    sides = {str(tie.left), str(tie.right)}
    return tie.relation == "==" and not tie.others and len(sides) == 2 and sides == tie.symbols


def joint_sets(sizes: ValidSizes) -> dict[str, SizeSet | None]:
    """What every symbol may be, those equal to it considered; None where it is not decided."""
    return {name: _joint(sizes, alike) for name, alike in equal_symbols(sizes).items()}


def _joint(sizes: ValidSizes, alike: set[str]) -> SizeSet | None:
    joint: SizeSet | None = ANY
    for name in alike:
        own = sizes.sets[name].sizes
        joint = None if own is None or joint is None else intersection(joint, own)
    return joint


def _telling(sizes: SizeSet | None, period: int | None) -> list[int] | None:
    """Members that stand for all; None if that is not known, or they are many."""
    if sizes is None or (period is None and sizes.last.residues):
        return None
    members = sizes.members()
    if sizes.last.residues:
        end = sizes.last.start + math.lcm(sizes.last.period, period or 1)
        members = takewhile(lambda size: size < end, members)
    found = list(islice(members, TRIED + 1))
    return found if len(found) <= TRIED else None


def _period(tie: Condition) -> int | None:
    """After how many sizes of any symbol a condition on remainders repeats; None for others."""
    period = 1
    for option in tie.options:
        gap = option.left - option.right
        floor = remainder(gap) or remainder(-gap) if isinstance(gap, Expr) else None
        if floor is None or option.relation not in _OPPOSITE:
            return None
        atoms = atoms_of([floor.inner])
        if not all(isinstance(atom, Symbol | Floor) for atom in atoms):
            return None
        own = math.prod(atom.divisor for atom in atoms if isinstance(atom, Floor))
        period = math.lcm(period, own * floor.divisor)
    return period


def _negated(condition: Condition) -> Condition:
    left, right = condition.left, condition.right
    opposite = _OPPOSITE.get(condition.relation)
    if opposite is not None:
        return Condition(left, opposite, right)
    return Condition(right, ">" if condition.relation == ">=" else ">=", left)
