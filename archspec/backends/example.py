"""Random inputs for a network, and its outputs by name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from archspec.network import Network, at
from archspec.tensors import Tensor


def random_inputs(
    network: Network,
    batch: int,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    channels_last: bool = False,
    sizes: Mapping[str, int] | None = None,
) -> dict[str, torch.Tensor]:
    """Inputs by name, at the example sizes: normal numbers, or zeros and ones for whole ones.

    Args:
        network: whose inputs they are.
        batch: the number of samples.
        device: where they live.
        dtype: of inputs that the spec leaves at float32.
        channels_last: the memory format of images.
        sizes: for symbols; the example sizes if None.
    """
    made = {}
    for name, tensor in network.input_tensors.items():
        shape = full_shape(tensor, network, batch, sizes)
        if tensor.is_float:
            kind = getattr(torch, dtype if tensor.dtype == "float32" else tensor.dtype)
            made[name] = torch.randn(shape, device=device).to(kind)
        else:
            kind = getattr(torch, tensor.dtype)
            made[name] = torch.randint(0, 2, shape, device=device).to(kind)
        if channels_last and tensor.is_float and made[name].dim() == 4:
            made[name] = made[name].contiguous(memory_format=torch.channels_last)
    return made


def full_shape(
    tensor: Tensor, network: Network, batch: int, sizes: Mapping[str, int] | None = None
) -> tuple[int, ...]:
    """A shape at these sizes, or the example sizes, with its batch."""
    chosen = network.example_sizes if sizes is None else sizes
    shape = tuple(at(size, chosen) for size in tensor.shape)
    return (batch, *shape) if tensor.batched else shape


def named_outputs(result: object, network: Network) -> dict[str, torch.Tensor]:
    """What `forward` returned in eval, by name."""
    if isinstance(result, dict):
        return result
    values = result if isinstance(result, tuple) else (result,)
    return dict(zip(network.outputs, values, strict=True))


@contextmanager
def evaluating(module: nn.Module) -> Iterator[nn.Module]:
    """The module in eval; afterwards every part is in the mode in which it was."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield module
    finally:
        for part, mode in modes.items():
            part.training = mode
