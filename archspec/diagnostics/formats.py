"""Diagnostics for machines: one line each, JSON, GitHub's workflow commands, and SARIF."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from archspec.diagnostics.codes import CODES
from archspec.diagnostics.model import Diagnostic, Place
from archspec.diagnostics.render import render

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def concise(diagnostics: Sequence[Diagnostic]) -> str:
    """`file:line:column: error[E201]: message`, a line each."""
    return "\n".join(map(str, diagnostics))


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """A list of objects with everything that is known."""
    return _dump([_plain(diagnostic) for diagnostic in diagnostics])


def github(diagnostics: Sequence[Diagnostic]) -> str:
    """Annotations of a GitHub workflow.

    https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions
    """
    return "\n".join(_command(diagnostic) for diagnostic in diagnostics)


def sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""
    from archspec import __version__

    used = sorted({diagnostic.code for diagnostic in diagnostics})
    driver = {
        "name": "archspec",
        "version": __version__,
        "rules": [{"id": code, "shortDescription": {"text": CODES[code].title}} for code in used],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(d) for d in diagnostics],
    }
    return _dump({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def full(diagnostics: Sequence[Diagnostic], *, colour: bool = False) -> str:
    """With the lines of the source, for people."""
    return render(diagnostics, colour=colour)


FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {
    "full": full,
    "concise": concise,
    "json": as_json,
    "github": github,
    "sarif": sarif,
}
MACHINE = frozenset({"json", "sarif"})
"""Formats that make one document of all diagnostics of a run."""


def _dump(value: Any) -> str:
    import json  # needed for machines only

    return json.dumps(value, indent=2)


def _plain(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        **_position(diagnostic.place),
        "labels": [{**_position(label.place), "text": label.text} for label in diagnostic.labels],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
    }


def _position(place: Place) -> dict[str, Any]:
    return {
        "file": place.source.name,
        "line": place.line,
        "column": place.column,
        "end_column": place.end_column,
        "path": list(place.path),
    }


def _command(diagnostic: Diagnostic) -> str:
    kind = "notice" if diagnostic.severity == "note" else diagnostic.severity
    place = diagnostic.place
    properties = {"file": place.source.name, "title": f"archspec {diagnostic.code}"}
    if place.line:
        properties |= {
            "line": str(place.line),
            "col": str(place.column),
            "endColumn": str(place.end_column),
        }
    inside = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    text = diagnostic.message + (f" ({diagnostic.help})" if diagnostic.help else "")
    return f"::{kind} {inside}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "level": diagnostic.severity,
        "message": {"text": "\n".join([diagnostic.message, *_advice(diagnostic)])},
        "locations": [_location(diagnostic.place)],
    }
    related = [
        {**_location(label.place), "message": {"text": label.text}} for label in diagnostic.labels
    ]
    return {**result, "relatedLocations": related} if related else result


def _advice(diagnostic: Diagnostic) -> list[str]:
    help = [f"Help: {diagnostic.help}."] if diagnostic.help else []
    return [*(f"Note: {note}." for note in diagnostic.notes), *help]


def _location(place: Place) -> dict[str, Any]:
    uri = quote(place.source.name.replace("\\", "/"), errors="replace")
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    location: dict[str, Any] = {"physicalLocation": physical}
    if place.line:
        physical["region"] = {
            "startLine": place.line,
            "startColumn": place.column,
            "endColumn": place.end_column,
        }
    elif place.path:
        location["logicalLocations"] = [{"fullyQualifiedName": ".".join(place.path)}]
    return location
