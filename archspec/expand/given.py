"""Where the values of parameters come from that the file of an expression does not show."""

import re
from collections.abc import Mapping

from archspec.diagnostics import Label, Place
from archspec.spec import ParamSpec
from archspec.syntax import Node, Scalar

MAX_NAMES = 20
"""Words of an expression that are looked at."""
_WORD = re.compile(r"[A-Za-z_]\w*")


def places_of(params: tuple[ParamSpec, ...]) -> dict[str, Place]:
    """Where a variant, or a file that extends another, gives a parameter its value."""
    return {param.name.text: param.value.place for param in params if param.value is not None}


def givers(node: Node, places: Mapping[str, Place]) -> tuple[Label, ...]:
    """The places of the values that an expression uses, in the order in which it names them."""
    words = _WORD.findall(node.text) if isinstance(node, Scalar) else []
    named = [word for word in dict.fromkeys(words[:MAX_NAMES]) if word in places]
    return tuple(Label(places[word], f"`{word}` is given here") for word in named)
