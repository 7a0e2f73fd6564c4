"""The files that a spec brings in with `extends:` and `include:`: which it may, and where they are.

A path is looked for below the folder of the file that names it, then in the library folders. It
never leads out of these: neither as an absolute path, nor through `..`, nor through a link.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath

from archspec import library
from archspec.diagnostics import Collector, Refused, Remedy, did_you_mean
from archspec.spec.families import family_of
from archspec.spec.model import BlockSpec
from archspec.spec.parts import as_mapping, as_text
from archspec.syntax import MAX_BYTES, Mapping, Node, Scalar, read, read_file

MAX_FILES = 100
"""Files of one spec."""
MAX_REFERENCES = 500
"""Paths of one spec, the same file every time."""
MAX_CHAIN = 20
"""Files that bring in each other one after the other."""
MAX_HELPED = 20
"""Paths for which a file of a similar name is looked for."""
MAX_NEIGHBOURS = 10_000
"""Files of a folder that are looked at for one of a similar name."""


@dataclass(slots=True)
class _Read:
    """What was read for one spec, by every file of it."""

    trees: dict[Path, Mapping | None] = field(default_factory=dict)
    """None for a file that could not be read: that was said."""
    blocks: dict[Path, dict[str, BlockSpec] | None] = field(default_factory=dict)
    """Of files of blocks, with those that they include; None where one of these is missing."""
    size: int = 0
    references: int = 0
    """How often a file was named."""


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder in which paths are looked for, and the one that they must not leave."""

    path: Path
    root: Path

    def holds(self, path: Path) -> bool:
        """Whether a path stays within the root, links followed."""
        return path.resolve().is_relative_to(self.root.resolve())


