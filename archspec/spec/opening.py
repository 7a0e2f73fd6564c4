"""From what a caller has - a path, a text, a mapping, a typed spec - to a typed spec."""

from collections.abc import Mapping as AbstractMapping
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

from archspec import library
from archspec.diagnostics import Collector, Place, Source, did_you_mean
from archspec.spec import Spec, read_spec
from archspec.spec.families import family_of
from archspec.spec.files import MAX_NEIGHBOURS, Files
from archspec.syntax import Node, lift, read, read_file

SpecSource = str | PathLike[str] | AbstractMapping[str, Any] | Spec
"""A path, YAML text (of several lines), a mapping in the language's words, or a typed spec."""
UNNAMED = "<text>"
"""What a text is called that has no file name: it brings in files of libraries only."""


def open_tree(
    spec: str | PathLike[str] | AbstractMapping[str, Any],
    found: Collector,
    libraries: tuple[Path, ...],
    filename: str = UNNAMED,
) -> tuple[Node, Files]:
    """The tree of a spec, and what it may bring in. Reports and raises `Refused`."""
    if isinstance(spec, AbstractMapping):
        return lift(spec, Source("<dict>"), found), Files.of(None, libraries)
    if isinstance(spec, str) and "\n" in spec:
        named = None if filename.startswith("<") else filename
        return read(Source(filename, spec), found), Files.of(named, libraries)
    if not isinstance(spec, str | PathLike):
        kind = type(spec).__name__
        raise TypeError(f"a spec is a path, a text, a mapping or a Spec, not {kind}")
    path = locate(spec, libraries)
    return read(_text_of(path, found, libraries), found), Files.of(path, libraries)


def open_spec(
    spec: SpecSource,
    found: Collector,
    libraries: tuple[Path, ...],
    filename: str = UNNAMED,
) -> Spec:
    """The typed spec. Reports what is wrong; raises `Refused` where nothing is left."""
    if isinstance(spec, Spec):
        return spec
    tree, files = open_tree(spec, found, libraries, filename)
    return read_spec(tree, found, files)


def locate(path: str | PathLike[str], libraries: tuple[Path, ...]) -> Path:
    """The file at a path, or the one of a library that is called so: `torchvision/resnet`."""
    file = Path(path)
    try:
        there = file.exists() and not file.is_dir()
    except (OSError, ValueError):
        return file  # opening it says what is wrong
    return file if there else library.find(str(path), libraries) or file


def _text_of(path: Path, found: Collector, libraries: tuple[Path, ...]) -> Source:
    """The text of a file. What cannot be opened is a diagnostic of code E001."""
    try:
        return read_file(path, found)
    except (OSError, ValueError) as error:  # a path with a zero byte is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        place = Place(Source(str(path)), 0, 0, 0)
        help = _neighbour(path, libraries)
        raise found.report("E001", f"the file cannot be read: {reason}", place, help=help) from None


def _neighbour(path: Path, libraries: tuple[Path, ...]) -> str | None:
    """Did you mean: a spec of a similar name, the suffix that is missing, a family or a folder."""
    try:
        near = islice(path.parent.iterdir(), MAX_NEIGHBOURS)
        specs = [each.name for each in near if each.suffix in library.SUFFIXES]
    except (OSError, ValueError):
        specs = []
    whole = next((each for each in sorted(specs) if each.rpartition(".")[0] == path.name), None)
    if whole is not None:
        return f"did you mean `{whole}`?"
    names = _library_names(libraries)
    if any(name.startswith(f"{path.as_posix()}/") for name in names):
        return f"it is a folder of specs: `archspec zoo {path.as_posix()}` lists them"
    family = family_of(path.name, libraries)
    if family is not None:
        return f"it is a variant: `{family.rpartition('.')[0]} --variant {path.name}`"
    return did_you_mean(path.name, specs) or did_you_mean(str(path), names)


def _library_names(libraries: tuple[Path, ...]) -> list[str]:
    return [name.rpartition(".")[0] for each in libraries for name in library.names(each)]
