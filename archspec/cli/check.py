"""`archspec check FILE...`"""

import argparse

from archspec.cli.common import (
    Usage,
    add_spec_options,
    compiled,
    exit_code,
    fail,
    load_plugins,
    parameters,
    print_diagnostics,
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="specs; `-` is standard input")
    add_spec_options(parser)


def run(options: argparse.Namespace) -> int:
    """Check every file: a line for each that is fine, diagnostics for the others."""
    try:
        load_plugins(options)
        params = parameters(options)
    except Usage as error:
        return fail(str(error))
    worst = 0
    for path in options.files:
        report = compiled(path, options, params)
        print_diagnostics(report)
        worst = max(worst, exit_code(report))
        if report.network is not None:
            count = report.network.parameter_count
            print(f"{path}: ok, {len(report.network.layers)} layers, {count:,} parameters")
    return worst
