"""What the requirements taken down so far say of later sizes.

They hold for every size that the network takes at all, so what comes after them may use them: a
size that had to be divisible by 7 is `7 * (size // 7)`.
"""

from __future__ import annotations

from archspec.sizes.conditions import Condition
from archspec.sizes.expression import Domain, Expr, Size
from archspec.sizes.functions import quotient
from archspec.sizes.solving import first_meeting


def lowest(domain: Domain, name: str) -> int:
    """A size of a symbol that no smaller one meets the requirements."""
    _learn(domain)
    return domain.lowest.get(name, 1)


def simplified(size: Size) -> Size:
    """A size with what requirements say put in: `7 * (H // 7)` is H where 7 divides H."""
    if isinstance(size, int):
        return size
    _learn(size.domain)
    for atom, (factor, whole) in reversed(size.domain.wholes.items()):
        coefficient = size.terms.get((atom,), 0)
        if coefficient and coefficient % factor == 0:
            size = size + (coefficient // factor) * (whole - _times(size.domain, atom, factor))
            if isinstance(size, int):
                return size
    return size


def share(whole: Size, part: Size) -> Size | None:
    """`whole / part`, if that is a size by what requirements say; else None."""
    found = quotient(whole, part)
    if found is not None or isinstance(whole, int) or isinstance(part, int):
        return found
    _learn(whole.domain)
    for atom, (factor, known) in whole.domain.wholes.items():
        count = quotient(whole, known) if atom in _atoms(part) else None
        found = None if count is None else quotient(count * _times(part.domain, atom, factor), part)
        if found is not None:
            return found
    return None


def _atoms(size: Expr) -> set[object]:
    return {atom for monomial in size.terms for atom in monomial}


def _times(domain: Domain, atom: object, factor: int) -> Expr:
    return Expr(domain, {(atom,): factor}, 0)  # type: ignore[dict-item]


def _learn(domain: Domain) -> None:
    for condition in domain.new_requirements():
        if condition.others:
            continue
        if condition.relation == "==":
            _learn_whole(condition)
        elif len(condition.symbols) == 1:
            (name,) = condition.symbols
            first = first_meeting(condition, name)
            if first is not None:
                domain.lowest[name] = max(first, domain.lowest.get(name, first))


def _learn_whole(condition: Condition) -> None:
    """Of `whole == factor * part`, where the part is younger than all in the whole."""
    gap = condition.left - condition.right
    if isinstance(gap, int) or any(len(monomial) > 1 for monomial in gap.terms):
        return
    youngest = max((atom for (atom,) in gap.terms), key=lambda atom: atom.rank)
    coefficient = gap.terms[(youngest,)]
    rest = gap.without(youngest)
    if abs(coefficient) > 1 and isinstance(rest, Expr):
        whole = rest if coefficient < 0 else -rest
        gap.domain.wholes[youngest] = (abs(coefficient), whole)
