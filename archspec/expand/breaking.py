"""Why sizes of symbols do not work: the layer that refuses them, told with their numbers."""

from collections.abc import Mapping
from typing import NamedTuple

from archspec.diagnostics import Diagnostic, Label, SpecError
from archspec.network import Network, at
from archspec.resolve import Application, requirements
from archspec.sizes import Condition, equal
from archspec.sizes.scaling import is_table_end

_CLAIMED = {"E113", "E125"}


class Reason(NamedTuple):
    """Why sizes do not work: in a few words, and with the places that clash."""

    words: str
    labels: tuple[Label, ...]


def reason(network: Network, sizes: Mapping[str, int]) -> Reason:
    """Why the layers do not take these sizes, one for every symbol. Requires that they do not."""
    error = _error(network, sizes)
    refusing = _refusing(network, sizes)
    if refusing is None:  # an input of these sizes would have no elements
        assert error is not None
        return Reason(error.message, (Label(error.place, error.message), *error.labels))
    application, needed = refusing
    path = ".".join(application.path)
    words = _meeting(application, needed, sizes) or (
        error.message if error else f"it needs {needed}"
    )
    if error is None:  # a dimension of 1 is stretched by accident, and other shapes come out
        return Reason(words, (Label(application.leaf.node.place, f"needs {needed}"),))
    if words != error.message:
        words = f"{words} meet at `{path}`"
    return Reason(words, (Label(error.place, error.message), *error.labels))


def check_layers(network: Network, sizes: Mapping[str, int]) -> None:
    """Refuse sizes, maybe not of all symbols, that no layer takes while the symbols are open.

    Where they are written in the spec instead, an `end: =H - 7` that is negative counts from the
    other side: another network, which works. Raises `SpecError`.
    """
    refusing = _refusing(network, sizes)
    if refusing is None:
        return
    application, needed = refusing
    shown = " and ".join(f"{name} = {sizes[name]}" for name in sorted(needed.symbols))
    message = f"`{'.'.join(application.path)}` needs {needed}, and has {shown}"
    help = f"{shown}, written in `inputs:`, would make another network, which works"
    raise SpecError([Diagnostic("E114", message, application.leaf.node.place, help=help)])


def _refusing(network: Network, sizes: Mapping[str, int]) -> tuple[Application, Condition] | None:
    """The first layer that does not take the sizes, and what it needs; None if all take them."""
    for application in network.applications:
        for condition in requirements(application, network.domain):
            known = condition.symbols <= sizes.keys() and not is_table_end(condition)
            if known and not condition.at(sizes):
                return application, condition
    return None


def _error(network: Network, sizes: Mapping[str, int]) -> Diagnostic | None:
    """What a check with these sizes says, besides that something else was claimed."""
    try:
        network.at(**sizes)
    except SpecError as refused:
        errors = (each for each in refused.diagnostics if each.severity == "error")
        return next((each for each in errors if each.code not in _CLAIMED), None)
    return None


def _meeting(application: Application, needed: Condition, sizes: Mapping[str, int]) -> str | None:
    """Two sizes of inputs of one layer that do not go together: `113 and 112`.

    They are those that what is needed compares: others may differ, as channels that are joined do.
    """
    for first, *others in zip(*(tensor.shape for tensor in application.inputs), strict=False):
        for other in others:
            if equal(first, other) in needed.options:
                return f"{at(first, sizes)} and {at(other, sizes)}"
    return None
