"""The search for sizes that meet conditions."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from archspec.sizes.atoms import LOWEST
from archspec.sizes.conditions import Condition

EVALUATIONS: Final = 100_000  # points that each half of a joint search may look at


def witness(
    symbols: Sequence[str],
    conditions: Sequence[Condition],
    preferred: Sequence[int] = (224, 256, 32, 64, 128),
    limit: int = 2048,
) -> dict[str, int] | None:
    """Sizes that meet all conditions: one preferred, else small ones; None if none is found."""
    for size in preferred:
        values = dict.fromkeys(symbols, size)
        if all(condition.at(values) for condition in conditions):
            return values
    choices = [
        [
            size
            for size in range(LOWEST, limit + 1)
            if all(c.at({name: size}) for c in conditions if c.symbols == {name})
        ]
        for name in symbols
    ]
    return meeting(symbols, choices, [c for c in conditions if len(c.symbols) > 1])


def meeting(
    symbols: Sequence[str],
    choices: Sequence[Sequence[int]],
    ties: Sequence[Condition],
    evaluations: int = EVALUATIONS,
) -> dict[str, int] | None:
    """Of the choices for every symbol, the first small ones that meet all ties; or None."""
    narrowed = _narrowed(dict(zip(symbols, choices, strict=True)), ties)
    choices = list(narrowed.values())
    sparse = [choice[::32] for choice in choices]  # far apart, for symbols that must be
    points = itertools.islice(_smallest_first(choices), evaluations)
    for sizes in itertools.chain(points, itertools.islice(_smallest_first(sparse), evaluations)):
        values = dict(zip(symbols, sizes, strict=True))
        if all(condition.at(values) for condition in ties):
            return values
    return None


def _narrowed(
    choices: Mapping[str, Sequence[int]], ties: Sequence[Condition]
) -> dict[str, Sequence[int]]:
    """The same choices without what is plainly needless.

    One choice is enough of a symbol that no tie speaks of; where all but one symbol of a tie are
    known, it says what is left of that one.
    """
    tied = frozenset().union(*(tie.symbols for tie in ties))
    left = {name: choice if name in tied else choice[:1] for name, choice in choices.items()}
    waiting = list(ties)
    while waiting:
        known = {name: choice[0] for name, choice in left.items() if len(choice) == 1}
        tie = next((each for each in waiting if len(each.symbols - known.keys()) == 1), None)
        if tie is None:
            break
        waiting.remove(tie)
        (name,) = tie.symbols - known.keys()
        left[name] = [size for size in left[name] if tie.at({**known, name: size})]
    return left


def _smallest_first(choices: Sequence[Sequence[int]]) -> Iterator[tuple[int, ...]]:
    """One member of each, in all ways; each round lets in the next member of every choice."""
    for bound in range(max(map(len, choices), default=0)):
        for i, choice in enumerate(choices):
            if bound < len(choice):
                before = (other[:bound] for other in choices[:i])
                after = (other[: bound + 1] for other in choices[i + 1 :])
                yield from itertools.product(*before, [choice[bound]], *after)
