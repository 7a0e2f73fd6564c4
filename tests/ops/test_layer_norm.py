"""Norms within each sample, judged by PyTorch."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archspec.tensors import DTYPES, Tensor
from tests.ops.against_torch import ask, run_emitted
from tests.ops.whole import agrees_with_symbols, counts, flags, floats, judge, small, some, tensors
from tests.ops.windowed import mostly

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # warnings are no refusal


class Moved(torch.nn.Module):
    """A norm of the last dimension, applied to another one."""

    def __init__(self, norm: torch.nn.Module, dim: int) -> None:
        super().__init__()
        self.norm, self.dim = norm, dim

    def forward(self, x: torch.Tensor) -> Any:
        return self.norm(x.transpose(self.dim, -1)).transpose(self.dim, -1)


def last_dims(kind: str, args: dict[str, Any], x: Tensor) -> Any:
    def build() -> torch.nn.Module:
        full = dict(args)
        dim = full.pop("dim", None)
        size = x.shape[-1] if x.shape else 1
        if dim is not None and -x.ndim <= dim < x.ndim:
            size = (2, *x.shape)[dim] if x.batched else x.shape[dim]
        norm = getattr(torch.nn, kind)(**{"normalized_shape": size, **full})
        return norm if dim is None else Moved(norm, dim)

    return judge(kind, args, (x,), build)


def given_shapes(x: Tensor) -> st.SearchStrategy[Any]:
    right = [x.shape[-n:] for n in range(1, len(x.shape) + 1)]
    single = st.sampled_from([*x.shape[-1:] * 9, 4, 0, -1])
    lists = st.lists(counts, max_size=3).map(tuple)
    return mostly(st.one_of(*map(st.just, right), single), lists)


@pytest.mark.parametrize("kind", ["LayerNorm", "RMSNorm"])
@given(data=st.data())
def test_last_dims(kind: str, data: st.DataObject) -> None:
    x = data.draw(tensors(1, 2, 3))
    options = {"bias": flags} if kind == "LayerNorm" else {}
    optional = some(
        normalized_shape=given_shapes(x), eps=small, elementwise_affine=flags, **options
    )
    last_dims(kind, data.draw(optional), x)


@pytest.mark.parametrize("kind", ["LayerNorm", "RMSNorm"])
@given(data=st.data())
def test_one_dim(kind: str, data: st.DataObject) -> None:
    x = data.draw(tensors(2, 3))
    dim = data.draw(st.sampled_from([1, 1, 1, 2, -1, -2, 0, 4]))
    sizes = st.sampled_from([*x.shape[:1] * 9, 3])
    last_dims(kind, {"dim": dim, **data.draw(some(normalized_shape=sizes))}, x)


@given(data=st.data())
def test_local_response_norm(data: st.DataObject) -> None:
    x = data.draw(tensors(2, 3, 3, 4))
    size = data.draw(st.sampled_from([1, 2, 3, 5, 5, 9, 0, -1]))
    args = {"size": size, **data.draw(some(alpha=floats, beta=floats, k=floats))}
    judge("LocalResponseNorm", args, (x,), lambda: torch.nn.LocalResponseNorm(**args))


def normalize(args: dict[str, Any], x: Tensor) -> Any:
    return judge(
        "Normalize", args, (x,), lambda: lambda t: torch.nn.functional.normalize(t, **args)
    )


powers = st.sampled_from([2.0, 1.0, 0.0, 0.5, 3, -1.0, float("inf"), float("-inf"), 1e300])


@given(some(p=powers, dim=st.sampled_from([1, 1, 1, -1, 2, -2, 0, 4]), eps=small), tensors(1, 2, 3))
def test_normalize(args: dict[str, Any], x: Tensor) -> None:
    normalize(args, x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (0, 3), (4, 0, 2)])
def test_dtypes(dtype: str, shape: tuple[int, ...]) -> None:
    x = Tensor(shape, dtype)
    normalize({}, x)
    for affine in (True, False):
        last_dims("LayerNorm", {"elementwise_affine": affine}, x)
        last_dims("RMSNorm", {"elementwise_affine": affine}, x)
    judge("LocalResponseNorm", {"size": 2}, (x,), lambda: torch.nn.LocalResponseNorm(2))


X = Tensor((2, 3, 4))
EDGES: dict[str, tuple[str, dict[str, Any], Tensor, str | None]] = {
    "alone": ("LayerNorm", {}, X, None),
    "one size": ("LayerNorm", {"normalized_shape": 4}, X, None),
    "a list": ("LayerNorm", {"normalized_shape": [3, 4]}, X, None),
    "all of it": ("RMSNorm", {"normalized_shape": [2, 3, 4]}, X, None),
    "another": ("LayerNorm", {"normalized_shape": 3}, X, "E205"),
    "the batch too": ("LayerNorm", {"normalized_shape": [2, 2, 3, 4]}, X, "E203"),
    "nothing": ("LayerNorm", {"normalized_shape": []}, X, "E208"),
    "below 0": ("RMSNorm", {"normalized_shape": [-1, 4]}, X, "E208"),
    "a text": ("LayerNorm", {"normalized_shape": "4"}, X, "E105"),
    "of nothing": ("LayerNorm", {}, Tensor((2, 0)), None),
    "no bias": ("LayerNorm", {"bias": False}, X, None),
    "nothing learned": ("LayerNorm", {"elementwise_affine": False}, X, None),
    "a number": ("LayerNorm", {}, Tensor(()), "E501"),
    "a parameter": ("LayerNorm", {}, Tensor((4,), batched=False), None),
    "double": ("LayerNorm", {}, Tensor((4,), "float64"), "E207"),
    "double RMS": ("RMSNorm", {}, Tensor((4,), "float64"), None),
    "channels": ("LayerNorm", {"dim": 1}, X, None),
    "channels given": ("LayerNorm", {"dim": 1, "normalized_shape": 2}, X, None),
    "channels, another": ("LayerNorm", {"dim": 1, "normalized_shape": 4}, X, "E205"),
    "the last": ("RMSNorm", {"dim": -1}, X, None),
    "the batch": ("LayerNorm", {"dim": 0}, X, "E502"),
    "no such": ("LayerNorm", {"dim": 4}, X, "E210"),
    "two ways": ("LayerNorm", {"dim": 1, "normalized_shape": [3, 4]}, X, "E105"),
}


@pytest.mark.parametrize("case", EDGES)
def test_edges(case: str) -> None:
    kind, args, x, code = EDGES[case]
    found = last_dims(kind, args, x)
    assert found.code == code
    if code is None:
        assert found.outputs == (x,)


OTHERS: dict[str, tuple[dict[str, Any], Tensor, str | None]] = {
    "channels": ({}, X, None),
    "maximum": ({"p": float("inf")}, X, None),
    "maximum of nothing": ({"p": float("inf")}, Tensor((0, 3)), "E211"),
    "sum of nothing": ({"p": 1.0}, Tensor((0, 3)), None),
    "batch": ({"dim": -2}, Tensor((4,)), "E502"),
    "out of range": ({"dim": 2}, Tensor((4,)), "E210"),
    "no number": ({"p": float("nan")}, X, "E105"),
    "integers": ({}, Tensor((4,), "int64"), "E207"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_normalize_edges(case: str) -> None:
    args, x, code = OTHERS[case]
    assert normalize(args, x).code == code


def test_local_response_norm_of_integers() -> None:
    module = torch.nn.LocalResponseNorm(2)
    found = judge("LocalResponseNorm", {"size": 2}, (Tensor((4, 3), "int64"),), lambda: module)
    assert found.outputs == (Tensor((4, 3), "float32"),)


def test_channels_of_an_image() -> None:
    """`dim: 1` is what ConvNeXt calls LayerNorm2d: the values, and the names of the state."""
    x = torch.randn(2, 5, 3, 4)
    layer = ask("LayerNorm", {"dim": 1, "eps": 1e-6}, Tensor((5, 3, 4))).layer
    assert layer is not None
    assert layer.weights() == {"weight": (5,), "bias": (5,)}
    mean, variance = x.mean(1, keepdim=True), x.var(1, keepdim=True, correction=0)
    expected = (x - mean) / (variance + 1e-6).sqrt()
    torch.testing.assert_close(run_emitted(layer, [Tensor((5, 3, 4))], [x]), expected)


SYMBOLIC: list[tuple[str, dict[str, Any], tuple[int | str, ...], int]] = [
    ("LayerNorm", {}, ("H", "W", 4), 40),
    ("LayerNorm", {"normalized_shape": (7, 4)}, ("H", 4), 1),
    ("LayerNorm", {"dim": 1}, (4, "H", "W"), 40),
    ("RMSNorm", {"normalized_shape": 9}, (3, "L"), 1),
    ("LocalResponseNorm", {"size": 5}, ("C", "H", "W"), 40),
    ("Normalize", {"p": float("inf")}, ("C", "H"), 40),
]


@pytest.mark.parametrize(("kind", "args", "shape", "fitting"), SYMBOLIC)
def test_symbols(
    kind: str, args: dict[str, Any], shape: tuple[int | str, ...], fitting: int
) -> None:
    assert agrees_with_symbols(kind, args, shape) == fitting
