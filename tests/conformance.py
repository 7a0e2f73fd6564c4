"""The conformance data, and what a module does, in the words of that data.

See `tests/data/README.md` for the fields.
"""

import json
import lzma
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch

import archspec
from archspec.graph import Composite
from archspec.network import Network
from archspec.sizes import Expr, Size
from archspec.tensors import Tensor

ROOT = Path(__file__).parents[1]
DATA = Path(__file__).parent / "data"
ZOO = ("resnet18", "densenet121", "mobilenet_v2")
BIG = 20_000_000
"""Parameters from which on a network is built on the meta device, and run in soak tests only."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class CalledModule:
    """One call of a module: its name in the tree, its class, the shapes with the batch."""

    name: str
    type: str
    inputs: tuple[Shape, ...]
    output: Shape


@dataclass(frozen=True)
class Reference:
    """What is known of one network."""

    spec: str
    input: Shape
    params: int
    buffers: int
    flops: int
    state_dict: list[tuple[str, Shape, str]]
    stages: list[tuple[str, Shape]]
    leaves: list[CalledModule]
    fingerprint: Mapping[str, Any] | None
    printed: list[tuple[str, Shape]] = field(default_factory=list)
    layers: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    modules: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def big(self) -> bool:
        """Whether running it takes long."""
        return self.params > BIG


def references() -> list[Reference]:
    """Every network that has a spec."""
    seeds = [_seed(net) for net in read_data("seeds")["nets"]]
    return [*seeds, *(_zoo(model) for model in ZOO)]


@cache
def read_data(name: str) -> Any:
    """A file of the conformance data."""
    with lzma.open(DATA / f"{name}.json.xz", "rt", encoding="utf-8") as file:
        return json.load(file)


def _seed(net: Mapping[str, Any]) -> Reference:
    identities = {name for name, kind, _, _ in net["leaf_shapes"] if kind == "Sequential"}
    return Reference(
        spec=net["spec"],
        input=tuple(net["input"]),
        params=net["params"],
        buffers=net["buffers"],
        flops=net["flops_batch1"],
        state_dict=_state(net),
        stages=[(n, tuple(shape)) for n, _, shape in net["stage_shapes"] if n not in identities],
        leaves=_leaves(net),
        fingerprint=net.get("fingerprint"),
        printed=[(kind, tuple(shape)) for kind, shape in net.get("printed", ())],
        layers=[tuple(layer) for layer in net["layers"]],
    )


def _zoo(model: str) -> Reference:
    net = read_data("zoo")[model]
    return Reference(
        spec=f"specs/{model}.yaml",
        input=tuple(net["input"]),
        params=net["params"],
        buffers=net["buffers"],
        flops=net["flops"],
        state_dict=_state(net),
        stages=[(name, tuple(shape)) for name, _, _, shape in net["stages"]],
        leaves=_leaves(net),
        fingerprint=net["fingerprint"],
        modules=[tuple(module) for module in net["modules"]],
    )


def _state(net: Mapping[str, Any]) -> list[tuple[str, Shape, str]]:
    return [(key, tuple(shape), dtype) for key, shape, dtype in net["state_dict"]]


def _leaves(net: Mapping[str, Any]) -> list[CalledModule]:
    """The calls of leaves. An empty `Sequential` is an identity that needs no module."""
    return [
        CalledModule(name, KNOWN_AS.get(kind, kind), tuple(map(tuple, inputs)), tuple(output))
        for name, kind, inputs, output in net["leaf_shapes"]
        if kind != "Sequential"
    ]


KNOWN_AS = {"FlattenLayer": "Flatten"}
"""Classes of the networks' authors, and the class of `torch.nn` that does the same."""


# What a spec predicts.


def load(reference: Reference) -> Network:
    """The network of a reference."""
    return archspec.load(ROOT / reference.spec)


def sizes_of(network: Network, *shapes: Shape) -> dict[str, int]:
    """The symbols of a network for inputs of these shapes, batch included."""
    found: dict[str, int] = {}
    for tensor, shape in zip(network.input_tensors.values(), shapes, strict=True):
        for size, value in zip(tensor.shape, shape[1:], strict=True):
            if isinstance(size, Expr):
                found[str(size)] = value
            else:
                assert size == value
    return found


def value(size: Size, sizes: Mapping[str, int]) -> int:
    """A size, for these values of its symbols."""
    return size.at(sizes) if isinstance(size, Expr) else size


