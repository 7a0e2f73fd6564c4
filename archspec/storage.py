"""Which tensors share memory, and what layers that work in place do to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from archspec.graph import Call, Composite, Leaf, Trace
from archspec.ops import Layer
from archspec.sizes import Size, always, product

Stuck = Literal["stretched", "parts"]
"""Views that PyTorch does not overwrite: of elements in one place, of one tensor in several."""


def works_in_place(layer: Layer) -> bool:
    """Whether a layer overwrites its input."""
    return _may_write(type(layer)) and getattr(layer, "inplace", False) is True


@cache  # a model that lacks an attribute is slow to say so
def _may_write(cls: type[Layer]) -> bool:
    return "inplace" in cls.model_fields or hasattr(cls, "inplace")


@dataclass(frozen=True, slots=True)
class _Value:
    """A tensor: the storage that it lies in, and the step at which it was made."""

    storage: int
    step: int
    tracked: bool = False
    """Whether it has a gradient."""
    stuck: Stuck | None = None
    maker: Leaf | None = None
    """The layer that made it so."""


@dataclass(frozen=True, slots=True)
class _Write:
    """A call of a layer that works in place."""

    step: int
    target: _Value
    path: str
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Refusal:
    """A layer that works in place where PyTorch raises, and the layer that made its input so."""

    leaf: Leaf
    maker: Leaf
    stuck: Stuck


@dataclass(slots=True)
class _Run:
    """A run through all layers in call order, for what is written where."""

    step: int = 0
    written: list[_Write] = field(default_factory=list)

    def fresh(self, *, tracked: bool = False) -> _Value:
        """A tensor with memory of its own."""
        self.step += 1
        return _Value(self.step, self.step, tracked)

    def scope(
        self, scope: Composite, trace: Trace, given: Sequence[_Value], path: str
    ) -> list[_Value]:
        """All values of a scope."""
        values = list(given)
        for number, call in enumerate(scope.calls):
            inputs = [values[value] for value in call.inputs]
            below = f"{path}{call.name}"
            if isinstance(call.target, Composite):
                inner = self.scope(call.target, trace.inner[number], inputs, f"{below}.")
                values += [inner[output.value] for output in call.target.outputs]
            else:
                grown = _growth(trace, call) if call.target.layer.result_view else 0
                values += self.leaf(call, call.target, inputs, grown, below)
        return values

    def leaf(
        self, call: Call, leaf: Leaf, inputs: Sequence[_Value], grown: int, path: str
    ) -> list[_Value]:
        """The results of a layer. `grown` is the sign of what its first has more than the input."""
        layer = leaf.layer
        in_place = works_in_place(layer)
        tracked = any(x.tracked for x in inputs) or call.owner is not None or bool(layer.weights())
        self.step += 1
        if in_place:
            self.written.append(_Write(self.step, inputs[0], path, leaf))
        if not inputs or not (in_place or layer.result_view is not False):
            return [self.fresh(tracked=tracked) for _ in call.outputs]
        first = inputs[0]
        stuck, maker = first.stuck, first.maker
        if layer.result_view is None or (stuck == "stretched" and grown < 0):
            stuck = None  # a copy, or a part of the elements: nobody knows
        if layer.result_view and (grown > 0 or len(call.outputs) > 1):
            stuck, maker = "stretched" if grown > 0 else "parts", leaf
        return [_Value(first.storage, self.step, tracked, stuck, maker) for _ in call.outputs]


def _growth(trace: Trace, call: Call) -> int:
    """1 if a layer's first result has more elements than its first input, -1 if fewer, else 0."""
    before, after = trace.tensors[call.inputs[0]], trace.tensors[call.outputs[0]]
    more: Size = product(after.shape) - product(before.shape)
    return 0 if more == 0 else 1 if always(more >= 0) else -1


def _run(scope: Composite, trace: Trace) -> tuple[_Run, list[_Value]]:
    run = _Run()
    return run, run.scope(scope, trace, [run.fresh() for _ in scope.inputs], "")


def overwriters(scope: Composite, trace: Trace, values: Sequence[int]) -> Iterator[str | None]:
    """For each of these values of a network: the layer that overwrites it afterwards, if any."""
    run, found = _run(scope, trace)
    for tensor in (found[value] for value in values):
        later = (
            write.path
            for write in run.written
            if write.target.storage == tensor.storage and write.step > tensor.step
        )
        yield next(later, None)


def refusals(scope: Composite, trace: Trace) -> Iterator[Refusal]:
    """The layers of a network that cannot work in place."""
    run, _ = _run(scope, trace)
    for write in run.written:
        target = write.target
        if target.stuck == "stretched" or (target.stuck == "parts" and target.tracked):
            assert target.maker is not None
            yield Refusal(write.leaf, target.maker, target.stuck)
