"""Which variable of `forward` holds which value.

Values that only hand on to the next (a convolution, its norm, its activation) form a chain, and
share a variable as a person writes it: `x = self.conv(x)`, `x = self.norm(x)`. What is dead is so
let go at once. A chain is called by the name of its last value; the one that `forward` returns is
`x`, or `out` where `x` holds the input.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from archspec.backends.source.literals import identifier
from archspec.graph import Composite

INPUT, RESULT = "x", "out"
MAX_JOINED = 2
"""What joins more values than these goes on in none of their variables: they are equals."""


@dataclass(frozen=True, slots=True)
class Step:
    """A call as it counts here: what it reads, and what it gives."""

    reads: tuple[int, ...]
    gives: tuple[int, ...]
    training_only: bool = False


def chains(
    steps: Sequence[Step], readers: Mapping[int, int], can_begin: Callable[[int], bool]
) -> dict[int, int]:
    """For every value that goes on in the variable of another: that other.

    `readers` counts the calls and outputs that read a value, those calls left out that run in
    training only: they run at once, before the value is overwritten. `can_begin` says whether a
    value has a variable to go on in (a free tensor has none).
    """
    made = {value for step in steps for value in step.gives}
    late = {v: at for at, step in enumerate(steps) if step.training_only for v in step.reads}
    before: dict[int, int] = {}
    for at, step in enumerate(steps):
        once = [
            value
            for value in step.reads
            if readers.get(value) == 1 and late.get(value, -1) < at and can_begin(value)
        ]
        if len(step.gives) != 1 or step.training_only or len(once) > MAX_JOINED:
            continue
        once.sort(key=lambda value: value not in made)  # stable: results come before inputs
        if once:
            before[step.gives[0]] = once[0]
    return before


@dataclass(slots=True)
class Namer:
    """Gives every chain its variable."""

    scope: Composite
    arguments: Sequence[str]
    taken: frozenset[str]
    """Names that mean something else in `forward`."""

    def names(self, before: Mapping[int, int], values: Iterable[int]) -> dict[int, str]:
        """The variable of every value: arguments first, then what calls give, in call order."""
        count = len(self.arguments)
        heads: dict[int, list[int]] = {}
        head_of: dict[int, int] = {n: n for n in range(count)}
        for value in values:
            head = head_of[value] = head_of[before[value]] if value in before else value
            heads.setdefault(head, []).append(value)
        names = dict(enumerate(self.arguments))
        used = {*self.taken, *self.arguments, INPUT, RESULT}
        for head, chain in heads.items():
            if head >= count:
                name = names[head] = self.name(chain, used)
                used.add(name)
            for value in chain:
                names[value] = names[head]
        return names

    def name(self, chain: Sequence[int], used: set[str]) -> str:
        """A variable for a chain."""
        outputs = [o.value for o in self.scope.outputs if not o.training_only]
        if outputs == [chain[-1]]:
            for name in (INPUT, RESULT):
                if name not in self.arguments and name not in self.taken:
                    return name
        name = identifier(self.scope.names[chain[-1]])
        while name in used:
            name += "_"
        return name
