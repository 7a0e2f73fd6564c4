"""Symbolic sizes in the words of `torch.export`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from torch.export import Dim

from archspec.exportable import linear_in
from archspec.exporting import LEAST, ExportPlan, Progression
from archspec.network import Network
from archspec.sizes import Size


def dynamic_shapes(network: Network, plan: ExportPlan) -> dict[str, dict[int, Any]]:
    """What `torch.export.export(..., dynamic_shapes=)` takes: by input, its open dimensions."""
    taken = set(network.sizes.symbols)
    roots = {
        first: _root(first, plan.kept[first], taken) for first in dict.fromkeys(plan.alike.values())
    }
    batch = {0: Dim(_unused("batch", taken))} if plan.batch else {}
    return {
        name: {**batch, **_open(tensor.shape, plan, roots)}
        for name, tensor in network.input_tensors.items()
    }


def _open(shape: Iterable[Size], plan: ExportPlan, roots: Mapping[str, _Root]) -> dict[int, Any]:
    """The dimensions of an input that are not fixed; 0 is the batch."""
    found = {}
    for axis, size in enumerate(shape, 1):
        if isinstance(size, int) or not size.symbols <= plan.kept.keys():
            continue
        linear = linear_in(size)
        if plan.automatic or linear is None:
            found[axis] = Dim.AUTO
        else:
            symbol, times, plus = linear
            found[axis] = roots[plan.alike[symbol]].dim(times, plus)
    return found


class _Root(NamedTuple):
    """A symbol as `step * root + offset`."""

    root: Any
    step: int
    offset: int

    def dim(self, times: int, plus: int) -> Any:
        """A multiple of the symbol, and some more."""
        multiple = self.root if times * self.step == 1 else times * self.step * self.root
        more = times * self.offset + plus
        return multiple + more if more else multiple


def _root(symbol: str, kept: Progression, taken: set[str]) -> _Root:
    """`H` itself, or `_H` for `16 * _H`: that is 2 or more, as export takes less for a constant."""
    if kept.step == 1:
        return _Root(Dim(symbol, min=kept.first, max=kept.last), 1, 0)
    first = max(LEAST, kept.first // kept.step)
    offset = kept.first - kept.step * first
    last = None if kept.last is None else (kept.last - offset) // kept.step
    return _Root(Dim(_unused(f"_{symbol}", taken), min=first, max=last), kept.step, offset)


def _unused(name: str, taken: set[str]) -> str:
    """A name that no symbol has."""
    return name if name not in taken else _unused(f"{name}_", taken)
