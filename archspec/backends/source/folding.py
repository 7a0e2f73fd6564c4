"""Equal layers one after the other, written as a loop.

A thousand equal lines say less than one: `*(Block(64) for _ in range(1000))`. Turns may have
several layers, and integers that grow by equal steps: `Layer(64 + 32 * i)`.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from archspec.backends.source.expressions import Expression, Hole, Repeated

MIN_TURNS = 4
"""Three equal lines are fine."""
MIN_GROWING = 6
"""Turns with integers that grow are harder to read than a few lines."""
MAX_PERIOD = 8
"""Layers of a turn."""
COUNT = "num_layers"
"""What a constructor argument for the number of turns is called."""

Describe = Callable[[Expression], tuple[Any, tuple[Any, ...]]]
"""What makes two expressions the same but for literals, and all their literals."""


def fold(items: Sequence[Expression], describe: Describe) -> list[Expression]:
    """The same items, with runs of equal ones as `Repeated`."""
    if len(items) < MIN_TURNS:
        return list(items)
    described = [describe(item) for item in items]
    keys: dict[str, int] = {}  # by spelling: 1, 1.0 and true are three things
    same = [keys.setdefault(repr(each), len(keys)) for each in described]
    found: list[Expression] = []
    at = 0
    while at < len(items):
        period, turns = _longest(same, at)
        run = None
        if turns >= MIN_TURNS:
            run = repeated(items[at : at + period * turns], period)
        else:
            end = _growing_until(described, at)
            if end - at >= MIN_GROWING:
                period, turns = 1, end - at
                run = growing(items[at:end], described[at:end])
        if run is None:
            found.append(items[at])
            at += 1
        else:
            found.append(run)
            at += period * turns
    return found


def repeated(items: Sequence[Expression], period: int, grows: tuple[int, ...] = ()) -> Repeated:
    """Turns of `period` items."""
    count = Hole(len(items) // period, COUNT)
    return Repeated(count, tuple(items[:period]), tuple(items[period : 2 * period]), grows)


def growing(items: Sequence[Expression], described: Sequence[Any]) -> Repeated | None:
    """Items with integers that grow by equal steps; None if they differ otherwise."""
    if any(skeleton != described[0][0] for skeleton, _ in described):
        return None
    steps = _steps([literals for _, literals in described])
    if steps is None:
        return None
    return repeated(items, 1, tuple(at for at, step in enumerate(steps) if step))


def _longest(same: Sequence[int], at: int) -> tuple[int, int]:
    """The period and number of turns of the longest run of equal turns from here on."""
    best = (1, 1)
    for period in range(1, min(MAX_PERIOD, (len(same) - at) // 2) + 1):
        end = at + period
        while end < len(same) and same[end] == same[end - period]:
            end += 1
        turns = (end - at) // period
        if turns >= MIN_TURNS and period * turns > best[0] * best[1]:
            best = (period, turns)
    return best


def _growing_until(described: Sequence[Any], at: int) -> int:
    """Where a run of items ends whose integers grow by equal steps."""
    skeleton, first = described[at]
    end = at + 1
    if end == len(described) or described[end][0] != skeleton:
        return end
    steps = _steps([first, described[end][1]])
    while steps is not None and end < len(described) and described[end][0] == skeleton:
        if _steps([described[end - 1][1], described[end][1]]) != steps:
            break
        end += 1
    return end


def _steps(rows: Sequence[tuple[Any, ...]]) -> list[int] | None:
    """For every column its step, 0 where it is constant; None if there is another kind."""
    found = []
    for column in zip(*rows, strict=True):
        first, second = column[0], column[1]
        if all(type(value) is type(first) and value == first for value in column):
            found.append(0)
            continue
        if any(type(value) is not int for value in column):
            return None
        step = second - first
        if any(b - a != step for a, b in pairwise(column)):
            return None
        found.append(step)
    return found
