"""`archspec: 1`: the version of the language that a file is written in."""

from archspec.diagnostics import Collector
from archspec.syntax import Mapping, Scalar, describe

VERSION = 1


def check_version(top: Mapping, found: Collector) -> None:
    """Report a file that says no version, or one that is not known."""
    version = top.get("archspec")
    if version is None:
        message = "the spec does not say its language version"
        found.report("E104", message, top.place, help="begin with `archspec: 1`")
    elif not isinstance(version, Scalar) or version.value != VERSION or version.value is True:
        message = f"language version {describe(version)} is not known: this archspec reads 1"
        found.report("E105", message, version.place)
