"""Sizes that an author declares, against the sizes that work: is every declared one among them?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final, final

from archspec.sizes.atoms import LOWEST
from archspec.sizes.conditions import Condition, Relation
from archspec.sizes.members import first_outside
from archspec.sizes.periodic import SizeSet, intersection
from archspec.sizes.search import EVALUATIONS, meeting
from archspec.sizes.solving import implied
from archspec.sizes.valid import SEARCHED, ValidSizes

PAIRED: Final = 256
"""Sizes of each symbol that are tried together against a condition on several symbols."""
_OPPOSITE: Final[Mapping[Relation, Relation]] = {"==": "!=", "!=": "=="}


@final
@dataclass(frozen=True, slots=True)
class Declaration:
    """What `requires:` says: of which symbols, and the conditions on them."""

    symbols: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class Shortfall:
    """How a declaration allows more than works."""

    sizes: Mapping[str, int] | None = None
    """Declared sizes that do not work, small ones; None if there are none, or none were found."""
    undecided: tuple[str, ...] = ()
    """What was tried for some sizes only: names of symbols, or conditions that tie several."""


def shortfall(declared: ValidSizes, works: ValidSizes, names: Iterable[str]) -> Shortfall:
    """Compare the sizes that are declared for these symbols with those that work."""
    names = tuple(names)
    undecided = []
    alike = _classes(declared)
    for name in names:
        size, certain = _first_failing(declared, works, name, alike[name])
        sizes = None if size is None else _completed(declared, works, names, alike[name], size)
        if sizes is not None:
            return Shortfall(sizes)
        if size is not None or not certain:
            undecided.append(name)
    least = {name: each.smallest or LOWEST for name, each in declared.sets.items()}
    for tie in works.ties:
        if tie in declared.conditions or not tie.symbols <= set(names) or implied(tie, least):
            continue
        sizes, certain = _failing_together(declared, works, names, tie)
        if sizes is not None:
            return Shortfall(sizes)
        if not certain:
            undecided.append(str(tie))
    return Shortfall(undecided=tuple(undecided))


def as_requirement(sizes: SizeSet | None) -> str | None:
    """The comparisons that declare a set; None for one that is no single progression."""
    first = None if sizes is None else sizes.smallest
    if sizes is None or first is None or len(sizes.last.residues) != 1:
        return None
    period = sizes.last.period
    (residue,) = sizes.last.residues
    rule = SizeSet((sizes.last,))
    if first_outside(rule, sizes)[0] is not None and sizes.at(first) != sizes.last:
        return None
    parts = [f">= {first}"] if first > (residue or period) else []
    return " and ".join([*parts, f"% {period} == {residue}"] if period > 1 else parts) or None


def _classes(declared: ValidSizes) -> dict[str, set[str]]:
    """For every symbol those that are declared equal to it, itself among them."""
    alike = {name: {name} for name in declared.symbols}
    for condition in declared.conditions:
        left, right = str(condition.left), str(condition.right)
        if condition.relation == "==" and left in alike and right in alike:
            joined = alike[left] | alike[right]
            alike.update(dict.fromkeys(joined, joined))
    return alike


def _first_failing(
    declared: ValidSizes, works: ValidSizes, name: str, alike: set[str]
) -> tuple[int | None, bool]:
    """The first declared size of one symbol that is not among those that work; is it certain?"""
    outer = works.sets[name].sizes
    inner: SizeSet | None = declared.sets[name].sizes
    for other in alike - {name}:
        more = declared.sets[other].sizes
        inner = None if inner is None or more is None else intersection(inner, more)
    if inner is not None and outer is not None:
        return first_outside(inner, outer)
    tried = (size for size in declared.sets[name].first(SEARCHED) if size not in works.sets[name])
    return next(tried, None), False


def _completed(
    declared: ValidSizes, works: ValidSizes, names: Sequence[str], alike: set[str], size: int
) -> dict[str, int] | None:
    """Sizes for the other symbols, so that all that is declared holds; None if none were found."""
    choices = []
    for name in declared.symbols:
        members = _members(declared, works, name, names, SEARCHED)
        choices.append([size] if name in alike else members)
    return meeting(declared.symbols, choices, declared.ties)


def _failing_together(
    declared: ValidSizes, works: ValidSizes, names: Sequence[str], tie: Condition
) -> tuple[dict[str, int] | None, bool]:
    """Declared sizes that together break a condition; is it certain, if there are none?"""
    choices = [_members(declared, works, n, names, PAIRED) for n in declared.symbols]
    sizes = meeting(declared.symbols, choices, [*declared.ties, _negated(tie)])
    certain = max(map(len, choices)) < PAIRED and prod(map(len, choices)) <= EVALUATIONS
    return sizes, certain and all(declared.sets[name].decided for name in declared.symbols)


def _members(
    declared: ValidSizes, works: ValidSizes, name: str, names: Sequence[str], count: int
) -> list[int]:
    """Small sizes of a symbol that are declared, and that work where there are such."""
    if name not in names:
        return works.sets[name].first(count)
    members = declared.sets[name].first(count)
    return [size for size in members if size in works.sets[name]] or members


def _negated(condition: Condition) -> Condition:
    left, right = condition.left, condition.right
    opposite = _OPPOSITE.get(condition.relation)
    if opposite is not None:
        return Condition(left, opposite, right)
    return Condition(right, ">" if condition.relation == ">=" else ">=", left)
