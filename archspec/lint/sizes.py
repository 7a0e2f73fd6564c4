"""Symbolic inputs of which only some sizes work."""

from collections.abc import Iterator
from itertools import count, islice
from typing import Final

from archspec.diagnostics import Diagnostic, Label, Place
from archspec.expand.breaking import reason
from archspec.network import Network
from archspec.sizes import Condition
from archspec.sizes.declaration import as_entries, unmet
from archspec.sizes.members import is_all_from, is_cut
from archspec.sizes.solving import grows
from archspec.syntax import Node, Scalar, Sequence

SEARCHED: Final = 4096
"""Sizes beyond the example that are tried, to find one that does not work."""


def partial(network: Network) -> Iterator[Diagnostic]:
    """N403: sizes that do not work, though smaller ones do, and nothing is declared of them."""
    sizes, declared = network.sizes, set(network.declaration.symbols)
    still_open = [name for name in sizes.symbols if name not in declared]
    decided = sizes.without_tables.sets
    gapped = [name for name in still_open if not is_all_from(decided[name].sizes)]
    ties = _open_ties(network)
    names = gapped or [name for name in still_open if any(name in tie.symbols for tie in ties)]
    if not names:
        return
    told = ", and ".join([str(sizes.sets[name]) for name in gapped] + [str(tie) for tie in ties])
    message = f"works only where {told}"
    labels: tuple[Label, ...] = ()
    failing = _failing(network, names[0])
    if failing is not None:
        why = reason(network, failing)
        size = failing[names[0]]
        message += f"; {size} is the first {names[0]} above {size - 1} that does not: {why.words}"
        labels = why.labels
    place = _place(network, names[0])
    help = None if ties else _declaration(network, gapped)
    yield Diagnostic("N403", message, place, labels, help=help)


def _open_ties(network: Network) -> list[Condition]:
    """Conditions on several symbols that exclude more than small sizes, and are not declared."""
    declared = set(network.declaration.symbols)
    layers = network.layer_sizes.without_tables
    ties = layers.ties
    if all(tie.symbols <= declared or grows(tie) for tie in ties):
        return []
    found = unmet(layers, network.declaration)
    return [tie for tie in found if not tie.symbols <= declared and not grows(tie)]


def _failing(network: Network, symbol: str) -> dict[str, int] | None:
    """The example sizes, with the next size of one symbol that does not work."""
    base = network.example_sizes
    for size in islice(count(base[symbol] + 1), SEARCHED):
        tried = {**base, symbol: size}
        if not network.layer_sizes.without_tables.valid(**tried):
            return tried
    return None


def _place(network: Network, symbol: str) -> Place:
    """Where the symbol stands first."""
    for each in network.spec.inputs:
        for item in _items(each.shape):
            if isinstance(item, Scalar) and item.text == symbol:
                return item.place
    return network.spec.inputs[0].shape.place


def _items(node: Node) -> list[Node]:
    return node.items if isinstance(node, Sequence) else []


def _declaration(network: Network, names: list[str]) -> str | None:
    """How to declare what works, where that can be said."""
    sets = {name: network.sizes.sets[name].sizes for name in names}
    entries = as_entries(sets)
    if entries is None:
        return None
    cut = [name for name, sizes in sets.items() if sizes is not None and is_cut(sizes)]
    rest = f", without some smaller {' and '.join(cut)}" if cut else ""
    return f"declare what is meant: `requires: {entries}`{rest}"
