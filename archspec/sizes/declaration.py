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
from archspec.sizes.scaling import is_table_end
from archspec.sizes.search import meeting
from archspec.sizes.solving import implied
from archspec.sizes.together import equal_symbols, failing_together, joint_sets
from archspec.sizes.valid import SEARCHED, ValidSizes

COMPLETED: Final = 16
"""Sizes of one symbol that do not work, for which sizes of the others are looked for."""
ENOUGH: Final = 10_000
"""Sizes of all symbols that are tried for each of them."""


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
        if is_table_end(tie):
            undecided.append(str(tie))
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


def _failing(declared: ValidSizes, works: ValidSizes, name: str) -> tuple[list[int], bool]:
    """Declared sizes of one symbol that do not work, small ones first; are they certain?

    The symbol by itself, or with those equal to it. None and certain: all declared sizes work.
    """
    inner, outer = joint_sets(declared)[name], works.sets[name].sizes
    if inner is not None and outer is not None:
        first, certain = first_outside(inner, outer)
        if first is None:
            return [], certain
        if not _breaks(works, name, first):
            return [], False  # beyond a table
        more = islice(inner.members(), SEARCHED)
        later = (size for size in more if size > first and _breaks(works, name, size))
        return [first, *islice(later, COMPLETED - 1)], True
    members = declared.sets[name].first(SEARCHED)
    failing = (size for size in members if _breaks(works, name, size))
    few = inner is not None and not inner.last.residues and len(members) < SEARCHED
    return list(islice(failing, COMPLETED)), few


def _breaks(works: ValidSizes, name: str, size: int) -> bool:
    """Whether a size of one symbol is known not to work."""
    values = {name: size}
    return not all(each.at(values) for each in works.without_tables.sets[name].conditions)


def _completed(
    declared: ValidSizes, works: ValidSizes, names: Sequence[str], symbol: str, size: int
) -> dict[str, int] | None:
    """Sizes for the other symbols, so that all that is declared holds; None if none were found."""
    alike = equal_symbols(declared)[symbol]
    choices, working = [], []
    for name in declared.symbols:
        source = declared if name in names else works
        members = [size] if name in alike else source.sets[name].first(SEARCHED)
        choices.append(members)
        working.append([each for each in members if each in works.sets[name]] or members)
    tried = [working, choices] if declared.ties else [working]  # one culprit, if that can be
    found = (meeting(declared.symbols, each, declared.ties, ENOUGH) for each in tried)
    return next(filter(None, found), None)
