"""Why sizes of symbols do not work: the layer that refuses them, told with their numbers."""

from collections.abc import Mapping
from typing import NamedTuple

from archspec.diagnostics import Diagnostic, Label, SpecError
from archspec.network import Network, at
from archspec.resolve import Application, requirements

_DECLARED = "E125"


class Reason(NamedTuple):
    """Why sizes do not work: in a few words, and with the places that clash."""

    words: str
    labels: tuple[Label, ...]


def reason(network: Network, sizes: Mapping[str, int]) -> Reason:
    """Why the layers do not take these sizes, one for every symbol. Requires that they do not."""
    application, needed = _refusing(network, sizes)
    path = ".".join(application.path)
    error = _error(network, sizes)
    words = _meeting(application, sizes) or (error.message if error else f"it needs {needed}")
    if error is None:  # a dimension of 1 is stretched by accident, and other shapes come out
        return Reason(words, (Label(application.leaf.node.place, f"needs {needed}"),))
    if words != error.message:
        words = f"{words} meet at `{path}`"
    return Reason(words, (Label(error.place, error.message), *error.labels))


def _refusing(network: Network, sizes: Mapping[str, int]) -> tuple[Application, str]:
    """The first layer that does not take the sizes, and what it needs."""
    for application in network.applications:
        for condition in requirements(application, network.domain):
            if not condition.at(sizes):
                return application, str(condition)
    raise AssertionError(f"every layer takes {sizes}")


def _error(network: Network, sizes: Mapping[str, int]) -> Diagnostic | None:
    """What a check with these sizes says, besides that they are not declared."""
    try:
        network.at(**sizes)
    except SpecError as refused:
        errors = (each for each in refused.diagnostics if each.severity == "error")
        return next((each for each in errors if each.code != _DECLARED), None)
    return None


def _meeting(application: Application, sizes: Mapping[str, int]) -> str | None:
    """Two sizes of inputs of one layer that do not go together: `113 and 112`."""
    shapes = [tuple(at(size, sizes) for size in tensor.shape) for tensor in application.inputs]
    for first, *others in zip(*shapes, strict=False):
        for other in others:
            if other != first:
                return f"{first} and {other}"
    return None
