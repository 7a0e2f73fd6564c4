"""The weights of a module as a file."""

from pathlib import Path

import torch
from torch import Tensor, nn

from archspec.network import Network


def write_state(network: Network, module: nn.Module | None, path: Path) -> str:
    """Write the state dict by `torch.save`; gives words about it."""
    state = (module or network.build()).state_dict()
    torch.save(state, path)
    return _words(state)


def write_safetensors(network: Network, module: nn.Module | None, path: Path) -> str:
    """Write the state dict as safetensors; gives words about it."""
    from safetensors.torch import save_file

    state = _apart((module or network.build()).state_dict())
    path.touch()
    mode = path.stat().st_mode  # as the user's mask has it; safetensors keeps others out
    save_file(state, path, metadata={"format": "pt"})
    path.chmod(mode)
    return _words(state)


def _apart(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors that share no memory, as the format wants: a layer of one's own may tie its weights.

    What is not a tensor, the extra state of a layer, has no place in the format.
    """
    seen: set[int] = set()
    made = {}
    for key, value in state.items():
        if isinstance(value, Tensor):
            storage = value.untyped_storage().data_ptr()
            made[key] = value.clone() if storage in seen else value.contiguous()
            seen.add(storage)
    return made


def _words(state: dict[str, Tensor]) -> str:
    tensors = [value for value in state.values() if isinstance(value, Tensor)]
    size = sum(value.numel() * value.element_size() for value in tensors)
    return f"the state dict, {len(tensors)} tensors, {size:,} bytes"
