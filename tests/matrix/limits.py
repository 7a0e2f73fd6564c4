"""What PyTorch itself cannot do: its error, and a module written by hand that gets the same one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tests.matrix.nets import Case


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(6, 8, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.lstm(x)[0]


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(5, 4, 3)
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Chain(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Conv1d(5, 4, 3), nn.GELU())


class OfChains(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.chain = Chain()

    def forward(self, x: Tensor) -> Tensor:
        return self.chain(x)


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(5, 5, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.conv(self.relu(self.conv(x))) + x)


class Both(NamedTuple):
    y: Tensor
    aux: Tensor


class WithAux(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 4)
        self.aux = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor | Both:
        if self.training:
            aux = self.aux(x)
        y = self.fc(x)
        if self.training:
            return Both(y, aux)
        return y


@dataclass(frozen=True)
class Twin:
    """A module written by hand, as a subject of the rows."""

    make: Callable[[], nn.Module]
    blocks: tuple[str, ...] = ()

    def build(self) -> nn.Module:
        torch.manual_seed(0)
        return self.make().eval()

    def inputs(self, batch: int = 2) -> tuple[Tensor, ...]:
        return (torch.randn(batch, 5, 6),)


@dataclass(frozen=True)
class Limit:
    """A refusal of PyTorch's."""

    rows: tuple[str, ...]
    says: str
    """Part of its error."""
    words: str
    """What is refused, and what helps, for the page."""
    twin: Twin
    applies: Callable[[Case], bool]
    here: Callable[[], bool] = lambda: True
    """Whether PyTorch refuses on this machine; elsewhere the row holds."""


def _lacks_bfloat16() -> bool:
    """Whether this CPU is one for which oneDNN has no kernels in bfloat16."""
    return not torch.ops.mkldnn._is_mkldnn_bf16_supported()


LIMITS = (
    Limit(
        ("compiles", "compiles_dynamic"),
        "Attempted to wrap RNN, GRU, or LSTM",
        "recurrent layers; `torch._dynamo.config.allow_rnn = True` allows them",
        Twin(Recurrent),
        lambda case: case.has("LSTM", "GRU", "RNN"),
    ),
    Limit(
        ("compiles_blocks",),
        "found no compiled frames",
        "a block that is an `nn.Sequential` (its `forward` is PyTorch's own)",
        Twin(OfChains, ("chain",)),
        lambda case: any(
            isinstance(case.build().get_submodule(path), nn.Sequential) for path in case.blocks
        ),
    ),
    Limit(
        ("scripts",),
        "is not defined in the false branch",
        "outputs that are there in training only",
        Twin(WithAux),
        lambda case: len(case.network.output_tensors(training=True)) > len(case.network.outputs),
    ),
    Limit(
        ("maps_over_samples",),
        "Batching rule not implemented for aten::",
        "recurrent layers",
        Twin(Recurrent),
        lambda case: case.has("LSTM", "GRU", "RNN"),
    ),
    Limit(
        ("runs_under_autocast",),
        "could not create a primitive descriptor for the LSTM",
        "`nn.LSTM`, on CPUs without AVX-512, for which oneDNN has no kernel in bfloat16",
        Twin(Recurrent),
        lambda case: case.has("LSTM"),
        _lacks_bfloat16,
    ),
    Limit(
        ("has_gradients_for_samples_in_training",),
        "would mutate a captured Tensor",
        "batch norms, which write their statistics",
        Twin(Normed),
        lambda case: case.has("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"),
    ),
    Limit(
        ("prepares_for_quantisation",),
        "Input partition has more than one output node",
        "a module that is called twice, such as a shared ReLU",
        Twin(Twice),
        lambda case: any(row.reused for row in case.network.layers),
    ),
)


def limit(row: str, case: Case) -> Limit | None:
    """What PyTorch refuses of this network in this row."""
    return next((each for each in LIMITS if row in each.rows and each.applies(case)), None)
