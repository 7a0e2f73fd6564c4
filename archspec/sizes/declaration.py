"""Sizes that an author declares, against the sizes that work: is every declared one among them?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, final

from archspec.sizes.atoms import LOWEST
from archspec.sizes.conditions import Condition
from archspec.sizes.members import first_outside
from archspec.sizes.periodic import SizeSet
from archspec.sizes.search import meeting
from archspec.sizes.solving import implied
from archspec.sizes.together import equal_symbols, failing_together, joint_sets
from archspec.sizes.valid import SEARCHED, ValidSizes

COMPLETED: Final = 16
"""Sizes of one symbol that do not work, for which sizes of the others are looked for."""


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
    for name in names:
        failing, certain = _failing(declared, works, name)
        for size in failing:
            sizes = _completed(declared, works, names, name, size)
            if sizes is not None:
                return Shortfall(sizes)
        if failing or not certain:
            undecided.append(name)
    allowed = ValidSizes(declared.symbols, (*declared.conditions, *_single(works)))
    for tie in works.ties:
        if not tie.symbols <= set(names) or is_met(allowed, tie):
            continue
        sizes, certain = failing_together(allowed, tie)
        if sizes is not None:
            return Shortfall(sizes)
        if not certain:
            undecided.append(str(tie))
    return Shortfall(undecided=tuple(undecided))


def is_met(allowed: ValidSizes, tie: Condition) -> bool:
    """Whether it is plain that allowed sizes meet a condition: it is one of theirs, or grows."""
    least = {name: each.smallest or LOWEST for name, each in allowed.sets.items()}
    return tie in allowed.conditions or implied(tie, least)


def unmet(works: ValidSizes, declaration: Declaration) -> list[Condition]:
    """Conditions on several symbols that declared sizes, as far as they are known, do not meet."""
    allowed = ValidSizes(works.symbols, (*declaration.conditions, *_single(works)))
    return [
        tie
        for tie in works.ties
        if not is_met(allowed, tie) and failing_together(allowed, tie) != (None, True)
    ]


def _single(sizes: ValidSizes) -> list[Condition]:
    return [each for each in sizes.conditions if len(each.symbols) == 1]


def as_requirement(sizes: SizeSet | None) -> str | None:
    """Comparisons that declare a set, or the progression that it ends in; None if it has none."""
    if sizes is None or len(sizes.last.residues) != 1:
        return None
    period = sizes.last.period
    (residue,) = sizes.last.residues
    first = next(sizes.last.members(None))
    parts = [f">= {first}"] if first > (residue or period) else []
    return " and ".join([*parts, f"% {period} == {residue}"] if period > 1 else parts) or None


def as_entries(sets: Mapping[str, SizeSet | None]) -> str | None:
    """What declares the sets of these symbols; None where one cannot be said, or there are none."""
    said = {name: as_requirement(sizes) for name, sizes in sets.items()}
    if not said or None in said.values():
        return None
    entries = ", ".join(f'{name}: "{text}"' for name, text in said.items())
    return f"{{{entries}}}"


def is_cut(sizes: SizeSet) -> bool:
    """Whether `as_requirement` leaves out members: those before the last progression."""
    return sizes.smallest != next(sizes.last.members(None), None)


def _failing(declared: ValidSizes, works: ValidSizes, name: str) -> tuple[list[int], bool]:
    """Declared sizes of one symbol that do not work, small ones first; are they certain?

    The symbol by itself, or with those equal to it. None and certain: all declared sizes work.
    """
    inner, outer = joint_sets(declared)[name], works.sets[name].sizes
    if inner is not None and outer is not None:
        first, certain = first_outside(inner, outer)
        if first is None:
            return [], certain
        more = islice(inner.members(), SEARCHED)
        later = (size for size in more if size > first and not outer.contains(size))
        return [first, *islice(later, COMPLETED - 1)], True
    members = declared.sets[name].first(SEARCHED)
    failing = (size for size in members if size not in works.sets[name])
    few = inner is not None and not inner.last.residues and len(members) < SEARCHED
    return list(islice(failing, COMPLETED)), few


def _completed(
    declared: ValidSizes, works: ValidSizes, names: Sequence[str], symbol: str, size: int
) -> dict[str, int] | None:
    """Sizes for the other symbols, so that all that is declared holds; None if none were found."""
    alike = equal_symbols(declared)[symbol]
    choices = []
    for name in declared.symbols:
        members = _members(declared, works, name, names, SEARCHED)
        choices.append([size] if name in alike else members)
    return meeting(declared.symbols, choices, declared.ties)


def _members(
    declared: ValidSizes, works: ValidSizes, name: str, names: Sequence[str], count: int
) -> list[int]:
    """Small sizes of a symbol that are declared, and that work where there are such."""
    if name not in names:
        return works.sets[name].first(count)
    members = declared.sets[name].first(count)
    return [size for size in members if size in works.sets[name]] or members
