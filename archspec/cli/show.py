"""`archspec show FILE`"""

import argparse
import json
import sys

from archspec.backends.feature_table import feature_table, features_as_json
from archspec.backends.table import as_json, table
from archspec.cli.common import (
    add_spec_options,
    compiled,
    exit_code,
    print_diagnostics,
    print_partial,
)
from archspec.cli.part import add_size_option, sized


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `show`."""
    parser.add_argument("file", metavar="FILE", help="a spec; `-` is standard input")
    parser.add_argument(
        "--features", action="store_true", help="the last feature map of every stride instead"
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    add_size_option(parser)
    add_spec_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print the layer table, or the feature maps."""
    report = sized(compiled(options), options)
    if not options.json:
        print_partial(report)
    print_diagnostics(report, options)
    if report.network is not None:
        if options.json:
            shown = features_as_json if options.features else as_json
            json.dump(shown(report.network), sys.stdout, indent=2)
            print()
        else:
            print((feature_table if options.features else table)(report.network))
    return exit_code(report)
