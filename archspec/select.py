"""A part of a network as a network: some of its values as outputs, and only what they need.

What lies behind them is gone; what is left keeps its names, so that a checkpoint of the whole
network fits but for keys that are not needed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress
from typing import TYPE_CHECKING

from archspec.diagnostics import did_you_mean
from archspec.graph import Call, Composite, Graph, Leaf, Output, Trace
from archspec.names import field_like
from archspec.resolve import filled, resolve
from archspec.storage import overwriters

if TYPE_CHECKING:
    from archspec.network import Network

Path = tuple[str, ...]

SHOWN = 12
"""Names that a message lists."""


def select(network: "Network", paths: Sequence[str]) -> "Network":
    """The network that gives the results of these layers. See `Network.select`."""
    if not paths:
        raise ValueError("select takes one path or more")
    twice = next((path for at, path in enumerate(paths) if path in paths[:at]), None)
    if twice is not None:
        raise ValueError(f"`{twice}` is asked for twice")
    split = [tuple(path.split(".")) for path in paths]
    for path in split:
        _check(network.graph.root, path)
    part = _part(network.graph.root, network.trace, split, ())
    values = [part.values[path] for path in split]
    part.scope.outputs = _outputs([*zip(split, values, strict=True)])
    for whole, culprit in zip(paths, overwriters(part.scope, part.trace, values), strict=True):
        if culprit is not None:
            raise ValueError(
                f"`{whole}` is overwritten in place by `{culprit}`: select that, or give it "
                "`inplace: false`"
            )
    graph = Graph(network.graph.name, part.scope)
    inputs = part.trace.tensors[: len(part.scope.inputs)]
    with network.domain.apart() as needed:  # what lies behind needs nothing any more
        resolve(part.scope, inputs)
    domain = network.domain.requiring([*chain.from_iterable(map(filled, inputs)), *needed])
    selected = tuple(paths)
    return replace(network, graph=graph, trace=part.trace, domain=domain, selected=selected)


def part_at(network: "Network", sizes: Mapping[str, int]) -> "Network":
    """A selection at sizes that are valid for it: its formulas, evaluated."""
    fixed = {**network.fixed, **sizes}
    trace, domain = _trace_at(network.trace, sizes), network.domain.requiring(())
    return replace(network, trace=trace, domain=domain, example_sizes={}, fixed=fixed)


def _trace_at(trace: Trace, sizes: Mapping[str, int]) -> Trace:
    tensors = [tensor.at(sizes) for tensor in trace.tensors]
    return Trace(tensors, {n: _trace_at(inner, sizes) for n, inner in trace.inner.items()})


def _check(scope: Composite, path: Path, start: Path = ()) -> None:
    """Whether there is such a layer, with one result."""
    calls: dict[str, Call] = {}
    for each in scope.calls:
        calls.setdefault(each.name, each)
    call = calls.get(path[0])
    whole = ".".join((*start, *path))
    if call is None or (len(path) > 1 and isinstance(call.target, Leaf)):
        known = [".".join((*start, name)) for name in calls]
        hint = did_you_mean(whole, known) or f"there are {', '.join(known[:SHOWN])}"
        raise ValueError(f"there is no layer `{whole}`: {hint}")
    if len(path) > 1:
        assert isinstance(call.target, Composite)
        if sum(each.target is call.target for each in scope.calls) > 1:
            raise ValueError(f"`{path[0]}` is applied more than once: `{whole}` is not one tensor")
        _check(call.target, path[1:], (*start, path[0]))
    elif len(call.outputs) != 1:
        raise ValueError(f"`{whole}` has {len(call.outputs)} results, not one")


def _outputs(named: Sequence[tuple[Path, int]]) -> tuple[Output, ...]:
    """Outputs for values, with names that a named tuple may have: `layer4.1` is `layer4_1`."""
    outputs: dict[str, int] = {}
    for path, value in named:
        name = field_like("_".join(path))
        while name in outputs:
            name += "_"
        outputs[name] = value
    return tuple(Output(name, value) for name, value in outputs.items())


@dataclass(frozen=True, slots=True)
class _Part:
    """What is left of a scope."""

    scope: Composite
    trace: Trace
    values: Mapping[Path, int]
    """The values that were asked for by path."""
    kept: Mapping[int, int]
    """Old values of the scope → new ones."""


def _part(scope: Composite, trace: Trace, paths: Sequence[Path], keep: Sequence[int]) -> _Part:
    """The calls of a scope that these results, and these values, depend on."""
    number_of = {call.name: n for n, call in reversed([*enumerate(scope.calls)])}
    within: dict[int, list[Path]] = {}
    direct: dict[Path, int] = {}
    for path in paths:
        number = number_of[path[0]]
        if len(path) > 1:
            within.setdefault(number, []).append(path[1:])
        else:
            direct[path] = scope.calls[number].outputs[0]
    needed, read = scope.behind((*direct.values(), *keep), within, registered=True)
    made = _Rebuilt(scope, trace)
    for number in compress(range(len(needed)), needed):
        made.add(number, within.get(number, []), read)
    values = {path: made.kept[value] for path, value in direct.items()}
    return _Part(made.finished(), made.trace, {**values, **made.inner}, made.kept)


class _Rebuilt:
    """A scope in the making: the calls that are left, with their values numbered anew."""

    def __init__(self, scope: Composite, trace: Trace) -> None:
        self.old, self.old_trace = scope, trace
        count = len(scope.inputs)
        self.scope = Composite(scope.kind, scope.node, scope.numbered, scope.inputs)
        self.scope.params = scope.params
        self.scope.names = scope.names[:count]
        self.trace = Trace(trace.tensors[:count])
        self.kept = {value: value for value in range(count)}
        self.inner: dict[Path, int] = {}
        self.targets: dict[int, Leaf | Composite] = {}

    def add(self, number: int, paths: Sequence[Path], read: set[int]) -> None:
        """Take over a call, with the results of these paths within it."""
        call, inner = self.old.calls[number], self.old_trace.inner.get(number)
        given = tuple(self.kept[value] for value in call.inputs)
        start = len(self.scope.names)
        target, results = call.target, list(call.outputs)
        if paths:
            assert isinstance(target, Composite)
            assert inner is not None
            results = [value for value in results if value in read]
            outer = [target.outputs[call.outputs.index(value)] for value in results]
            part = _part(target, inner, paths, [output.value for output in outer])
            found = _give(part, outer)
            target, inner = part.scope, part.trace
            self.inner.update({(call.name, *path): start + k for path, k in found.items()})
            more = target.outputs[len(results) :]
        else:
            more = ()
        if inner is not None:
            self.trace.inner[len(self.scope.calls)] = inner
        self.kept.update({value: start + k for k, value in enumerate(results)})
        self.scope.names += [self.old.names[value] for value in results]
        self.trace.tensors += [self.old_trace.tensors[value] for value in results]
        for output in more:
            assert inner is not None
            self.scope.names.append(f"{call.name}_{output.name}")
            self.trace.tensors.append(inner.tensors[output.value])
        outputs = tuple(range(start, len(self.scope.names)))
        reused = id(call.target) in self.targets
        self.targets[id(call.target)] = target
        self.scope.calls.append(Call(call.name, target, given, outputs, reused))

    def finished(self) -> Composite:
        """The scope, with the children that are called."""
        old = self.old.children.items()
        self.scope.children = {
            name: self.targets[id(child)] for name, child in old if id(child) in self.targets
        }
        return self.scope


def _give(part: _Part, outer: Sequence[Output]) -> dict[Path, int]:
    """Make the values of a part its outputs, behind those that others read; gives positions."""
    named: list[tuple[Path, int]] = [((output.name,), part.kept[output.value]) for output in outer]
    position = {value: k for k, (_, value) in enumerate(named)}
    for path, value in part.values.items():
        if value not in position:
            position[value] = len(named)
            named.append((path, value))
    part.scope.outputs = _outputs(named)
    return {path: position[value] for path, value in part.values.items()}
