"""`requires:`, the sizes that a network is meant for, read into comparisons.

    requires    = "{" symbol ":" (requirement | "[" requirement* "]") "}"
    requirement = comparison ("and" comparison)*
    comparison  = ["%" expression] relation expression
    relation    = "==" | "!=" | "<=" | ">=" | "<" | ">"

The left side of a comparison is the symbol itself, or its remainder: `% 32 == 0`.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from archspec.diagnostics import Collector, Refused
from archspec.spec.model import Comparison, Requirement
from archspec.spec.parts import as_mapping, as_text, items_of
from archspec.syntax import Node, Scalar, part_of

MOST: Final = 16
"""Comparisons of one symbol."""
_RELATION: Final = re.compile(r"==|!=|<=|>=|<(?!=)|>(?!=)")
_AND: Final = re.compile(r"\band\b")
_WORDS: Final = re.compile(r"(?:divisible by|multiples? of)\s+(\w+)$")
_PARITY: Final = {"even": "% 2 == 0", "odd": "% 2 == 1"}
_SWAPPED: Final = re.compile(r"=([<>])\s*(.+)$")


def read_requires(node: Node, found: Collector) -> tuple[Requirement, ...]:
    """What is required of every symbol. Reports what cannot be read, and leaves that out."""
    help = 'for example `requires: {H: "% 32 == 0", W: ">= 64"}`'
    entries = as_mapping(node, "`requires:`", found, help)
    return tuple(_requirement(name, value, found) for name, value in entries.items())


def _requirement(symbol: Scalar, node: Node, found: Collector) -> Requirement:
    every = (each for item in items_of(node) for each in _comparisons(symbol, item, found))
    comparisons = tuple(islice(every, MOST + 1))
    if len(comparisons) > MOST:
        message = f"more than {MOST} comparisons of `{symbol.text}`"
        found.report("E005", message, node.place)
    return Requirement.model_construct(symbol=symbol, node=node, comparisons=comparisons[:MOST])


def _comparisons(symbol: Scalar, node: Node, found: Collector) -> Iterator[Comparison]:
    if isinstance(node, Scalar) and type(node.value) is int:
        message = f"`requires:` takes comparisons, not {node.text}"
        found.report("E105", message, node.place, help=f'write `"== {node.text}"`')
        return
    try:
        text = as_text(node, f"what is required of `{symbol.text}`", found)
    except Refused:
        return
    for part in _split(text):
        comparison = _comparison(part)
        if comparison is None:
            message = f"`{part.text}` is no comparison" if part.text else "no comparison by `and`"
            place = part.place if part.text else text.place
            found.report("E109", message, place, help=_advice(symbol.text, part.text))
            return
        yield comparison


def _split(node: Scalar) -> Iterator[Scalar]:
    """The comparisons that a text joins with `and`."""
    start = 0
    for match in _AND.finditer(node.text):
        yield part_of(node, start, match.start())
        start = match.end()
    yield part_of(node, start, len(node.text))


def _comparison(node: Scalar) -> Comparison | None:
    """One comparison; None if the text is none."""
    relation = _RELATION.search(node.text)
    if relation is None:
        return None
    left = node.text[: relation.start()].strip()
    bound = part_of(node, relation.end(), len(node.text))
    divisor = None
    if left.startswith("%"):
        divisor = part_of(node, node.text.index("%") + 1, relation.start())
    if not bound.text or (left and (divisor is None or not divisor.text)):
        return None
    return Comparison.model_construct(node=node, divisor=divisor, relation=relation[0], bound=bound)


def _advice(symbol: str, text: str) -> str:
    """How to write what was probably meant."""
    if text in _PARITY:
        return f"write `{_PARITY[text]}`"
    if words := _WORDS.match(text):
        return f"write `% {words[1]} == 0`"
    if swapped := _SWAPPED.match(text):
        return f"write `{swapped[1]}= {swapped[2]}`"
    if text.startswith("%") and "=" not in text:
        return f"write `{text} == 0`"
    if text.startswith("=") and text[1:].strip():
        return f"write `== {text[1:].strip()}`"
    if re.match(rf"{re.escape(symbol)}\b", text):
        return f"leave `{symbol}` out: `{text[len(symbol) :].strip()}`"
    return 'for example `"% 32 == 0"` or `">= 64 and % 2 == 0"`'
