"""`archspec zoo [WORD...]`"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from archspec import library
from archspec.backends.table import short_number
from archspec.cli.common import add_library_option, fail
from archspec.tensors import show_shapes
from archspec.zoo import Entry, Facts, entries, facts

_REFUSED = "refused: archspec check says why"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `zoo`."""
    parser.add_argument("words", nargs="*", metavar="WORD", help="list names with these words only")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_library_option(parser, "list this folder too")


def run(options: argparse.Namespace) -> int:
    """List the specs that come with archspec, and what their networks cost."""
    found = list(entries(library.folders(options.libraries), options.words))
    if not found:
        return fail(f"there is no such spec in the zoo: {' '.join(options.words) or 'it is empty'}")
    if options.json:
        json.dump([_as_json(entry) for entry in found], sys.stdout, indent=2)
        print()
        return 0
    for line in _lines(found):
        print(line, flush=True)
    return 0


def _lines(found: Sequence[Entry]) -> Iterator[str]:
    """The table, a line at a time: the networks are made while it is printed."""
    names = [entry.name for entry in found]
    variants = [entry.variant or "" for entry in found]
    widths = max(map(len, [*names, "spec"])), max(map(len, [*variants, "variant"]))
    head = f"{'spec':<{widths[0]}}  {'variant':<{widths[1]}}     parameters    MACs  input"
    yield head
    yield "─" * (len(head) + len(" 3×224×224") + 5)
    last = ""
    for entry in found:
        name = entry.name if entry.name != last else ""
        last = entry.name
        row = f"{name:<{widths[0]}}  {entry.variant or '':<{widths[1]}}"
        network = entry.network()
        yield f"{row}  {_REFUSED if network is None else _figures(facts(network))}"


def _figures(known: Facts) -> str:
    macs = short_number(known.macs)
    return f"{known.parameters:>13,}  {macs:>6}  {show_shapes(known.inputs)}"


def _as_json(entry: Entry) -> dict[str, Any]:
    named = {"name": entry.name, "variant": entry.variant}
    network = entry.network()
    if network is None:
        return {**named, "refused": True}
    known = facts(network)
    return {
        **named,
        "parameters": known.parameters,
        "macs": known.macs,
        "inputs": known.inputs,
        "sizes": known.sizes,
    }
