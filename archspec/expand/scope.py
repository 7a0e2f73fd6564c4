"""A composite under construction: its values, its calls, and the first trace of them."""

from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence as AbstractSequence
from dataclasses import dataclass, field
from typing import Any

from archspec.expand.items import Item, Made, Value
from archspec.expr import Facts
from archspec.graph import Call, Composite, Leaf, Trace
from archspec.ops.weight import Weight
from archspec.syntax import Node
from archspec.tensors import Tensor

Flow = tuple[Tensor, Node]
"""What flows into a scope: a tensor's type, and the node that it comes from."""


def facts_of(composite: Composite, inputs: AbstractMapping[str, Flow]) -> dict[str, Facts]:
    """What expressions may ask about the inputs of a scope, which are its first values."""
    return {
        name: Facts(name, tensor, composite, number)
        for number, (name, (tensor, _)) in enumerate(inputs.items())
    }


@dataclass(slots=True)
class Scope:
    """A composite under construction, with its values and the trace of its first application."""

    composite: Composite
    trace: Trace = field(default_factory=lambda: Trace([]))
    values: list[Value] = field(default_factory=list)
    bound: dict[str, Any] = field(default_factory=dict)
    """Sizes that `shape:` annotations gave a name."""
    weights: dict[tuple[str, str], Value] = field(default_factory=dict)
    """The parameters of layers that references name."""

    def value(self, name: str, tensor: Tensor | None, node: Node) -> Value:
        """A new value."""
        value = Value(len(self.values), tensor, node, self.composite, self.trace)
        self.values.append(value)
        self.composite.names.append(name)
        self.trace.tensors.append(tensor or Tensor(()))
        return value

    def call(
        self,
        name: str,
        made: Made,
        inputs: AbstractSequence[Value],
        node: Node,
        *,
        reused: bool = False,
    ) -> dict[str, Value]:
        """Record a call, and give its results by name."""
        single = len(made.results) == 1
        results = {
            key: self.value(name if single else f"{name}_{key}", tensor, node)
            for key, tensor in made.results.items()
        }
        composite = self.composite
        if made.trace is not None:
            self.trace.inner[len(composite.calls)] = made.trace
        numbers = tuple(value.number for value in inputs)
        outputs = tuple(value.number for value in results.values())
        composite.calls.append(Call(name, made.target, numbers, outputs, reused))
        return results

    def weight(self, item: Item, name: str, node: Node) -> Value | None:
        """A parameter of a layer (`embed.weight`) as a value; None if the layer has none so named.

        The graph has a call for it that takes nothing: reading a parameter does not run its layer.
        """
        owner = item.reuses or item
        leaf = owner.made.target if owner.made is not None else None
        shape = leaf.layer.weights().get(name) if isinstance(leaf, Leaf) and name else None
        if shape is None:
            return None
        if (owner.name, name) not in self.weights:
            weight = Weight(layer=owner.name, name=name, shape=shape)
            made = Made(Leaf(weight, node), {"0": weight.shape()})
            results = self.call(f"{owner.name}.{name}", made, (), node)
            self.weights[owner.name, name] = results["0"]
        return self.weights[owner.name, name]
