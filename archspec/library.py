"""The library: the folder of specs that comes with archspec, and what it holds.

A file of it is named by its path below the folder: `torchvision/resnet.yaml`, or, where a person
names a whole spec, `torchvision/resnet`.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from os import PathLike
from pathlib import Path

SUFFIXES = (".yaml", ".yml")
_PACKAGE = Path(__file__).resolve().parent


@cache
def shipped() -> Path | None:
    """The folder of specs inside of the installed package, or beside it in a clone."""
    inside, beside = _PACKAGE / "specs", _PACKAGE.parent / "specs"
    if inside.is_dir():
        return inside
    return beside if (_PACKAGE.parent / "pyproject.toml").is_file() and beside.is_dir() else None


def folders(named: Iterable[str | PathLike[str]] = ()) -> tuple[Path, ...]:
    """The library folders: those that the caller names, then the one that is always there."""
    ours = shipped()
    return (*map(Path, named), *((ours,) if ours is not None else ()))


def find(name: str, libraries: Iterable[Path]) -> Path | None:
    """The file of a library that is called so, with or without its suffix."""
    wanted = Path(name)
    if wanted.is_absolute() or ".." in wanted.parts or not wanted.name:
        return None
    spellings = [wanted, *(wanted.with_name(wanted.name + suffix) for suffix in SUFFIXES)]
    files = (library / spelling for library in libraries for spelling in spellings)
    return next((file for file in files if file.is_file()), None)


def names(library: Path) -> Iterator[str]:
    """The files of a library by name, with their suffix, in order."""
    files = (path for path in library.rglob("*") if path.suffix in SUFFIXES and path.is_file())
    yield from sorted(path.relative_to(library).as_posix() for path in files)
