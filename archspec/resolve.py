"""Expanded graph + input types → trace: every tensor's shape, scope by scope."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archspec.diagnostics import Fault
from archspec.graph import Call, Composite, Leaf, Trace
from archspec.ops import Layer, accept, outputs_of
from archspec.sizes import Condition, Dimension, Domain, Size, always, equal
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
        if isinstance(call.target, Leaf) and call.target.layer.measured:
            _check_measures(call.target.layer, trace.tensors)
        found, inner = outputs(call.target, given)
        if len(found) != len(call.outputs):
            made, here = len(call.outputs), len(found)
            raise Fault("E106", f"`{call.name}` was made with {made} results, and has {here} here")
        trace.tensors.extend(found)
        if inner is not None:
            trace.inner[number] = inner
    return trace


def _check_measures(layer: Layer, tensors: Sequence[Tensor]) -> None:
    """Raise a `Fault` if sizes that a layer was made with are others for these tensors."""

    def size(read: Dimension) -> Size:
        tensor = tensors[read.value]
        return tensor.shape[read.index - tensor.batched]

    for measure in layer.measures():
        found = measure.recomputed(size)
        if not always(equal(found, measure.size)):
            message = f"{type(layer).__name__} was made for a size of {measure}, and gets {found}"
            raise Fault("E114", message, input=0)


@dataclass(frozen=True, slots=True)
class Application:
    """One call of a leaf: where, on what, with what result."""

    path: tuple[str, ...]
    leaf: Leaf
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    reused: bool = False
    training_only: bool = False
    unused: bool = False
    """No output depends on it, in either mode: it is there, and never runs."""

    @property
    def macs(self) -> Size:
        """Multiply-adds at batch 1 in eval; none for what does not run then."""
        if self.training_only or self.unused:
            return 0
        return self.leaf.layer.macs(self.inputs, self.outputs)

    @property
    def params(self) -> int:
        """Elements of the parameters that appear with this call: none when it is a second one."""
        if self.reused:
            return 0
        return self.leaf.parameter_count


def filled(tensor: Tensor) -> list[Condition]:
    """What an input requires of symbolic sizes: that all its sizes are at least 1."""
    positive = (size >= 1 for size in tensor.shape)
    return [condition for condition in positive if isinstance(condition, Condition)]


def requirements(application: Application, domain: Domain) -> list[Condition]:
    """What one call of a leaf requires of symbolic sizes."""
    with domain.apart() as taken:
        layer = accept(application.leaf.layer, *application.inputs)
        outputs_of(layer, application.inputs)
    return list(taken)


def applications(
    scope: Composite,
    trace: Trace,
    path: tuple[str, ...] = (),
    *,
    reused: bool = False,
    training_only: bool = False,
    unused: bool = False,
) -> Iterator[Application]:
    """Every call of a leaf, in call order."""
    evaluated, trained = scope.needed(training=False), scope.needed(training=True)
    for number, call in enumerate(scope.calls):
        again = reused or call.reused
        idle = unused or not trained[number]
        only = training_only or (trained[number] and not evaluated[number])
        below = (*path, call.name)
        if isinstance(call.target, Composite):
            inner = trace.inner[number]
            yield from applications(
                call.target, inner, below, reused=again, training_only=only, unused=idle
            )
        else:
            yield _application(call, trace, below, again, only, idle)


def _application(
    call: Call, trace: Trace, path: tuple[str, ...], reused: bool, training_only: bool, unused: bool
) -> Application:
    assert isinstance(call.target, Leaf)
    inputs = tuple(trace.tensors[value] for value in call.inputs)
    results = tuple(trace.tensors[value] for value in call.outputs)
    return Application(path, call.target, inputs, results, reused, training_only, unused)
