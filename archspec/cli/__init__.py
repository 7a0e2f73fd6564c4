"""The command line: `archspec COMMAND`, one module here for each of `COMMANDS`.

Exit codes: 0 clean, 1 a spec has errors, 2 usage or input and output.
"""

import argparse
import gc
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from io import TextIOWrapper

COMMANDS = {
    "check": "check specs, without torch",
    "show": "print the layer table of a spec",
    "sizes": "say which input sizes a network takes",
    "build": "build a spec's module and run it once",
    "zoo": "list the specs that come with archspec",
    "new": "write a spec to start from",
    "ops": "list the layer types, or explain one",
    "explain": "explain an error code",
    "solve": "solve the size formula for one unknown",
}


class Usage(Exception):
    """The command line asks for something that cannot be done."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser, chosen = _parser(arguments)
    options = parser.parse_args(arguments)
    if chosen is None:
        parser.print_help()
        return 2
    _show_what_can_be_shown()
    # PyTorch says so where NumPy is not installed. Nothing here needs it.
    warnings.filterwarnings("ignore", "Failed to initialize NumPy")
    if argv is None:
        gc.disable()  # the process is short, and collecting takes half the time of a large spec
    try:
        code = chosen(options)
        sys.stdout.flush()  # here, where a closed pipe is expected, and not at the very end
        return code
    except Usage as error:
        print(f"archspec: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except OSError as error:  # a disk that is full, a file that may not be written
        where = f"{error.filename}: " if error.filename is not None else ""
        print(f"archspec: {where}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _show_what_can_be_shown() -> None:
    """Let a terminal without × or → show `?` in their place."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _parser(
    arguments: list[str],
) -> tuple[argparse.ArgumentParser, Callable[[argparse.Namespace], int] | None]:
    """The parser, with the options of the one command in use."""
    parser = argparse.ArgumentParser(
        prog="archspec", description="A compiler for neural network architectures."
    )
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    chosen = _version if "--version" in arguments and wanted is None else None
    for name, help in COMMANDS.items():
        sub = subparsers.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
        if name == wanted:
            command = import_module(f"archspec.cli.{name}")
            command.add_options(sub)
            chosen = command.run
    return parser, chosen


def _version(options: argparse.Namespace) -> int:
    from archspec import __version__

    print(f"archspec {__version__}")
    return 0
