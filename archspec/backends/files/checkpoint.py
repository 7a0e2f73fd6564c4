"""Reading a checkpoint: a file → tensors by key. Code that a file brings is never run."""

import pickle
import re
import struct
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from archspec.backends.files.weights_report import WeightsReport, printable
from archspec.diagnostics.suggest import did_you_mean

STATES: Final = ("state_dict", "model_state_dict", "model", "net", "network", "weights")
"""Keys under which training scripts put the state dict."""
WRAPPERS: Final = ("_orig_mod", "_checkpoint_wrapped_module", "_fsdp_wrapped_module")
"""Names that compiling, checkpointing and sharding put between a module and its children."""
MAX_DEPTH: Final = 10
"""Entries within each other that are looked through: a file may hold itself."""
MAX_PREFIX: Final = 3
"""Names before all keys that are looked through."""
ZIP: Final = b"PK\x03\x04"
EXTRA: Final = "_extra_state"
UNREADABLE: Final = "is neither a checkpoint of torch.save nor of safetensors, or it is damaged"
FOREIGN: Final = {
    b"<!doctype html": "is a web page, not a checkpoint: see in it what became of the download",
    b"<html": "is a web page, not a checkpoint: see in it what became of the download",
    b"version https://git-lfs": "is a pointer of Git LFS: `git lfs pull` fetches the file itself",
}
"""What files begin with that are often taken for checkpoints, and what they are."""
SCRIPT: Final = (
    "is a TorchScript program: save its weights, by "
    "torch.save(torch.jit.load(FILE).state_dict(), OTHER)"
)
SUFFIXES: Final = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")


class WeightsError(ValueError):
    """A checkpoint that cannot be read, or that does not fit: then `report` says where."""

    def __init__(self, message: str, report: WeightsReport | None = None) -> None:
        super().__init__(message)
        self.report = report


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file holds: a state dict."""

    state: Mapping[str, Any]
    """Tensors by key; anything else is the extra state of a module."""
    versions: Mapping[str, Any] = field(default_factory=dict)
    """By module: what PyTorch notes about the format of its entries. Empty if it does not."""
    stripped: tuple[str, ...] = ()
    """What stood around the state dict or its keys, in words."""


def read_checkpoint(path: Path) -> Checkpoint:
    """The state dict in a file of `torch.save` or safetensors. Raises `WeightsError`."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {_why(path, error)}") from error
    if not start:
        raise WeightsError(f"{path} is empty")
    known = next((words for begin, words in FOREIGN.items() if start.lower().startswith(begin)), "")
    if known:
        raise WeightsError(f"{path} {known}")
    if path.suffix == ".safetensors" or _is_safetensors(start, path.stat().st_size):
        return Checkpoint(_read_safetensors(path))
    return _state(path, _read_pickle(path))


def _why(path: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    if not isinstance(error, FileNotFoundError) or not path.parent.is_dir():
        return reason
    try:
        near = [each.name for each in path.parent.iterdir() if each.suffix in SUFFIXES]
    except OSError:  # one may enter the folder, and not list it
        return reason
    hint = did_you_mean(path.name, near)
    return f"{reason} ({hint})" if hint else reason


def _is_safetensors(start: bytes, size: int) -> bool:
    """Eight bytes with the length of a JSON header, and its brace."""
    if len(start) < 9 or start[8:9] != b"{":
        return False
    length: int = struct.unpack("<Q", start[:8])[0]
    return length <= size


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        import safetensors
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        hint = "pip install 'archspec-nn[safetensors]'"
        raise WeightsError(f"reading {path} needs safetensors: {hint}") from error
    try:
        return load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{path} {UNREADABLE}{_reason(error)}") from error


def _read_pickle(path: Path) -> Any:
    """What `torch.save` wrote; tensors and plain data only."""
    try:
        with path.open("rb") as file:
            mapped = file.read(4) == ZIP  # the older format is read into memory
        with warnings.catch_warnings(action="ignore"):  # what is wrong is told by the error
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped or None)
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{path} {_unsafe(str(error))}") from error
    except MemoryError as error:
        raise WeightsError(f"{path} does not fit into memory") from error
    except RuntimeError as error:
        why = SCRIPT if "TorchScript" in str(error) else f"{UNREADABLE}{_reason(error)}"
        raise WeightsError(f"{path} {why}") from error
    except Exception as error:  # a damaged file makes readers raise whatever they like
        raise WeightsError(f"{path} {UNREADABLE}{_reason(error)}") from error


