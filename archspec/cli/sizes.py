"""`archspec sizes FILE`"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from archspec.backends.table import json_shape
from archspec.cli import Usage
from archspec.cli.common import (
    add_spec_options,
    compiled,
    exit_code,
    print_diagnostics,
    print_partial,
)
from archspec.diagnostics import Diagnostic, SpecError
from archspec.network import Network
from archspec.report import Report
from archspec.sizes import ValidSet, show_values
from archspec.tensors import show_shape, show_shapes


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `sizes`."""
    parser.add_argument("file", metavar="FILE", help="a spec; `-` is standard input")
    parser.add_argument(
        "--try",
        dest="tries",
        action="append",
        default=[],
        metavar="SIZES",
        help="try sizes: 224,256 for every symbol alike, or H=224,W=300",
    )
    parser.add_argument("--table", action="store_true", help="a formula for every layer")
    parser.add_argument("--json", action="store_true", help="for machines")
    add_spec_options(parser)


@dataclass(frozen=True, slots=True)
class _Try:
    """Sizes that were tried: the network there, or what is wrong with it."""

    sizes: dict[str, int]
    network: Network | None
    error: Diagnostic | None = None

    def text(self) -> str:
        """For people."""
        shown = show_values(self.sizes)
        if self.network is not None:
            return f"{shown} works: {show_shapes(self.network.outputs)}"
        assert self.error is not None
        where = f"{self.error.code}, line {self.error.line}"
        return f"{shown} does not work ({where}):\n  {self.error.message}"

    def json(self) -> dict[str, Any]:
        """The same for machines."""
        if self.network is not None:
            return {"sizes": self.sizes, "works": True, "outputs": self.network.outputs}
        assert self.error is not None
        why = {"code": self.error.code, "message": self.error.message, "line": self.error.line}
        return {"sizes": self.sizes, "works": False, "error": why}


def run(options: argparse.Namespace) -> int:
    """Print which sizes a network takes, and what comes out."""
    report = compiled(options)
    if report.network is None:
        if not options.json:
            print_partial(report)
        print_diagnostics(report, options)
        return exit_code(report)
    tries = [_tried(report.network, sizes) for sizes in _asked(report.network, options.tries)]
    print_diagnostics(_without_sizes(report), options)
    if options.json:
        json.dump(_as_json(report.network, tries, table=options.table), sys.stdout, indent=2)
        print()
    else:
        print(*_lines(report.network, tries, table=options.table), sep="\n")
    return 0 if all(each.network is not None for each in tries) else 1


def _without_sizes(report: Report) -> Report:
    """The report without the note that only some sizes work: that is what the command tells."""
    kept = tuple(each for each in report.diagnostics if each.code != "N403")
    return replace(report, diagnostics=kept)


def _asked(network: Network, texts: list[str]) -> Iterator[dict[str, int]]:
    """The sizes that `--try` asks for."""
    symbols = network.sizes.symbols
    if texts and not symbols:
        raise Usage("--try: there is nothing to try, the network has no symbolic sizes")
    for text in texts:
        if "=" not in text:
            for number in text.split(","):
                yield dict.fromkeys(symbols, _number(number, text))
            continue
        pairs = [part.partition("=") for part in text.split(",")]
        sizes = {name.strip(): _number(number, text) for name, _, number in pairs}
        if sorted(sizes) != sorted(symbols):
            raise Usage(f"--try {text}: give a size for each of {', '.join(symbols)}")
        yield {name: sizes[name] for name in symbols}


def _number(number: str, text: str) -> int:
    size = int(number) if number.strip().isdecimal() and len(number) < 19 else 0
    if size < 1:
        raise Usage(f"--try takes sizes of at least 1, such as 224,256 or H=224,W=300, not {text}")
    return size


def _tried(network: Network, sizes: dict[str, int]) -> _Try:
    try:
        return _Try(sizes, network.at(**sizes))
    except SpecError as refused:
        error = next(each for each in refused.diagnostics if each.severity == "error")
        return _Try(sizes, None, error)


def _lines(network: Network, tries: list[_Try], *, table: bool) -> Iterator[str]:
    yield f"{network.name}: {show_shapes(network.inputs)} → {show_shapes(network.outputs)}"
    sizes = network.sizes
    if not sizes.symbols:
        yield "no symbolic sizes: its inputs have one shape"
    yield from (f"takes {each}" for each in sizes.sets.values())
    yield from (f"where {tie}" for tie in sizes.ties)
    if network.layer_sizes.needs() != sizes.needs():
        layers = network.layer_sizes.needs() or ["any size"]
        yield f"as `requires:` declares; its layers take {', and '.join(layers)}"
    if sizes.symbols and (smallest := sizes.smallest()) is not None:
        yield f"smallest: {show_values(smallest)}"
    if maps := network.features():
        yield f"strides: {', '.join(f'{each.reduction} ({each.path})' for each in maps)}"
    if table:
        yield ""
        yield from _table(network)
    if tries:
        yield ""
        yield from (each.text() for each in tries)


def _table(network: Network) -> Iterator[str]:
    rows = [(row.path, row.type, show_shape(row.output_shape)) for row in network.layers]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for path, kind, shape in rows:
        yield f"{path:<{widths[0]}}  {kind:<{widths[1]}}  {shape}"


def _as_json(network: Network, tries: list[_Try], *, table: bool) -> dict[str, Any]:
    sizes = network.sizes
    found: dict[str, Any] = {
        "name": network.name,
        "inputs": _shapes(network.inputs),
        "outputs": _shapes(network.outputs),
        "sizes": {name: _set(each) for name, each in sizes.sets.items()},
        "ties": [str(tie) for tie in sizes.ties],
        "declared": list(network.declaration.symbols),
        "layers_take": {name: _set(each) for name, each in network.layer_sizes.sets.items()},
        "smallest": sizes.smallest() if sizes.symbols else None,
        "strides": {each.path: str(each.reduction) for each in network.features()},
    }
    if table:
        rows = ((row.path, row.type, json_shape(row.output_shape)) for row in network.layers)
        keys = ("path", "type", "output_shape")
        found["layers"] = [dict(zip(keys, row, strict=True)) for row in rows]
    if tries:
        found["tried"] = [each.json() for each in tries]
    return found


def _set(valid: ValidSet) -> dict[str, Any]:
    """A set for machines: from each start on, sizes with these remainders by the period."""
    stretches = None
    if valid.sizes is not None:
        stretches = [
            {"from": each.start, "period": each.period, "remainders": sorted(each.residues)}
            for each in valid.sizes.stretches
        ]
    return {"words": str(valid), "smallest": valid.smallest, "stretches": stretches}


def _shapes(shapes: dict[str, Any]) -> dict[str, Any]:
    return {name: json_shape(shape) for name, shape in shapes.items()}
