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


def formulas_of(params: tuple[ParamSpec, ...]) -> dict[str, Node]:
    """What parameters are computed by that nobody gave a value."""
    return {p.name.text: p.default for p in params if p.value is None and p.default is not None}


def givers(
    node: Node, places: Mapping[str, Place], formulas: Mapping[str, Node]
) -> tuple[Label, ...]:
    """The places of the values that an expression uses, in the order in which it names them.

    A parameter that is computed stands for those that it is computed from.
    """
    words = dict.fromkeys(_words(node))
    open_ = list(words)
    for word in open_:
        if word not in places and word in formulas and len(open_) < MAX_NAMES:
            further = [each for each in _words(formulas[word]) if each not in words]
            words.update(dict.fromkeys(further))
            open_ += dict.fromkeys(further)
    named = [word for word in words if word in places]
    return tuple(Label(places[word], f"`{word}` is given here") for word in named)


def _words(node: Node) -> list[str]:
    return _WORD.findall(node.text)[:MAX_NAMES] if isinstance(node, Scalar) else []
