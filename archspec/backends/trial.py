"""Building a network and running it once: predicted shapes beside real ones."""

import time
from dataclasses import dataclass

import torch

from archspec.backends.memory import largest_result, physical_memory
from archspec.backends.table import table
from archspec.network import Network
from archspec.tensors import FLOATS, Tensor


class TrialError(Exception):
    """What was asked for cannot be done on this machine, or by this PyTorch."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: the module, and for every output the predicted and the real shape."""

    network: Network
    module: torch.nn.Module
    device: str
    dtype: str
    inputs: dict[str, tuple[int, ...]]
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every shape came out as predicted."""
        return all(predicted == real for predicted, real in self.shapes.values())

    def text(self) -> str:
        """The layer table, then what was run and what came out."""
        fed = ", ".join(f"{name} {_shape(shape)}" for name, shape in self.inputs.items())
        where = f"{self.device}, {self.dtype}, PyTorch {torch.__version__}"
        lines = [table(self.network), "", f"ran on {where}", f"  input   {fed}"]
        for name, (predicted, real) in self.shapes.items():
            verdict = "as predicted" if predicted == real else f"predicted {_shape(predicted)}"
            lines.append(f"  {name:<7} {_shape(real)}  {verdict}")
        lines.append(f"  forward {self.seconds * 1000:.1f} ms")
        return "\n".join(lines)


def try_out(
    network: Network,
    *,
    device: str = "cpu",
    dtype: str = "float32",
    channels_last: bool = False,
    seed: int = 0,
    batch: int = 2,
    max_params: int | None = None,
) -> Trial:
    """Build the network, run it once in eval on random input. Raises `TrialError`."""
    if dtype not in FLOATS:
        raise TrialError(f"--dtype is one of {', '.join(FLOATS)}, not {dtype}")
    memory = physical_memory()
    if memory is not None and largest_result(network, batch) * 4 > memory:
        raise TrialError("one tensor of this run is larger than the memory of this machine")
    try:
        torch.manual_seed(seed)
    except ValueError as error:
        raise TrialError(f"--seed: {error}") from error
    try:
        module = network.build(device=device, dtype=dtype, max_params=max_params).eval()
        if channels_last:
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        inputs = {
            name: _random(tensor, network, batch, device, dtype, channels_last)
            for name, tensor in network.input_tensors.items()
        }
        began = time.perf_counter()
        with torch.no_grad():
            result = module(*inputs.values())
        seconds = time.perf_counter() - began
    except MemoryError as error:
        raise TrialError(str(error)) from error
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise TrialError(f"PyTorch says: {error}") from error
    names = list(network.outputs)
    real = _outputs(result, names)
    predicted = {
        name: _full(tensor, network, batch) for name, tensor in network.output_tensors().items()
    }
    return Trial(
        network=network,
        module=module,
        device=device,
        dtype=dtype,
        inputs={name: tuple(tensor.shape) for name, tensor in inputs.items()},
        shapes={name: (predicted[name], tuple(real[name].shape)) for name in names},
        seconds=seconds,
    )


def _outputs(result: object, names: list[str]) -> dict[str, torch.Tensor]:
    if isinstance(result, dict):
        return result
    values = result if isinstance(result, tuple) else (result,)
    return dict(zip(names, values, strict=True))


def _full(tensor: Tensor, network: Network, batch: int) -> tuple[int, ...]:
    sizes = tuple(network.at_example(size) for size in tensor.shape)
    return (batch, *sizes) if tensor.batched else sizes


def _random(
    tensor: Tensor, network: Network, batch: int, device: str, dtype: str, channels_last: bool
) -> torch.Tensor:
    shape = _full(tensor, network, batch)
    if not tensor.is_float:
        kind = getattr(torch, tensor.dtype)
        return torch.randint(0, 2, shape, device=device).to(kind)
    kind = getattr(torch, dtype if tensor.dtype == "float32" else tensor.dtype)
    made = torch.randn(shape, device=device).to(kind)
    images = channels_last and made.dim() == 4
    return made.contiguous(memory_format=torch.channels_last) if images else made


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "scalar"
