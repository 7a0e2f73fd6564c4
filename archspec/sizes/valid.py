"""Which sizes a network accepts: a set for every symbol, and what ties symbols to each other.

All of it is exact. What is not worked out (sets that repeat very rarely) says so, and still tells
of every single size whether it is in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final, final

from archspec.sizes.atoms import LOWEST
from archspec.sizes.conditions import Condition
from archspec.sizes.members import nearest_above, nearest_below
from archspec.sizes.periodic import ANY, SizeSet
from archspec.sizes.scaling import is_table_end
from archspec.sizes.search import meeting, witness
from archspec.sizes.solving import implied, solve
from archspec.sizes.words import words

SEARCHED: Final = 2048
"""Sizes of each symbol that a search for sizes that fit together looks at."""
SHOWN: Final = 4
"""Conditions that are named where they are not worked out."""


@final
@dataclass(frozen=True, eq=False)
class ValidSet:
    """The values of one symbol that meet all conditions on that symbol alone."""

    symbol: str
    conditions: tuple[Condition, ...]

    @cached_property
    def sizes(self) -> SizeSet | None:
        """The set, worked out; None if it is not decided."""
        within, decided = self._solved
        return within if decided else None

    @cached_property
    def _solved(self) -> tuple[SizeSet, bool]:
        """A set that all members are in, and whether all of that set are members."""
        return solve(self.symbol, self.conditions)

    @property
    def decided(self) -> bool:
        """Whether the set was worked out; if not, sizes can still be tried one by one."""
        return self.sizes is not None

    @property
    def empty(self) -> bool:
        """Whether it is proved that there is no such size."""
        return self.sizes is not None and self.sizes.smallest is None

    def contains(self, size: int) -> bool:
        """Whether a size meets all conditions on the symbol alone."""
        if self.sizes is not None:
            return self.sizes.contains(size)
        values = {self.symbol: size}
        return size >= LOWEST and all(condition.at(values) for condition in self.conditions)

    def first(self, count: int) -> list[int]:
        """The smallest members, `count` at most; of a set not decided, as far as was searched."""
        within, decided = self._solved
        if decided:
            return list(islice(within.members(), count))
        return list(islice(filter(self.contains, islice(within.members(), SEARCHED)), count))

    @property
    def smallest(self) -> int | None:
        """The smallest member; None if there is none, or none was found."""
        return next(iter(self.first(1)), None)

    def nearest(self, size: int) -> tuple[int | None, int | None]:
        """The nearest smaller and larger members; of a set not decided, as far as was searched."""
        if self.sizes is not None:
            return nearest_below(self.sizes, size), nearest_above(self.sizes, size)
        below = range(size - 1, max(size - SEARCHED, LOWEST) - 1, -1)
        above = range(size + 1, size + SEARCHED)
        return next(filter(self.contains, below), None), next(filter(self.contains, above), None)

    def __contains__(self, size: int) -> bool:
        return self.contains(size)

    def __str__(self) -> str:
        if self.sizes is not None:
            return words(self.symbol, self.sizes)
        shown = [str(condition) for condition in self.conditions[:SHOWN]]
        if len(self.conditions) > SHOWN:
            shown.append(f"{len(self.conditions) - SHOWN} more conditions")
        return f"{self.symbol} with {' and '.join(shown)} (not decided further)"


@final
@dataclass(frozen=True, eq=False)
class ValidSizes:
    """The sizes that a network accepts, for the symbols of its inputs."""

    symbols: tuple[str, ...]
    conditions: tuple[Condition, ...]

    @cached_property
    def sets(self) -> Mapping[str, ValidSet]:
        """For every symbol, what its own conditions allow."""
        return {
            name: ValidSet(name, tuple(c for c in self.conditions if c.symbols == {name}))
            for name in self.symbols
        }

    @cached_property
    def without_tables(self) -> ValidSizes:
        """The same without the ends of tables: what is beyond them is not known not to work."""
        kept = tuple(each for each in self.conditions if not is_table_end(each))
        return self if len(kept) == len(self.conditions) else ValidSizes(self.symbols, kept)

    @cached_property
    def ties(self) -> tuple[Condition, ...]:
        """The conditions that several symbols must meet together, beyond what the sets say."""
        joint = {frozenset(c.options): c for c in self.conditions if len(c.symbols) > 1}
        if not joint:
            return ()
        least = {name: each.smallest or LOWEST for name, each in self.sets.items()}
        return tuple(tie for tie in joint.values() if not implied(tie, least))

    def valid(self, /, **sizes: int) -> bool:
        """Whether the network accepts these sizes; one for every symbol."""
        check_names(sizes, self.symbols)
        missing = [name for name in self.symbols if name not in sizes]
        if missing:
            raise TypeError(f"a size is missing: {', '.join(missing)}")
        return min(sizes.values(), default=LOWEST) >= LOWEST and all(
            condition.at(sizes) for condition in self.conditions
        )

    def smallest(self) -> dict[str, int] | None:
        """The smallest sizes that work; None if there are none, or none were found."""
        least = {name: each.smallest for name, each in self.sets.items()}
        known = {name: size for name, size in least.items() if size is not None}
        if len(known) < len(least):
            return None
        if all(condition.at(known) for condition in self.ties):
            return known
        choices = [each.first(SEARCHED) for each in self.sets.values()]
        return meeting(self.symbols, choices, self.ties)

    def example(self) -> dict[str, int] | None:
        """Sizes that work: usual ones, else small ones; None if none were found."""
        return witness(self.symbols, self.conditions, limit=0) or self.smallest()

    def words(self) -> list[str]:
        """A line for every symbol, then one for every tie."""
        return [*map(str, self.sets.values()), *map(str, self.ties)]

    def needs(self) -> list[str]:
        """The lines of `words` that do not take any size."""
        sets = (str(each) for each in self.sets.values() if each.sizes != ANY)
        return [*sets, *map(str, self.ties)]


def check_names(sizes: Mapping[str, int], symbols: Sequence[str]) -> None:
    """Raise `TypeError` for a name that is no symbol, and for a size that is no whole number."""
    for name, size in sizes.items():
        if name not in symbols:
            have = f"it has {', '.join(symbols)}" if symbols else "it has none"
            raise TypeError(f"the network has no symbol `{name}`: {have}")
        if type(size) is not int:
            raise TypeError(f"the size {name} is a whole number, not {size!r}")
