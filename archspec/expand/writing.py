"""Layers that work in place, where PyTorch does not let them."""

from typing import Final

from archspec.diagnostics import Label
from archspec.expand.context import Context
from archspec.graph import leaves
from archspec.network import Network
from archspec.storage import Stuck, refusals, works_in_place

WHY: Final[dict[Stuck, tuple[str, str, str]]] = {
    "stretched": (
        "E208",
        "PyTorch does not overwrite a tensor that has several elements in one place",
        "stretches its input without a copy",
    ),
    "parts": (
        "E118",  # it does under `no_grad`
        "PyTorch does not overwrite one of several views of a tensor that has a gradient",
        "gives views of its input",
    ),
}
"""By what is stuck: the code, why, and what made it so."""


def check_writes(network: Network, context: Context) -> None:
    """Report layers with `inplace: true` over what PyTorch would refuse to overwrite."""
    root = network.graph.root
    if not any(works_in_place(leaf.layer) for _, leaf in leaves(root)):
        return
    seen: set[int] = set()
    for each in refusals(root, network.trace):
        if id(each.leaf) in seen:
            continue
        seen.add(id(each.leaf))
        code, why, what = WHY[each.stuck]
        context.report(
            code,
            f"this {each.leaf.type} cannot work in place: {why}",
            each.leaf.node.place,
            labels=(Label(each.maker.node.place, f"{each.maker.type} {what}"),),
            help="leave inplace out",
        )
