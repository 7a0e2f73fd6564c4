"""A value that was given for a parameter, and all that it breaks: that is one mistake."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archspec.diagnostics import Collector, Diagnostic
from archspec.expand import Unfinished, expand
from archspec.spec import Spec

_OF_VALUES = ("E005", "E105", "E110", "E113", "E114", "E116", "E117", "E118")
"""Codes of the language that a value may bring about; so may all of PyTorch's and of meaning."""


def blame_values(
    spec: Spec, params: Mapping[str, Any], max_layers: int, found: Collector
) -> tuple[Diagnostic, ...]:
    """What was found, in file order, without what follows from the values that were given.

    Where the spec is accepted with its own values, those that were given are the mistake. It is
    told where it breaks something first, in the order in which data flows.
    """
    given = {**spec.given, **params}
    broken = [each for each in found.found if _is_of_values(each)]
    if not given or len(broken) < 2 or not _is_accepted(spec, max_layers):
        return tuple(found)
    names = ", ".join(f"`{name}`" for name in given)
    note = f"with the spec's own value{'s' * (len(given) > 1)} of {names}, it is accepted"
    first, *others = broken
    kept = [each for each in found if each not in others]
    return tuple(replace(e, notes=(*e.notes, note)) if e is first else e for e in kept)


def _is_of_values(found: Diagnostic) -> bool:
    """Whether an error in the file may come of a value; a wrong `--set` itself is told there."""
    if found.severity != "error" or found.file == "--set":
        return False
    return found.code in _OF_VALUES or found.code[1] in "25"


def _is_accepted(spec: Spec, max_layers: int) -> bool:
    try:
        expand(spec.model_copy(update={"given": {}}), {}, Collector(), max_layers)
    except Unfinished:
        return False
    return True
