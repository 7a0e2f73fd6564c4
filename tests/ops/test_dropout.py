"""Dropout layers, judged by PyTorch; StochasticDepth by a few lines of it."""

from typing import Any, Literal

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archspec.ops.dropout import StochasticDepth
from archspec.tensors import Tensor
from tests.ops.against_torch import run_emitted
from tests.ops.whole import agrees_with_symbols, flags, judge, some, tensors

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # warnings are no refusal

KINDS = ("Dropout", "AlphaDropout", "FeatureAlphaDropout", "Dropout1d", "Dropout2d", "Dropout3d")
RANKS = {"Dropout1d": (2, 2, 1), "Dropout2d": (3, 3, 2), "Dropout3d": (4, 4, 3)}
chances = st.sampled_from([0.5, 0.1, 0.9, 0.0, 1, 1.0, 0.2, -0.1, 1.5, float("nan")])
modes = st.sampled_from(["row", "batch"] * 4 + ["column"])


def verdict(kind: str, args: dict[str, Any], x: Tensor) -> Any:
    return judge(kind, args, (x,), lambda: getattr(torch.nn, kind)(**args))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_property(kind: str, data: st.DataObject) -> None:
    args = data.draw(some(p=chances, inplace=flags))
    verdict(kind, args, data.draw(tensors(*RANKS.get(kind, (1, 2, 3)))))


class Depth(torch.nn.Module):
    """The same in other words: a sample (or the batch) is zero, or scaled up."""

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        if not 0 <= p <= 1 or mode not in ("row", "batch"):
            raise ValueError(p, mode)
        self.p, self.mode = p, mode

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or self.p in (0, 1):
            return x if not self.training or self.p == 0 else torch.zeros_like(x)
        if not x.is_floating_point():
            raise TypeError(x.dtype)
        keep = torch.rand(len(x) if self.mode == "row" else 1) >= self.p
        return x * keep.reshape(-1, *[1] * (x.dim() - 1)).to(x.dtype) / (1 - self.p)


@given(st.fixed_dictionaries({"p": chances}, optional={"mode": modes}), tensors(1, 2, 3))
def test_stochastic_depth(args: dict[str, Any], x: Tensor) -> None:
    judge("StochasticDepth", args, (x,), lambda: Depth(**args))


@pytest.mark.parametrize("mode", ["row", "batch"])
def test_stochastic_depth_drops(mode: Literal["row", "batch"]) -> None:
    layer = StochasticDepth(p=0.25, mode=mode)
    ones = torch.ones(400, 2, 3)
    outputs = [run_emitted(layer, [Tensor((2, 3))], [ones]) for _ in range(40)]
    rows = torch.stack([y.flatten(1) for y in outputs])
    assert ((rows == 0) | (rows == 1 / 0.75)).all()
    assert (rows == rows[:, :, :1]).all()  # a sample is dropped as a whole
    assert all((len(r.unique()) == 2) == (mode == "row") for r in rows)
    assert 0.4 < rows.mean() < 1.6


EDGES: dict[str, tuple[str, dict[str, Any], Tensor, str | None]] = {
    "no probability": ("Dropout", {"p": 1.1}, Tensor((3,)), "E208"),
    "p may be an integer": ("Dropout", {"p": 1}, Tensor((3,)), None),
    "integers": ("Dropout", {}, Tensor((3,), "int64"), "E207"),
    "integers, all kept": ("Dropout", {"p": 0.0}, Tensor((3,), "int64"), None),
    "integers, all dropped": ("AlphaDropout", {"p": 1.0}, Tensor((3,), "int64"), None),
    "no integers": ("Dropout", {}, Tensor((3, 0), "int64"), None),
    "a parameter": ("Dropout", {}, Tensor((3,), batched=False), None),
    "a parameter in place": ("Dropout", {"inplace": True}, Tensor((3,), batched=False), "E503"),
    "no channels": ("FeatureAlphaDropout", {}, Tensor(()), "E203"),
    "sequence": ("Dropout1d", {}, Tensor((3, 4)), None),
    "sample of a sequence": ("Dropout1d", {}, Tensor((3,)), "E501"),
    "image into Dropout1d": ("Dropout1d", {}, Tensor((3, 4, 4)), "E203"),
    "image": ("Dropout2d", {}, Tensor((3, 4, 4)), None),
    "sample of an image": ("Dropout2d", {}, Tensor((3, 4)), "E501"),
    "volume into Dropout2d": ("Dropout2d", {}, Tensor((3, 4, 4, 4)), "E503"),
    "features into Dropout2d": ("Dropout2d", {}, Tensor((3,)), "E503"),
    "sample of a volume": ("Dropout3d", {}, Tensor((3, 4, 4)), "E501"),
}


@pytest.mark.parametrize("case", EDGES)
def test_edges(case: str) -> None:
    kind, args, x, code = EDGES[case]
    assert verdict(kind, args, x).code == code


@pytest.mark.parametrize("kind", [*KINDS, "StochasticDepth"])
def test_symbols(kind: str) -> None:
    shape = ("H", 3, 2, 2)[: {"Dropout1d": 2, "Dropout2d": 3}.get(kind, 4)]
    assert agrees_with_symbols(kind, {"p": 0.5}, shape) == 40
