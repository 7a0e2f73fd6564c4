"""The search for sizes that meet conditions."""

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from archspec.sizes.atoms import LOWEST, evaluated
from archspec.sizes.conditions import Condition
from archspec.sizes.expression import Size
from archspec.sizes.solving import direction

EVALUATIONS: Final = 100_000  # points that each part of a joint search may look at
STEPS: Final = 12  # of a search by halves, about


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
    sparse = {name: each[::32] for name, each in narrowed.items()}  # for symbols that are far apart
    points = itertools.chain(
        itertools.islice(_points(narrowed), evaluations),
        _solved(narrowed, ties, evaluations // STEPS),
        itertools.islice(_points(sparse), evaluations),
    )
    return next((point for point in points if all(tie.at(point) for tie in ties)), None)


def _points(choices: Mapping[str, Sequence[int]]) -> Iterator[dict[str, int]]:
    for sizes in _smallest_first(list(choices.values())):
        yield dict(zip(choices, sizes, strict=True))


def _solved(
    choices: Mapping[str, Sequence[int]], ties: Sequence[Condition], count: int
) -> Iterator[dict[str, int]]:
    """Points that equations leave: one symbol, along which they grow, follows from the others."""
    for tie in ties:
        gap = tie.left - tie.right
        if isinstance(gap, int) or tie.relation != "==" or tie.others:
            continue
        ways = {name: direction(gap, name) for name in sorted(gap.symbols)}
        name = max(ways, key=lambda each: abs(ways[each]) * len(choices[each]))
        if not ways[name]:
            continue
        others = {each: sizes for each, sizes in choices.items() if each != name}
        rising = ways[name] * gap
        for point in itertools.islice(_points(others), count):
            key = partial(_value, rising, point, name)
            found = bisect_left(choices[name], 0, key=key)
            yield from ({**point, name: size} for size in choices[name][found : found + 1])


def _value(gap: Size, point: Mapping[str, int], name: str, size: int) -> int:
    return evaluated(gap, {**point, name: size})


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
