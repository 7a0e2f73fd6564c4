"""`archspec ops [TYPE]`"""

import argparse
import inspect

from archspec.cli.common import fail, load_plugins
from archspec.diagnostics import did_you_mean
from archspec.expand.invalid import words_of
from archspec.ops import Layer, find, names


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `ops`."""
    parser.add_argument("type", nargs="?", metavar="TYPE", help="a layer type")
    parser.add_argument("--plugin", action="append", default=[], metavar="MODULE")


def run(options: argparse.Namespace) -> int:
    """List all types, or explain one."""
    load_plugins(options)
    if options.type is None:
        print(listing())
        return 0
    cls = find(options.type)
    if cls is None:
        help = did_you_mean(options.type, names())
        return fail(f"there is no layer type {options.type!r}" + (f": {help}" if help else ""))
    print(page(cls))
    return 0


def listing() -> str:
    """All layer types with their meaning in a line."""
    kinds = [(name, summary(cls)) for name in names() if (cls := find(name)) is not None]
    width = max(len(name) for name, _ in kinds)
    return "\n".join(f"{name:<{width}}  {meaning}" for name, meaning in kinds)


def summary(cls: type[Layer]) -> str:
    """The meaning of a type in a line: the first sentence of its docstring."""
    return " ".join(inspect.cleandoc(cls.__doc__ or "").partition("\n\n")[0].split())


def page(cls: type[Layer]) -> str:
    """One type: meaning, shapes, arguments."""
    lines = [cls.__name__, "", inspect.cleandoc(cls.__doc__ or ""), ""]
    if cls.model_fields:
        lines.append("Arguments:")
        lines += [_argument(cls, name) for name in cls.model_fields]
    return "\n".join(lines).rstrip()


def _argument(cls: type[Layer], name: str) -> str:
    info = cls.model_fields[name]
    shown = info.alias or name
    default = "required" if info.is_required() else f"default {_spelled(info.default)}"
    meaning = info.description or ""
    return f"  {shown}: {words_of(cls, shown)}; {default}. {meaning}".rstrip()


def _spelled(value: object) -> str:
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)
