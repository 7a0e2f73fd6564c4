"""Convolutions, judged by PyTorch."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from archspec.ops import apply, find
from archspec.tensors import DTYPES, Tensor
from tests.ops.windowed import (
    agrees_with_numbers,
    fault,
    judge,
    mostly,
    optional,
    per_dimension,
    shapes,
    whole,
)

# PyTorch warns of empty weights, and of the copy that an even kernel costs under `same`.
pytestmark = pytest.mark.filterwarnings("ignore")

FITS: dict[str, tuple[str, dict[str, Any], tuple[int, ...], tuple[int, ...]]] = {
    "plain": ("Conv2d", {"kernel_size": 3}, (3, 8, 9), (4, 6, 7)),
    "one dimension": ("Conv1d", {"kernel_size": 3, "stride": 2}, (3, 9), (4, 4)),
    "three dimensions": ("Conv3d", {"kernel_size": [1, 2, 3]}, (3, 4, 4, 4), (4, 4, 3, 2)),
    "rectangular": ("Conv2d", {"kernel_size": [1, 7], "padding": [0, 3]}, (3, 5, 5), (4, 5, 5)),
    "stride floors": ("Conv2d", {"kernel_size": 2, "stride": [2, 3]}, (3, 5, 7), (4, 2, 2)),
    "dilation": ("Conv2d", {"kernel_size": 3, "dilation": [1, 2]}, (3, 5, 5), (4, 3, 1)),
    "depthwise": ("Conv2d", {"kernel_size": 1, "groups": 4}, (4, 2, 2), (4, 2, 2)),
    "no bias": ("Conv1d", {"kernel_size": 1, "bias": False}, (3, 4), (4, 4)),
    "same": ("Conv2d", {"kernel_size": [3, 4], "padding": "same"}, (3, 1, 5), (4, 1, 5)),
    "valid": ("Conv1d", {"kernel_size": 3, "padding": "valid"}, (3, 5), (4, 3)),
    "kernel as large as input": ("Conv1d", {"kernel_size": 5}, (3, 5), (4, 1)),
    "reflect to its limit": (
        "Conv1d",
        {"kernel_size": 3, "padding": 4, "padding_mode": "reflect"},
        (3, 5),
        (4, 11),
    ),
    "circular to its limit": (
        "Conv1d",
        {"kernel_size": 3, "padding": 5, "padding_mode": "circular"},
        (3, 5),
        (4, 13),
    ),
    "replicate without limit": (
        "Conv2d",
        {"kernel_size": 3, "padding": 9, "padding_mode": "replicate"},
        (3, 1, 2),
        (4, 17, 18),
    ),
    "padding that cuts": (
        "Conv2d",
        {"kernel_size": 1, "padding": [-1, 1], "padding_mode": "circular"},
        (3, 4, 4),
        (4, 2, 6),
    ),
    "same, reflected": (
        "Conv1d",
        {"kernel_size": 4, "padding": "same", "padding_mode": "reflect"},
        (3, 3),
        (4, 3),
    ),
    "no channels give none": ("Conv2d", {"kernel_size": 1}, (0, 4, 4), (0, 4, 4)),
    "nothing at all": ("Conv1d", {"kernel_size": 1, "padding": 1}, (0, 0), (0, 2)),
    "long stride": ("Conv1d", {"kernel_size": 1, "stride": 2**24}, (3, 4), (4, 1)),
}

FAULTS: dict[str, tuple[str, dict[str, Any], tuple[int, ...], str]] = {
    "kernel too large": ("Conv2d", {"kernel_size": 5}, (3, 4, 4), "E204"),
    "dilated too far": ("Conv1d", {"kernel_size": 3, "dilation": 2}, (3, 4), "E204"),
    "empty but padded": ("Conv1d", {"kernel_size": 1, "padding": 1}, (3, 0), "E204"),
    "same of nothing": ("Conv2d", {"kernel_size": 3, "padding": "same"}, (3, 4, 0), "E204"),
    "kernel 0": ("Conv2d", {"kernel_size": [0, 1]}, (3, 4, 4), "E208"),
    "stride 0": ("Conv2d", {"kernel_size": 1, "stride": 0}, (3, 4, 4), "E208"),
    "dilation 0": ("Conv2d", {"kernel_size": 1, "dilation": 0}, (3, 4, 4), "E208"),
    "padding below 0": ("Conv2d", {"kernel_size": 1, "padding": -1}, (3, 4, 4), "E208"),
    "same with stride": (
        "Conv2d",
        {"kernel_size": 3, "padding": "same", "stride": [1, 2]},
        (3, 4, 4),
        "E208",
    ),
    "groups 0": ("Conv2d", {"kernel_size": 1, "groups": 0}, (3, 4, 4), "E208"),
    "groups and inputs": ("Conv2d", {"kernel_size": 1, "groups": 2}, (3, 4, 4), "E206"),
    "groups and outputs": ("Conv2d", {"kernel_size": 1, "groups": 3}, (3, 4, 4), "E206"),
    "reflect": (
        "Conv1d",
        {"kernel_size": 1, "padding": 4, "padding_mode": "reflect"},
        (3, 4),
        "E204",
    ),
    "circular": (
        "Conv2d",
        {"kernel_size": 1, "padding": [0, 5], "padding_mode": "circular"},
        (3, 4, 4),
        "E204",
    ),
    "reflect without channels": (
        "Conv1d",
        {"kernel_size": 1, "padding_mode": "reflect"},
        (0, 4),
        "E204",
    ),
    "another in_channels": ("Conv2d", {"kernel_size": 1, "in_channels": 5}, (3, 4, 4), "E205"),
    "rank too low": ("Conv2d", {"kernel_size": 1}, (3,), "E203"),
    "rank too high": ("Conv1d", {"kernel_size": 1}, (3, 4, 4), "E203"),
    "a sample": ("Conv2d", {"kernel_size": 1}, (3, 4), "E501"),
    "huge": ("Conv1d", {"kernel_size": 1, "stride": 2**40}, (3, 4), "E005"),
    "list too long": ("Conv2d", {"kernel_size": [1, 2, 3]}, (3, 4, 4), "E105"),
}


@pytest.mark.parametrize("case", FITS)
def test_fits(case: str) -> None:
    kind, args, shape, expected = FITS[case]
    verdict = judge(kind, {"out_channels": 4, **args}, Tensor(shape), in_channels=shape[0])
    assert verdict.outputs == (Tensor(expected),)


@pytest.mark.parametrize("case", FAULTS)
def test_faults(case: str) -> None:
    kind, args, shape, code = FAULTS[case]
    told = {} if "in_channels" in args else {"in_channels": shape[0]}
    assert judge(kind, {"out_channels": 4, **args}, Tensor(shape), **told).code == code


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(dtype: str) -> None:
    args = {"out_channels": 4, "kernel_size": 2}
    code = judge("Conv2d", args, Tensor((3, 4, 4), dtype), in_channels=3).code
    assert code == (None if dtype == "float32" else "E207")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [False, True])
def test_dtypes_without_channels(dtype: str, bias: bool) -> None:
    args = {"out_channels": 4, "kernel_size": 0, "bias": bias}
    verdict = judge("Conv1d", args, Tensor((0, 4), dtype), in_channels=0)
    assert verdict.code == (None if dtype == "float32" or not bias else "E207")


def arguments(spatial: int) -> st.SearchStrategy[dict[str, Any]]:
    padding = mostly(whole(0, 2), st.integers(-2, 8))
    given = st.fixed_dictionaries(
        {
            "out_channels": mostly(st.sampled_from([2, 4]), whole(1, 4)),
            "kernel_size": per_dimension(whole(1, 3), spatial),
        }
    )
    others = optional(
        {
            "stride": mostly(st.just(1), per_dimension(whole(1, 3), spatial)),
            "padding": st.one_of(
                per_dimension(padding, spatial), st.sampled_from(["same", "valid"])
            ),
            "dilation": per_dimension(whole(1, 2), spatial),
            "groups": mostly(st.sampled_from([1, 2]), whole(1, 4)),
            "bias": st.booleans(),
            "padding_mode": st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
        }
    )
    return st.builds(lambda a, b: {**a, **b}, given, others)


channels = mostly(st.sampled_from([2, 4]), st.integers(0, 3))
dtypes = mostly(st.just("float32"), st.sampled_from(DTYPES))


@pytest.mark.parametrize("spatial", [1, 2, 3])
@given(data=st.data())
def test_agrees_with_torch(spatial: int, data: st.DataObject) -> None:
    args = data.draw(arguments(spatial))
    shape = data.draw(shapes(channels, spatial, 7))
    x = Tensor(shape, data.draw(dtypes))
    judge(f"Conv{spatial}d", args, x, in_channels=shape[0] if shape else 1)


@pytest.mark.parametrize("case", [c for c in FITS if FITS[c][2][0]])
def test_costs(case: str) -> None:
    kind, args, shape, _ = FITS[case]
    cls = find(kind)
    assert cls is not None
    layer, outputs = apply(cls.model_validate({"out_channels": 4, **args}), Tensor(shape))
    module = getattr(torch.nn, kind)(shape[0], 4, **args).eval()
    assert layer.weights() == {n: tuple(p.shape) for n, p in module.named_parameters()}
    with FlopCounterMode(display=False) as counter:
        module(torch.zeros(1, *shape))
    assert 2 * layer.macs((Tensor(shape),), outputs) == counter.get_total_flops()


@given(args=arguments(2))
def test_symbolic_sizes(args: dict[str, Any]) -> None:
    agrees_with_numbers("Conv2d", {**args, "out_channels": 4})


def test_messages() -> None:
    groups = fault("Conv2d", {"out_channels": 48, "kernel_size": 1, "groups": 5}, 64, 4, 4)
    assert groups.message == "groups 5 does not divide out_channels 48"
    groups = fault("Conv2d", {"out_channels": 48, "kernel_size": 1, "groups": 3}, 64, 4, 4)
    assert groups.message == "groups 3 does not divide in_channels 64"
    assert groups.help == "it may be 1, 2, 4, 8, 16"
    kernel = fault("Conv1d", {"out_channels": 1, "kernel_size": 7, "padding": 1}, 1, 3)
    assert kernel.message == "a kernel that reaches over 7 does not fit into 3 with 2 of padding"
    assert kernel.help == "padding: 2 or an input of 5 or more would fit"
    assert (kernel.field, kernel.input) == ("kernel_size", 0)
