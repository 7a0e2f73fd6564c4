"""Plain Python data → tree: its places are the keys that lead to a value."""

import re
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence as AbstractSequence
from numbers import Integral, Real
from typing import Any

from archspec.diagnostics import Collector, Place, Refused, Source, shown
from archspec.syntax.tree import MAX_DEPTH, Mapping, Node, Scalar, Sequence

Path = tuple[str, ...]
MAX_VALUES = 1_000_000
"""Values of a spec, shared ones every time: each is copied with its path."""


def lift(data: Any, source: Source, found: Collector) -> Node:
    """The tree of mappings, lists and tuples, with leaves of any kind.

    Raises `Refused` for data that is too deep or too large, as what contains itself is.
    """
    return _Lifter(source, found).node(data, ())


def plain(node: Node) -> Any:
    """The plain data of a tree: lists, dicts and values, with nothing computed."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    assert isinstance(node, Mapping)
    return {key.text: plain(value) for key, value in node.items()}


_HALF = re.compile("[\ud800-\udfff]")


class _Lifter:
    def __init__(self, source: Source, found: Collector) -> None:
        self.source = source
        self.found = found
        self.nodes = 0

    def node(self, data: Any, path: Path) -> Node:
        self.nodes += 1
        if len(path) > MAX_DEPTH:
            raise self.refuse("E005", f"nested deeper than {MAX_DEPTH} levels", path[:3])
        if self.nodes > MAX_VALUES:
            raise self.refuse("E005", f"more than {MAX_VALUES} values", path[:3])
        if isinstance(data, Node):
            return data
        if isinstance(data, AbstractMapping):
            return self.mapping(data, path)
        if isinstance(data, AbstractSequence) and not isinstance(data, str | bytes):
            sequence = Sequence(self.source, path)
            sequence.items = [self.node(each, (*path, str(n))) for n, each in enumerate(data)]
            return sequence
        value = own(data)
        text = value if isinstance(value, str) else spelled(value)
        self.refuse_halves(text, path)
        return Scalar(self.source, path, text, value, True)

    def mapping(self, data: AbstractMapping[Any, Any], path: Path) -> Mapping:
        mapping = Mapping(self.source, path)
        for key, value in data.items():
            text = key if isinstance(key, str) else spelled(key)
            below = (*path, text)
            self.refuse_halves(text, path)
            if text in mapping.entries:
                self.refuse("E003", f"`{text}` appears twice: keys are text", below)
                continue
            name = Scalar(self.source, below, text, text, True)
            mapping.entries[text] = (name, self.node(value, below))
        return mapping

    def refuse_halves(self, text: str, path: Path) -> None:
        """Refuse halves of characters: no file could hold them."""
        half = None if text.isascii() else _HALF.search(text)
        if half is not None:
            code = f"U+{ord(half.group()):04X}"
            raise self.refuse("E002", f"YAML has no place for the character {code}", path)

    def refuse(self, code: str, message: str, path: Path) -> Refused:
        return self.found.report(code, message, Place(self.source, 0, 0, 0, path))


def own(value: Any) -> Any:
    """A number of another kind, such as NumPy's, as one of Python's own."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def spelled(value: object) -> str:
    """A value as YAML spells it."""
    if isinstance(value, float):
        return repr(value)
    return shown(value)