def predicted_calls(network: Network, shape: Shape) -> list[CalledModule]:
    """What `net.layers` says of every call, for a batch of this shape."""
    sizes, batch = sizes_of(network, shape), shape[0]
    names = _targets(network.graph.root)

    def full(inner: tuple[Size, ...], tensor: Tensor) -> Shape:
        found = tuple(value(size, sizes) for size in inner)
        return (batch, *found) if tensor.batched else found

    return [
        CalledModule(
            name,
            row.type,
            tuple(map(full, row.input_shapes, made.inputs)),
            full(row.output_shape, made.outputs[0]),
        )
        for name, row, made in zip(names, network.layers, network.applications, strict=True)
    ]


def _targets(scope: Composite, path: tuple[str, ...] = ()) -> Iterator[str]:
    """For every call of a leaf, the module that is called: for a `Reuse` the one it uses."""
    names = {id(child): name for name, child in scope.children.items()}
    for call in scope.calls:
        below = (*path, names.get(id(call.target), call.name))
        if isinstance(call.target, Composite):
            yield from _targets(call.target, below)
        else:
            yield ".".join(below)


# What a module does.


@dataclass
class Run:
    """One forward pass, call by call."""

    output: Any = None
    calls: list[CalledModule] = field(default_factory=list)

    def of(self, names: set[str]) -> list[CalledModule]:
        """The calls of some modules, in order."""
        return [call for call in self.calls if call.name in names]


def run(module: torch.nn.Module, *inputs: torch.Tensor) -> Run:
    """Run a module in eval, and record every call of a module inside it."""
    found = Run()
    with torch.no_grad(), _hooks(module, found):
        found.output = module.eval()(*inputs)
    return found


@contextmanager
def _hooks(module: torch.nn.Module, found: Run) -> Iterator[None]:
    handles = [
        child.register_forward_hook(_recorder(name, found))
        for name, child in module.named_modules()
        if name
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _recorder(name: str, found: Run) -> Any:
    def record(module: torch.nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        shapes = tuple(tuple(each.shape) for each in inputs)
        first = output[0] if isinstance(output, tuple) else output  # the data has one shape a call
        found.calls.append(CalledModule(name, type(module).__name__, shapes, tuple(first.shape)))

    return record


# Fingerprints.

CHUNK = 1 << 20


def input_by_formula(shape: Shape) -> torch.Tensor:
    """The input of a fingerprint."""
    count = torch.arange(math.prod(shape), dtype=torch.float64)
    return torch.sin(0.01 * count).reshape(shape)


def weights_by_formula(module: torch.nn.Module, gain: float) -> None:
    """Fill the state dict of a module as fingerprints want it."""
    for position, (key, tensor) in enumerate(module.state_dict().items()):
        last = key.rpartition(".")[2]
        if not tensor.is_floating_point() or last == "relative_coords_table":
            continue
        flat = tensor.view(-1)
        for begin in range(0, flat.numel(), CHUNK):
            part = flat[begin : begin + CHUNK]
            wave = _wave(position, begin, part.numel())
            part.copy_(_scaled(wave, last, tensor, gain))


def _wave(position: int, begin: int, count: int) -> torch.Tensor:
    j = torch.arange(begin, begin + count)
    u = (j + 131 * position) % 10007
    r = ((3571 * u * u) % 10007).double()  # before it meets a float: that would give float32
    return torch.sin(0.37 * position + 0.011 * j.double() + 0.5 + 2 * math.pi * r / 10007)


def _scaled(wave: torch.Tensor, last: str, tensor: torch.Tensor, gain: float) -> torch.Tensor:
    """The first rule that fits."""
    if last == "running_mean":
        return 0.05 * wave
    if last == "running_var":
        return 1 + 0.2 * wave.abs()
    if tensor.ndim >= 2 and last in ("weight", "in_proj_weight"):
        return gain / math.sqrt(tensor.numel() // tensor.shape[0]) * wave
    if tensor.ndim >= 2:
        return 0.5 * wave
    return 1 + 0.1 * wave if last == "weight" else 0.05 * wave


# Arguments.


def meaning(text: str) -> str:
    """What an `extra_repr` says about results: `inplace` changes memory only, (1, 1) is 1."""
    text = re.sub(r"(, )?inplace=(True|False)", "", text)
    return re.sub(r"\((\d+), \1\)", r"\1", text)


def argument(module: torch.nn.Module, name: str) -> Any:
    """An argument of a module as the data writes it."""
    found = getattr(module, name)
    return found is not None if name == "bias" else found
