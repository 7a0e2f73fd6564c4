"""Linear layers, judged by PyTorch."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from archspec.diagnostics import Fault
from archspec.ops import apply
from archspec.ops.linear import Linear
from archspec.tensors import DTYPES, Tensor
from tests.ops.whole import (
    agrees_with_symbols,
    counts,
    dtypes,
    flags,
    judge,
    positive,
    shapes,
    sizes,
    some,
)
from tests.ops.whole import tensors as some_tensors
from tests.ops.windowed import mostly

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # warnings are no refusal


def linear(args: dict[str, Any], x: Tensor) -> Any:
    full = {"in_features": x.shape[-1] if x.shape else 1, **args}
    return judge("Linear", args, (x,), lambda: torch.nn.Linear(**full))


def bilinear(args: dict[str, Any], x: Tensor, y: Tensor) -> Any:
    last = [t.shape[-1] if t.shape else 1 for t in (x, y)]
    full = {"in1_features": last[0], "in2_features": last[1], **args}
    return judge("Bilinear", args, (x, y), lambda: torch.nn.Bilinear(**full))


@given(data=st.data())
def test_linear(data: st.DataObject) -> None:
    x = data.draw(some_tensors(1, 2, 3))
    given = st.sampled_from([*x.shape[-1:] * 9, 0, 3, -1])
    optional = data.draw(some(bias=flags, in_features=given))
    linear({"out_features": data.draw(counts), **optional}, x)


@given(data=st.data())
def test_bilinear(data: st.DataObject) -> None:
    shape = data.draw(shapes(1, 2, 3))
    x = Tensor(shape, data.draw(dtypes), data.draw(st.sampled_from([True] * 19 + [False])))
    other = data.draw(mostly(st.just(shape[:-1]), shapes(1, 2)))
    y = Tensor((*other, data.draw(mostly(positive, sizes))), data.draw(dtypes))
    given = st.sampled_from([*x.shape[-1:] * 9, 3, -1])
    optional = data.draw(some(bias=flags, in1_features=given))
    bilinear({"out_features": data.draw(counts), **optional}, x, y)


@given(some_tensors(0, 1, 2, 3))
def test_identity(x: Tensor) -> None:
    assert judge("Identity", {}, (x,), torch.nn.Identity).outputs == (x,)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(dtype: str) -> None:
    assert (linear({"out_features": 2}, Tensor((3,), dtype)).code is None) == (dtype == "float32")


F = Tensor((3, 4))
LINEAR: dict[str, tuple[dict[str, Any], Tensor, str | None]] = {
    "features": ({"out_features": 5}, Tensor((4,)), None),
    "tokens": ({"out_features": 5, "bias": False}, F, None),
    "a parameter": ({"out_features": 5}, Tensor((4,), batched=False), None),
    "given": ({"out_features": 5, "in_features": 4}, F, None),
    "given another": ({"out_features": 5, "in_features": 3}, F, "E205"),
    "given another, flat": ({"out_features": 5, "in_features": 3}, Tensor((4,)), "E205"),
    "to nothing": ({"out_features": 0}, F, None),
    "from nothing": ({"out_features": 5}, Tensor((3, 0)), None),
    "below nothing": ({"out_features": -1}, F, "E208"),
    "a number": ({"out_features": 5}, Tensor(()), "E501"),
    "a free number": ({"out_features": 5}, Tensor((), batched=False), "E203"),
    "no out_features": ({}, F, "E105"),
}


@pytest.mark.parametrize("case", LINEAR)
def test_linear_edges(case: str) -> None:
    args, x, code = LINEAR[case]
    verdict = linear(args, x)
    assert verdict.code == code
    if code is None:
        assert verdict.outputs[0].shape == (*x.shape[:-1], args["out_features"])


BILINEAR: dict[str, tuple[Tensor, Tensor, str | None]] = {
    "features": (Tensor((3,)), Tensor((4,)), None),
    "tokens": (Tensor((2, 3)), Tensor((2, 4)), None),
    "no broadcasting": (Tensor((2, 3)), Tensor((1, 4)), "E201"),
    "another rank": (Tensor((3,)), Tensor((2, 4)), "E201"),
    "nothing first": (Tensor((0,)), Tensor((4,)), "E208"),
    "nothing second": (Tensor((3,)), Tensor((0,)), "E208"),
    "numbers": (Tensor(()), Tensor((2,)), "E501"),
    "a parameter": (Tensor((3,), batched=False), Tensor((4,)), "E117"),
}


@pytest.mark.parametrize("case", BILINEAR)
def test_bilinear_edges(case: str) -> None:
    x, y, code = BILINEAR[case]
    assert bilinear({"out_features": 5}, x, y).code == code


def test_help_names_flatten() -> None:
    for wrong, ends in ((98, "= 98 features"), (64, "write in_features: 98, or leave it out")):
        with pytest.raises(Fault) as caught:
            apply(Linear(in_features=wrong, out_features=5), Tensor((2, 7, 7)))
        assert caught.value.help is not None
        assert caught.value.help.startswith("Flatten before it makes 2 * 7 * 7 = 98 features")
        assert caught.value.help.endswith(ends)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_macs(shape: tuple[int, ...], bias: bool) -> None:
    layer, outputs = apply(Linear(out_features=5, bias=bias), Tensor(shape))
    with FlopCounterMode(display=False) as counter:
        torch.nn.Linear(4, 5, bias)(torch.zeros(1, *shape))
    assert layer.macs((Tensor(shape),), outputs) == counter.get_total_flops() / 2


def test_symbols() -> None:
    assert agrees_with_symbols("Identity", {}, ("H", 3)) == 40
    assert agrees_with_symbols("Linear", {"out_features": 5}, ("H", 3)) == 40
    assert agrees_with_symbols("Bilinear", {"out_features": 5}, ("H", 3), ("W", 4)) == 40
    assert agrees_with_symbols("Bilinear", {"out_features": 5}, ("H", 3), (7, 4)) == 1


def test_symbolic_features() -> None:
    with pytest.raises(Fault, match="needs a fixed in_features"):
        agrees_with_symbols("Linear", {"out_features": 5}, (3, "W"))
    assert agrees_with_symbols("Linear", {"in_features": 6, "out_features": 5}, (3, "W")) == 1
