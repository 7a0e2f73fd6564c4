"""Text as a tree of groups, broken into lines where it does not fit.

A group stands on one line if it fits, and else every break of it is a new line; groups within it
decide for themselves. (P. Wadler, "A prettier printer"; formatters such as ruff's work like this.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

INDENT = 4


@dataclass(frozen=True, slots=True)
class Line:
    """A new line in a broken group, `flat` in one that is on a line."""

    flat: str = ""


@dataclass(frozen=True, slots=True)
class IfBroken:
    """Text that stands in a broken group only: a trailing comma, or a parenthesis."""

    text: str


@dataclass(frozen=True, slots=True)
class Indent:
    """Parts whose new lines are one level deeper."""

    parts: tuple["Doc", ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Parts that are on one line together, or broken together."""

    parts: tuple["Doc", ...]


Doc = str | Line | IfBroken | Indent | Group
SOFT, SPACE = Line(), Line(" ")
_Entry = tuple[int, bool, Doc]
"""Indentation, whether the group around it is on one line, and what to print."""


def flat(doc: Doc) -> str:
    """A tree on one line."""
    if isinstance(doc, str):
        return doc
    if isinstance(doc, Line):
        return doc.flat
    return "" if isinstance(doc, IfBroken) else "".join(map(flat, doc.parts))


def broken(doc: Doc, column: int, width: int) -> str:
    """A tree that begins at a column, in lines that are at most `width` wide where possible."""
    out: list[str] = []
    at = column
    stack: list[_Entry] = [(column, False, doc)]
    while stack:
        indent, on_line, part = stack.pop()
        if isinstance(part, Line) and not on_line:
            out.append("\n" + " " * indent)
            at = indent
            continue
        if isinstance(part, Indent | Group):
            if isinstance(part, Group):
                on_line = on_line or _fits(part, stack, width - at)
            indent += INDENT if isinstance(part, Indent) else 0
            stack += [(indent, on_line, each) for each in reversed(part.parts)]
            continue
        text = part if isinstance(part, str) else _text(part, on_line)
        out.append(text)
        at += len(text)
    return "".join(out)


def _text(part: Line | IfBroken, on_line: bool) -> str:
    if isinstance(part, Line):
        return part.flat
    return "" if on_line else part.text


def _fits(group: Group, rest: Sequence[_Entry], room: int) -> bool:
    """Whether a group, and what follows it up to the next new line, has room on this line."""
    ahead: list[_Entry] = [(0, True, group)]
    following = len(rest)
    while room >= 0:
        if not ahead:
            if not following:
                return True
            following -= 1
            ahead.append(rest[following])
        _, on_line, part = ahead.pop()
        if isinstance(part, Line) and not on_line:
            return True
        if isinstance(part, Indent | Group):
            ahead += [(0, on_line, each) for each in reversed(part.parts)]
        else:
            room -= len(part if isinstance(part, str) else _text(part, on_line))
    return False
