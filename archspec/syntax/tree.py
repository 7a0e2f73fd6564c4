"""The tree of a spec: scalars, mappings and sequences that know where they stand."""

from collections.abc import Iterator
from typing import Any

from archspec.diagnostics import Place, Source

# A mark packs line, column (both from 0) and length into one integer: a spec of 100 000 layers
# has a million nodes. A node made from Python data has the keys that lead to it instead.
Mark = int | tuple[str, ...]
MAX_DEPTH = 100
"""Collections within each other, aliases followed."""
MAX_NODES = 4_000_000
"""Values of a spec, aliases followed."""
MAX_SHOWN = 120
"""Characters of a value in a message."""
_LENGTH = 16
_COLUMN = 24


def pack(line: int, column: int, length: int) -> int:
    """A mark in a text."""
    if not 0 < length < 1 << _LENGTH:
        length = 1
    return line << (_COLUMN + _LENGTH) | column << _LENGTH | length


class Node:
    """A value of the tree. Its kind is its class: `Scalar`, `Mapping` or `Sequence`."""

    __slots__ = ("mark", "source")

    def __init__(self, source: Source, mark: Mark) -> None:
        self.source = source
        self.mark = mark

    @property
    def place(self) -> Place:
        """Where the node stands."""
        if isinstance(self.mark, tuple):
            return Place(self.source, 0, 0, 0, self.mark)
        line = self.mark >> (_COLUMN + _LENGTH)
        column = (self.mark >> _LENGTH) & ((1 << _COLUMN) - 1)
        length = self.mark & ((1 << _LENGTH) - 1)
        return Place(self.source, line + 1, column + 1, column + 1 + length)


class Scalar(Node):
    """A leaf: `text` as written, `value` as YAML 1.2 reads it, `plain` if it had no quotes.

    Python data may put any object here (a layer made in Python, for one).
    """

    __slots__ = ("plain", "text", "value")

    def __init__(self, source: Source, mark: Mark, text: str, value: Any, plain: bool) -> None:
        self.source = source  # not through super(): a large spec has a million scalars
        self.mark = mark
        self.text = text
        self.value = value
        self.plain = plain

    def __repr__(self) -> str:
        return f"Scalar({self.text!r})"


class Mapping(Node):
    """Keys with values, in file order. Keys are text; `entries` maps it to key and value nodes."""

    __slots__ = ("entries",)

    def __init__(self, source: Source, mark: Mark) -> None:
        super().__init__(source, mark)
        self.entries: dict[str, tuple[Scalar, Node]] = {}

    def get(self, key: str) -> Node | None:
        """The value under a key, or None."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def items(self) -> Iterator[tuple[Scalar, Node]]:
        """Key nodes with value nodes."""
        return iter(self.entries.values())

    def __repr__(self) -> str:
        return f"Mapping({list(self.entries)})"


class Sequence(Node):
    """A list."""

    __slots__ = ("items",)

    def __init__(self, source: Source, mark: Mark) -> None:
        super().__init__(source, mark)
        self.items: list[Node] = []

    def __repr__(self) -> str:
        return f"Sequence({len(self.items)})"


def part_of(node: Scalar, start: int, end: int) -> Scalar:
    """A part of a text, without the blanks around it, at its own place.

    At the place of the whole where the text is not as written: escaped, folded, or made in Python.
    """
    text = node.text[start:end]
    start += len(text) - len(text.lstrip())
    text = text.strip()
    place, mark = node.place, node.mark
    written = place.source.line(place.line)[place.column - 1 : place.end_column - 1]
    for quote in (0, 1):
        if place.line and written[quote : len(written) - quote] == node.text:
            mark = pack(place.line - 1, place.column - 1 + quote + start, len(text))
    return Scalar(node.source, mark, text, text, node.plain)


def describe(node: Node) -> str:
    """What a node is, in the words of messages."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    assert isinstance(node, Scalar)
    text = repr(node.value) if isinstance(node.value, str) else node.text or "nothing"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
