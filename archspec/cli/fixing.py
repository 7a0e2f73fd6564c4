"""`archspec check --fix`: apply help to files, or show what would change."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archspec.pipeline import check

MAX_TURNS = 20
"""A spelling put right may show the next one; more turns than this mean that something loops."""


def add_fix_options(parser: argparse.ArgumentParser) -> None:
    """`--fix`, `--unsafe-fixes`, `--diff`."""
    parser.add_argument("--fix", action="store_true", help="apply help that is certain")
    parser.add_argument(
        "--unsafe-fixes", action="store_true", help="apply help that may be wrong, too"
    )
    parser.add_argument(
        "--diff", action="store_true", help="show what would be fixed, and change nothing"
    )


def wants_fixes(options: argparse.Namespace) -> bool:
    """Whether files are to be fixed, or the fixes to be shown."""
    return bool(options.fix or options.unsafe_fixes or options.diff)


def fix_file(path: str, options: argparse.Namespace, params: Mapping[str, Any]) -> int:
    """Fix one file, or print the difference; gives the number of edits."""
    from archspec.fix import apply  # needed for --fix only

    file = Path(path)
    try:
        before = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return 0  # the check itself says so
    text, total = before, 0
    for _ in range(MAX_TURNS):
        report = check(
            text + "\n",
            variant=options.variant,
            params=params,
            libraries=options.libraries,
            max_layers=options.max_layers,
            filename=path,
        )
        here = [each for each in report.diagnostics if each.file == path]  # not in other files
        text, count = apply(text, here, unsafe=options.unsafe_fixes)
        total += count
        if not count:
            break
    if options.diff:
        print(_difference(path, before, text), end="")
    elif total:
        file.write_bytes(text.encode("utf-8"))
    return total


def _difference(path: str, before: str, after: str) -> str:
    import difflib  # needed for --diff only

    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), path, path
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
