"""What expressions have in common, and the literals in which they differ."""

from collections.abc import Iterator, Mapping
from typing import Any

from archspec.backends.source.expressions import (
    Construction,
    Expression,
    Hole,
    Repeated,
    parts,
    skeleton,
)
from archspec.backends.source.plans import Plan
from archspec.graph import Composite


class Descriptions:
    """Describes expressions over the classes so far: `plans` and class numbers by composite."""

    def __init__(self, plans: Mapping[int, Plan], numbers: Mapping[int, int]) -> None:
        self.plans = plans
        self.numbers = numbers
        self.within: dict[int, tuple[Any, ...]] = {}
        """By composite: what `literals_within` found."""

    def describe(self, expression: Expression) -> tuple[Any, tuple[Any, ...]]:
        """What makes two expressions the same but for literals, and all of those."""
        return skeleton(expression, self.numbers), tuple(self.literals(expression))

    def literals(self, expression: Expression) -> Iterator[Any]:
        """The literals of an expression and of the classes in it."""
        for part in parts(expression):
            if isinstance(part, Hole):
                yield part.value
            elif isinstance(part, Repeated):
                for each in (part.count, *part.turn, *part.second):
                    yield from self.literals(each)
            elif isinstance(part, Construction):
                yield from self.literals_within(part.composite)

    def literals_within(self, scope: Composite) -> tuple[Any, ...]:
        """All literals of a composite that has a class, and lists that it was given."""
        found = self.within.get(id(scope))
        if found is None:
            plan = self.plans[id(scope)]
            literals = [each for value in plan.values() for each in self.literals(value)]
            literals += [hole.value for hole in plan.numbers]
            lists = (repr(each) for each in scope.params.values() if isinstance(each, list))
            found = self.within[id(scope)] = (*literals, *lists)
        return found
