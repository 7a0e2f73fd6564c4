"""Sizes that work, for a network with symbolic inputs; and who is to blame if there are none."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from archspec.diagnostics import Label, Place, Refused
from archspec.expand.context import Context
from archspec.expand.requires import declared_sizes
from archspec.network import Network
from archspec.resolve import filled, requirements
from archspec.sizes import Condition, ValidSet, ValidSizes, show_values
from archspec.sizes.valid import SEARCHED

MOST_TOLD: Final = 6
"""Needs that a message lists."""
MOST_RIVALS: Final = 100
"""Conditions among which one is looked for that contradicts another."""


@dataclass(frozen=True, slots=True)
class _Need:
    """A condition on one symbol, and who makes it first: a layer, or an input by its shape."""

    symbol: str
    condition: Condition
    path: str
    place: Place

    @property
    def words(self) -> str:
        """What it says of its symbol; as it stands, if it can never be true."""
        only = ValidSet(self.symbol, (self.condition,))
        return str(self.condition) if only.empty or not only.decided else str(only)

    @property
    def label(self) -> Label:
        """The layer, with what it needs."""
        return Label(self.place, f"needs {self.words}")


def find_sizes(network: Network, context: Context) -> None:
    """Set sizes that work: to build the network, and as a proof. Refuses it if none are found."""
    sizes = network.layer_sizes.example()
    if sizes is None:
        raise _refuse(network, context)
    if network.declaration.symbols:
        sizes = declared_sizes(network, context)
    network.example_sizes = sizes


def _refuse(network: Network, context: Context) -> Refused:
    place = context.spec.inputs[0].shape.place
    for each in network.layer_sizes.sets.values():
        if each.empty:
            message, needs, help = _blame(network, each.symbol)
            labels = tuple(need.label for need in needs)
            return context.report("E116", message, place, labels=labels, help=help)
    told = network.layer_sizes.needs()
    needed = " and ".join(told[:MOST_TOLD] + ["more"] * (len(told) > MOST_TOLD))
    message = f"no sizes were found, among {SEARCHED} of each symbol, for which {needed}"
    return context.report("E116", message, place)


def _blame(network: Network, symbol: str) -> tuple[str, list[_Need], str | None]:
    """Which layer leaves no size, which one it contradicts, and what would do without it."""
    needs = list(_needs(network, symbol))
    if not _exclude(symbol, needs):  # only the conditions in another order were decided
        return f"no {symbol} works", [], None
    count = bisect_left(range(len(needs)), True, key=lambda n: _exclude(symbol, needs[: n + 1]))
    before, need = needs[:count], needs[count]
    message = f"no {symbol} works: `{need.path}` needs {need.words}"
    rivals = (other for other in before[:MOST_RIVALS] if _exclude(symbol, [other, need]))
    others = list(islice(rivals, 1))
    if others:
        message += f", and `{others[0].path}` needs {others[0].words}"
    elif before:
        known = ValidSet(symbol, tuple(each.condition for each in before))
        message += f", and the layers before it {known}"
    return message, [*others, need], _way_out(network, need)


def _exclude(symbol: str, needs: list[_Need]) -> bool:
    return ValidSet(symbol, tuple(need.condition for need in needs)).empty


def _way_out(network: Network, culprit: _Need) -> str | None:
    """Sizes that would work if it were not for one condition."""
    others = tuple(c for c in network.conditions if c != culprit.condition)
    sizes = ValidSizes(network.layer_sizes.symbols, others).example()
    if sizes is None:
        return None
    return f"without what `{culprit.path}` needs, {show_values(sizes)} would do"


def _needs(network: Network, symbol: str) -> Iterator[_Need]:
    """Every condition on a symbol alone, once."""
    seen: set[Condition] = set()
    for condition, path, place in _demands(network):
        if condition.symbols == {symbol} and condition not in seen:
            seen.add(condition)
            yield _Need(symbol, condition, path, place)


def _demands(network: Network) -> Iterator[tuple[Condition, str, Place]]:
    """Every condition, with the path and the place of who makes it."""
    for spec in network.spec.inputs:
        for condition in filled(network.input_tensors[spec.name.text]):
            yield condition, spec.name.text, spec.shape.place
    for application in network.applications:
        for condition in requirements(application, network.domain):
            yield condition, ".".join(application.path), application.leaf.node.place
