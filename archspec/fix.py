"""Applying help: a text with its mistyped names put right, comments and layout untouched."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from archspec.diagnostics import Diagnostic, Remedy


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of one line, and what replaces it. Line and columns count from 1."""

    line: int
    column: int
    end_column: int
    text: str


def edit_for(diagnostic: Diagnostic, *, unsafe: bool) -> Edit | None:
    """The edit that a diagnostic's help stands for, or None.

    Only certain help is applied, unless `unsafe`: a wrong `in_channels` may be the truth, and
    its source wrong.
    """
    remedy, place = diagnostic.help, diagnostic.place
    if not isinstance(remedy, Remedy) or not (remedy.certain or unsafe) or not place.line:
        return None
    line = place.source.line(place.line)
    written = line[place.column - 1 : place.end_column - 1]
    word = re.compile(rf"(?<![\w.]){re.escape(remedy.instead_of)}(?!\w)")
    found = list(word.finditer(written))
    if len(found) != 1:
        return None
    start = place.column + found[0].start()
    return Edit(place.line, start, start + len(remedy.instead_of), remedy.replacement)


def apply(text: str, diagnostics: Sequence[Diagnostic], *, unsafe: bool) -> tuple[str, int]:
    """The text with all edits made, and their number. Edits that overlap wait for another turn."""
    edits = {edit for d in diagnostics if (edit := edit_for(d, unsafe=unsafe)) is not None}
    lines = text.splitlines(keepends=True)
    done = 0
    taken: dict[int, int] = {}
    for edit in sorted(edits, key=lambda e: (e.line, e.column), reverse=True):
        if edit.end_column > taken.get(edit.line, 1 << 60):
            continue
        line = lines[edit.line - 1]
        lines[edit.line - 1] = line[: edit.column - 1] + edit.text + line[edit.end_column - 1 :]
        taken[edit.line] = edit.column
        done += 1
    return "".join(lines), done
