"""`archspec explain CODE`"""

import argparse

from archspec.cli.common import fail
from archspec.diagnostics import CODES, did_you_mean
from archspec.explain import explanation


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `explain`."""
    parser.add_argument("code", nargs="?", metavar="CODE", help="for example E201")


def run(options: argparse.Namespace) -> int:
    """Print the page of a code, or list all codes."""
    if options.code is None:
        print("\n".join(f"{code}  {row.cls:<8}  {row.title}" for code, row in CODES.items()))
        return 0
    page = explanation(options.code.upper())
    if page is None:
        help = did_you_mean(options.code.upper(), CODES)
        return fail(f"there is no code {options.code!r}" + (f": {help}" if help else ""))
    print(page, end="")
    return 0
