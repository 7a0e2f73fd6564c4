"""`archspec show FILE`"""

import argparse
import json
import sys

from archspec.backends.table import as_json, table
from archspec.cli.common import (
    add_spec_options,
    compiled,
    exit_code,
    print_diagnostics,
    print_partial,
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `show`."""
    parser.add_argument("file", metavar="FILE", help="a spec; `-` is standard input")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_spec_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print the layer table."""
    report = compiled(options)
    if not options.json:
        print_partial(report)
    print_diagnostics(report, options)
    if report.network is not None:
        if options.json:
            json.dump(as_json(report.network), sys.stdout, indent=2)
            print()
        else:
            print(table(report.network))
    return exit_code(report)
