"""Text as a tree of groups, broken into lines where it does not fit.

A group stands on one line if it fits, and else every break of it is a new line; groups within it
decide for themselves. (P. Wadler, "A prettier printer"; formatters such as ruff's work like this.)
"""

import unicodedata
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
_Entry = tuple[int, Doc]
"""Indentation, and what to print."""


def columns(text: str) -> int:
    """How wide a text is: some characters take two columns, and some none."""
    if text.isascii():
        return len(text)
    return sum(_width(each) for each in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


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
    stack: list[_Entry] = [(column, doc)]
    while stack:
        indent, part = stack.pop()
        if isinstance(part, Line):
            out.append("\n" + " " * indent)
            at = indent
        elif isinstance(part, Indent):
            stack += [(indent + INDENT, each) for each in reversed(part.parts)]
        elif isinstance(part, Group) and not _fits(part, stack, width - at):
            stack += [(indent, each) for each in reversed(part.parts)]
        else:
            text = part.text if isinstance(part, IfBroken) else flat(part)
            out.append(text)
            at += columns(text)
    return "".join(out)


def _fits(group: Group, rest: Sequence[_Entry], room: int) -> bool:
    """Whether a group, and what follows it up to the next new line, has room on this line."""
    ahead: list[tuple[bool, Doc]] = [(True, group)]
    following = len(rest)
    while room >= 0:
        if not ahead:
            if not following:
                return True
            following -= 1
            ahead.append((False, rest[following][1]))
        on_line, part = ahead.pop()
        if isinstance(part, Line) and not on_line:
            return True
        if isinstance(part, Indent | Group):
            ahead += [(on_line, each) for each in reversed(part.parts)]
        elif isinstance(part, IfBroken) and not on_line:
            room -= columns(part.text)
        else:
            room -= columns(flat(part))
    return False
