"""What the commands share: parameters on the command line, reports, colour, plugins."""

import argparse
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from os.path import isdir
from typing import Any, TextIO

from archspec.backends.table import partial_table
from archspec.cli import Usage
from archspec.diagnostics import Collector, Refused, Source
from archspec.diagnostics.render import render
from archspec.expand import MAX_LAYERS
from archspec.pipeline import Request, check, check_one
from archspec.report import Report
from archspec.spec.opening import UNNAMED, SpecSource
from archspec.syntax import plain, read

_NO_VARIANT = ("E119", "--variant")
"""Code and place of a variant that was asked for and does not exist: that is usage."""


def add_spec_options(parser: argparse.ArgumentParser) -> None:
    """`--variant`, `--set`, `--library`, `--plugin`, `--max-layers`, `--color` and the like."""
    parser.add_argument("--variant", metavar="NAME", help="one of the variants of the spec")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set a parameter of the spec; the value is read as YAML",
    )
    add_library_option(parser, "a folder in which `extends:` and `include:` may look too")
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="MODULE",
        help="import a Python module that registers layer types",
    )
    parser.add_argument(
        "--max-layers",
        type=int,
        default=MAX_LAYERS,
        metavar="N",
        help="limit on layers (%(default)s)",
    )
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="(%(default)s)"
    )
    parser.add_argument(
        "--stdin-filename", metavar="NAME", help="what to call standard input in messages"
    )


def add_library_option(parser: argparse.ArgumentParser, help: str) -> None:
    """`--library`, as `libraries`."""
    parser.add_argument(
        "--library",
        dest="libraries",
        type=_folder,
        action="append",
        default=[],
        metavar="DIR",
        help=help,
    )


def _folder(name: str) -> str:
    """The value of `--library`: a folder that is there."""
    if not isdir(name):
        raise argparse.ArgumentTypeError(f"there is no folder {name!r}")
    return name


def parameters(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of `--set`."""
    params = {}
    for text in options.set:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Usage(f"--set takes NAME=VALUE, not {text!r}")
        params[name] = _value(value, text)
    return params


def _value(text: str, whole: str) -> Any:
    found = Collector()
    if not text:
        return None
    try:
        return plain(read(Source("--set", text), found))
    except Refused:
        raise Usage(f"--set {whole}: {next(iter(found)).message}") from None


def load_plugins(options: argparse.Namespace) -> None:
    """Import the modules of `--plugin`."""
    sys.path.insert(0, os.getcwd())
    try:
        for name in options.plugin:
            import_module(name)
    except Exception as error:  # a plugin may raise whatever it likes
        raise Usage(f"--plugin: {type(error).__name__}: {error}") from None
    finally:
        sys.path.pop(0)


def checked(path: str, options: argparse.Namespace, params: Mapping[str, Any]) -> Report:
    """Check a file, its variants too unless one is chosen; `-` is standard input."""
    spec, filename = _opened(path, options)
    return check(
        spec,
        variant=options.variant,
        params=params,
        libraries=options.libraries,
        max_layers=options.max_layers,
        filename=filename,
    )


def _opened(path: str, options: argparse.Namespace) -> tuple[SpecSource, str]:
    """A path as it is, or the text of standard input, and the name of a text."""
    if path != "-":
        return path, UNNAMED
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    return f"{text}\n", options.stdin_filename or "<stdin>"


def compiled(options: argparse.Namespace) -> Report:
    """Check the one file of a command as one variant, with its plugins and parameters."""
    load_plugins(options)
    params = parameters(options)
    spec, filename = _opened(options.file, options)
    request = Request(options.variant, params, options.libraries, options.max_layers, filename)
    return check_one(spec, request)


def print_diagnostics(report: Report, options: argparse.Namespace) -> None:
    """Print everything there is to say, to standard error."""
    if report.diagnostics:
        colour = wants_colour(sys.stderr, options.color)
        print(render(report.diagnostics, colour=colour), file=sys.stderr)


def print_partial(report: Report) -> None:
    """Print the layers of a refused spec, up to the first mistake."""
    if report.rows:
        print(partial_table(report.rows), end="\n\n", flush=True)


def exit_code(report: Report) -> int:
    """0 accepted, 1 refused, 2 not readable at all, or a variant that does not exist."""
    if any(d.code == "E001" or (d.code, d.file) == _NO_VARIANT for d in report.diagnostics):
        return 2
    return 0 if report.ok else 1


def wants_colour(stream: TextIO, choice: str = "auto") -> bool:
    """Whether to colour: as chosen, else on a terminal; NO_COLOR and FORCE_COLOR decide too."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def fail(message: str) -> int:
    """Print a message about usage; gives exit code 2."""
    print(f"archspec: {message}", file=sys.stderr)
    return 2
