"""Building a network and running it once: predicted shapes beside real ones."""

import reprlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from archspec.backends.blame import LayerError, blamed
from archspec.backends.example import full_shape, named_outputs, random_inputs
from archspec.backends.memory import largest_result, physical_memory
from archspec.backends.table import table
from archspec.network import Network
from archspec.tensors import FLOATS


class TrialError(Exception):
    """What was asked for cannot be done on this machine, or by this PyTorch."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One run: for every output the predicted and the real shape."""

    network: Network
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


@dataclass(frozen=True, slots=True)
class Setting:
    """How a module is made, and how it is run once."""

    device: str = "cpu"
    dtype: str = "float32"
    channels_last: bool = False
    seed: int = 0
    batch: int = 2
    max_params: int | None = None
    init: bool = True
    """Whether its weights are initialised: not where a checkpoint brings all of them."""


def make(network: Network, setting: Setting) -> torch.nn.Module:
    """The module, in eval; its weights are those of the seed. Raises `TrialError`."""
    if setting.dtype not in FLOATS:
        raise TrialError(f"--dtype is one of {', '.join(FLOATS)}, not {setting.dtype}")
    try:
        torch.manual_seed(setting.seed)
    except ValueError as error:
        raise TrialError(f"--seed: {error}") from error
    _check_device(setting.device)
    with _refusals():
        module = network.build(
            device=setting.device,
            dtype=setting.dtype,
            init=setting.init,
            max_params=setting.max_params,
        ).eval()
        if setting.channels_last:
            module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module


def _check_device(name: str) -> None:
    """Raise `TrialError` if this PyTorch cannot make a tensor there."""
    try:
        torch.empty(0, device=name)
    except Exception as error:  # each kind of device has errors of its own
        here = ["cpu", "meta"]
        found = torch.accelerator.current_accelerator()
        if found is not None:
            here += [f"{found.type}:{n}" for n in range(torch.accelerator.device_count())]
        said = str(error).strip().partition("\n")[0].partition(". ")[0]
        message = f"--device {name!r} is not to be had here: there are {', '.join(here)}"
        raise TrialError(f"{message} (PyTorch says: {said})") from error


def try_out(network: Network, module: torch.nn.Module, setting: Setting) -> Trial:
    """Run the module once on random input. Raises `TrialError`."""
    memory = physical_memory()
    if memory is not None and largest_result(network, setting.batch) * 4 > memory:
        raise TrialError("one tensor of this run is larger than the memory of this machine")
    with _refusals(), torch.no_grad():
        inputs = random_inputs(
            network,
            setting.batch,
            device=setting.device,
            dtype=setting.dtype,
            channels_last=setting.channels_last,
        )
        began = time.perf_counter()
        with blamed(network, module):
            result = module(*inputs.values())
        seconds = time.perf_counter() - began
    real = _outputs(result, network)
    predicted = {
        name: full_shape(tensor, network, setting.batch)
        for name, tensor in network.output_tensors().items()
    }
    return Trial(
        network=network,
        device=setting.device,
        dtype=setting.dtype,
        inputs={name: tuple(tensor.shape) for name, tensor in inputs.items()},
        shapes={name: (predicted[name], tuple(real[name].shape)) for name in predicted},
        seconds=seconds,
    )


def _outputs(result: object, network: Network) -> dict[str, torch.Tensor]:
    """The outputs by name. Raises `TrialError` for what a layer of the user's own made of them."""
    named = named_outputs(result, network) if _count(result) == len(network.outputs) else {}
    if set(named) != set(network.outputs) or not all(map(torch.is_tensor, named.values())):
        message = f"`forward` gives {reprlib.repr(result)}, and not {', '.join(network.outputs)}"
        raise TrialError(message)
    return named


def _count(result: object) -> int:
    return len(result) if isinstance(result, tuple | dict) else 1


@contextmanager
def _refusals() -> Iterator[None]:
    """What this machine or this PyTorch cannot do, as `TrialError`."""
    try:
        yield
    except MemoryError as error:
        raise TrialError(str(error)) from error
    except LayerError:
        raise
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise TrialError(f"PyTorch says: {error}") from error


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "scalar"
