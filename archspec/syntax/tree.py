"""The tree of a spec: scalars, mappings and sequences that know where they stand."""

from collections.abc import Iterator
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence as AbstractSequence
from typing import Any

from archspec.diagnostics import Place, Source

# A mark packs line, column (both from 0) and length into one integer: a spec of 100 000 layers
# has a million nodes. A node made from Python data has the keys that lead to it instead.
Mark = int | tuple[str, ...]
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


def describe(node: Node) -> str:
    """What a node is, in the words of messages."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    assert isinstance(node, Scalar)
    return repr(node.value) if isinstance(node.value, str) else node.text or "nothing"


def lift(data: Any, source: Source, path: tuple[str, ...] = ()) -> Node:
    """The tree of plain Python data: mappings, lists and tuples, and leaves of any kind.

    Its places are key paths. Data that contains itself raises `RecursionError`.
    """
    if isinstance(data, Node):
        return data
    if isinstance(data, AbstractMapping):
        mapping = Mapping(source, path)
        for key, value in data.items():
            text = _key(key)
            below = (*path, text)
            mapping.entries[text] = (
                Scalar(source, below, text, text, True),
                lift(value, source, below),
            )
        return mapping
    if isinstance(data, AbstractSequence) and not isinstance(data, str | bytes):
        sequence = Sequence(source, path)
        sequence.items = [lift(v, source, (*path, str(n))) for n, v in enumerate(data)]
        return sequence
    return Scalar(source, path, data if isinstance(data, str) else _spelled(data), data, True)


def _key(key: object) -> str:
    return key if isinstance(key, str) else _spelled(key)


def _spelled(value: object) -> str:
    spellings = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return spellings[value]
    return repr(value)
