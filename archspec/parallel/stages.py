"""Where to cut a network into stages of a pipeline.

It may be cut before a layer where one tensor, and no more, crosses: the point lies on every path
from the inputs to the outputs (a dominator of the flow graph). Stages send tensors to each other,
and PyTorch sends contiguous ones only, in both directions: so what crosses must be contiguous, and
the gradient that comes back. It is never cut between two uses of a shared module.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise, takewhile
from operator import eq
from typing import TYPE_CHECKING

from archspec.graph import Composite, Leaf, Trace
from archspec.ops import Construct, FreeTensor
from archspec.sizes import Size, product
from archspec.tensors import Tensor

if TYPE_CHECKING:
    from archspec.network import Network

IMAGES = (4, 5)
"""Dimensions of a tensor that has a channels-last order."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline: consecutive layers."""

    start: str
    """The submodule that it begins with."""
    macs: Size
    """Multiply-adds of a sample: a formula if sizes are open, which one stage may have."""
    parameters: int
    input: Tensor
    """The one tensor that it takes; of the first stage, the first input of the network."""


def stages_of(network: "Network", count: int) -> tuple[Stage, ...]:
    """The stages, as even as the points allow. Raises `ValueError`."""
    if count < 1:
        raise ValueError(f"there is 1 stage or more, not {count}")
    if count > 1 and network.example_sizes:
        sizes = ", ".join(f"{name}=…" for name in network.sizes.symbols)
        raise ValueError(f"what a stage costs depends on the sizes: plan(network.at({sizes}), …)")
    run = _Run(network)
    points = run.points()
    if count > len(points) + 1:
        raise ValueError(
            f"{count} stages are not possible, at most {len(points) + 1}: a cut needs a layer "
            "before which one contiguous tensor crosses, and no shared layer on both sides"
        )
    costs = [network.at_example(step.cost) for step in run.steps]
    cuts = [0, *_cuts(costs, points, count), len(run.steps)]
    return tuple(run.stage(a, b) for a, b in pairwise(cuts))


@dataclass(frozen=True, slots=True)
class _Step:
    """A call of a layer: tensors are numbered over the whole network."""

    path: tuple[str, ...]
    leaf: Leaf
    inputs: tuple[int, ...]
    """Without the network's own parameters and buffers."""
    outputs: tuple[int, ...]
    uses: tuple[Leaf, ...]
    """The layer itself, and the parameters and buffers that it reads."""
    is_start: bool
    """Whether a stage may begin with it."""
    macs: Size
    cost: Size
    """Multiply-adds and elements written."""
    parameters: int


