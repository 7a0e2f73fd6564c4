"""Diagnostics as text: the line, a caret under what is meant, the places that explain it."""

from collections.abc import Iterable

from archspec.diagnostics.model import Diagnostic, Place

_COLOURS = {"error": "31", "warning": "33", "note": "36"}
MAX_LABELS = 6
"""Labels shown of one diagnostic; the rest is counted."""
WIDTH = 160
"""Longer source lines are cut around the caret."""


def render(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All of them, a blank line apart."""
    return "\n".join(_full(diagnostic, colour) for diagnostic in diagnostics)


def _full(diagnostic: Diagnostic, colour: bool) -> str:
    paint = _COLOURS[diagnostic.severity]
    head = f"{diagnostic.severity}[{diagnostic.code}]"
    lines = [
        f"{_painted(head, f'1;{paint}', colour)}{_painted(f': {diagnostic.message}', '1', colour)}"
    ]
    margin = _margin(diagnostic)
    lines += _snippet(diagnostic.place, "", margin, "-->", "^", paint, colour)
    shown = diagnostic.labels[:MAX_LABELS]
    for label in shown:
        lines += _snippet(label.place, label.text, margin, ":::", "-", "34", colour)
    if len(diagnostic.labels) > len(shown):
        rest = len(diagnostic.labels) - len(shown)
        lines.append(f"{' ' * margin} = and {rest} more places")
    lines += [f"{' ' * margin} = note: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        lines.append(f"{' ' * margin} = {_painted('help', '1;32', colour)}: {diagnostic.help}")
    return "\n".join(lines) + "\n"


def _margin(diagnostic: Diagnostic) -> int:
    places = [diagnostic.place, *(label.place for label in diagnostic.labels[:MAX_LABELS])]
    return max(len(str(place.line)) for place in places)


def _snippet(
    place: Place, text: str, margin: int, arrow: str, mark: str, paint: str, colour: bool
) -> list[str]:
    """The place, its line, and a row of marks under what is meant."""
    blue = "34"
    pad = " " * margin
    lines = [f"{pad}{_painted(arrow, blue, colour)} {place}"]
    source = place.source.line(place.line) if place.line else ""
    if not source:
        return [f"{lines[0]}{': ' if text else ''}{text}"]
    bar = _painted("|", blue, colour)
    source, start = _cut(source.replace("\t", " "), place.column - 1)
    width = max(1, min(place.end_column - place.column, len(source) - start))
    marks = _painted(mark * width + (f" {text}" if text else ""), paint, colour)
    number = _painted(str(place.line).rjust(margin), blue, colour)
    return [*lines, f"{number} {bar} {source}", f"{pad} {bar} {' ' * start}{marks}"]


def _cut(source: str, start: int) -> tuple[str, int]:
    if len(source) <= WIDTH:
        return source, start
    begin = max(0, start - WIDTH // 2)
    return f"…{source[begin : begin + WIDTH]}…", start - begin + 1


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
