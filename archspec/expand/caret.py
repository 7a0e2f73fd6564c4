"""Where in a scalar an expression fails: the caret under one name, not under all of it."""

import re

from archspec.diagnostics import Place
from archspec.diagnostics.model import at
from archspec.syntax import Scalar

_WORD = re.compile(r"[\w.]+|.")


def place_within(node: Scalar, text: str, offset: int | None) -> Place:
    """The place of the word at `offset` of an expression that ends the text of a node.

    The whole node where that is not known: the text as written may be quoted, escaped or folded.
    """
    place = node.place
    if offset is None or not place.line or not text.isascii() or "\n" in text:
        return place
    written = place.source.line(place.line)[place.column - 1 : place.end_column - 1]
    start = len(node.text) - len(text.lstrip()) + offset
    if written != node.text:
        if written[1:-1] != node.text:
            return place
        start += 1
    word = _WORD.match(written, start)
    if word is None:
        return place
    return at(place, place.column + start, place.column + word.end())
