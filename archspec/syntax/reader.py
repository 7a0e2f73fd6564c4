"""YAML text → tree with places, from libyaml's events.

Composing from events is two to four times faster than `yaml.compose`, keeps exact places, and
needs no recursion: nothing in a text can exhaust the interpreter's stack.
"""

import re
import sys
from pathlib import Path
from typing import Any

import yaml

from archspec.diagnostics import Collector, Label, Place, Refused, Source, did_you_mean
from archspec.syntax.mistakes import explain
from archspec.syntax.scalars import resolve
from archspec.syntax.tree import MAX_DEPTH, MAX_NODES, Mapping, Node, Scalar, Sequence, pack

MAX_BYTES = 8_000_000
_FORBIDDEN = "[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""What is no printable character of YAML: https://yaml.org/spec/1.2.2/#51-character-set.

Compiled on use: over so many characters that takes milliseconds, and few texts have one.
"""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_file(path: str | Path, found: Collector, *, name: str | None = None) -> Source:
    """The text of a file, called `name` in messages (None: by its path).

    Raises `OSError` if it cannot be opened, `Refused` if it is no text.
    """
    file = Path(path)
    name = str(path) if name is None else name
    source = Source(name)
    with file.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    start = Place(source, 1, 1, 2)
    if len(data) > MAX_BYTES:
        raise found.report("E005", f"the file is larger than {MAX_BYTES // 1_000_000} MB", start)
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        before = data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode(
            "utf-8", "replace"
        )
        shown = Source(name, data.decode("utf-8", "replace"))
        place = Place(shown, line, len(before) + 1, len(before) + 2)
        message = f"the file is not UTF-8: byte {data[error.start]:#04x} on line {line}"
        raise found.report("E002", message, place, help="save it as UTF-8") from None


def read(source: Source, found: Collector) -> Node:
    """The tree of a text. Raises `Refused` where there is none."""
    text = source.text or ""
    if len(text) > MAX_BYTES:
        place = Place(source, 1, 1, 2)
        raise found.report("E005", f"the text is larger than {MAX_BYTES // 1_000_000} MB", place)
    try:
        return _Composer(source, found).compose(text)
    except yaml.YAMLError as error:
        raise _syntax_error(source, error, found) from None
    except UnicodeEncodeError:
        raise _character_error(source, found) from None


def _syntax_error(source: Source, error: yaml.YAMLError, found: Collector) -> Refused:
    if getattr(error, "problem_mark", None) is None:
        return _character_error(source, found)
    mistake = explain(source, error)
    return found.report(
        "E002", mistake.message, mistake.place, labels=mistake.labels, help=mistake.help
    )


def _character_error(source: Source, found: Collector) -> Refused:
    """A character that YAML allows nowhere: libyaml knows its byte, not its line."""
    text = source.text or ""
    match = re.search(_FORBIDDEN, text)
    position = match.start() if match else 0
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    shown = f"U+{ord(text[position]):04X}" if text else "nothing"
    place = Place(source, line, column, column + 1)
    return found.report("E002", f"YAML has no place for the character {shown}", place)


class _Composer:
    """Builds nodes from events with a stack of open collections."""

    def __init__(self, source: Source, found: Collector) -> None:
        self.source = source
        self.found = found
        self.anchors: dict[str, tuple[Node, int, int]] = {}  # node, how many nodes, how deep
        self.open: list[tuple[Node, str | None, int]] = []  # collection, anchor, nodes before it
        self.depths = [0]  # of what is closed already, in every open collection
        self.key: Scalar | None = None
        self.keys: list[Scalar | None] = []
        self.nodes = 0
        self.root: Node | None = None

    def compose(self, text: str) -> Node:
        loader = _LOADER(text)
        next_event = loader.get_event
        handlers = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._begin,
            yaml.SequenceStartEvent: self._begin,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            while (event := next_event()) is not None:
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(event)
        finally:
            loader.dispose()
        if self.root is None:
            raise self.found.report("E115", "the spec is empty", Place(self.source, 1, 1, 2))
        return self.root

    def _document(self, event: Any) -> None:
        if self.root is not None:
            help = "a file holds one network: give the second one a file of its own"
            raise self._refuse("E004", "a second document: a spec is one", event, help)

    def _refuse(self, code: str, message: str, event: Any, help: str | None = None) -> Refused:
        mark = event.start_mark
        place = Place(self.source, mark.line + 1, mark.column + 1, mark.column + 2)
        return self.found.report(code, message, place, help=help)

    def _scalar(self, event: Any) -> None:
        if event.tag is not None:
            help = "leave the tag out: a list such as [3, 3] stands for a tuple too"
            raise self._refuse("E004", f"specs use no YAML tags ({event.tag})", event, help)
        start, end = event.start_mark, event.end_mark
        line, column = start.line, start.column
        length = end.column - column if end.line == line else 1
        text = sys.intern(event.value)  # a large spec says the same few words over and over
        plain = not event.style
        value = resolve(text) if plain else text
        node = Scalar(self.source, pack(line, column, length), text, value, plain)
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, 1, 0)
        self._add(node, event)

    def _begin(self, event: Any) -> None:
        if event.tag is not None:
            help = "leave the tag out: a list such as [3, 3] stands for a tuple too"
            raise self._refuse("E004", f"specs use no YAML tags ({event.tag})", event, help)
        if len(self.open) >= MAX_DEPTH:
            raise self._refuse("E005", f"nested deeper than {MAX_DEPTH} levels", event)
        start = event.start_mark
        kind = Mapping if type(event) is yaml.MappingStartEvent else Sequence
        node = kind(self.source, pack(start.line, start.column, 1))
        before = self.nodes
        self._add(node, event)
        self.open.append((node, event.anchor, before))
        self.depths.append(0)
        self.keys.append(self.key)
        self.key = None

    def _end(self, event: Any) -> None:
        node, anchor, before = self.open.pop()
        self.key = self.keys.pop()
        depth = self.depths.pop() + 1
        self.depths[-1] = max(self.depths[-1], depth)
        if anchor is not None:
            self.anchors[anchor] = (node, self.nodes - before, depth)

    def _alias(self, event: Any) -> None:
        known = self.anchors.get(event.anchor)
        if known is None:
            inside = any(anchor == event.anchor for _, anchor, _ in self.open)
            message = (
                f"the anchor `{event.anchor}` contains itself"
                if inside
                else (f"there is no anchor `{event.anchor}`")
            )
            raise self._refuse("E004", message, event, did_you_mean(event.anchor, self.anchors))
        node, size, depth = known
        if len(self.open) + depth > MAX_DEPTH:
            raise self._refuse("E005", f"nested deeper than {MAX_DEPTH} levels by aliases", event)
        self.depths[-1] = max(self.depths[-1], depth)
        self.nodes += size - 1
        self._add(node, event)

    def _add(self, node: Node, event: Any) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self._refuse("E005", f"more than {MAX_NODES} values after aliases", event)
        if not self.open:
            self.root = node
            return
        parent = self.open[-1][0]
        if type(parent) is Sequence:
            parent.items.append(node)
        elif self.key is None:
            self.key = self._as_key(node, event)
        else:
            assert type(parent) is Mapping
            self._insert(parent, self.key, node)
            self.key = None

    def _as_key(self, node: Node, event: Any) -> Scalar:
        if not isinstance(node, Scalar):
            help = 'a value is written `=name`; a key that is a template is quoted: `"{i}"`'
            if isinstance(node, Sequence):
                help = "give every entry a key of its own"
            raise self._refuse("E004", "a key must be a text", event, help)
        if node.text == "<<" and node.plain:
            help = "write the arguments out, or share them with `defaults:` or a block"
            raise self._refuse("E004", "specs use no merge keys (`<<`)", event, help)
        return node

    def _insert(self, parent: Mapping, key: Scalar, value: Node) -> None:
        first = parent.entries.get(key.text)
        if first is None:
            parent.entries[key.text] = (key, value)
            return
        self.found.report(
            "E003",
            f"`{key.text}` appears twice",
            key.place,
            labels=[Label(first[0].place, "first here")],
            help="YAML itself would silently keep the last one",
        )
