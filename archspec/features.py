"""Feature maps of a network: the last layer of every stride, as backbones are described.

A map is found by what the layers do, not by their names: an input that is larger by a common
multiple of all strides makes a map larger by that multiple over its stride; what does not grow (a
global pool, a classifier) is no map.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from archspec.diagnostics import Fault
from archspec.graph import Composite, Leaf, Trace
from archspec.ops import outputs_of
from archspec.sizes import Size
from archspec.tensors import Tensor

if TYPE_CHECKING:
    from archspec.network import Network

LARGER: Final = 2**20 * 3**3 * 5**2 * 7 * 11 * 13
"""By how much the larger input is larger, on every axis: a multiple of all usual strides."""
MOST_PARTS: Final = 1000
"""The largest denominator of a stride: so one that does not divide `LARGER` is found too."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature map."""

    path: str
    """The layer, block or group that gives it: a name for `Network.select`."""
    channels: int
    reduction: Fraction
    """Its stride: positions of the input per position of the map, on each axis."""
    shape: tuple[Size, ...]
    """Without the batch."""
    channels_last: bool = False
    """Whether the channels are its last dimension, as between the blocks of a Swin."""


def features(network: "Network") -> tuple[Feature, ...]:
    """The last feature map of every stride, in call order.

    A group or block counts as a whole, unless maps of further strides lie within. Empty for a
    network whose inputs have no spatial dimensions, or not the same number of them.
    """
    given = list(network.input_tensors.values())
    ranks = {len(tensor.shape) for tensor in given}
    if len(ranks) != 1 or ranks <= {0, 1}:
        return ()
    walk = _Walk(given[0], network.example_sizes)
    maps, _ = walk.scope(network.graph.root, network.trace, [*map(walk.grown, given)], ())
    last = {each.reduction: each for each in maps}
    return tuple(each for each in maps if last[each.reduction] is each)


@dataclass(frozen=True, slots=True)
class _Walk:
    """Follows a larger input through a network."""

    input: Tensor
    sizes: Mapping[str, int]
    """Of the symbols, if the network has any."""

    def scope(
        self, scope: Composite, trace: Trace, given: Sequence[Tensor | None], path: tuple[str, ...]
    ) -> tuple[list[Feature], list[Tensor | None]]:
        """The maps of a scope, and all its values for the larger input."""
        maps: list[Feature] = []
        values = list(given)
        needed = scope.needed(training=False)
        times = Counter(id(call.target) for call in scope.calls)
        for number, call in enumerate(scope.calls):
            inputs = [values[value] for value in call.inputs]
            results = [trace.tensors[value] for value in call.outputs]
            below = (*path, call.name)
            inner: list[Feature] = []
            if isinstance(call.target, Composite):
                inner, made = self.scope(call.target, trace.inner[number], inputs, below)
                values += [made[output.value] for output in call.target.outputs]
                if times[id(call.target)] > 1:  # a layer within has no one result
                    inner = []
            else:
                values += self.leaf(call.target, results, inputs)
            if not needed[number]:
                continue
            ends = [self.feature(below, results[0], values[-1])] if len(results) == 1 else []
            tensors = (trace.tensors[value] for value in call.inputs)
            starts = map(self.feature, [below] * len(inputs), tensors, inputs)
            maps += _outermost(inner, ends, [*starts, *ends])
        return maps, values

    def leaf(
        self, leaf: Leaf, results: list[Tensor], inputs: list[Tensor | None]
    ) -> Sequence[Tensor | None]:
        """What a layer gives for the larger input."""
        if self.sizes:
            return [self.formula(tensor, LARGER) for tensor in results]
        known = [tensor for tensor in inputs if tensor is not None]
        if len(known) == len(inputs):
            try:
                return outputs_of(leaf.layer, tuple(known))
            except Fault:
                pass
        # A size is written out, as in a Reshape: there is no such larger input.
        return [self.scaled(tensor) for tensor in results]

    def grown(self, tensor: Tensor) -> Tensor:
        """An input, larger."""
        if self.sizes:
            return self.formula(tensor, LARGER)
        channels, *spatial = tensor.shape
        return tensor.sized(channels, *(size + LARGER for size in spatial))

    def formula(self, tensor: Tensor, more: int) -> Tensor:
        """A tensor whose sizes are formulas, for larger symbols: nothing is computed again."""
        at = {name: size + more for name, size in self.sizes.items()}
        return tensor.at(at)

    def scaled(self, tensor: Tensor) -> Tensor | None:
        """A tensor for the larger input if its size is the input's over a whole stride."""
        spatial = self.input.shape[1:]
        for start in (1, 0):
            sizes = tensor.shape[start : start + len(spatial)]
            if len(tensor.shape) != len(spatial) + 1 or 0 in sizes:
                continue
            strides = {Fraction(a, b) for a, b in zip(spatial, sizes, strict=True)}  # type: ignore[arg-type]
            if len(strides) == 1 and (stride := strides.pop()).denominator == 1:
                more = [0] * len(tensor.shape)
                more[start : start + len(spatial)] = [LARGER // stride.numerator] * len(spatial)
                return tensor.sized(*(a + b for a, b in zip(tensor.shape, more, strict=True)))
        return None

    def feature(self, path: tuple[str, ...], small: Tensor, large: Tensor | None) -> Feature | None:
        """A tensor as a map: it grows with the input by one stride, all but its channels."""
        if large is None or len(small.shape) != len(self.input.shape):
            return None
        now = _known(self.formula(small, 0))
        growth = [a - b for a, b in zip(_known(large), now, strict=True)]
        for channels, spatial in ((0, growth[1:]), (-1, growth[:-1])):
            strides = set(map(_stride, spatial))
            if growth[channels] == 0 and len(strides) == 1 and (stride := strides.pop()):
                return Feature(
                    ".".join(path),
                    now[channels],
                    stride,
                    small.shape,
                    channels_last=channels == -1,
                )
        return None


def _stride(growth: int) -> Fraction | None:
    """The stride of a size that grows by so much; None if it does not grow."""
    return Fraction(LARGER, growth).limit_denominator(MOST_PARTS) if growth > 0 else None


def _known(tensor: Tensor) -> list[int]:
    """The shape of a tensor without symbols."""
    return [size for size in tensor.shape if isinstance(size, int)]


def _outermost(
    inner: list[Feature], ends: Iterable[Feature | None], around: Iterable[Feature | None]
) -> list[Feature]:
    """The maps within a call, if there are strides other than those around it; else its result."""
    known = {each.reduction for each in around if each is not None}
    if any(each.reduction not in known for each in inner):
        return inner
    return [each for each in ends if each is not None]
