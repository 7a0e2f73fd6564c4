"""The paddings against torch: zeros, a value, reflected, repeated, and around."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archspec.ops import apply, find
from archspec.sizes import Domain, Expr
from archspec.tensors import DTYPES, Tensor
from tests.ops.against_torch import agree, ask

FAMILIES = ("Zero", "Constant", "Reflection", "Replication", "Circular")
KINDS = [f"{family}Pad{n}d" for family in FAMILIES for n in (1, 2, 3)]


def reference(kind: str, args: Mapping[str, Any]) -> Callable[..., Any]:
    return lambda x: getattr(torch.nn, kind)(**args)(x)


CASES: dict[str, tuple[str, Any, tuple[int, ...], Any]] = {
    "all ends": ("ZeroPad2d", 1, (3, 5, 6), (3, 7, 8)),
    "last dimension first": ("ZeroPad2d", [1, 2, 3, 4], (3, 5, 6), (3, 12, 9)),
    "volume": ("ZeroPad3d", [1, 2, 3, 4, 5, 6], (1, 2, 2, 2), (1, 13, 9, 5)),
    "without channels": ("ZeroPad2d", 1, (5, 6), (7, 8)),
    "more dimensions": ("ZeroPad1d", 1, (2, 3, 5, 6), (2, 3, 5, 8)),
    "taken away": ("ZeroPad1d", [-2, 1], (3, 5), (3, 4)),
    "all taken away": ("ZeroPad1d", [-2, -3], (3, 5), (3, 0)),
    "more taken than there": ("ZeroPad1d", [-6, 6], (3, 5), "E204"),
    "padded out of nothing": ("ZeroPad1d", 1, (3, 0), (3, 2)),
    "the batch": ("ZeroPad2d", 1, (5,), "E501"),
    "beyond the batch": ("ZeroPad3d", 1, (5,), "E203"),
    "a list too short": ("ZeroPad2d", [1, 2], (3, 5, 6), "E105"),
    "reflect": ("ReflectionPad1d", 4, (3, 5), (3, 13)),
    "reflect too much": ("ReflectionPad1d", [0, 5], (3, 5), "E204"),
    "reflect too much, though less is left": ("ReflectionPad1d", [6, -4], (3, 5), "E204"),
    "reflect, nothing left": ("ReflectionPad1d", [-5, 0], (3, 5), "E204"),
    "reflect, a row left": ("ReflectionPad2d", [-6, 0, 0, 0], (3, 5, 6), (3, 5, 0)),
    "reflect, less than nothing left": ("ReflectionPad3d", -3, (1, 4, 4, 5), "E204"),
    "reflect without channels": ("ReflectionPad2d", 1, (0, 5, 6), "E211"),
    "reflect a sample short": ("ReflectionPad2d", 1, (5, 6), "E501"),
    "reflect a batch more": ("ReflectionPad1d", 1, (2, 3, 5), "E203"),
    "replicate": ("ReplicationPad2d", 9, (3, 5, 6), (3, 23, 24)),
    "replicate far": ("ReplicationPad1d", [-9, 9], (3, 5), (3, 5)),
    "replicate nothing": ("ReplicationPad1d", 1, (3, 0), "E211"),
    "around": ("CircularPad1d", 5, (3, 5), (3, 15)),
    "around, too much": ("CircularPad1d", [6, 0], (3, 5), "E204"),
    "around, all taken": ("CircularPad1d", [-5, 0], (3, 5), (3, 0)),
    "around, more taken": ("CircularPad1d", -3, (3, 5), "E204"),
    "around, from what is gone": ("CircularPad1d", [-3, 3], (3, 5), "E503"),
    "around, without channels": ("CircularPad2d", 1, (0, 5, 6), (0, 7, 8)),
    "around a sample short": ("CircularPad3d", 1, (5, 5, 5), "E501"),
}


@pytest.mark.parametrize(("kind", "padding", "shape", "expected"), CASES.values(), ids=CASES)
def test_cases(kind: str, padding: Any, shape: tuple[int, ...], expected: Any) -> None:
    args = {"padding": tuple(padding) if isinstance(padding, list) else padding}
    verdict = agree(kind, args, [Tensor(shape)], reference(kind, args))
    if isinstance(expected, str):
        assert verdict.code == expected
    else:
        assert verdict.outputs == (Tensor(expected),)


def test_around_from_what_is_gone() -> None:
    """Why the rule refuses it: nothing is left to repeat, and torch runs all the same."""
    x = torch.arange(1.0, 6.0).view(1, 1, 5)
    assert torch.nn.CircularPad1d((-1, 3))(x).flatten().tolist() == [2, 3, 4, 5, 2, 3, 4]
    assert torch.nn.CircularPad1d((-5, 5))(x).shape == (1, 1, 5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [1, -1, 0.5, -0.5, 127.5, 255, 300, 65505.0, 1e40, float("nan")])
def test_values(value: float, dtype: str) -> None:
    for padding in (1, -1, 0):
        args = {"padding": padding, "value": value}
        agree("ConstantPad1d", args, [Tensor((1, 5), dtype)], reference("ConstantPad1d", args))


@pytest.mark.parametrize("value", [2**31 - 1, 2**31, -(2**31), 2**63 - 1024, 2**63, float("-inf")])
def test_large_values(value: float) -> None:
    args = {"padding": 1, "value": value}
    for dtype in ("uint8", "int32", "int64", "float16", "float32", "float64"):
        agree("ConstantPad1d", args, [Tensor((1, 5), dtype)], reference("ConstantPad1d", args))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(kind: str, dtype: str) -> None:
    args = {"padding": 1, "value": 1.0} if kind.startswith("Constant") else {"padding": 1}
    shape = (2, 3, 4, 5)[: int(kind[-2]) + 1]
    verdict = agree(kind, args, [Tensor(shape, dtype)], reference(kind, args))
    refused = dtype == "bool" and kind.startswith("Re")
    assert verdict.code == ("E207" if refused else None)


def test_too_large() -> None:
    assert ask("ZeroPad1d", {"padding": 2**40}, Tensor((3, 5))).code == "E005"


def test_a_free_tensor_has_no_place_here() -> None:
    assert ask("ZeroPad1d", {"padding": 1}, Tensor((3, 5), batched=False)).code == "E117"


SYMBOLIC = {
    "zeros": ("ZeroPad2d", (1, -3, 2, 0)),
    "reflected": ("ReflectionPad2d", (1, 2, 3, -1)),
    "repeated": ("ReplicationPad2d", (-1, -1, 4, 4)),
    "around": ("CircularPad2d", (3, -1, 2, 2)),
}


@pytest.mark.parametrize(("kind", "padding"), SYMBOLIC.values(), ids=SYMBOLIC)
def test_symbolic(kind: str, padding: tuple[int, ...]) -> None:
    """The same sizes, and the requirements that it takes down are what torch requires."""
    domain = Domain()
    h, w = domain.symbol("H"), domain.symbol("W")
    cls = find(kind)
    assert cls is not None
    _, (out,) = apply(cls.model_validate({"padding": padding}), Tensor((3, h, w)))
    for size in range(1, 41):
        values = {"H": size, "W": size + 1}
        concrete = ask(kind, {"padding": padding}, Tensor((3, size, size + 1)))
        assert (concrete.outputs is not None) == all(c.at(values) for c in domain.requirements)
        if concrete.outputs is not None:
            sizes = tuple(s.at(values) if isinstance(s, Expr) else s for s in out.shape)
            assert sizes == concrete.outputs[0].shape


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """`usual` in nine cases of ten."""
    return st.integers(0, 9).flatmap(lambda n: odd if n == 9 else usual)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, dict[str, Any], Tensor]:
    kind = draw(st.sampled_from(KINDS))
    n = int(kind[-2])
    sizes = mostly(st.integers(1, 6), st.just(0))
    rank = draw(mostly(st.just(n + 1), st.integers(0, 5)))
    shape = tuple(draw(sizes) for _ in range(rank))
    end = st.integers(-4, 6) if draw(st.booleans()) else st.integers(-1, 2)
    lists = st.lists(end, min_size=2 * n, max_size=2 * n).map(tuple)
    args: dict[str, Any] = {"padding": draw(st.one_of(end, lists))}
    if kind.startswith("Constant"):
        values = st.one_of(st.integers(-300, 300), st.floats(), st.floats(-1e5, 1e5))
        args["value"] = draw(values)
    dtype = draw(mostly(st.sampled_from(["float32", "uint8", "int64"]), st.sampled_from(DTYPES)))
    return kind, args, Tensor(shape, dtype)


@given(cases())
def test_agrees_with_torch(case: tuple[str, dict[str, Any], Tensor]) -> None:
    kind, args, x = case
    agree(kind, args, [x], reference(kind, args))
