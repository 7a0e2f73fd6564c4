"""`# archspec: ignore[W301]`: silences warnings and notes of its line, or of the next one.

A comment behind a layer speaks of that line; a comment line of its own speaks of the line below.
"""

import re

from archspec.diagnostics import Diagnostic

_COMMENT = re.compile(r"#\s*archspec:\s*ignore\[([A-Z0-9,\s]+)\]")


def is_silenced(diagnostic: Diagnostic) -> bool:
    """Whether the line of a warning or note names its code. Errors are never silenced."""
    if diagnostic.severity == "error" or not diagnostic.line:
        return False
    line = diagnostic.place.source.line
    here, above = line(diagnostic.line), line(diagnostic.line - 1).strip()
    comments = f"{here} {above}" if above.startswith("#") else here
    codes = (code.strip() for match in _COMMENT.findall(comments) for code in match.split(","))
    return diagnostic.code in codes
