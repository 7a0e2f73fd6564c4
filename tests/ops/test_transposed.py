"""Transposed convolutions, judged by PyTorch."""

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

pytestmark = pytest.mark.filterwarnings("ignore")  # PyTorch warns of empty weights

FITS: dict[str, tuple[str, dict[str, Any], tuple[int, ...], tuple[int, ...]]] = {
    "plain": ("ConvTranspose2d", {"kernel_size": 3}, (2, 4, 5), (4, 6, 7)),
    "one dimension": ("ConvTranspose1d", {"kernel_size": 4, "stride": 2}, (2, 5), (4, 12)),
    "three dimensions": ("ConvTranspose3d", {"kernel_size": [1, 2, 3]}, (2, 2, 2, 2), (4, 2, 3, 4)),
    "doubling": (
        "ConvTranspose2d",
        {"kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
        (2, 4, 4),
        (4, 8, 8),
    ),
    "rectangular": (
        "ConvTranspose2d",
        {"kernel_size": [3, 1], "stride": [1, 2], "padding": [1, 0], "output_padding": [0, 1]},
        (2, 4, 5),
        (4, 4, 10),
    ),
    "output_padding under dilation": (
        "ConvTranspose1d",
        {"kernel_size": 2, "dilation": 3, "output_padding": 2},
        (2, 4),
        (4, 9),
    ),
    "groups": ("ConvTranspose2d", {"kernel_size": 2, "groups": 2}, (2, 3, 3), (4, 4, 4)),
    "no bias": ("ConvTranspose2d", {"kernel_size": 1, "bias": False}, (2, 3, 3), (4, 3, 3)),
}

FAULTS: dict[str, tuple[str, dict[str, Any], tuple[int, ...], str]] = {
    "nothing is left": ("ConvTranspose1d", {"kernel_size": 2, "padding": 2}, (2, 3), "E118"),
    "less than nothing": ("ConvTranspose1d", {"kernel_size": 2, "padding": 3}, (2, 3), "E204"),
    "empty": ("ConvTranspose2d", {"kernel_size": 2}, (2, 0, 3), "E204"),
    "no channels": ("ConvTranspose2d", {"kernel_size": 2}, (0, 3, 3), "E204"),
    "output_padding": (
        "ConvTranspose2d",
        {"kernel_size": 3, "stride": 2, "output_padding": [1, 2]},
        (2, 3, 3),
        "E208",
    ),
    "output_padding below 0": (
        "ConvTranspose1d",
        {"kernel_size": 3, "output_padding": -1},
        (2, 3),
        "E208",
    ),
    "kernel 0": ("ConvTranspose2d", {"kernel_size": [1, 0]}, (2, 3, 3), "E208"),
    "stride 0": ("ConvTranspose2d", {"kernel_size": 1, "stride": 0}, (2, 3, 3), "E208"),
    "dilation 0": ("ConvTranspose2d", {"kernel_size": 2, "dilation": 0}, (2, 3, 3), "E208"),
    "dilation 0 of a point": (
        "ConvTranspose2d",
        {"kernel_size": 1, "dilation": 0},
        (2, 3, 3),
        "E118",
    ),
    "dilation 0 in a volume": (
        "ConvTranspose3d",
        {"kernel_size": 1, "dilation": 0},
        (2, 3, 3, 3),
        "E208",
    ),
    "padding below 0": ("ConvTranspose2d", {"kernel_size": 1, "padding": -1}, (2, 3, 3), "E208"),
    "padding_mode": (
        "ConvTranspose2d",
        {"kernel_size": 1, "padding_mode": "circular"},
        (2, 3, 3),
        "E208",
    ),
    "same": ("ConvTranspose2d", {"kernel_size": 1, "padding": "same"}, (2, 3, 3), "E105"),
    "groups and inputs": ("ConvTranspose1d", {"kernel_size": 1, "groups": 4}, (2, 3), "E206"),
    "groups and outputs": ("ConvTranspose1d", {"kernel_size": 1, "groups": 3}, (3, 3), "E206"),
    "another in_channels": (
        "ConvTranspose1d",
        {"kernel_size": 1, "in_channels": 5},
        (2, 3),
        "E205",
    ),
    "rank too low": ("ConvTranspose3d", {"kernel_size": 1}, (2, 3), "E203"),
    "rank too high": ("ConvTranspose1d", {"kernel_size": 1}, (2, 3, 3), "E203"),
    "a sample": ("ConvTranspose2d", {"kernel_size": 1}, (2, 3), "E501"),
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
    code = judge("ConvTranspose2d", args, Tensor((3, 4, 4), dtype), in_channels=3).code
    assert code == (None if dtype == "float32" else "E207")


def arguments(spatial: int) -> st.SearchStrategy[dict[str, Any]]:
    given = st.fixed_dictionaries(
        {
            "out_channels": mostly(st.sampled_from([2, 4]), whole(1, 4)),
            "kernel_size": per_dimension(whole(1, 4), spatial),
            "stride": per_dimension(whole(1, 3), spatial),
        }
    )
    others = optional(
        {
            "padding": per_dimension(mostly(whole(0, 2), st.integers(0, 8)), spatial),
            "output_padding": per_dimension(mostly(st.just(0), whole(0, 2)), spatial),
            "dilation": per_dimension(whole(1, 3), spatial),
            "groups": mostly(st.sampled_from([1, 2]), whole(1, 4)),
            "bias": st.booleans(),
            "padding_mode": mostly(st.just("zeros"), st.sampled_from(["reflect", "circular"])),
        }
    )
    return st.builds(lambda a, b: {**a, **b}, given, others)


channels = mostly(st.sampled_from([2, 4]), st.integers(0, 3))
dtypes = mostly(st.just("float32"), st.sampled_from(DTYPES))


@pytest.mark.parametrize("spatial", [1, 2, 3])
@given(data=st.data())
def test_agrees_with_torch(spatial: int, data: st.DataObject) -> None:
    args = data.draw(arguments(spatial))
    shape = data.draw(shapes(channels, spatial, 5))
    x = Tensor(shape, data.draw(dtypes))
    judge(f"ConvTranspose{spatial}d", args, x, in_channels=shape[0] if shape else 1)


@pytest.mark.parametrize("case", FITS)
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
    agrees_with_numbers("ConvTranspose2d", {**args, "out_channels": 4})


def test_messages() -> None:
    args = {"out_channels": 4, "kernel_size": 3, "stride": 2, "output_padding": 2}
    extra = fault("ConvTranspose2d", args, 2, 4, 4)
    assert extra.message == "output_padding 2 is not smaller than stride 2 or dilation 1"
    assert (extra.field, extra.help) == ("output_padding", "it may be up to 1")
    cut = fault("ConvTranspose1d", {"out_channels": 4, "kernel_size": 2, "padding": 3}, 2, 3)
    assert cut.message == "padding 3 leaves nothing of the output, which is 4 before it is cut"
    assert (cut.field, cut.input, cut.help) == ("padding", 0, "padding may be up to 1")
