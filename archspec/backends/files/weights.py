"""Weights from a file into a module: everything or, with a report of what does not fit, nothing."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from archspec.backends.files.checkpoint import (
    Checkpoint,
    WeightsError,
    read_checkpoint,
    without_wrappers,
)
from archspec.backends.files.renames import Shape
from archspec.backends.files.weights_report import Difference, WeightsReport
from archspec.backends.initialise import ground_buffers

COUNTER = "num_batches_tracked"
"""Norms did not count their batches before version 2 of their state."""


def load_weights(
    module: nn.Module, path: str | PathLike[str], *, partial: bool = False, extra: bool = False
) -> WeightsReport:
    """Load a checkpoint into a module: a file of `torch.save` or safetensors.

    The file may hold a state dict, or one inside what a training script saves around it; names that
    DDP or `torch.compile` put before the keys are taken away. Values are converted to the module's
    dtypes. Code in the file is never run.

    Args:
        module: any module. Parameters on the meta device become real.
        path: the file.
        partial: load what fits and leave the rest of the module as it is.
        extra: let the file hold more than the module needs, as for a part of a network.

    Raises `WeightsError` if the file cannot be read, and, unless `partial`, if a key is missing,
    unexpected (unless `extra`) or of another shape: then with the report, and before anything is
    loaded.
    """
    file = Path(path)
    own = module.state_dict(keep_vars=True)
    checkpoint = without_wrappers(read_checkpoint(file), own)
    report = compare(str(path), checkpoint, own)
    if not (report.ok or partial or (extra and report.complete)):
        raise WeightsError(f"{path} does not fit: {report.summary()}\n{report.text()}", report)
    try:
        _fill(module, own, checkpoint, report.loaded)
    except (RuntimeError, NotImplementedError) as error:
        said = str(error).strip().splitlines()[-1].strip()
        raise WeightsError(f"PyTorch cannot load {file}: {said}") from error
    return report


def _fill(
    module: nn.Module, own: Mapping[str, Any], checkpoint: Checkpoint, keys: Sequence[str]
) -> None:
    """Copy the values; what is on the meta device takes copies of them in its place."""
    meta = any(isinstance(each, Tensor) and each.is_meta for each in own.values())
    if meta:
        ground_buffers(module)
    made: dict[int, Any] = {}  # by the tensor that it replaces: one that has two names stays one
    state = OrderedDict((key, checkpoint.state[key]) for key in keys)
    if meta:
        for key, value in state.items():
            state[key] = made.setdefault(id(own[key]), _like(value, own[key]))
    state._metadata = checkpoint.versions  # type: ignore[attr-defined]
    module.load_state_dict(state, strict=False, assign=meta)


def _like(value: Any, own: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    device = value.device if own.is_meta else own.device
    made = value.detach().to(device=device, dtype=own.dtype, copy=True)
    return nn.Parameter(made, own.requires_grad) if isinstance(own, nn.Parameter) else made


def compare(file: str, checkpoint: Checkpoint, own: Mapping[str, Any]) -> WeightsReport:
    """What would go into a module with these entries, and what would not."""
    state = checkpoint.state
    loaded, shapes, dtypes, converted = [], {}, {}, {}
    for key in own:
        theirs, ours = state.get(key), own[key]
        if not (isinstance(theirs, Tensor) and isinstance(ours, Tensor)):
            loaded += [key] * (key in state)
        elif theirs.shape != ours.shape:
            shapes[key] = Difference(tuple(theirs.shape), tuple(ours.shape))
        elif not _can_be_copied(theirs, ours):
            dtypes[key] = Difference(_kind(theirs), ours.dtype)
        else:
            loaded.append(key)
            if theirs.dtype != ours.dtype:
                converted[key] = Difference(theirs.dtype, ours.dtype)
    return WeightsReport(
        file=file,
        loaded=tuple(loaded),
        missing=tuple(key for key in own if key not in state and not _optional(key, checkpoint)),
        unexpected=tuple(key for key in state if key not in own),
        shapes=shapes,
        dtypes=dtypes,
        converted=converted,
        stripped=checkpoint.stripped,
        file_shapes=_shapes(state),
        module_shapes=_shapes(own),
    )


def _can_be_copied(theirs: Tensor, ours: Tensor) -> bool:
    """Whether values go into a module's tensor unharmed: whole numbers may be written as others."""
    if _kind(theirs) is not theirs.dtype:
        return False
    if torch.can_cast(theirs.dtype, ours.dtype):
        return True
    counts = theirs.is_floating_point() and not ours.dtype.is_complex
    return counts and torch.equal(theirs.to(ours.dtype).to(theirs.dtype), theirs)


def _kind(tensor: Tensor) -> Any:
    """What a tensor holds: its dtype, or why its values cannot be copied."""
    if tensor.is_meta:
        return "no values"
    if tensor.layout != torch.strided:
        return tensor.layout
    return f"quantised {tensor.dtype}" if tensor.is_quantized else tensor.dtype


def _optional(key: str, checkpoint: Checkpoint) -> bool:
    """Whether PyTorch, too, loads without this key: the counter of a norm in an older file."""
    norm, dot, name = key.rpartition(".")
    if name != COUNTER or not any(each.startswith(norm + dot) for each in checkpoint.state):
        return False
    version = checkpoint.versions.get(norm, {}).get("version")
    return version is None or version < 2


def _shapes(state: Mapping[str, Any]) -> dict[str, Shape]:
    return {key: tuple(each.shape) for key, each in state.items() if isinstance(each, Tensor)}
