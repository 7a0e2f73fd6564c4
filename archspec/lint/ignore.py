"""`# archspec: ignore[W301]`: a comment that silences warnings and notes of its line."""

import re

from archspec.diagnostics import Diagnostic

_COMMENT = re.compile(r"#\s*archspec:\s*ignore\[([A-Z0-9,\s]+)\]")


def is_silenced(diagnostic: Diagnostic) -> bool:
    """Whether the line of a warning or note names its code. Errors are never silenced."""
    if diagnostic.severity == "error" or not diagnostic.line:
        return False
    line = diagnostic.place.source.line(diagnostic.line)
    codes = (code.strip() for match in _COMMENT.findall(line) for code in match.split(","))
    return diagnostic.code in codes
