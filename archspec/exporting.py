"""What `torch.export` can be told about symbolic sizes, worked out without it.

Export knows a size as a number, or as `step * n + first` for whole n. It fixes sizes that are 0 or
1 anywhere in a network, and its solver does not follow the clipped windows of `ceil_mode`. So of
the valid sizes one progression is kept, from where every size within is at least 2.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import lcm
from typing import Final

from archspec.network import Network
from archspec.ops.pooling import Pool
from archspec.resolve import Application
from archspec.sizes import Condition, Expr, ValidSizes
from archspec.sizes.atoms import Extreme, Symbol
from archspec.sizes.periodic import MOST_PERIOD, SizeSet, Stretch
from archspec.sizes.polynomial import atoms_of, repeats
from archspec.sizes.solving import grows, implied
from archspec.sizes.together import equal_symbols, joint_sets, says_equal
from archspec.sizes.words import words
from archspec.tensors import Tensor

LEAST: Final = 2
"""A smaller size is taken for a constant."""
TURNING: Final = ("Permute", "Transpose", "Rearrange")
"""Types whose results keep the memory layout of their inputs."""
RAISED: Final = 64
"""Steps by which all sizes are made larger, until conditions on several of them hold."""
FIXES: Final = ("MaxPool1d", "RNN", "GRU", "LSTM")
"""Types that PyTorch runs with the sizes of the example, whatever export is told."""


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


def plan(network: Network, *, batch: bool = True) -> ExportPlan:
    """The largest part of the valid sizes that export can be told."""
    sizes = _with_large_sizes(network)
    example = sizes.example() or network.example_sizes
    alike, joint = equal_symbols(sizes), joint_sets(sizes)
    fixed = _fixed(network, sizes)
    kept: dict[str, Progression] = {}
    for name, group in alike.items():
        found = None if fixed.keys() & group else _progression(joint[name])
        found = None if found is None else _steady(network, group, found)
        if found is not None:
            kept[name] = found
    kept = _raised(sizes, kept, example)
    dropped = []
    for name, group in alike.items():
        reason = next((fixed[other] for other in sorted(group) if other in fixed), None)
        lost = _dropped(network, name, kept.get(name), reason, example[name])
        dropped += [lost] if lost else []
    automatic = _automatic(network) if kept else None
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
        yield from _symbolic((*application.inputs, *application.outputs))


def _symbolic(tensors: Iterable[Tensor]) -> Iterator[Expr]:
    yield from (size for tensor in tensors for size in tensor.shape if isinstance(size, Expr))


def _progression(sizes: SizeSet | None) -> Progression | None:
    """The best progression in a set; None if there is none."""
    if sizes is None:
        return None
    spans = [(stretch, end) for stretch, end in sizes.spans() if stretch.residues]
    found = [_densest(stretch, end) for stretch, end in spans]
    several = [each for each in found if each.last is None or each.last > each.first]
    return max(several, key=_extent, default=None)


def _steady(network: Network, group: set[str], found: Progression) -> Progression | None:
    """The part of a progression in which windows are clipped always, or never; None if unknown.

    Export takes the branch that the example takes, and refuses sizes that take the other.
    """
    step = found.step
    for size in set(_turning(network)):
        if size.symbols <= group:
            period = repeats(size, MOST_PERIOD)
            if period is None:
                return None
            step = lcm(step, period)
    if found.last is None:
        return replace(found, step=step)
    last = found.last - (found.last - found.first) % step
    return replace(found, step=step, last=last) if last > found.first else None


def _turning(network: Network) -> Iterator[Expr]:
    """Sizes on which a branch depends: what is clipped here and there, minima and maxima."""
    for application in network.applications:
        layer = application.leaf.layer
        clipped = layer.clipped(application.inputs[0]) if isinstance(layer, Pool) else []
        gaps = (each.left - each.right for each in clipped if isinstance(each, Condition))
        yield from (gap for gap in gaps if isinstance(gap, Expr))
    for size in _sizes_within(network):
        if any(isinstance(atom, Extreme) for atom in atoms_of([size])):
            yield size


def _raised(
    sizes: ValidSizes, kept: dict[str, Progression], example: Mapping[str, int]
) -> dict[str, Progression]:
    """Progressions that begin where conditions on several growing symbols hold for all sizes."""
    for _ in range(RAISED):
        least = {**example, **{name: each.first for name, each in kept.items()}}
        if all(says_equal(tie) or implied(tie, least) for tie in sizes.ties if grows(tie)):
            return kept
        kept = {name: replace(each, first=each.first + each.step) for name, each in kept.items()}
    return {}


def _densest(stretch: Stretch, end: int | None) -> Progression:
    """The progression with the smallest step that lies in a stretch."""
    period, residues = stretch.period, stretch.residues
    for step in _divisors(period):
        if step * len(residues) < period:
            continue
        counts = Counter(residue % step for residue in residues)
        full = [residue for residue, count in counts.items() if count * step == period]
        if full:
            first = min(stretch.start + (residue - stretch.start) % step for residue in full)
            last = None if end is None else end - 1 - (end - 1 - first) % step
            return Progression(first, step, last)
    raise AssertionError("a single remainder is full by the period itself")


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
    for application in network.applications:
        if application.leaf.type in FIXES:
            path = ".".join(application.path)
            reason = f"export keeps no length open that `{path}` ({application.leaf.type}) takes"
            symbols = (size.symbols for size in _symbolic(application.inputs))
            found.update((name, reason) for each in symbols for name in each)
    return found


def _automatic(network: Network) -> str | None:
    """Why export has to find the sizes itself; None if it can be told."""
    for application in network.applications:
        if getattr(application.leaf.layer, "ceil_mode", False):
            return f"`ceil_mode` of `{'.'.join(application.path)}` is beyond its solver"
        if application.leaf.type.startswith("InstanceNorm") and _is_shifted(application):
            path = ".".join(application.path)
            return f"what `{path}` ({application.leaf.type}) asks is beyond its solver"
    if any(map(_is_turned, network.applications)):
        for application in network.applications:
            if _joins_free_tensor(application):
                path = ".".join(application.path)
                return f"the memory layout at `{path}`, behind a permutation, is beyond its solver"
    for size in _symbolic(network.input_tensors.values()):
        if linear_in(size) is None:
            return f"the input size {size} is no multiple of a symbol"
    return None


def _is_turned(application: Application) -> bool:
    """Whether a layer puts dimensions of symbolic sizes into another order."""
    return (
        application.leaf.type in TURNING and next(_symbolic(application.inputs), None) is not None
    )


def _joins_free_tensor(application: Application) -> bool:
    """Whether a layer joins a tensor of symbolic sizes with one that has no batch."""
    free = [tensor for tensor in application.inputs if not tensor.batched]
    return bool(free) and next(_symbolic(application.inputs), None) is not None


def _is_shifted(application: Application) -> bool:
    """Whether an input has a size that is no symbol, nor a multiple of one."""
    sizes = map(linear_in, _symbolic(application.inputs))
    return any(linear is None or linear[2] for linear in sizes)


def linear_in(size: Expr) -> tuple[str, int, int] | None:
    """`(H, 2, 1)` for `2 * H + 1`; None for what is not of that form."""
    if len(size.terms) != 1:
        return None
    ((monomial, times),) = size.terms.items()
    if len(monomial) != 1 or not isinstance(monomial[0], Symbol) or times < 1:
        return None
    return monomial[0].name, times, size.constant
