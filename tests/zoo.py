"""The zoo: torchvision's models as recorded, and the specs that must equal them.

`tests/data/README.md` has the fields of the data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

import archspec
from archspec import library
from archspec.diagnostics import Collector
from archspec.network import Network
from archspec.spec.opening import open_spec
from tests.conformance import ROOT, CalledModule, Run, Shape, read_data, run

FOLDERS = ("torchvision", "segmentation")
CHEAP = 1_500_000_000
"""MACs up to which a model is run in every test run; larger ones are run in soak tests."""
NOT_OF_THE_ARCHITECTURE = {"init_weights", "transform_input", "weights_backbone"}
"""Arguments of torchvision's functions that change no module."""


@dataclass(frozen=True)
class Model:
    """One recorded configuration: a function of torchvision, with its arguments."""

    name: str
    facts: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def variant(self) -> str:
        """The function: a variant of the spec."""
        return str(self.facts["factory"])

    @property
    def spec(self) -> Path:
        """The file that has the variant."""
        return families()[self.variant]

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the spec beside its variant: the arguments of the function."""
        kwargs = self.facts["kwargs"]
        return {key: kwargs[key] for key in kwargs if key not in NOT_OF_THE_ARCHITECTURE}

    @property
    def input(self) -> Shape:
        """The shape of the input with a batch of 1."""
        return tuple(self.facts["input"])

    @property
    def macs(self) -> int:
        """Multiply-adds for that input, in eval."""
        return int(self.facts["flops"]) // 2

    @property
    def cheap(self) -> bool:
        """Whether it is quick to run."""
        return self.macs <= CHEAP

    @property
    def state(self) -> list[tuple[str, Shape, str]]:
        """Key, shape and dtype of the entries of the state dict, in order."""
        return [(key, tuple(shape), dtype) for key, shape, dtype in self.facts["state_dict"]]

    @property
    def calls(self) -> list[CalledModule]:
        """The calls of layers of `torch.nn`, in order. What torchvision adds is not compared."""
        return [
            CalledModule(name, kind, tuple(map(tuple, inputs)), tuple(output))
            for name, kind, inputs, output in self.facts["leaf_shapes"]
            if hasattr(torch.nn, kind)
        ]

    @property
    def stages(self) -> list[tuple[str, Shape]]:
        """The calls of the root's children that give one tensor; a Permute is no module here."""
        return [
            (name, tuple(out))
            for name, kind, _, out in self.facts["stages"]
            if isinstance(out, list) and kind != "Permute"
        ]

    @property
    def arguments(self) -> list[tuple[str, str, str]]:
        """Name, class and `extra_repr` of all modules."""
        return [(name, kind, text) for name, kind, text in self.facts["modules"]]

    def outputs(self, *, training: bool) -> dict[str, Shape]:
        """The shapes of the outputs of one mode, by name; the only output is called `output`."""
        told = self.facts["train_outputs"] if training else self.facts
        if told is None:  # one output, as in eval
            told = {"outputs": [2, *self.facts["outputs"][1:]]}
        found = told["outputs"]
        found = found if isinstance(found, dict) else {"output": found}
        return {name: tuple(shape) for name, shape in found.items()}


@cache
def models() -> tuple[Model, ...]:
    """All configurations of the data."""
    return tuple(Model(name, facts) for name, facts in read_data("zoo").items())


@cache
def families() -> dict[str, Path]:
    """For every variant of the zoo, its file."""
    files = sorted(path for folder in FOLDERS for path in (ROOT / "specs" / folder).glob("*.yaml"))
    return {variant: path for path in files for variant in variants_of(path)}


def variants_of(path: Path) -> list[str]:
    """The variants of a file, in its order. Its layers are not looked at."""
    return list(open_spec(path, Collector(), library.folders()).variants)


@cache
def network(model: Model) -> Network:
    """The network of a model."""
    return load(model.variant, **model.params)


def changed(model: Model) -> dict[str, Any]:
    """The arguments of a model that are not the defaults of its spec."""
    defaults = load(model.variant).params if model.params else {}
    return {name: value for name, value in model.params.items() if value != defaults[name]}


def load(variant: str, /, **params: Any) -> Network:
    """The network of a variant, with further parameters."""
    return archspec.load(families()[variant], variant=variant, params=params)


def square(network: Network, size: int) -> dict[str, int]:
    """The symbols of a network of images for this height and width."""
    return dict.fromkeys(network.example_sizes, size)


@cache
def on_meta(model: Model) -> torch.nn.Module:
    """The module of a model without memory: quick to build and to run, whatever its size."""
    return network(model).build(device="meta")


@dataclass(frozen=True)
class Pass:
    """One pass of the recorded input through a module: its calls, its output, and its FLOPs."""

    run: Run
    flops: int


@cache
def passed(model: Model) -> Pass:
    """A pass in eval, without memory, with attention in plain steps: else it would hide FLOPs."""
    module = on_meta(model)
    image = torch.zeros(model.input, device="meta")
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with FlopCounterMode(display=False) as counter:
            return Pass(run(module, image), counter.get_total_flops())
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def named(outputs: Any) -> dict[str, torch.Tensor]:
    """What a module gave, by name."""
    if isinstance(outputs, torch.Tensor):
        return {"output": outputs}
    return outputs if isinstance(outputs, dict) else outputs._asdict()
