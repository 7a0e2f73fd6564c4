"""Tree → YAML text: values in flow style, and the lines that a key and its value take in a file."""

import json
import re
from itertools import takewhile

from archspec.syntax.scalars import resolve
from archspec.syntax.tree import Mapping, Node, Scalar, Sequence

_UNSAFE = re.compile(r"[,\[\]{}]|: |:$|\s#|^[-?:](?:\s|$)|^[&*!|>'\"%@`#]|^\s|\s$|[\x00-\x1f]")
"""What a plain scalar cannot have in flow style."""
_COMMENT = re.compile(r"\s+#[^'\"]*$")


def flow(node: Node) -> str:
    """A value on one line."""
    if isinstance(node, Scalar):
        return _scalar(node)
    if isinstance(node, Sequence):
        return f"[{', '.join(map(flow, node.items))}]"
    assert isinstance(node, Mapping)
    return f"{{{', '.join(f'{_scalar(key)}: {flow(value)}' for key, value in node.items())}}}"


def quoted(text: str) -> str:
    """A text as YAML spells it: with quotes where it would be read as something else."""
    safe = bool(text) and resolve(text) == text and not _UNSAFE.search(text)
    return text if safe else json.dumps(text, ensure_ascii=False)


def _scalar(node: Scalar) -> str:
    if isinstance(node.value, str):
        return quoted(node.text)
    return node.text or "null"


def is_flow(node: Node) -> bool:
    """Whether a collection is written with brackets."""
    place = node.place
    return place.source.line(place.line)[place.column - 1 : place.column] in ("{", "[")


def lines_of(parent: Mapping, name: str) -> list[str]:
    """The lines of an entry in its file, from the comments above it on, without its indentation.

    An entry of a mapping in flow style has no lines of its own: it is written anew.
    """
    key, value = parent.entries[name]
    place = key.place
    line = place.source.line
    indent = line(place.line)[: place.column - 1]
    if not place.line or is_flow(parent) or indent.strip():
        return [f"{_scalar(key)}: {flow(value)}"]
    first = place.line
    while line(first - 1).startswith(f"{indent}#"):
        first -= 1
    last = place.line
    for number in range(place.line + 1, len((place.source.text or "").splitlines()) + 1):
        text = line(number)
        dash = text.startswith((f"{indent}- ", f"{indent}-\n")) and isinstance(value, Sequence)
        if text.strip() and not text.startswith(f"{indent} ") and not dash:
            break
        last = number if text.strip() else last
    return [line(number).removeprefix(indent) for number in range(first, last + 1)]


def with_value(parent: Mapping, name: str, value: str) -> list[str]:
    """The lines of an entry with another value; the comments around it stay."""
    lines = lines_of(parent, name)
    above = list(takewhile(lambda line: line.startswith("#"), lines))
    comment = _COMMENT.search(lines[-1]) if len(lines) == len(above) + 1 else None
    written = f"{_scalar(parent.entries[name][0])}: {value}"
    if comment is None:
        return [*above, written]
    column = len(lines[-1]) - len(comment[0].lstrip())
    return [*above, f"{written:<{column - 1}} {comment[0].strip()}"]


def header_of(tree: Mapping) -> list[str]:
    """The comments that begin a file."""
    line = tree.place.source.line
    first = min(key.place.line for key, _ in tree.items())
    above = [line(number) for number in range(1, first)]
    return [text for text in above if text.startswith("#")]