@dataclass(frozen=True, slots=True)
class Files:
    """What one file may bring in. `own` is its folder; None for a text that has none."""

    own: _Folder | None = None
    libraries: tuple[Path, ...] = ()
    trail: tuple[tuple[Path, str], ...] = ()
    """The files that led here, this one last: real paths, and names in messages."""
    seen: _Read = field(default_factory=_Read)

    @classmethod
    def of(cls, path: str | Path | None, libraries: tuple[Path, ...]) -> "Files":
        """For the file at a path, or for a text that has none."""
        if path is None:
            return cls(None, libraries)
        folder = Path(path).parent
        try:
            real = Path(path).resolve()
            root = next((each for each in libraries if _Folder(folder, each).holds(folder)), folder)
        except (OSError, ValueError, RuntimeError):  # the name that a caller gave is no path
            return cls(None, libraries)
        return cls(_Folder(folder, root), libraries, ((real, str(path)),))

    @property
    def key(self) -> Path:
        """This file among those that were read."""
        return self.trail[-1][0]

    def open(self, node: Node, key: str, found: Collector) -> tuple[Mapping, "Files"]:
        """The tree of the file that stands at a node, and what that file may bring in.

        Raises `Refused`; a file that cannot be read is told once.
        """
        reference = as_text(node, f"`{key}:`", found)
        self._count(reference, found)
        folder, path = self._find(reference, found)
        real = path.resolve()
        names = [name for each, name in self.trail if each == real]
        if names:
            self._refuse_circle(reference, real, found)
        inner = replace(
            self,
            own=_Folder(path.parent, folder.root),
            trail=(*self.trail, (real, _shown(path))),
        )
        if real not in self.seen.trees:
            self.seen.trees[real] = None
            self.seen.trees[real] = self._read(path, reference, found)
        tree = self.seen.trees[real]
        if tree is None:
            raise Refused
        return tree, inner

    def _count(self, reference: Scalar, found: Collector) -> None:
        """One more path to look for; too many are told once."""
        self.seen.references += 1
        if self.seen.references > MAX_REFERENCES:
            if self.seen.references == MAX_REFERENCES + 1:
                message = f"the spec names files more than {MAX_REFERENCES} times"
                found.report("E005", message, reference.place)
            raise Refused

    def _folders(self) -> Iterator[_Folder]:
        if self.own is not None:
            yield self.own
            if self.own.root in self.libraries:  # a library relies on its own files first
                yield _Folder(self.own.root, self.own.root)
        yield from (_Folder(each, each) for each in self.libraries)

    def find(self, text: str) -> Path | None:
        """The file that a path stands for; None where there is none that may be read."""
        return next((path for _, path in self._matches(text) if path is not None), None)

    def _matches(self, text: str) -> Iterator[tuple[_Folder, Path | None]]:
        """Where a path leads: to a file of a folder, or (None) out of the folder."""
        for folder in self._folders():
            path = Path(os.path.normpath(folder.path / text))
            try:
                inside = folder.holds(path)
                if inside and path.is_file():
                    yield folder, path
            except (OSError, ValueError, RuntimeError):  # a zero byte, links in a circle
                continue
            if not inside:
                yield folder, None

    def _find(self, reference: Scalar, found: Collector) -> tuple[_Folder, Path]:
        text = reference.text
        if PurePosixPath(text).is_absolute() or PureWindowsPath(text).anchor:
            message = f"`{text}` is an absolute path: a spec names files from its own folder on"
            raise found.report("E121", message, reference.place, help=self._where())
        matches = list(self._matches(text))
        for folder, path in matches:
            if path is not None:
                return folder, path
        if matches:
            message = f"`{text}` leads out of the folders that this spec may read"
            raise found.report("E121", message, reference.place, help=self._where())
        message = f"there is no file `{text}`"
        near = self._neighbour(text) if self.seen.references <= MAX_HELPED else None
        help = near or self._where()
        raise found.report("E120", message, reference.place, help=help)

    def _where(self) -> str:
        """Where files are looked for, in words."""
        if self.own is None:
            return "a text without a file name brings in files of library folders only"
        return "files lie below the folder of the spec, or in a library folder (--library DIR)"

    def _neighbour(self, text: str) -> str | None:
        """Did you mean: the file with the suffix that is missing, or one of a similar name."""
        names = [name for folder in self._folders() for name in _near(folder.path, text)]
        whole = next((each for each in names if each.rpartition(".")[0] == text), None)
        if whole is not None:
            return Remedy.of(f"did you mean `{whole}`?", text, whole, certain=True)
        name = PurePosixPath(text).name
        family = family_of(name, self.libraries)
        if family is not None:
            return f"it is a variant: `extends: {family}` with `variant: {name}`"
        return did_you_mean(text, names)

    def _refuse_circle(self, reference: Scalar, real: Path, found: Collector) -> None:
        paths = [each for each, _ in self.trail]
        names = [name for _, name in self.trail][paths.index(real) :]
        message = f"the files bring in each other: {' → '.join([*names, names[0]])}"
        help = "put what both need into a third file"
        raise found.report("E122", message, reference.place, help=help)

    def _read(self, path: Path, reference: Scalar, found: Collector) -> Mapping:
        if len(self.seen.trees) > MAX_FILES:
            message = f"the spec brings in more than {MAX_FILES} files"
            raise found.report("E005", message, reference.place)
        if len(self.trail) > MAX_CHAIN:
            message = f"more than {MAX_CHAIN} files bring in each other one after the other"
            raise found.report("E005", message, reference.place)
        try:
            source = read_file(path, found, name=_shown(path))
        except OSError as error:
            message = f"the file `{reference.text}` cannot be read: {error.strerror or error}"
            raise found.report("E120", message, reference.place) from None
        self.seen.size += len(source.text or "")
        if self.seen.size > MAX_BYTES:
            message = f"the files of the spec are larger than {MAX_BYTES // 1_000_000} MB together"
            raise found.report("E005", message, reference.place)
        return as_mapping(read(source, found), "a spec", found)


def _near(folder: Path, text: str) -> Iterator[str]:
    """The specs in the subfolder that a path names, as such paths."""
    below = PurePosixPath(text).parent
    if ".." in below.parts:
        return
    try:
        entries = list(islice((folder / below).iterdir(), MAX_NEIGHBOURS))
    except (OSError, ValueError):
        return
    for each in sorted(entries):
        if each.suffix in library.SUFFIXES:
            yield str(below / each.name)


def _shown(path: Path) -> str:
    """A path in messages: from the current folder on, if it lies below."""
    if not path.is_absolute():
        return str(path)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
