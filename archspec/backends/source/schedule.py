"""In which order `forward` makes its calls, and until when each value is needed."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from archspec.backends.source.measures import read_by
from archspec.backends.source.variables import Step
from archspec.graph import Composite
from archspec.ops.base import Emission


@dataclass(frozen=True, slots=True)
class Schedule:
    """The calls of a scope in order, those for training right behind what they need."""

    scope: Composite
    emissions: list[Emission | None]
    """By call."""
    calls: list[tuple[int, bool]]
    """Numbers of calls, and whether they run in training only."""
    last_read: dict[int, int] = field(default_factory=dict)
    """By value: the position of the last call that reads it; outputs are read at the end."""

    def reads(self, number: int) -> Iterator[int]:
        """The values that a call reads: its inputs, and those whose sizes it asks for."""
        inputs = self.scope.calls[number].inputs
        yield from inputs
        yield from sorted(read_by(self.emissions[number]).difference(inputs))

    def dying(self, position: int, number: int) -> list[int]:
        """The values that the call at a position is the last to read."""
        read = dict.fromkeys(self.reads(number))
        return [value for value in read if self.last_read[value] == position]

    def steps(self) -> list[Step]:
        """The calls as they count for variables."""
        return [self._step(number, training_only) for number, training_only in self.calls]

    def _step(self, number: int, training_only: bool) -> Step:
        given = self.scope.calls[number].outputs
        read = tuple(value for value in given if value in self.last_read)
        return Step(tuple(self.reads(number)), read, training_only)


def scheduled(scope: Composite, emissions: list[Emission | None]) -> Schedule:
    """Order the calls of a scope."""
    always, ever = scope.needed(training=False), scope.needed(training=True)
    order = [number for number in range(len(scope.calls)) if always[number]]
    maker = {value: n for n, call in enumerate(scope.calls) for value in call.outputs}
    for number, call in enumerate(scope.calls):
        if ever[number] and not always[number]:
            before = [order.index(maker[v]) for v in call.inputs if v in maker]
            order.insert(max(before, default=-1) + 1, number)
    found = Schedule(scope, emissions, [(number, not always[number]) for number in order])
    for position, number in enumerate(order):
        for value in found.reads(number):
            found.last_read[value] = position
    for output in scope.outputs:
        found.last_read[output.value] = len(order)
    return found
