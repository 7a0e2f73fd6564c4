"""Neighbouring layers that PyTorch runs, and that are seldom meant."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from archspec.diagnostics import Diagnostic, Label
from archspec.graph import Call, Composite, Leaf, Trace
from archspec.network import Network
from archspec.ops import Layer
from archspec.ops.arguments import spread
from archspec.tensors import Tensor

_CONVOLUTIONS = ("Conv1d", "Conv2d", "Conv3d")
_BATCH_NORMS = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d")
_WINDOWS = (
    *_CONVOLUTIONS,
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
)
MAX_BACK = 50
"""Layers that the search for a cause goes back: a chain of findings must not take squares."""


@dataclass(frozen=True, slots=True)
class _Use:
    """One call of a leaf within its scope."""

    scope: Composite
    call: Call
    leaf: Leaf
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]

    @property
    def type(self) -> str:
        return self.leaf.type


def _uses(scope: Composite, trace: Trace) -> Iterator[_Use]:
    for number, call in enumerate(scope.calls):
        if isinstance(call.target, Composite):
            if not call.reused:
                yield from _uses(call.target, trace.inner[number])
            continue
        inputs = tuple(trace.tensors[value] for value in call.inputs)
        outputs = tuple(trace.tensors[value] for value in call.outputs)
        yield _Use(scope, call, call.target, inputs, outputs)


_found: WeakKeyDictionary[Network, tuple[_Use, ...]] = WeakKeyDictionary()


def _all_uses(network: Network) -> tuple[_Use, ...]:
    """Every call of a leaf; the rules share them."""
    uses = _found.get(network)
    if uses is None:
        uses = _found[network] = tuple(_uses(network.graph.root, network.trace))
    return uses


def _pairs(network: Network) -> Iterator[tuple[_Use, _Use]]:
    """Leaves of one scope of which the second alone reads the first."""
    uses = _all_uses(network)
    makers = {(id(use.scope), value): use for use in uses for value in use.call.outputs}
    scopes = {id(use.scope): use.scope for use in uses}
    readers = {key: scope.readers() for key, scope in scopes.items()}
    for use in uses:
        for value in use.call.inputs[:1]:
            maker = makers.get((id(use.scope), value))
            if maker is not None and readers[id(use.scope)][value] == 1:
                yield maker, use


def broadcasts(network: Network) -> Iterator[Diagnostic]:
    """W306: an Add or Mul whose inputs both stretch, or an Add over a single channel."""
    for use in _all_uses(network):
        if use.type not in ("Add", "Sub", "Mul", "Div") or len(use.inputs) != 2:
            continue
        left, right = use.inputs
        if not (left.batched and right.batched) or left.shape == right.shape:
            continue
        pairs = list(zip(left.shape, right.shape, strict=False))
        stretched = [any(a == 1 != b for a, b in pairs), any(b == 1 != a for a, b in pairs)]
        one_channel = use.type in ("Add", "Sub") and (pairs[0][0] == 1) != (pairs[0][1] == 1)
        if all(stretched) or (one_channel and len(pairs) > 1):
            message = f"{use.type} stretches {left} and {right} to {use.outputs[0]}: is that meant?"
            yield Diagnostic("W306", message, use.leaf.node.place)


def conv_biases(network: Network) -> Iterator[Diagnostic]:
    """W307: BatchNorm subtracts the mean, and with it the bias of a convolution before it."""
    for first, second in _pairs(network):
        if first.type in _CONVOLUTIONS and second.type in _BATCH_NORMS:
            layer = first.leaf.layer
            if getattr(layer, "bias", False):
                message = f"the bias of this {first.type} has no effect before {second.type}"
                labels = (Label(second.leaf.node.place, "which subtracts the mean"),)
                help = "write bias: false"
                yield Diagnostic("W307", message, first.leaf.node.place, labels, help=help)


def repeats(network: Network) -> Iterator[Diagnostic]:
    """W308: the same activation or norm twice in a row."""
    for first, second in _pairs(network):
        if first.type == second.type and _is_repeatable(first.leaf.layer):
            message = f"{second.type} right after {first.type}"
            labels = (Label(first.leaf.node.place, "the first one"),)
            yield Diagnostic("W308", message, second.leaf.node.place, labels)


def _is_repeatable(layer: Layer) -> bool:
    home = type(layer).__module__.rpartition(".")[2]
    return home in ("activation", "rectifier", "softmax", "normalisation", "layer_norm")


def single_points(network: Network) -> Iterator[Diagnostic]:
    """W309: a kernel larger than 1 over a map of one point sees padding only around it."""
    uses = _all_uses(network)
    makers = {(id(use.scope), value): use for use in uses for value in use.call.outputs}
    for use in uses:
        if use.type not in _WINDOWS:
            continue
        spatial = use.inputs[0].shape[1:]
        kernel = spread(getattr(use.leaf.layer, "kernel_size"), len(spatial))  # noqa: B009
        if spatial and all(size == 1 for size in spatial) and max(kernel) > 1:
            message = f"{use.type} slides over a map of one point: it was reduced too early"
            labels = _reducer(use, makers)
            yield Diagnostic("W309", message, use.leaf.node.place, labels)


def _reducer(use: _Use, makers: Mapping[tuple[int, int], _Use]) -> tuple[Label, ...]:
    """The layer of the same scope that left one point of a map."""
    seen: _Use | None = use
    for _ in range(MAX_BACK):
        if seen is None or not seen.inputs:
            break
        if any(size != 1 for size in seen.inputs[0].shape[1:]):
            return (Label(seen.leaf.node.place, f"{seen.type} leaves {seen.outputs[0]}"),)
        seen = makers.get((id(seen.scope), seen.call.inputs[0]))
    return ()


def dropped_edges(network: Network) -> Iterator[Diagnostic]:
    """W310: rows or columns of real input that no window reaches."""
    for use in _all_uses(network):
        if use.type in _WINDOWS:
            unseen = _unseen(use.leaf.layer, use.inputs[0], use.outputs[0])
            if unseen:
                message = (
                    f"no window of this {use.type} reaches the last {unseen} of {use.inputs[0]}"
                )
                help = "add padding, or choose a size that comes out evenly"
                yield Diagnostic("W310", message, use.leaf.node.place, help=help)


def _unseen(layer: Layer, x: Tensor, y: Tensor) -> str | None:
    """How many rows or columns at the far end no window covers, for windows that touch."""
    arguments = layer.model_dump()
    rank = len(x.shape) - 1
    padding = arguments.get("padding", 0)
    if isinstance(padding, str):
        return None
    kernels, paddings = spread(arguments["kernel_size"], rank), spread(padding, rank)
    strides = spread(arguments.get("stride") or arguments["kernel_size"], rank)
    dilations = spread(arguments.get("dilation", 1), rank)
    axes = zip(x.shape[1:], y.shape[1:], kernels, strides, paddings, dilations, strict=True)
    words = ("column", "row", "plane")
    for axis, (size, count, k, s, p, d) in enumerate(axes):
        if not isinstance(size, int) or not isinstance(count, int) or d * (k - 1) + 1 < s:
            continue
        missing = size - ((count - 1) * s - p + d * (k - 1) + 1)
        if k > 1 and missing > 0:
            word = words[min(rank - axis - 1, 2)]
            return word if missing == 1 else f"{missing} {word}s"
    return None


def final_softmax(network: Network) -> Iterator[Diagnostic]:
    """W311: a Softmax at the end, where a loss such as CrossEntropyLoss wants the logits."""
    root = network.graph.root
    last = {output.value for output in root.outputs}
    for call in root.calls:
        is_leaf = isinstance(call.target, Leaf) and call.target.type in ("Softmax", "LogSoftmax")
        if is_leaf and last.intersection(call.outputs):
            message = "the network ends in a Softmax: CrossEntropyLoss takes the logits before it"
            help = "leave it out, and apply it where probabilities are wanted"
            yield Diagnostic("W311", message, call.target.node.place, help=help)
