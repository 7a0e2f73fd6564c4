"""Where choices come from: a seed, for long runs, or hypothesis, which shrinks what it finds."""

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Dice:
    """Choices from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def int(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(low, high)

    def pick(self, options: Sequence[T]) -> T:
        """One of these."""
        return options[self.int(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        """True in so many of a hundred cases."""
        return self.int(0, 99) >= 100 - percent

    def order(self, count: int) -> list[int]:
        """The numbers below `count` in any order."""
        left, found = list(range(count)), []
        while left:
            found.append(left.pop(self.int(0, len(left) - 1)))
        return found


class Drawn(Dice):
    """Choices that hypothesis makes."""

    def __init__(self, draw: Callable[..., Any]) -> None:
        self._draw = draw

    def int(self, low: int, high: int) -> int:
        number: int = self._draw(st.integers(low, high))
        return number
