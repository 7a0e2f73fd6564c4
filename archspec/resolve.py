"""Expanded graph + input types → trace: every tensor's shape, scope by scope."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archspec.graph import Call, Composite, Leaf, Trace
from archspec.ops import accept, outputs_of
from archspec.sizes import Size, product
from archspec.tensors import Tensor


def outputs(
    target: Leaf | Composite, inputs: Sequence[Tensor]
) -> tuple[list[Tensor], Trace | None]:
    """What a module gives for these inputs, and the trace of a scope. Raises `Fault`.

    Requires a complete module: given arguments are checked against the inputs, none is inferred.
    """
    if isinstance(target, Leaf):
        layer = accept(target.layer, *inputs)
        return list(outputs_of(layer, tuple(inputs))), None
    trace = resolve(target, inputs)
    return [trace.tensors[output.value] for output in target.outputs], trace


def resolve(scope: Composite, inputs: Sequence[Tensor]) -> Trace:
    """The trace of one application of a scope. Raises `Fault`."""
    trace = Trace(list(inputs))
    for number, call in enumerate(scope.calls):
        given = [trace.tensors[value] for value in call.inputs]
        found, inner = outputs(call.target, given)
        trace.tensors.extend(found)
        if inner is not None:
            trace.inner[number] = inner
    return trace


@dataclass(frozen=True, slots=True)
class Application:
    """One call of a leaf: where, on what, with what result."""

    path: tuple[str, ...]
    leaf: Leaf
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    reused: bool
    training_only: bool

    @property
    def macs(self) -> Size:
        """Multiply-adds at batch 1 in eval; none for what runs in training only."""
        return 0 if self.training_only else self.leaf.layer.macs(self.inputs, self.outputs)

    @property
    def params(self) -> int:
        """Elements of the parameters that appear with this call: none when it is a second one."""
        if self.reused:
            return 0
        total = sum((product(shape) for shape in self.leaf.layer.weights().values()), start=0)
        assert isinstance(total, int)
        return total


def applications(
    scope: Composite,
    trace: Trace,
    path: tuple[str, ...] = (),
    *,
    reused: bool = False,
    training_only: bool = False,
) -> Iterator[Application]:
    """Every call of a leaf, in call order."""
    needed = scope.needed(training=False) if scope.outputs else []
    aside = [o for o in scope.outputs if o.training_only]
    for number, call in enumerate(scope.calls):
        again = reused or call.reused
        only = training_only or (bool(aside) and not needed[number] and _for(scope, number))
        below = (*path, call.name)
        if isinstance(call.target, Composite):
            inner = trace.inner[number]
            yield from applications(call.target, inner, below, reused=again, training_only=only)
        else:
            yield _application(call, trace, below, again, only)


def _for(scope: Composite, number: int) -> bool:
    return scope.needed(training=True)[number]


def _application(
    call: Call, trace: Trace, path: tuple[str, ...], reused: bool, training_only: bool
) -> Application:
    assert isinstance(call.target, Leaf)
    inputs = tuple(trace.tensors[value] for value in call.inputs)
    results = tuple(trace.tensors[value] for value in call.outputs)
    return Application(path, call.target, inputs, results, reused, training_only)
