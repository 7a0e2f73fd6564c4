"""Arguments that are sizes of tensors: a module can read them from its own inputs only."""

from collections.abc import Sequence as AbstractSequence
from typing import Any

from archspec.expand.context import Context
from archspec.expand.items import Given, Value
from archspec.graph import Composite
from archspec.sizes import Dimension, Measured
from archspec.syntax import Node, Sequence


def at_hand(context: Context, given: Given, inputs: AbstractSequence[Value]) -> Given:
    """The arguments of a layer, with every symbolic size read from a tensor of its scope.

    A size that comes from elsewhere (a block was given it, or a group stands around the layer) is
    read where an input of the layer's own scope has the same size for every input of the network.
    """
    if not context.domain.atoms or not inputs:
        return given
    owner = inputs[0]
    return {
        name: (_local(context, each, node, owner), node) for name, (each, node) in given.items()
    }


def _local(context: Context, value: Any, node: Node, owner: Value) -> Any:
    if isinstance(value, list):
        items = node.items if isinstance(node, Sequence) else []
        nodes = items if len(items) == len(value) else [node] * len(value)
        return [_local(context, *pair, owner) for pair in zip(value, nodes, strict=True)]
    if not isinstance(value, Measured):
        return value
    own = owner.composite
    if all(dimension.scope is own for dimension in value.reads()):
        return value
    found = value.moved(lambda size: _placed(size, owner))
    if found is None:
        far = next(read for read in value.reads() if read.scope is not own)
        raise context.report(
            "E114",
            f"{value} is a size of `{far.name}`, which {_described(own)} does not get as an input",
            node.place,
            help=f"make a block around this layer, with `{far.name}` among its `inputs:`",
        )
    return found


def _placed(size: Measured, owner: Value) -> Measured | None:
    """A size as the scope of `owner` can read it: where it is read now, or in an equal input."""
    own = owner.composite
    if isinstance(size.origin, Dimension) and size.origin.scope is own:
        return size
    for number, name in enumerate(own.inputs):
        tensor = owner.trace.tensors[number]
        for index, other in enumerate(tensor.shape, tensor.batched):
            if other == size.size:
                return Measured(size.size, Dimension(own, number, index, name))
    return None


def _described(scope: Composite) -> str:
    return "this group" if scope.kind is None else f"`{scope.kind}`"
