"""Help where a layer gets the wrong number of dimensions: a sibling, or a step that is missing."""

import re
from collections.abc import Sequence

from pydantic import ValidationError

from archspec.diagnostics import Fault
from archspec.expand.items import Value
from archspec.graph import Leaf
from archspec.ops import Layer, apply, find
from archspec.tensors import Tensor

_CODES = ("E203", "E501", "E503")


def rank_help(fault: Fault, layer: Layer, inputs: Sequence[Value]) -> str | None:
    """What takes these dimensions, tried before it is offered; None where nothing is known."""
    tensor = inputs[0].tensor if len(inputs) == 1 else None
    if fault.code not in _CODES or fault.field is not None or tensor is None:
        return None
    found = _sibling(layer, tensor)
    if found and fault.code == "E501" and fault.help:  # which of the two was meant is open
        return f"{fault.help}; {found} as it is"
    return found or _sequence(layer, tensor) or _before_flatten(layer, inputs[0])


def _sibling(layer: Layer, x: Tensor) -> str | None:
    """The same layer for another number of dimensions: MaxPool1d for MaxPool2d."""
    name = type(layer).__name__
    family = re.fullmatch(r"(\w+)[123]d", name)
    args = layer.model_dump(exclude_unset=True, by_alias=True)
    for spatial in (1, 2, 3) if family else ():
        cls = find(f"{family[1] if family else ''}{spatial}d")
        if cls is not None and cls.__name__ != name and _applies(cls, args, x):
            return f"{cls.__name__} takes {x}"
    return None


def _applies(cls: type[Layer], args: dict[str, object], x: Tensor) -> bool:
    try:
        other = cls.model_validate(args)
        other.check()
        apply(other, x)
    except (ValidationError, Fault):
        return False
    return True


def _sequence(layer: Layer, x: Tensor) -> str | None:
    """A layer over sequences that gets an image."""
    if layer.ranks != (2,) or len(x.shape) != 3 or type(layer).__name__[-1:] == "d":
        return None
    channels, height, width = x.shape
    try:
        apply(layer, x.sized(height * width, channels))
    except Fault:
        return None
    return "`Rearrange: {pattern: b c h w -> b (h w) c}` before it makes a sequence of an image"


def _before_flatten(layer: Layer, value: Value) -> str | None:
    """A layer over images behind the Flatten that makes vectors of them."""
    composite, number = value.composite, value.number
    call = next((each for each in composite.calls if number in each.outputs), None)
    if call is None or not isinstance(call.target, Leaf) or call.target.type != "Flatten":
        return None
    before = value.trace.tensors[call.inputs[0]]
    try:
        apply(layer, before)
    except Fault:
        return None
    return f"put it before Flatten (`{call.name}`), which makes one vector of each sample"