def _unsafe(said: str) -> str:
    """What is wrong with a pickle that holds more than tensors, or is none."""
    found = re.search(r"GLOBAL (\S+) (?:was not an allowed global|whose module)", said)
    if found is None:
        return UNREADABLE
    return (
        f"holds more than tensors ({found[1]}), and reading that could run code: "
        "save the weights alone, by torch.save(module.state_dict(), FILE)"
    )


def _reason(error: Exception) -> str:
    """The first sentence of a message, in parentheses; empty if it is not about the file."""
    if isinstance(error, AttributeError | LookupError | TypeError | UnicodeError | struct.error):
        return ""  # the reader stumbled
    first, *_ = [*str(error).strip().splitlines(), ""]
    said = re.sub(r"^\[.*?\]", "", first.partition(". ")[0]).strip(" .")
    return f" ({said[:200]})" if " " in said else ""


def _state(path: Path, held: Any) -> Checkpoint:
    """Take the state dict out of what a training script saved around it."""
    stripped: list[str] = []
    while isinstance(held, Mapping) and not _is_state(held) and len(stripped) < MAX_DEPTH:
        key = next((key for key in STATES if isinstance(held.get(key), Mapping)), None)
        if key is None:
            break
        held = held[key]
        stripped.append(f"the entry `{key}`")
    if not isinstance(held, Mapping):
        raise WeightsError(f"{path} holds a {type(held).__name__}, not a state dict")
    if held and not _is_state(held):
        raise WeightsError(f"{path} holds no state dict: {_odd(held)}")
    return Checkpoint(held, getattr(held, "_metadata", {}), tuple(stripped))


def _is_state(held: Mapping[Any, Any]) -> bool:
    """Whether these are tensors by key, and nothing else but extra state of modules."""
    return bool(held) and all(
        isinstance(key, str) and (_is_tensor(value) or key.endswith(EXTRA))
        for key, value in held.items()
    )


def _is_tensor(value: Any) -> bool:
    """Whether this is a tensor with a shape: a nested one has none."""
    return isinstance(value, Tensor) and not value.is_nested


def _odd(held: Mapping[Any, Any]) -> str:
    """Why these are not tensors by key: a value that is none, if most are, or all keys."""
    odd = {key: value for key, value in held.items() if not _is_tensor(value)}
    if 0 < 2 * len(odd) < len(held):
        key, value = next(iter(odd.items()))
        kind = "nested one" if isinstance(value, Tensor) else type(value).__name__
        return f"`{printable(str(key)[:40])}` is no tensor, but a {kind}"
    return f"its keys are {_listed(held)}"


def _listed(held: Mapping[Any, Any]) -> str:
    shown = [printable(str(key)[:40]) for key in list(held)[:8]]
    return ", ".join(shown) + (" …" if len(held) > 8 else "")


def without_wrappers(checkpoint: Checkpoint, own: Collection[str]) -> Checkpoint:
    """The checkpoint with the keys as the module has them: `own` are the module's.

    Taken away is what wraps whole modules: `_orig_mod` of `torch.compile` wherever it stands, and
    names that all keys begin with where none of the module's do, as `module` of DDP.
    """
    names = {key: key.split(".") for key in checkpoint.state}
    theirs = {part for key in own for part in key.split(".")}
    stripped = []
    for wrapper in WRAPPERS:
        if wrapper not in theirs and any(wrapper in parts for parts in names.values()):
            names = {key: [p for p in parts if p != wrapper] for key, parts in names.items()}
            stripped.append(f"`{wrapper}` in the keys")
    prefix = _common_prefix(list(names.values()), own)
    if prefix:
        names = {key: parts[len(prefix) :] for key, parts in names.items()}
        stripped.append(f"`{'.'.join(prefix)}.` before the keys")
    renamed = {".".join(parts): key for key, parts in names.items()}
    if not stripped or len(renamed) < len(names):
        return checkpoint
    state = {new: checkpoint.state[key] for new, key in renamed.items()}
    return Checkpoint(state, {}, (*checkpoint.stripped, *stripped))


def _common_prefix(keys: list[list[str]], own: Collection[str]) -> list[str]:
    """The names that all keys begin with, if the module knows most keys without them."""
    known = set(own)
    for depth in range(1, MAX_PREFIX + 1):
        if len({tuple(parts[:depth]) for parts in keys}) != 1:
            break
        prefix = keys[0][:depth]
        found = sum(".".join(parts[depth:]) in known for parts in keys)
        if 2 * found > len(keys) and not any(".".join(parts) in known for parts in keys):
            return prefix
    return []
