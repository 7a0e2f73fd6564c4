"""What `torch.export` can be told about symbolic sizes, worked out without it.

Export knows a size as a number, or as `step * n + first` for whole n. It fixes sizes that are 0 or
1 anywhere in a network, and its solver does not follow the clipped windows of `ceil_mode`. So of
the valid sizes one progression is kept, from where every size within is at least 2.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import lcm
from typing import Final

from archspec.exportable import fixed_by_onnx, fixed_lengths, symbolic, unsolvable
from archspec.network import Network, at
from archspec.ops.pooling import Pool
from archspec.sizes import Condition, Expr, Size, ValidSizes
from archspec.sizes.atoms import Extreme, atoms_of
from archspec.sizes.periodic import MOST_PERIOD, SizeSet, Stretch
from archspec.sizes.polynomial import along, eventual_sign, repeats
from archspec.sizes.solving import direction, grows, implied
from archspec.sizes.together import equal_symbols, joint_sets, says_equal
from archspec.sizes.words import words

LEAST: Final = 2
"""A smaller size is taken for a constant."""
RAISED: Final = 64
"""Steps by which all sizes are made larger, until conditions on several of them hold."""


@dataclass(frozen=True, slots=True)
class Progression:
    """The sizes `first`, `first + step`, … up to `last`, or without end."""

    first: int
    step: int = 1
    last: int | None = None

    def contains(self, size: int) -> bool:
        """Whether a size is one of them."""
        below = self.last is None or size <= self.last
        return self.first <= size and below and (size - self.first) % self.step == 0

    def words(self, symbol: str) -> str:
        """In words: `H >= 32 and H divisible by 16`."""
        rule = [Stretch(self.first, self.step, frozenset([self.first % self.step]))]
        end = [] if self.last is None else [Stretch(self.last + 1, 1, frozenset())]
        return words(symbol, SizeSet((*rule, *end)))


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """How symbolic sizes are exported. `str()` says it in words."""

    kept: Mapping[str, Progression]
    """The sizes of every symbol that stays open."""
    alike: Mapping[str, str]
    """For every open symbol the first one that is always equal to it, itself maybe."""
    automatic: bool
    """Whether export has to find the sizes itself (`Dim.AUTO`): `kept` is what works."""
    batch: bool
    """Whether the batch stays open."""
    example: Mapping[str, int]
    """Sizes to export with, one for every symbol: small ones."""
    dropped: tuple[str, ...]
    """What works and is not exported, in words."""

    def __str__(self) -> str:
        kept = [each.words(symbol) for symbol, each in self.kept.items()]
        kept += [f"{first} == {name}" for name, first in self.alike.items() if name != first]
        lines = [f"exported for {' and '.join(kept)}"] if kept else []
        return "\n".join([*lines, *(f"dropped: {each}" for each in self.dropped)])


def plan(network: Network, *, batch: bool = True, onnx: bool = False) -> ExportPlan:
    """The largest part of the valid sizes that export can be told, or of which ONNX is made."""
    sizes = _with_large_sizes(network)
    example = sizes.example() or network.example_sizes
    alike, joint = equal_symbols(sizes), joint_sets(sizes)
    fixed = {**_fixed(network, sizes), **(fixed_by_onnx(network) if onnx else {})}
    kept: dict[str, Progression] = {}
    for name, group in alike.items():
        found = None if fixed.keys() & group else _progression(joint[name])
        found = None if found is None else _steady(network, group, found)
        if found is not None:
            kept[name] = found
    crossing = [gap for gap in set(_turning(network)) if len(gap.symbols) > 1]
    rising = [gap * way for gap in crossing if (way := direction(gap))]
    kept = _raised(sizes, rising, kept, example)
    dropped = []
    for name, group in alike.items():
        reason = next((fixed[other] for other in sorted(group) if other in fixed), None)
        lost = _dropped(network, name, kept.get(name), reason, example[name])
        dropped += [lost] if lost else []
    automatic = unsolvable(network) if kept else None
    if automatic is not None:
        dropped.append(f"the bounds, which export finds itself: {automatic}")
    second = {name: _second(each) for name, each in kept.items()}
    return ExportPlan(
        kept=kept,
        alike={name: min(alike[name], key=list(alike).index) for name in kept},
        automatic=automatic is not None,
        batch=batch,
        example={**example, **second},
        dropped=tuple(dropped),
    )


def _with_large_sizes(network: Network) -> ValidSizes:
    """The valid sizes at which every size within the network is at least 2, if there are such."""
    within = dict.fromkeys(_sizes_within(network))
    large = [size >= LEAST for size in within]
    conditions = [each for each in large if isinstance(each, Condition)]
    found = ValidSizes(network.sizes.symbols, (*network.sizes.conditions, *conditions))
    return network.sizes if found.example() is None else found


def _sizes_within(network: Network) -> Iterator[Expr]:
    for application in network.applications:
        yield from symbolic((*application.inputs, *application.outputs))
        between = application.leaf.layer.between(*application.inputs)
        yield from (size for size in between if isinstance(size, Expr))


def _progression(sizes: SizeSet | None) -> Progression | None:
    """The best progression in a set; None if there is none."""
    if sizes is None:
        return None
    spans = [(stretch, end) for stretch, end in sizes.spans() if stretch.residues]
    found = [_densest(stretch, end) for stretch, end in spans]
    several = [each for each in found if each.last is None or each.last > each.first]
    return max(several, key=_extent, default=None)


def _steady(network: Network, group: set[str], found: Progression) -> Progression | None:
    """The part of a progression in which every branch goes one way; None if that is unknown.

    Export takes the branch that the example takes, and refuses sizes that take the other.
    """
    turning = {gap for gap in _turning(network) if gap.symbols <= group}
    turning -= {gap for gap in _extreme(network) if gap in turning and _is_steady(gap, found)}
    periods = [repeats(gap, MOST_PERIOD) for gap in turning]
    if None in periods:
        return None
    step = lcm(found.step, *(period for period in periods if period is not None))
    first = max([found.first, *(_settled(gap, found.first, step) for gap in turning)])
    if found.last is None:
        return Progression(first, step)
    last = found.last - (found.last - first) % step
    return Progression(first, step, last) if last > first else None


def _is_steady(gap: Expr, found: Progression) -> bool:
    """Whether one side is never the larger one at all of a finite progression: T up to T = 64."""
    if found.last is None or not direction(gap):
        return False
    ends = [at(gap, dict.fromkeys(gap.symbols, end)) for end in (found.first, found.last)]
    return max(ends) <= 0 or min(ends) >= 0


def _settled(gap: Expr, member: int, step: int) -> int:
    """The member of a progression from which a difference follows one formula, of one sign."""
    residue = member % step
    polynomial, start = along(gap, residue, step, atoms_of([gap]))
    return residue + step * max(start, eventual_sign(polynomial)[1])


def _turning(network: Network) -> Iterator[Expr]:
    """Differences whose sign chooses a branch: of clipped windows, and of minima and maxima."""
    for application in network.applications:
        layer = application.leaf.layer
        clipped = layer.clipped(application.inputs[0]) if isinstance(layer, Pool) else []
        gaps = (each.left - each.right for each in clipped if isinstance(each, Condition))
        yield from (gap for gap in gaps if isinstance(gap, Expr))
    yield from _extreme(network)


def _extreme(network: Network) -> Iterator[Expr]:
    """Differences of what minima and maxima compare. Where they are 0, either side will do."""
    for atom in atoms_of(_sizes_within(network)):
        if isinstance(atom, Extreme):
            gaps = (one - other for one, other in combinations(atom.parts, 2))
            yield from (gap for gap in gaps if isinstance(gap, Expr))


def _raised(
    sizes: ValidSizes,
    rising: Sequence[Size],
    kept: dict[str, Progression],
    example: Mapping[str, int],
) -> dict[str, Progression]:
    """Progressions that begin where what grows with several symbols is past its turn.

    That is, conditions hold for all sizes from there on, and differences are positive.
    """
    for _ in range(RAISED):
        least = {**example, **{name: each.first for name, each in kept.items()}}
        past = all(at(gap, least) > 0 for gap in rising)
        if past and all(says_equal(tie) or implied(tie, least) for tie in sizes.ties if grows(tie)):
            return kept
        kept = {name: replace(each, first=each.first + each.step) for name, each in kept.items()}
    return {}


def _densest(stretch: Stretch, end: int | None) -> Progression:
    """The progression with the smallest step that lies in a stretch: of several, the multiples.

    Images are resized and padded to multiples.
    """
    period, residues = stretch.period, stretch.residues
    for step in _divisors(period):
        if step * len(residues) < period:
            continue
        counts = Counter(residue % step for residue in residues)
        full = [residue for residue, count in counts.items() if count * step == period]
        if full:
            found = [_from(stretch.start, residue, step, end) for residue in full]
            return max(found, key=lambda each: (_extent(each), each.first % step == 0, -each.first))
    raise AssertionError("a single remainder is full by the period itself")


def _from(start: int, residue: int, step: int, end: int | None) -> Progression:
    """The sizes of one remainder from a start on, below an end."""
    first = start + (residue - start) % step
    return Progression(first, step, None if end is None else end - 1 - (end - 1 - first) % step)


def _divisors(number: int) -> Iterator[int]:
    """Smallest first."""
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    yield from small
    yield from (number // d for d in reversed(small) if d * d != number)


def _extent(found: Progression) -> float:
    """How large a part it is: an endless one by its density, a finite one by its members."""
    if found.last is None:
        return float("inf")
    return (found.last - found.first) // found.step


def _second(found: Progression) -> int:
    """A size to export with that is not the first: at a bound, export may take it for fixed."""
    size = found.first + found.step
    return found.first if found.last is not None and size > found.last else size


def _dropped(
    network: Network, name: str, found: Progression | None, reason: str | None, size: int
) -> str | None:
    """What a symbol loses; None if nothing."""
    valid = network.sizes.sets[name]
    if found is not None:
        kept = found.words(name)
        return None if kept == str(valid) else f"of {valid}, all but {kept}"
    if valid.first(2) == [size]:
        return None
    return f"of {valid}, all but {name} = {size}" + (f": {reason}" if reason else "")


def _fixed(network: Network, sizes: ValidSizes) -> dict[str, str]:
    """The symbols that export cannot keep open, and why."""
    ties = (tie for tie in sizes.ties if not says_equal(tie) and not grows(tie))
    found = {name: f"the network needs {tie}" for tie in ties for name in tie.symbols}
    alike = equal_symbols(sizes)
    for gap in _turning(network):
        if not direction(gap) and len({min(alike[name]) for name in gap.symbols}) > 1:
            reason = f"export goes one way, and {gap} is of another sign for other sizes"
            found.update(dict.fromkeys(gap.symbols, reason))
    return {**found, **fixed_lengths(network)}
