from typing import Any

import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st

from archspec.tensors import DTYPES, FLOATS, Tensor
from tests.ops.against_torch import ask
from tests.ops.tensor_cases import batch, dims_of, free, laws, same, tensors

REDUCTIONS = {"Mean": torch.mean, "Sum": torch.sum, "Amax": torch.amax}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3, 0), (3, 2)])
def test_exp(dtype: str, shape: tuple[int, ...]) -> None:
    for x in (batch(*shape, dtype=dtype), free(*shape, dtype=dtype)):
        assert same("Exp", {}, [x], torch.exp).outputs


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("factor", [16, -0.5, 0.0, 1e30])
@pytest.mark.parametrize("shape", [(), (3, 0), (3, 2)])
def test_scale(dtype: str, factor: float, shape: tuple[int, ...]) -> None:
    for x in (batch(*shape, dtype=dtype), free(*shape, dtype=dtype)):
        assert same("Scale", {"factor": factor}, [x], lambda t: t * factor).outputs == (x,)


@pytest.mark.parametrize(
    ("args", "x", "code"),
    [
        ({}, batch(3), "E105"),
        ({"factor": "big"}, batch(3), "E105"),
        ({"factor": 1e31}, batch(3), "E105"),
        ({"factor": float("nan")}, batch(3), "E105"),
        ({"factor": 2}, batch(3, dtype="int64"), "E207"),
    ],
)
def test_scale_refuses(args: dict[str, Any], x: Tensor, code: str) -> None:
    assert ask("Scale", args, x).code == code


@pytest.mark.parametrize(
    ("args", "x", "wanted"),
    [
        ({"min": 0}, batch(3), "float32"),
        ({"min": 0, "max": 6}, batch(3, dtype="int32"), "int32"),
        ({"min": 0.5}, batch(3, dtype="int32"), "float32"),
        ({"max": 1}, batch(3, dtype="bool"), "int64"),
        ({"min": 2, "max": 1}, batch(3), "float32"),
        ({"max": float("inf")}, batch(3), "float32"),
        ({"min": float("nan")}, batch(3), "E105"),
        ({}, batch(3), "E208"),
        ({"min": -1}, batch(3, dtype="uint8"), "E503"),
        ({"max": 300}, batch(3, dtype="int8"), "E208"),
        ({"max": 65504}, batch(3, dtype="float16"), "float16"),
        ({"max": 65505.0}, batch(3, dtype="float16"), "E208"),
        ({"max": 3.3895313892515355e38}, batch(3, dtype="bfloat16"), "bfloat16"),
        ({"max": 3.3895313892515360e38}, batch(3, dtype="bfloat16"), "E208"),
        ({"min": -3.4028234663852886e38}, batch(3), "float32"),
        ({"min": -3.4028234663852890e38}, batch(3), "E208"),
        ({"max": 255}, batch(3, dtype="uint8"), "uint8"),
        ({"max": 256}, batch(3, dtype="uint8"), "E208"),
        ({"max": 10**30}, batch(3), "E208"),
        ({"max": "big"}, batch(3), "E105"),
        ({"max": True}, batch(3), "E105"),
    ],
)
def test_clamp(args: dict[str, Any], x: Tensor, wanted: str) -> None:
    verdict = same("Clamp", args, [x], lambda t: torch.clamp(t, **args))
    assert (verdict.outputs[0].dtype if verdict.outputs else verdict.code) == wanted


edges = st.sampled_from([sign * (2**n + d) for n in (7, 8, 15, 31, 63, 64) for d in (-1, 0, 1)
                         for sign in (-1, 1)])  # fmt: skip
bounds = st.one_of(
    st.none(),
    st.integers(-3, 3),
    edges,
    st.floats(-3, 3),
    st.sampled_from([65504.0, 65505.0, 3.4e38, 3.3895314e38, 3.39e38, 3.5e38, -1e39, 1e300]),
    st.sampled_from([float("inf"), float("-inf"), float("nan")]),
)


@given(bounds, bounds, tensors())
def test_clamp_agrees(low: Any, high: Any, x: Tensor) -> None:
    verdict = same("Clamp", {"min": low, "max": high}, [x], lambda t: torch.clamp(t, low, high))
    event(str(verdict.code))


@pytest.mark.parametrize(
    ("kind", "args", "x", "wanted"),
    [
        ("Mean", {"dim": [2, 3]}, batch(3, 4, 4), (3,)),
        ("Mean", {"dim": [2, 3], "keepdim": True}, batch(3, 4, 4), (3, 1, 1)),
        ("Mean", {"dim": 1}, batch(0), ()),
        ("Mean", {"dim": -1}, batch(3, 4), (3,)),
        ("Mean", {"dim": 0}, free(3, 4), (4,)),
        ("Sum", {"dim": 1}, batch(3, dtype="bool"), ()),
        ("Amax", {"dim": 1}, batch(3, 0), (0,)),
        ("Amax", {"dim": 2}, batch(3, 0), "E208"),
        ("Mean", {"dim": 1}, batch(3, dtype="int64"), "E207"),
        ("Mean", {"dim": 0}, batch(3), "E502"),
        ("Sum", {"dim": []}, batch(3), "E503"),
        ("Sum", {"dim": [1, -1]}, batch(3), "E208"),
        ("Amax", {"dim": 2}, batch(3), "E210"),
        ("Sum", {"dim": 0}, free(), "E117"),
        ("Sum", {}, batch(3), "E105"),
    ],
)
def test_reductions(kind: str, args: dict[str, Any], x: Tensor, wanted: Any) -> None:
    verdict = same(kind, args, [x], lambda t: REDUCTIONS[kind](t, **args))
    assert (verdict.outputs[0].shape if verdict.outputs else verdict.code) == wanted


@given(st.sampled_from(sorted(REDUCTIONS)), tensors(), st.booleans(), st.data())
def test_reductions_agree(kind: str, x: Tensor, keepdim: bool, data: Any) -> None:
    dims = dims_of(x, 1)
    dim = data.draw(st.one_of(dims, st.lists(dims, min_size=1, max_size=2), st.just([])))
    verdict = same(
        kind, {"dim": dim, "keepdim": keepdim}, [x], lambda t: REDUCTIONS[kind](t, dim, keepdim)
    )
    event(str(verdict.code))


def test_symbols() -> None:
    sizes = range(1, 41)
    laws("Mean", {"dim": [2, 3]}, lambda h: [Tensor((3, h, h // 2))], sizes)
    laws("Sum", {"dim": 2, "keepdim": True}, lambda h: [Tensor((h + 1, h, 2))], sizes)
    laws("Amax", {"dim": 2}, lambda h: [Tensor((3, h // 4))], sizes)
    laws("Clamp", {"min": 0}, lambda h: [Tensor((3, h))], sizes)
    laws("Exp", {}, lambda h: [Tensor((3, h))], sizes)
