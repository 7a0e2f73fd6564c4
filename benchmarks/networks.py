"""Pairs of networks: what `net.build()` makes of a spec, and the same as a person writes it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

import archspec
from benchmarks import handwritten
from benchmarks.measure import ROOT

CHAIN = {
    "archspec": 1,
    "name": "chain",
    "inputs": {"x": [8]},
    "layers": [{"for": "_ in range(500)", "layers": [{"Linear": {"out_features": 8}}, "ReLU"]}],
}


@dataclass(frozen=True)
class Pair:
    """A network both ways, and the size of its input."""

    spec: str | dict[str, Any]
    written: Callable[..., nn.Module]
    shape: tuple[int, ...]

    @property
    def path(self) -> Path | dict[str, Any]:
        """What `archspec.load` takes."""
        return self.spec if isinstance(self.spec, dict) else ROOT / self.spec

    def modules(self) -> tuple[nn.Module, nn.Module]:
        """The hand-written module and the built one, in eval, with the same weights."""
        written, built = self.written().eval(), archspec.load(self.path).build().eval()
        state = written.state_dict()
        if list(state) != list(built.state_dict()):
            raise SystemExit("the built module and the hand-written one differ")
        built.load_state_dict(state)
        return written, built

    def input(self) -> torch.Tensor:
        """A random input of one sample."""
        return torch.randn(1, *self.shape)


PAIRS = {
    "ResNet-18": Pair("specs/resnet18.yaml", handwritten.ResNet18, (3, 64, 64)),
    "GoogLeNet": Pair("specs/googlenet_d2l.yaml", handwritten.googlenet, (1, 96, 96)),
    "1000-layer chain": Pair(CHAIN, handwritten.chain, (8,)),
}


def prepared() -> Iterator[tuple[str, nn.Module, nn.Module, torch.Tensor]]:
    """Every pair: its name, the hand-written module, the built one, an input. On one thread."""
    torch.set_num_threads(1)
    for name, pair in PAIRS.items():
        yield name, *pair.modules(), pair.input()
