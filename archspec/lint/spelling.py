"""Words that YAML 1.1 or a quick eye reads as something else."""

import re
from collections.abc import Iterator

from archspec.diagnostics import Diagnostic
from archspec.network import Network
from archspec.syntax import Mapping, Node, Scalar, Sequence

_SWITCHES = frozenset(
    {"yes", "no", "on", "off", "Yes", "No", "On", "Off", "YES", "NO", "ON", "OFF"}
)
_OLD_NUMBER = re.compile(r"[-+]?0[0-9_]*[0-9]|[-+]?[0-9]+(?::[0-5]?[0-9])+|\d{4}-\d{1,2}-\d{1,2}")
_SWALLOWED = re.compile(r"^ #\s*([A-Za-z_]\w*|[0-9]+)\s*$")


def _scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield key
            yield from _scalars(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _scalars(item)
    elif isinstance(node, Scalar):
        yield node


def old_yaml(network: Network) -> Iterator[Diagnostic]:
    """W312: a plain word that YAML 1.1 tools read as a boolean, octal number, time or date."""
    for scalar in _scalars(network.spec.node):
        if not scalar.plain or not isinstance(scalar.mark, int):
            continue
        if scalar.text in _SWITCHES:
            message = f"`{scalar.text}` is a text here; older YAML tools read a boolean"
            help = "write true or false, or quote it"
            yield Diagnostic("W312", message, scalar.place, help=help)
        elif _OLD_NUMBER.fullmatch(scalar.text):
            message = f"`{scalar.text}` reads differently in older YAML tools"
            yield Diagnostic("W312", message, scalar.place, help="quote it, or write it plainly")


def swallowed(network: Network) -> Iterator[Diagnostic]:
    """W313: `=a # b`, where the rest of what may be an expression is a comment."""
    known = {param.name.text for param in network.spec.params}
    for scalar in _scalars(network.spec.node):
        if not scalar.plain or not scalar.text.startswith("=") or not isinstance(scalar.mark, int):
            continue
        place = scalar.place
        rest = place.source.line(place.line)[place.end_column - 1 :]
        match = _SWALLOWED.match(rest)
        if match and (match[1] in known or match[1].isdigit()):
            message = f"`{rest.strip()}` is a comment: the expression ends before it"
            yield Diagnostic("W313", message, place, help="quote the expression if it goes on")