@dataclass(slots=True)
class _Run:
    """All layers of a network in call order."""

    network: "Network"
    steps: list[_Step] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    free: dict[int, Leaf] = field(default_factory=dict)
    """The tensors that are parameters and buffers, of a scope or of another layer."""
    outputs: list[int] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    strided: set[int] = field(default_factory=set)
    """The tensors that may not be contiguous."""

    def __post_init__(self) -> None:
        root, trace = self.network.graph.root, self.network.trace
        self.tensors += trace.tensors[: len(root.inputs)]
        values = self.scope(root, trace, range(len(root.inputs)), ())
        self.outputs = [values[output.value] for output in root.outputs]

    def scope(
        self, scope: Composite, trace: Trace, given: Sequence[int], path: tuple[str, ...]
    ) -> list[int]:
        """Add the layers of a scope; gives its values."""
        values = list(given)
        needed = scope.needed(training=True)
        for number, call in enumerate(scope.calls):
            inputs = [values[value] for value in call.inputs]
            below = (*path, call.name)
            if isinstance(call.target, Composite):
                inner = self.scope(call.target, trace.inner[number], inputs, below)
                values += [inner[output.value] for output in call.target.outputs]
                continue
            start = len(self.tensors)
            self.tensors += (trace.tensors[value] for value in call.outputs)
            values += range(start, len(self.tensors))
            if call.owner is not None:
                owner = scope.children[call.owner]
                assert isinstance(owner, Leaf)
                self.free[start] = owner
            elif needed[number]:
                self.add(below, call.target, inputs, range(start, len(self.tensors)))
        return values

    def add(
        self, path: tuple[str, ...], leaf: Leaf, inputs: Sequence[int], outputs: Sequence[int]
    ) -> None:
        """Add a call of a layer."""
        given = tuple(self.tensors[value] for value in inputs)
        made = tuple(self.tensors[value] for value in outputs)
        emission = leaf.layer.emit(given)
        if isinstance(emission, FreeTensor):
            self.free[outputs[0]] = leaf
            return
        layout = leaf.layer.result_layout
        anew = layout == "own" or (layout == "joined" and made[0].ndim not in IMAGES)
        if layout == "any" or (not anew and self.strided.intersection(inputs)):
            self.strided.update(outputs)
        macs = leaf.layer.macs(given, made)
        cost = sum((product(tensor.shape) for tensor in made), start=macs)
        read = (self.free[value] for value in inputs if value in self.free)
        uses = (leaf, *read)
        new = [each for each in uses if id(each) not in self.seen]
        self.seen.update(map(id, uses))
        self.steps.append(
            _Step(
                path,
                leaf,
                tuple(value for value in inputs if value not in self.free),
                tuple(outputs),
                uses,
                isinstance(emission, Construct) and leaf.layer.starts_stage,
                macs,
                cost,
                sum(each.parameter_count for each in new),
            )
        )

    def points(self) -> list[int]:
        """The steps before which the network may be cut."""
        count = len(self.steps)
        made = {value: number for number, step in enumerate(self.steps) for value in step.outputs}
        last = {value: number for number, step in enumerate(self.steps) for value in step.inputs}
        last |= dict.fromkeys(self.outputs, count)
        spans = {value: (made.get(value, -1), end) for value, end in last.items()}
        crossing = _covered(count, spans.values())
        strided = _covered(count, (spans[value] for value in self.strided if value in spans))
        uses: dict[int, list[int]] = {}
        for number, step in enumerate(self.steps):
            for leaf in step.uses:
                uses.setdefault(id(leaf), []).append(number)
        shared = _covered(count, ((each[0], each[-1]) for each in uses.values()))
        return [
            number
            for number, step in enumerate(self.steps)
            if number and crossing[number] == 1 and not shared[number] and not strided[number]
            if step.is_start and len(uses[id(step.leaf)]) == 1
        ]

    def stage(self, start: int, end: int) -> Stage:
        """The steps of a stage."""
        steps = self.steps[start:end]
        path = steps[0].path
        before = self.steps[start - 1].path if start else ()
        common = sum(1 for _ in takewhile(bool, map(eq, path, before)))
        made = {value for step in steps for value in step.outputs}
        taken = (value for step in steps for value in step.inputs if value not in made)
        return Stage(
            ".".join(path[: common + 1]),  # the outermost module that begins here
            sum((step.macs for step in steps), start=0),
            sum(step.parameters for step in steps),
            self.tensors[next(taken, 0)],
        )


def _covered(count: int, spans: Iterable[tuple[int, int]]) -> list[int]:
    """How many spans lie around each of `count` points: begun before it, ended there or later."""
    change = [0] * (count + 2)
    for start, end in spans:
        change[start + 1] += 1
        change[end + 1] -= 1
    return list(accumulate(change))


def _cuts(costs: Sequence[int], points: Sequence[int], stages: int) -> list[int]:
    """The points to cut at: the costliest stage is as cheap as can be."""
    before = [0, *accumulate(costs)]
    low, high = 0, before[-1]
    while low < high:  # the smallest limit that all stages can keep
        limit = (low + high) // 2
        packed = _packed(before, points, limit)
        if packed is not None and len(packed) < stages:
            high = limit
        else:
            low = limit + 1
    cuts = _packed(before, points, high) or []
    spare = [point for point in points if point not in cuts]
    return sorted([*cuts, *spare[: stages - 1 - len(cuts)]])


def _packed(before: Sequence[int], points: Sequence[int], limit: int) -> list[int] | None:
    """The fewest cuts that keep every stage within a limit; None if there are none."""
    cuts, start = [], 0
    places = [*points, len(before) - 1]
    while before[-1] - before[start] > limit:
        fits = [
            point for point in places if point > start and before[point] - before[start] <= limit
        ]
        if not fits:
            return None
        start = fits[-1]
        cuts.append(start)
    return cuts
