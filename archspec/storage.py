"""Which tensors share memory, and which layer overwrites another's result in place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from archspec.graph import Composite


@dataclass(frozen=True, slots=True)
class _Value:
    """A tensor: the storage that it lies in, and the step at which it was made."""

    storage: int
    step: int


@dataclass(slots=True)
class _Run:
    """A run through all layers in call order, for what is written where."""

    step: int = 0
    written: list[tuple[int, int, str]] = field(default_factory=list)
    """Step, storage and path of every layer that works in place."""

    def fresh(self) -> _Value:
        """A tensor with memory of its own."""
        self.step += 1
        return _Value(self.step, self.step)

    def scope(self, scope: Composite, given: Sequence[_Value], path: str) -> list[_Value]:
        """All values of a scope."""
        values = list(given)
        for call in scope.calls:
            inputs = [values[value] for value in call.inputs]
            below = f"{path}{call.name}"
            if isinstance(call.target, Composite):
                inner = self.scope(call.target, inputs, f"{below}.")
                values += [inner[output.value] for output in call.target.outputs]
            else:
                in_place = getattr(call.target.layer, "inplace", False) is True
                shares = bool(inputs) and (in_place or call.target.layer.view)
                self.step += 1
                if in_place:
                    self.written.append((self.step, inputs[0].storage, below))
                for _ in call.outputs:
                    values.append(_Value(inputs[0].storage, self.step) if shares else self.fresh())
        return values


def overwriters(scope: Composite, values: Sequence[int]) -> Iterator[str | None]:
    """For each of these values of a network: the layer that overwrites it afterwards, if any."""
    run = _Run()
    found = run.scope(scope, [run.fresh() for _ in scope.inputs], "")
    for value in values:
        tensor = found[value]
        later = (p for step, to, p in run.written if to == tensor.storage and step > tensor.step)
        yield next(later, None)
