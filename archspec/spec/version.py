"""`archspec: 1`: the version of the language that a file is written in."""

from collections.abc import Iterable

from archspec.diagnostics import Collector, nearest
from archspec.syntax import Mapping, Scalar, describe

VERSION = 1


def check_version(top: Mapping, keys: Iterable[str], found: Collector) -> None:
    """Report a file that says no version, or one that is not known.

    `keys` are those of a file: one that is none of them may be `archspec` mistyped, and was told.
    """
    version = top.get("archspec")
    strays = (key for key in top.entries if key not in keys)
    if version is None and any(nearest(key, keys) == "archspec" for key in strays):
        return
    if version is None:
        message = "the spec does not say its language version"
        found.report("E104", message, top.place, help="begin with `archspec: 1`")
    elif not isinstance(version, Scalar) or not _is_known(version.value):
        message = f"language version {describe(version)} is not known: this archspec reads 1"
        found.report("E105", message, version.place)


def _is_known(value: object) -> bool:
    return isinstance(value, int | float) and value is not True and value == VERSION
