"""A network as a file: which kinds there are by suffix, and writing one so that it is whole or not.

PyTorch is loaded by those writers that need it: the source is written without.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

from archspec.backends.source import print_file
from archspec.diagnostics.suggest import did_you_mean
from archspec.network import Network

if TYPE_CHECKING:
    from torch import nn


class ArtefactError(ValueError):
    """A file that cannot be written: its name, a missing package, or what PyTorch cannot do."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file."""

    words: str
    """What it is."""
    packages: tuple[str, ...] = ()
    """What it needs beside PyTorch."""
    extra: str = ""
    """The extra of archspec that brings them."""
    with_torch: bool = True


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that was written, and what is to be known about it."""

    path: Path
    words: str

    def __str__(self) -> str:
        return f"{self.path}: {self.words}"


STATE: Final = Kind("the state dict, by torch.save")
KINDS: Final = {
    ".py": Kind("Python source", with_torch=False),
    ".pt2": Kind("an exported program, by torch.export"),
    ".onnx": Kind("an ONNX model", ("onnx", "onnxscript"), "onnx"),
    ".safetensors": Kind("the state dict, by safetensors", ("safetensors",), "safetensors"),
    ".pt": STATE,
    ".pth": STATE,
}


def kind_of(path: Path) -> Kind:
    """The kind of a file. Raises `ArtefactError` for one that cannot be written here."""
    kind = KINDS.get(path.suffix)
    if kind is None:
        raise ArtefactError(f"cannot write {path}: {_suffix_help(path.suffix)}")
    if not path.parent.is_dir():
        raise ArtefactError(f"cannot write {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise ArtefactError(f"cannot write {path}: it is a folder")
    lacking = [name for name in kind.packages if find_spec(name) is None]
    if lacking:
        raise ArtefactError(
            f"writing {path} needs {' and '.join(lacking)}: "
            f"pip install 'archspec-nn[torch,{kind.extra}]'"
        )
    return kind


def _suffix_help(suffix: str) -> str:
    near = did_you_mean(suffix, KINDS) if suffix else None
    known = f"the suffix is one of {', '.join(KINDS)}"
    return f"{known} ({near})" if near else known


def write(network: Network, path: Path, module: "nn.Module | None" = None) -> Artefact:
    """Write a file of the kind that its suffix says; one that is there is replaced.

    Args:
        network: the network.
        path: where to.
        module: the network's module, with the weights; a fresh one if None. Source has none.

    Raises `ArtefactError`; what stood at the path is then still there.
    """
    writer = _writer(path, kind := kind_of(path))
    if kind.with_torch and module is not None and _is_on_meta(module):
        raise ArtefactError(
            f"cannot write {path}: the weights are on the meta device, where they have no values"
        )
    with _whole(path.resolve()) as draft:
        words = writer(network, module, draft)
    return Artefact(path, words)


def _is_on_meta(module: "nn.Module") -> bool:
    """Whether a tensor of the module has a shape only."""
    return any(tensor.is_meta for tensor in chain(module.parameters(), module.buffers()))


Writer = Callable[[Network, "nn.Module | None", Path], str]


def _writer(path: Path, kind: Kind) -> Writer:
    if not kind.with_torch:
        return _write_source
    from archspec.backends.files import programs, states  # load torch

    writers: dict[str, Writer] = {
        ".pt2": programs.write_program,
        ".onnx": programs.write_onnx,
        ".safetensors": states.write_safetensors,
    }
    return writers.get(path.suffix, states.write_state)


def _write_source(network: Network, module: "nn.Module | None", path: Path) -> str:
    path.write_text(print_file(network), "utf-8")
    return KINDS[".py"].words


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A path to write to; the file, and what else was written beside it, comes in place at the end.

    Raises `ArtefactError` where the system refuses.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            yield Path(folder, path.name)
            for made in _last(Path(folder).iterdir(), path.name):
                os.replace(made, path.with_name(made.name))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArtefactError(f"cannot write {path}: {reason}") from error


def _last(files: Iterator[Path], name: str) -> Sequence[Path]:
    """The files, the one of this name last: when it is there, so is all that it needs."""
    return sorted(files, key=lambda each: each.name == name)
