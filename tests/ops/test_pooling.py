"""Poolings, judged by PyTorch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.tensors import DTYPES, FLOATS, INTEGERS, Tensor
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

pytestmark = pytest.mark.filterwarnings("ignore")

FITS: dict[str, tuple[str, dict[str, Any], tuple[int, ...], tuple[int, ...]]] = {
    "stride is kernel_size": ("MaxPool2d", {"kernel_size": [2, 3]}, (3, 8, 9), (3, 4, 3)),
    "overlapping": (
        "MaxPool2d",
        {"kernel_size": 3, "stride": 2, "padding": 1},
        (3, 8, 9),
        (3, 4, 5),
    ),
    "dilated": ("MaxPool1d", {"kernel_size": 3, "stride": 1, "dilation": 2}, (3, 9), (3, 5)),
    "ceil": ("MaxPool2d", {"kernel_size": 2, "ceil_mode": True}, (3, 5, 6), (3, 3, 3)),
    "ceil, clipped": (
        "MaxPool1d",
        {"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True},
        (3, 5),
        (3, 2),
    ),
    "ceil, kernel too large": (
        "AvgPool2d",
        {"kernel_size": 5, "ceil_mode": True},
        (3, 4, 4),
        (3, 1, 1),
    ),
    "ceil, dilated": (
        "MaxPool3d",
        {"kernel_size": 2, "dilation": 4, "ceil_mode": True},
        (3, 4, 4, 4),
        (3, 1, 1, 1),
    ),
    "half a window of padding": ("AvgPool1d", {"kernel_size": 3, "padding": 1}, (3, 7), (3, 3)),
    "average": ("AvgPool3d", {"kernel_size": [1, 2, 2]}, (3, 2, 4, 5), (3, 2, 2, 2)),
    "divisor": ("AvgPool2d", {"kernel_size": 2, "divisor_override": -3}, (3, 4, 4), (3, 2, 2)),
    "norm": ("LPPool2d", {"norm_type": 2, "kernel_size": 2}, (3, 4, 5), (3, 2, 2)),
    "negative norm": ("LPPool1d", {"norm_type": -1.5, "kernel_size": 2}, (3, 4), (3, 2)),
    "norm of a volume": (
        "LPPool3d",
        {"norm_type": 1, "kernel_size": 2},
        (3, 4, 4, 4),
        (3, 2, 2, 2),
    ),
    "largest of all": ("AdaptiveMaxPool2d", {"output_size": 1}, (3, 4, 5), (3, 1, 1)),
    "more than there is": ("AdaptiveMaxPool1d", {"output_size": 7}, (3, 4), (3, 7)),
    "as the input": ("AdaptiveMaxPool2d", {"output_size": [None, 2]}, (3, 4, 5), (3, 4, 2)),
    "to nothing": ("AdaptiveAvgPool1d", {"output_size": 0}, (3, 4), (3, 0)),
    "mean": ("AdaptiveAvgPool3d", {"output_size": [1, 1, None]}, (3, 4, 5, 6), (3, 1, 1, 6)),
    "mean of nothing": ("AdaptiveAvgPool2d", {"output_size": 1}, (3, 0, 0), (3, 1, 1)),
    "mean without channels": ("AdaptiveAvgPool2d", {"output_size": 2}, (0, 4, 4), (0, 2, 2)),
    "mean of any rank": ("AdaptiveAvgPool2d", {"output_size": 1}, (3, 2, 4, 4), (3, 2, 1, 1)),
}

FAULTS: dict[str, tuple[str, dict[str, Any], tuple[int, ...], str]] = {
    "kernel too large": ("MaxPool2d", {"kernel_size": 5}, (3, 4, 4), "E204"),
    "ceil, far too large": (
        "MaxPool1d",
        {"kernel_size": 9, "stride": 1, "ceil_mode": True},
        (3, 4),
        "E204",
    ),
    "ceil in a volume": ("AvgPool3d", {"kernel_size": 5, "ceil_mode": True}, (3, 4, 4, 4), "E204"),
    "padded in a volume": ("AvgPool3d", {"kernel_size": 5, "padding": 2}, (3, 4, 4, 4), "E204"),
    "norm in a volume": (
        "LPPool3d",
        {"norm_type": 2, "kernel_size": 5, "ceil_mode": True},
        (3, 4, 4, 4),
        "E204",
    ),
    "empty": ("MaxPool2d", {"kernel_size": 2, "padding": 1}, (3, 0, 4), "E204"),
    "no channels": ("AvgPool2d", {"kernel_size": 2}, (0, 4, 4), "E204"),
    "more than half": ("MaxPool2d", {"kernel_size": 3, "padding": 2}, (3, 4, 4), "E208"),
    "more than half, dilated": (
        "MaxPool1d",
        {"kernel_size": 3, "dilation": 4, "padding": 2},
        (3, 9),
        "E208",
    ),
    "padding below 0": ("AvgPool1d", {"kernel_size": 3, "padding": -1}, (3, 4), "E208"),
    "kernel 0": ("MaxPool2d", {"kernel_size": [0, 1]}, (3, 4, 4), "E208"),
    "stride 0": ("AvgPool2d", {"kernel_size": 1, "stride": 0}, (3, 4, 4), "E208"),
    "dilation 0": ("MaxPool3d", {"kernel_size": 1, "dilation": 0}, (3, 4, 4, 4), "E208"),
    "divisor 0": ("AvgPool3d", {"kernel_size": 1, "divisor_override": 0}, (3, 4, 4, 4), "E208"),
    "norm 0": ("LPPool1d", {"norm_type": 0, "kernel_size": 1}, (3, 4), "E208"),
    "norm without end": ("LPPool1d", {"norm_type": float("inf"), "kernel_size": 1}, (3, 4), "E105"),
    "size below 0": ("AdaptiveAvgPool2d", {"output_size": [1, -1]}, (3, 4, 4), "E208"),
    "adaptive of nothing": ("AdaptiveMaxPool2d", {"output_size": 1}, (3, 0, 4), "E204"),
    "average of nothing": ("AdaptiveAvgPool2d", {"output_size": 2}, (3, 0, 4), "E204"),
    "volume without channels": ("AdaptiveAvgPool3d", {"output_size": 2}, (0, 4, 4, 4), "E204"),
    "null in one dimension": ("AdaptiveMaxPool1d", {"output_size": [None]}, (3, 4), "E105"),
    "huge": ("MaxPool2d", {"kernel_size": 1, "stride": 2**62}, (3, 4, 4), "E005"),
    "rank too low": ("MaxPool3d", {"kernel_size": 1}, (3, 4), "E203"),
    "rank too high": ("MaxPool1d", {"kernel_size": 1}, (3, 4, 4), "E203"),
    "rank too high for two": ("AdaptiveAvgPool2d", {"output_size": 2}, (3, 4, 4, 4), "E203"),
    "a sample": ("MaxPool2d", {"kernel_size": 1}, (3, 4), "E501"),
    "a sample, adaptive": ("AdaptiveAvgPool2d", {"output_size": 1}, (4, 4), "E501"),
    "two short": ("AdaptiveAvgPool3d", {"output_size": 1}, (4, 4), "E501"),
    "list for a norm": ("LPPool1d", {"norm_type": 2, "kernel_size": [2]}, (3, 4), "E105"),
    "indices": ("MaxPool2d", {"kernel_size": 1, "return_indices": True}, (3, 4, 4), "E105"),
}

DTYPE_TABLE: dict[str, tuple[str, ...]] = {
    "MaxPool1d": FLOATS,
    "MaxPool2d": (*INTEGERS, *FLOATS),
    "MaxPool3d": (*INTEGERS, *FLOATS),
    "AvgPool1d": ("int64", *FLOATS),
    "AvgPool2d": ("int64", *FLOATS),
    "AvgPool3d": ("int64", "float32", "float64"),
    "LPPool1d": DTYPES,
    "LPPool2d": DTYPES,
    "LPPool3d": ("bool", *INTEGERS, "float32", "float64"),
    "AdaptiveMaxPool1d": FLOATS,
    "AdaptiveMaxPool2d": FLOATS,
    "AdaptiveMaxPool3d": FLOATS,
    "AdaptiveAvgPool1d": FLOATS,
    "AdaptiveAvgPool2d": FLOATS,
    "AdaptiveAvgPool3d": FLOATS,
}
KINDS = list(DTYPE_TABLE)


@pytest.mark.parametrize("case", FITS)
def test_fits(case: str) -> None:
    kind, args, shape, expected = FITS[case]
    assert judge(kind, args, Tensor(shape)).outputs == (Tensor(expected),)


@pytest.mark.parametrize("case", FAULTS)
def test_faults(case: str) -> None:
    kind, args, shape, code = FAULTS[case]
    assert judge(kind, args, Tensor(shape)).code == code


@pytest.mark.parametrize("kind", KINDS)
def test_dtypes(kind: str) -> None:
    """Also pooling to 1, which takes a way of its own through PyTorch."""
    for dtype in DTYPES:
        x = Tensor((3,) + (4,) * spatial_of(kind), dtype)
        for size in (1, 2):
            code = judge(kind, simplest(kind, size), x).code
            assert code == (None if dtype in DTYPE_TABLE[kind] else "E207"), dtype


def test_integers_are_fine_where_nothing_is_computed() -> None:
    for kind, x in (("AdaptiveAvgPool1d", (3, 4)), ("AdaptiveAvgPool2d", (3, 4, 4))):
        assert judge(kind, {"output_size": 0}, Tensor(x, "int32")).code is None
    volume = Tensor((3, 4, 4, 4), "int32")
    assert judge("AdaptiveAvgPool3d", {"output_size": 0}, volume).code == "E207"


def spatial_of(kind: str) -> int:
    return int(kind[-2])


def simplest(kind: str, size: int) -> dict[str, Any]:
    if kind.startswith("Adaptive"):
        return {"output_size": size}
    return {"kernel_size": size} | ({"norm_type": 2} if kind.startswith("LP") else {})


def arguments(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    spatial = spatial_of(kind)
    if kind.startswith("Adaptive"):
        size = st.one_of(st.integers(1, 4), st.just(1), whole(-1, 9))
        entry = size if spatial == 1 else st.one_of(size, st.none())
        sizes = st.one_of(size, st.lists(entry, min_size=spatial, max_size=spatial))
        return st.fixed_dictionaries({"output_size": sizes})
    given: dict[str, Any] = {
        "kernel_size": per_dimension(mostly(whole(1, 4), whole(1, 9)), spatial)
    }
    if kind == "LPPool1d":  # takes no list
        given["kernel_size"] = mostly(whole(1, 4), st.just([2]))
    others: dict[str, Any] = {
        "stride": per_dimension(whole(1, 4), spatial),
        "ceil_mode": st.booleans(),
    }
    if kind.startswith("LP"):
        given["norm_type"] = mostly(st.sampled_from([1, 2, 2.5]), st.sampled_from([0, -1, 0.5]))
    else:
        others["padding"] = mostly(st.integers(0, 1), per_dimension(whole(0, 4), spatial))
    if kind.startswith("Max"):
        others["dilation"] = per_dimension(whole(1, 3), spatial)
    if kind.startswith("Avg"):
        others["count_include_pad"] = st.booleans()
    if kind in ("AvgPool2d", "AvgPool3d"):
        others["divisor_override"] = st.integers(-2, 5)
    return st.builds(lambda a, b: {**a, **b}, st.fixed_dictionaries(given), optional(others))


channels = mostly(st.integers(1, 3), st.just(0))
dtypes = st.one_of(st.just("float32"), st.sampled_from(DTYPES))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_agrees_with_torch(kind: str, data: st.DataObject) -> None:
    args = data.draw(arguments(kind))
    shape = data.draw(shapes(channels, spatial_of(kind), 9))
    judge(kind, args, Tensor(shape, data.draw(dtypes)))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if spatial_of(kind) == 2])
@given(data=st.data())
def test_symbolic_sizes(kind: str, data: st.DataObject) -> None:
    agrees_with_numbers(kind, data.draw(arguments(kind)))


def test_messages() -> None:
    padding = fault("MaxPool2d", {"kernel_size": 3, "padding": 2}, 3, 4, 4)
    assert padding.message == "padding 2 is more than half of kernel_size 3"
    assert (padding.field, padding.help) == ("padding", "it may be up to 1")
    kernel = fault("AvgPool1d", {"kernel_size": 6}, 3, 4)
    assert kernel.message == "a kernel that reaches over 6 does not fit into 4"
    assert kernel.help == "padding: 1 or an input of 6 or more would fit"
