"""Families by their members: people know networks by the names of torchvision's functions."""

from collections.abc import Iterator
from pathlib import Path, PurePath

from archspec import library
from archspec.diagnostics import Collector, Refused
from archspec.syntax import Mapping, read, read_file


def family_of(variant: str, libraries: tuple[Path, ...]) -> str | None:
    """The file of a library that has a variant of this name: `torchvision/resnet.yaml`."""
    if not variant or PurePath(variant).suffix in library.SUFFIXES:
        return None
    return next((name for each in libraries for name in _files_with(variant, each)), None)


def _files_with(variant: str, folder: Path) -> Iterator[str]:
    """The files of a library whose own `variants:` have the name."""
    for name in library.names(folder):
        found = Collector()
        try:
            source = read_file(folder / name, found)
            if variant not in (source.text or ""):
                continue
            tree = read(source, found)
        except (OSError, ValueError, Refused):
            continue
        variants = tree.get("variants") if isinstance(tree, Mapping) else None
        if isinstance(variants, Mapping) and variant in variants.entries:
            yield name
