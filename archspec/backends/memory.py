"""What fits into this machine, asked before anything is allocated."""

import os

from archspec.network import Network
from archspec.tensors import Tensor

BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


def physical_memory() -> int | None:
    """Bytes of memory of this machine, where the system tells."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def refuse_what_cannot_fit(network: Network, dtype: str, max_params: int | None) -> None:
    """Raise `MemoryError` if the parameters exceed the limit, or this machine's memory."""
    count = network.parameter_count
    if max_params is not None:
        if count > max_params:
            raise MemoryError(f"the network has {count:,} parameters, more than {max_params:,}")
        return
    memory = physical_memory()
    needed = count * BYTES.get(dtype, 4)
    if memory is not None and needed > memory:
        raise MemoryError(
            f"{count:,} parameters need {_size(needed)}, and this machine has {_size(memory)}; "
            "--max-params lifts this limit"
        )


def largest_result(network: Network, batch: int) -> int:
    """Elements of the largest tensor of a run."""
    return max(
        (
            _elements(tensor, network, batch)
            for application in network.applications
            for tensor in (*application.inputs, *application.outputs)
        ),
        default=0,
    )


def _elements(tensor: Tensor, network: Network, batch: int) -> int:
    total = batch if tensor.batched else 1
    for size in tensor.shape:
        total *= network.at_example(size)
    return total


def _size(count: int) -> str:
    units = ("bytes", "kB", "MB", "GB", "TB", "PB")
    power = min((len(str(count)) - 1) // 3, len(units) - 1)
    return f"{count / 1000**power:.3g} {units[power]}"
