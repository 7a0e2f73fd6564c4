"""Help that is computed: a change that makes two shapes meet, tried before it is offered."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from archspec.diagnostics import Fault, Label
from archspec.expand.items import Value
from archspec.graph import Leaf
from archspec.ops import Layer, apply, find
from archspec.ops.arguments import spread
from archspec.sizes import Size
from archspec.syntax import Node
from archspec.tensors import Tensor, show_shape

MAX_PADDING = 8
MAX_STRIDE = 8
MAX_JOINED = 6
MAX_BACK = 50
"""Layers that the search for a cause goes back."""
_FIXABLE = ("E201", "E202")
_JOINING = ("Add", "Sub", "Mul", "Div", "Concat", "Stack")


@dataclass(frozen=True, slots=True)
class _Maker:
    """The layer whose window decided a tensor's size."""

    name: str
    layer: Layer
    inputs: tuple[Tensor, ...]
    output: Tensor
    node: Node

    @property
    def line(self) -> int:
        """Where it stands."""
        return self.node.place.line


def advise(fault: Fault, layer: Layer, inputs: Sequence[Value]) -> str | None:
    """A change to one layer after which `layer` takes its inputs, or None if none was found.

    Every change is tried on the layer types' own rules, and `layer` itself on what comes out.
    """
    if fault.code == "E112":
        return _joined(layer, inputs)
    if (
        type(layer).__name__ not in _JOINING
        or fault.code not in _FIXABLE
        or fault.input is None
        or not 0 < fault.input < len(inputs)
    ):
        return None
    tensors = [value.tensor for value in inputs]
    known = [tensor for tensor in tensors if tensor is not None and tensor.batched]
    if len(known) != len(inputs):
        return None
    for number in (fault.input, 0):
        tries = (_arguments(inputs[number]), _projections(inputs, number), _borders(inputs, number))
        for changed, words in chain.from_iterable(tries):
            if _takes(layer, [*known[:number], changed, *known[number + 1 :]], known):
                return words
    return None


def _joined(layer: Layer, inputs: Sequence[Value]) -> str | None:
    """For a layer of one input that gets several: what makes one of them."""
    tensors = [value.tensor for value in inputs if value.tensor is not None]
    if layer.arity != (1, 1) or not 1 < len(tensors) == len(inputs) <= MAX_JOINED:
        return None
    names = ", ".join(_name(value).strip("`") for value in inputs)
    for joint in ("Concat", "Add"):
        cls = find(joint)
        assert cls is not None
        try:
            _, (whole, *_) = apply(cls(), *tensors)
            apply(layer, whole)
        except Fault:
            continue
        return f"join them before: `{{{joint}: [{names}]}}` makes {whole} of them"
    return None


def reasons(inputs: Sequence[Value]) -> list[Label]:
    """Where the sizes of inputs that do not meet were decided: "stride 2 halves 56×56 here"."""
    sizes = {value.tensor.shape[1:] for value in inputs if value.tensor is not None}
    found = []
    for value in inputs if len(sizes) > 1 else ():
        maker = _maker(value)
        if maker is not None and maker.node is not value.node:
            before, after = maker.inputs[0].shape[1:], maker.output.shape[1:]
            if before != after:
                words = f"{_cause(maker)} {show_shape(after)} of {show_shape(before)} here"
                found.append(Label(maker.node.place, words))
    return found


def _cause(maker: _Maker) -> str:
    stride = getattr(maker.layer, "stride", None)
    kernel = getattr(maker.layer, "kernel_size", None)
    step = kernel if stride is None else stride
    if step in (1, (1,), (1, 1), (1, 1, 1)):
        return f"kernel {kernel} with padding {getattr(maker.layer, 'padding', 0)} makes"
    return f"stride {step} makes"


def _takes(layer: Layer, inputs: list[Tensor], before: list[Tensor]) -> bool:
    """Whether the layer takes these inputs, without stretching what was not stretched before."""
    try:
        _, (result, *_) = apply(layer, *inputs)
    except Fault:
        return False
    if not all(isinstance(size, int) for tensor in inputs for size in tensor.shape):
        # A symbolic size would only become a condition, which may hold for no size that is used.
        return len({tensor.shape[1:] for tensor in inputs}) == 1
    return result.shape[1:] in {tensor.shape[1:] for tensor in before}


