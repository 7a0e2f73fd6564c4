"""Options that take a network at fixed sizes, or a part of it."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from archspec.cli import Usage
from archspec.diagnostics import SpecError
from archspec.network import Network
from archspec.report import Report

MOST_DIGITS = 18
"""Of a size: PyTorch counts in 64 bits."""


def add_size_option(parser: argparse.ArgumentParser) -> None:
    """`--at`."""
    parser.add_argument(
        "--at",
        action="append",
        default=[],
        metavar="NAME=SIZE",
        help="fix symbolic sizes, as in --at H=224,W=224",
    )


def sized(report: Report, options: argparse.Namespace) -> Report:
    """The report of the network at the sizes of `--at`; refused where they do not work."""
    sizes = dict(_size(text) for each in options.at for text in each.split(","))
    if report.network is None or not sizes:
        return report
    try:
        return replace(report, network=report.network.at(**sizes))
    except TypeError as error:  # there is no such symbol
        raise Usage(f"--at: {error}") from None
    except SpecError as error:
        return Report((*report.diagnostics, *error.diagnostics))


def _size(text: str) -> tuple[str, int]:
    name, equals, size = text.partition("=")
    if not equals or not name.strip().isidentifier() or not size.strip().isdecimal():
        raise Usage(f"--at takes NAME=SIZE, not {text!r}")
    if len(size.strip()) > MOST_DIGITS:
        raise Usage(f"--at: a size has {MOST_DIGITS} digits at most")
    return name.strip(), int(size)


def selected(network: Network, paths: Sequence[str]) -> Network:
    """The part of a network that gives the results of these layers, or all of it."""
    if not paths:
        return network
    try:
        return network.select(*(path for each in paths for path in each.split(",")))
    except ValueError as error:
        raise Usage(f"--features: {error}") from None
