"""`archspec check FILE...`"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from os.path import exists, isdir  # of Path, they raise for a name that is too long
from pathlib import Path
from typing import Any

from archspec.cli import Usage
from archspec.cli.common import (
    add_spec_options,
    checked,
    exit_code,
    load_plugins,
    parameters,
    wants_colour,
)
from archspec.cli.fixing import add_fix_options, fix_file, wants_fixes
from archspec.diagnostics.formats import FORMATS, MACHINE, full
from archspec.report import Report


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="specs, folders of specs or patterns; `-` is standard input",
    )
    add_spec_options(parser)
    add_fix_options(parser)
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument(
        "--format", choices=FORMATS, default="full", help="of diagnostics (%(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Check every file, print what there is to say, and a summary if there are several."""
    load_plugins(options)
    params = parameters(options)
    paths = list(_paths(options.files))
    if wants_fixes(options):
        _fix(paths, options, params)
    reports = {path: checked(path, options, params) for path in paths}
    if options.strict:
        reports = {path: _strict(report) for path, report in reports.items()}
    if options.format in MACHINE:
        everything = [d for report in reports.values() for d in report.diagnostics]
        print(FORMATS[options.format](everything))
    else:
        for path, report in reports.items():
            _print(path, report, options)
        if len(reports) > 1:
            print(summary(list(reports.values())))
    return max(exit_code(report) for report in reports.values())


def _strict(report: Report) -> Report:
    """The same report with its warnings as errors: it is refused if there is one."""
    found = tuple(replace(diagnostic, strict=True) for diagnostic in report.diagnostics)
    refused = any(diagnostic.severity == "error" for diagnostic in found)
    return replace(report, diagnostics=found, network=None if refused else report.network)


def _fix(paths: Sequence[str], options: argparse.Namespace, params: Mapping[str, Any]) -> None:
    for path in paths:
        count = fix_file(path, options, params) if path != "-" else 0
        if count and not options.diff:
            print(f"{path}: {count} {'fix' if count == 1 else 'fixes'} applied", flush=True)


def _paths(files: Sequence[str]) -> Iterator[str]:
    """Files as given; the specs below folders; what patterns stand for."""
    seen: set[str] = set()
    for name in files:
        found = list(_expanded(name))
        if not found:
            raise Usage(f"there are no specs in {name}")
        for path in found:
            if path not in seen:
                seen.add(path)
                yield path


def _expanded(name: str) -> Iterator[str]:
    if name != "-" and isdir(name):
        files = (p for p in Path(name).rglob("*") if p.suffix in (".yaml", ".yml"))
        yield from sorted(str(path) for path in files)
    elif any(c in name for c in "*?[") and not exists(name):
        from glob import glob  # needed for patterns only

        yield from sorted(glob(name, recursive=True))
    else:
        yield name


def _print(path: str, report: Report, options: argparse.Namespace) -> None:
    if options.format != "full":
        text = FORMATS[options.format](report.diagnostics)
        print(text, end="\n" if text else "")
        return
    if report.diagnostics:
        colour = wants_colour(sys.stderr, options.color)
        print(full(report.diagnostics, colour=colour), file=sys.stderr, flush=True)
    if report.ok:
        print(f"{path}: {', '.join(_facts(report))}", flush=True)


def _facts(report: Report) -> Iterator[str]:
    """What there is to say about a spec that was accepted."""
    yield "ok"
    if report.network is not None:
        layers = len(report.network.applications)
        yield f"{layers} layer{'s' * (layers != 1)}"
        yield f"{report.network.parameter_count:,} parameters"
        yield from (f"takes {need}" for need in report.network.sizes.needs())
    if report.blocks:
        yield f"{len(report.blocks)} block{'s' * (len(report.blocks) != 1)} to include"
    if report.variants:
        yield f"{len(report.variants)} variant{'s' * (len(report.variants) != 1)}"


def summary(reports: Sequence[Report]) -> str:
    """One line about all files."""
    ok = sum(report.ok for report in reports)
    kinds = Counter(d.severity for report in reports for d in report.diagnostics)
    found = [f"{n} {kind}{'s' * (n != 1)}" for kind in ("error", "warning") if (n := kinds[kind])]
    rest = f": {', '.join(found)}" if found else ""
    return f"{len(reports)} specs, {ok} ok{rest}"