def _arguments(value: Value) -> Iterator[tuple[Tensor, str]]:
    """What the value would be with another padding, stride or out_channels of its maker."""
    maker = _maker(value)
    if maker is None or value.tensor is None:
        return
    for field, tried in _alternatives(maker):
        try:
            changed = maker.layer.model_copy(update={field: tried})
            changed.check()
            _, (result, *_) = apply(changed, *maker.inputs)
        except Fault:
            continue
        channels = value.tensor.shape[0] if field != "out_channels" else result.shape[0]
        yield (
            value.tensor.sized(channels, *result.shape[1:]),
            f"`{field}: {tried}` at `{maker.name}` (line {maker.line}) would make them meet",
        )


def _alternatives(maker: _Maker) -> Iterator[tuple[str, int]]:
    fields = type(maker.layer).model_fields
    rank = len(maker.inputs[0].shape) - 1
    kernel = max(spread(getattr(maker.layer, "kernel_size", 1), rank), default=1)
    if "padding" in fields:
        order = sorted(range(MAX_PADDING + 1), key=lambda p: (p != (kernel - 1) // 2, p))
        yield from (("padding", padding) for padding in order)
    if "stride" in fields:
        yield from (("stride", stride) for stride in range(1, MAX_STRIDE + 1))


def _projections(inputs: Sequence[Value], number: int) -> Iterator[tuple[Tensor, str]]:
    """What the value would be behind a 1×1 convolution, as in the shortcut of a ResNet."""
    tensor = inputs[number].tensor
    other = inputs[0 if number else -1].tensor
    assert tensor is not None
    assert other is not None
    rank = len(tensor.shape) - 1
    cls = find(f"Conv{rank}d") if 1 <= rank <= 3 else None
    name = _name(inputs[number])
    channels = other.shape[0]
    if cls is None or not isinstance(channels, int):
        return
    for stride in range(1, MAX_STRIDE + 1):
        args = {"out_channels": channels, "kernel_size": 1, "stride": stride}
        layer = cls.model_validate(args)
        try:
            _, (result, *_) = apply(layer, tensor)
        except Fault:
            return
        said = f"out_channels: {channels}, kernel_size: 1"
        said += f", stride: {stride}" if stride > 1 else ""
        yield result, f"a projection would make them meet: `{cls.__name__}: {{{said}}}` on {name}"


def _borders(inputs: Sequence[Value], number: int) -> Iterator[tuple[Tensor, str]]:
    """What the value would be with zeros at its far ends, up to the size of the others."""
    tensor, other = inputs[number].tensor, inputs[0 if number else -1].tensor
    assert tensor is not None
    assert other is not None
    missing = [_less(a, b) for a, b in zip(tensor.shape[1:], other.shape[1:], strict=False)]
    cls = find(f"ZeroPad{len(missing)}d") if 1 <= len(missing) <= 3 else None
    if cls is None or None in missing or len(tensor.shape) != len(other.shape):
        return
    padding = [each for count in reversed(missing) for each in (0, count)]
    _, (result, *_) = apply(cls.model_validate({"padding": padding}), tensor)
    said = f"`{cls.__name__}: {{padding: {padding}}}` on {_name(inputs[number])}"
    yield result, f"{said} would make them meet"


def _less(size: Size, other: Size) -> int | None:
    """How much is missing to the other size; None where that is no number of zeros."""
    if not isinstance(size, int) or not isinstance(other, int) or size > other:
        return None
    return other - size


def _name(value: Value) -> str:
    return f"`{value.composite.names[value.number]}`"


def _maker(value: Value) -> _Maker | None:
    """The last layer with a window behind a value, past layers that keep the shape."""
    composite, trace, number = value.composite, value.trace, value.number
    for _ in range(MAX_BACK):
        # Values are numbered in call order.
        position = bisect_right(composite.calls, number, key=lambda call: call.outputs[0]) - 1
        if position < 0:
            return None
        call = composite.calls[position]
        if not isinstance(call.target, Leaf):
            inner = trace.inner.get(position)
            if inner is None:
                return None
            number = call.target.outputs[call.outputs.index(number)].value
            composite, trace = call.target, inner
            continue
        inputs = tuple(trace.tensors[each] for each in call.inputs)
        if "kernel_size" in type(call.target.layer).model_fields:
            node = call.target.node
            return _Maker(call.name, call.target.layer, inputs, trace.tensors[number], node)
        if len(inputs) != 1 or inputs[0].shape != trace.tensors[number].shape:
            return None
        number = call.inputs[0]
    return None
