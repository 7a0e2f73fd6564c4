"""The rows of the matrix: what is asked of every module, in the groups of the page."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from tests.matrix.nets import Case


class Subject(Protocol):
    """What most rows ask of: a module from archspec, or one that a person wrote."""

    @property
    def blocks(self) -> tuple[str, ...]: ...

    def build(self) -> nn.Module: ...

    def inputs(self, batch: int = 2) -> tuple[Tensor, ...]: ...


@dataclass(frozen=True)
class Row:
    """One property, and the function that raises where a module lacks it."""

    name: str
    group: str
    title: str
    check: Callable[[Any], None]
    cuda: bool = False
    """Needs a GPU."""
    only: tuple[str, ...] = ()
    """Networks of which it is asked; all if empty."""

    blocks: bool = False
    """Asks something of blocks."""
    soak: bool = False
    """Takes long."""

    def asks(self, case: Case) -> bool:
        if self.blocks and not case.blocks:
            return False
        return not self.only or case.name in self.only


ROWS: dict[str, Row] = {}


def row(
    group: str,
    title: str,
    *,
    cuda: bool = False,
    blocks: bool = False,
    soak: bool = False,
    only: Sequence[str] = (),
) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Make a row of a check; the name of the function is that of the row."""

    def register(check: Callable[[Any], None]) -> Callable[[Any], None]:
        name = check.__name__
        ROWS[name] = Row(name, group, title, check, cuda, tuple(only), blocks, soak)
        return check

    return register


def tensors(result: Any) -> list[Tensor]:
    """The tensors of what a module returned: a tensor, several, or a dict."""
    if isinstance(result, dict):
        return list(result.values())
    return list(result) if isinstance(result, tuple | list) else [result]


def same(found: Any, wanted: Any, tolerance: float = 1e-5) -> None:
    """Assert that two results are equal, up to a share of their largest value."""
    for a, b in zip(tensors(found), tensors(wanted), strict=True):
        scale = max(1.0, float(b.detach().abs().max()))
        difference = float((a.detach().double() - b.detach().double()).abs().max())
        assert difference <= tolerance * scale, f"differs by {difference}"


def loss_of(result: Any) -> Tensor:
    """A number that depends on every output."""
    return torch.stack([each.float().pow(2).mean() for each in tensors(result)]).sum()


def without_dropout(module: nn.Module) -> nn.Module:
    """The module in training, with its dropout off."""
    module.train()
    for part in module.modules():
        if isinstance(part, nn.modules.dropout._DropoutNd):
            part.p = 0.0
        elif isinstance(part, nn.MultiheadAttention | nn.RNNBase):
            part.dropout = 0.0
    return module


@contextmanager
def quiet() -> Iterator[None]:
    """PyTorch's tools warn about their own affairs; what they do is looked at."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
