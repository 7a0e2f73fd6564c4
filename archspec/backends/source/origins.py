"""Which literals of the code are parameters of the spec: `num_classes` stays an argument.

The structure of a network may depend on its parameters in many ways, so only this is taken for
granted: a parameter that is read nowhere but as whole arguments (`=num_classes`) of layers outside
of blocks and loops, where either the layer gives the same tensor for another value (the `p` of
Dropout), or nothing but the output of the network follows from it (the size of a classifier).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archspec.diagnostics import Fault
from archspec.graph import Composite, Leaf, Trace
from archspec.ops import Attribute, Construct, Layer
from archspec.ops.base import outputs_of
from archspec.spec import Body, LayerSpec
from archspec.syntax import Mapping, Node, Scalar, Sequence
from archspec.tensors import Tensor

if TYPE_CHECKING:
    from archspec.network import Network


@dataclass(slots=True)
class Origins:
    """What stays open."""

    fields: dict[int, dict[str, str]] = field(default_factory=dict)
    """By the id of a leaf: the parameters of the spec that its fields are."""
    sizes: dict[int, str] = field(default_factory=dict)
    """For the one output of a network: sizes of it, by position, that are parameters."""


@dataclass(frozen=True, slots=True)
class _Use:
    """A leaf that is called once: its inputs, and whether only the network's output follows."""

    leaf: Leaf
    inputs: tuple[Tensor, ...]
    is_last: bool


def origins(network: "Network") -> Origins:
    """The literals of a network that stay open, as arguments of its constructor."""
    values = {
        name: value
        for name, value in network.params.items()
        if type(value) in (int, float) and any(p.name.text == name for p in network.spec.params)
    }
    if not values or network.spec.body is None:
        return Origins()
    written = _written(network.spec.body, set(values))
    if not written:
        return Origins()
    uses = {id(use.leaf.node): use for use in _uses(network.graph.root, network.trace, last=True)}
    found = Origins()
    for name, places in written.items():
        reads = sum(_reads(tree, name) for tree in network.spec.trees)
        arguments = [(uses.get(id(spec.node)), argument) for spec, argument in places]
        if reads > len(places):
            continue
        if all(use and _is_open(use, at, values[name]) for use, at in arguments):
            for use, argument in arguments:
                assert use is not None
                found.fields.setdefault(id(use.leaf), {})[argument] = name
                if len(network.graph.root.outputs) == 1:
                    found.sizes.update(dict.fromkeys(_sizes_that_follow(use, argument), name))
    return found


def _written(body: Body, names: set[str]) -> dict[str, list[tuple[LayerSpec, str]]]:
    """By parameter: the layers outside of loops that have it as an argument, and that argument."""
    found: dict[str, list[tuple[LayerSpec, str]]] = {}
    for entry in body.entries:
        if not isinstance(entry, LayerSpec) or entry.repeat is not None:
            continue
        if entry.body is not None:
            for name, places in _written(entry.body, names).items():
                found.setdefault(name, []).extend(places)
        elif isinstance(entry.args, Mapping):
            for key, value in entry.args.items():
                text = value.text.strip() if isinstance(value, Scalar) else ""
                if text.startswith("=") and (name := text[1:]) in names:
                    found.setdefault(name, []).append((entry, key.text))
    return found


def _reads(tree: Mapping, name: str) -> int:
    """How often a file may read a parameter of the network."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    sections = ((key, node) for key, node in tree.items() if key.text not in ("blocks", "expect"))
    return sum(
        len(word.findall(text))
        for key, node in sections
        for text in _texts(node, everywhere=key.text == "requires")
    )


def _texts(node: Node, *, everywhere: bool) -> Iterator[str]:
    """Every text below a node that may be, or hold, an expression."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if "{" in key.text:
                yield key.text
            yield from _texts(value, everywhere=everywhere or key.text == "for")
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _texts(item, everywhere=True)  # bare words of a shape
    elif isinstance(node, Scalar) and (everywhere or node.text[:1] == "=" or "{" in node.text):
        yield node.text


def _uses(scope: Composite, trace: Trace, *, last: bool) -> Iterator[_Use]:
    """The leaves outside of blocks that are called once."""
    targets = [id(call.target) for call in scope.calls]
    read = {value for call in scope.calls for value in call.inputs}
    given = {output.value for output in scope.outputs}
    for number, call in enumerate(scope.calls):
        if targets.count(id(call.target)) > 1:
            continue
        is_last = last and read.isdisjoint(call.outputs) and given.issuperset(call.outputs)
        if isinstance(call.target, Leaf):
            inputs = tuple(trace.tensors[value] for value in call.inputs)
            if not isinstance(call.target.layer.emit(inputs), Attribute):
                yield _Use(call.target, inputs, is_last)
        elif call.target.kind is None:
            yield from _uses(call.target, trace.inner[number], last=is_last)


def _changed(layer: Layer, argument: str) -> Layer:
    """The layer with another value for an argument."""
    value = getattr(layer, argument)
    other = value + 1 if isinstance(value, int) else value / 2
    return layer.model_copy(update={argument: other})


def _sizes_that_follow(use: _Use, argument: str) -> list[int]:
    """The positions of sizes of a layer's result that an argument decides."""
    layer = use.leaf.layer
    (before, *_), (after, *_) = (
        outputs_of(each, use.inputs) for each in (layer, _changed(layer, argument))
    )
    pairs = zip(before.shape, after.shape, strict=True)
    return [at for at, (one, other) in enumerate(pairs) if one != other]


def _is_open(use: _Use, argument: str, value: float) -> bool:
    """Whether an argument of a layer may have another value while all else stays as it is."""
    layer = use.leaf.layer
    now = getattr(layer, argument, None)
    if type(now) is not type(value) or now != value:
        return False
    if any(each.computed for each in use.leaf.initialisers.values()):
        return False
    other = _changed(layer, argument)
    before, after = layer.emit(use.inputs), other.emit(use.inputs)
    if not isinstance(before, Construct) or not isinstance(after, Construct):
        return False
    if _others(before, layer, argument) != _others(after, other, argument):
        return False
    try:
        after_all = outputs_of(other, use.inputs)
    except Fault:
        return False
    same = outputs_of(layer, use.inputs) == after_all
    ranks = [[x.ndim for x in each] for each in (outputs_of(layer, use.inputs), after_all)]
    return same or (use.is_last and ranks[0] == ranks[1])


def _others(found: Construct, layer: Layer, argument: str) -> tuple[Any, ...]:
    """All of an emission but one field."""
    args = tuple(
        value
        for name, value in zip(type(layer).positional, found.args, strict=False)
        if name != argument
    )
    kwargs = {name: value for name, value in found.kwargs.items() if name != argument}
    return found.path, args, kwargs, found.call, found.unpack, found.definition
