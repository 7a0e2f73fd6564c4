"""`archspec new NAME`"""

import argparse
from pathlib import Path

from archspec import library
from archspec.cli import Usage
from archspec.cli.common import add_library_option, exit_code, print_diagnostics
from archspec.network import Network
from archspec.pipeline import Request, check_one
from archspec.spec.opening import locate
from archspec.starting import NAME, expanded, extending, reference, starter

STANDARD_OUTPUT = "-"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `new`."""
    parser.add_argument("name", metavar="NAME", help="what the network is called")
    parser.add_argument(
        "--from", dest="base", metavar="SPEC", help="a spec to build on: torchvision/resnet"
    )
    parser.add_argument("--variant", metavar="NAME", help="one of its variants")
    parser.add_argument(
        "--full", action="store_true", help="copy all of it, instead of extending it"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="default: NAME.yaml; `-` prints the text"
    )
    parser.add_argument("--force", action="store_true", help="overwrite a file")
    add_library_option(parser, "look for SPEC here too")
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="(%(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Write a spec to start from."""
    if not NAME.fullmatch(options.name):
        raise Usage(f"a network is not called {options.name!r}: use letters, digits and _")
    if options.name.endswith(library.SUFFIXES):
        name = options.name.rpartition(".")[0]
        raise Usage(f"NAME is what the network is called: `archspec new {name}` writes {name}.yaml")
    if options.base is None and (options.variant or options.full):
        raise Usage("--variant and --full speak of the spec that --from names")
    output = None if options.output == STANDARD_OUTPUT else Path(options.output or _file(options))
    if output is not None and output.exists() and not options.force:
        raise Usage(f"{output} is there already: --force overwrites it")
    if options.base is None:
        text = starter(options.name)
    else:
        report = check_one(options.base, Request(options.variant, libraries=options.libraries))
        if report.network is None:
            print_diagnostics(report, options)
            return exit_code(report)
        text = _based(options, report.network, output)
    return _write(text, output)


def _file(options: argparse.Namespace) -> str:
    return f"{options.name}.yaml"


def _based(options: argparse.Namespace, network: Network, output: Path | None) -> str:
    """The text of a spec that is built on another."""
    if options.full:
        try:
            return expanded(network.spec, options.name, network)
        except ValueError as error:
            raise Usage(str(error)) from None
    libraries = library.folders(options.libraries)
    here = Path() if output is None else output.parent
    path = reference(locate(options.base, libraries), here, libraries)
    if path is None:
        raise Usage(
            f"a spec in {here.resolve()} cannot extend {options.base}, which lies elsewhere: "
            "--full copies it"
        )
    return extending(network.spec, options.name, path)


def _write(text: str, output: Path | None) -> int:
    if output is None:
        print(text, end="")
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Usage(f"{output} cannot be written: {error.strerror}") from None
    print(f"{output} written; next: archspec show {output}")
    return 0
