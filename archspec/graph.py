"""The expanded graph: a tree of modules with nothing left to infer, and the calls between them.

`Graph` is what a network is; `Trace` is what one run of it makes of its inputs. A module that is
applied twice (`Reuse`) is in the graph once and has a trace for every application.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from archspec.ops import Layer
from archspec.ops.initialisers import Initialiser
from archspec.ops.weight import Weight
from archspec.sizes import product
from archspec.syntax import Node
from archspec.tensors import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A layer, complete: its module, expression, parameter or buffer."""

    layer: Layer
    node: Node
    initialisers: dict[str, Initialiser] = field(default_factory=dict)
    """What `init:` says of its parameters, by name; PyTorch's own way for those not in it."""

    @property
    def type(self) -> str:
        """The name of its layer type."""
        return type(self.layer).__name__

    @property
    def parameter_count(self) -> int:
        """Elements of all its parameters."""
        total = sum((product(shape) for shape in self.layer.weights().values()), start=0)
        assert isinstance(total, int)
        return total


@dataclass(frozen=True, slots=True)
class Call:
    """One application of a child: values in, values out, as numbers into the scope's values.

    `name` is what the layer is called in the file; `target` is a child of the same scope, or a
    merge that has no name of its own. `reused` says that it was called before.
    """

    name: str
    target: "Leaf | Composite"
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    reused: bool = False

    @property
    def owner(self) -> str | None:
        """The child whose parameter this reads; None for a call that computes something."""
        layer = self.target.layer if isinstance(self.target, Leaf) else None
        return layer.layer if isinstance(layer, Weight) else None


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a scope: a value, and the name under which others see it."""

    name: str
    value: int
    training_only: bool = False


@dataclass(slots=True, eq=False)
class Composite:
    """A scope: a block, a group, a repetition, or the network itself.

    Values are numbered: first the inputs, then what the calls give, in call order. `names` has a
    name for every value, for whoever prints code. Children stand in file order.
    """

    kind: str | None
    """The block's name; None for a group or a repetition."""
    node: Node
    numbered: bool
    inputs: tuple[str, ...]
    children: dict[str, "Leaf | Composite"] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    outputs: tuple[Output, ...] = ()
    as_dict: bool = False
    params: dict[str, Any] = field(default_factory=dict)
    """The parameters of a block, as this use sets them."""

    def readers(self) -> list[int]:
        """For every value, how many calls and outputs read it."""
        counts = [0] * len(self.names)
        for call in self.calls:
            for value in call.inputs:
                counts[value] += 1
        for output in self.outputs:
            counts[output.value] += 1
        return counts

    def needed(self, *, training: bool) -> list[bool]:
        """For every call, whether an output of this mode depends on it."""
        return self.behind({o.value for o in self.outputs if training or not o.training_only})[0]

    def behind(
        self, values: Iterable[int], numbers: Container[int] = (), *, registered: bool = False
    ) -> tuple[list[bool], set[int]]:
        """For every call, whether these values, or the calls of these numbers, depend on it.

        And all values that are read on the way, these included. `registered` counts a layer of
        which only a parameter is read: it does not run, but has to be there.
        """
        read = set(values)
        needed = [False] * len(self.calls)
        owners: set[str | None] = set()
        for number in range(len(self.calls) - 1, -1, -1):
            call = self.calls[number]
            if number in numbers or call.name in owners or read.intersection(call.outputs):
                needed[number] = True
                read.update(call.inputs)
                if registered:
                    owners.add(call.owner)
        return needed, read


@dataclass(slots=True, eq=False)
class Trace:
    """What one application of a scope computes: a tensor type for every value."""

    tensors: list[Tensor]
    inner: dict[int, "Trace"] = field(default_factory=dict)
    """By the number of the call."""


def leaves(scope: Composite, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    """All layers that are modules or free tensors of their own, with their paths, in file order."""
    for name, child in scope.children.items():
        if isinstance(child, Composite):
            yield from leaves(child, (*path, name))
        else:
            yield (*path, name), child


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """An expanded network."""

    name: str
    root: Composite
