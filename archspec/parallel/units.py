"""Which submodules to shard: outermost blocks that are not too large, and large layers."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from archspec.graph import Composite, Leaf
from archspec.ops.free import Parameter

if TYPE_CHECKING:
    from archspec.network import Network

LARGE_LAYER: Final = 0.05
"""Share of all parameters from which a layer outside of blocks is a unit of its own."""
LARGE_BLOCK: Final = 0.5
"""Share of all parameters from which a block of blocks is too large for one unit."""


def units(network: "Network") -> Iterator[str]:
    """The names of the submodules of a network to shard, in file order."""
    total = network.parameter_count
    uses = Counter(map(id, _uses(network.graph.root)))
    yield from _within(network.graph.root, (), total, uses)


def _uses(scope: Composite) -> Iterator[Leaf | Composite]:
    """What runs, as often as it does; what others read a parameter of counts twice for that."""
    for call in scope.calls:
        yield call.target
        if isinstance(call.target, Composite):
            yield from _uses(call.target)
        elif call.owner is not None:
            yield from [scope.children[call.owner]] * 2


def _within(
    scope: Composite, path: tuple[str, ...], total: int, uses: Mapping[int, int]
) -> Iterator[str]:
    for name, child in scope.children.items():
        below = (*path, name)
        held = _held(child)
        if held == 0 or uses[id(child)] != 1:
            continue  # what is used twice is gathered with what is around it
        if isinstance(child, Leaf):  # a free parameter is no module
            is_unit = held > LARGE_LAYER * total and not isinstance(child.layer, Parameter)
        else:
            is_unit = child.kind is not None and (held <= LARGE_BLOCK * total or not _nests(child))
        if is_unit:
            yield ".".join(below)
        elif isinstance(child, Composite):
            yield from _within(child, below, total, uses)


def _nests(scope: Composite) -> bool:
    """Whether there are blocks within."""
    inner = [child for child in scope.children.values() if isinstance(child, Composite)]
    return any(child.kind is not None or _nests(child) for child in inner)


def _held(target: Leaf | Composite) -> int:
    """Elements of the parameters of a module."""
    if isinstance(target, Leaf):
        return target.parameter_count
    return sum(map(_held, {id(each): each for each in target.children.values()}.values()))
