"""Batch, instance and group norms, judged by PyTorch."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archspec.diagnostics import Fault
from archspec.ops import find
from archspec.sizes import Domain
from archspec.tensors import Tensor
from tests.ops.whole import agrees_with_symbols, flags, floats, judge, small, some, tensors

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # warnings are no refusal

RANKS = {
    "BatchNorm1d": (1, 2),
    "BatchNorm2d": (3,),
    "BatchNorm3d": (4,),
    "InstanceNorm1d": (2,),
    "InstanceNorm2d": (3,),
    "InstanceNorm3d": (4,),
}


def verdict(kind: str, args: dict[str, Any], x: Tensor) -> Any:
    counted = "num_channels" if kind == "GroupNorm" else "num_features"
    full = {counted: x.shape[0] if x.shape else 1, **args}
    return judge(kind, args, (x,), lambda: getattr(torch.nn, kind)(**full))


def given_size(x: Tensor) -> st.SearchStrategy[int]:
    return st.sampled_from([*x.shape[:1] * 30, 3, 4, 0, -1])


@pytest.mark.parametrize("kind", RANKS)
@given(data=st.data())
def test_property(kind: str, data: st.DataObject) -> None:
    x = data.draw(tensors(*RANKS[kind]))
    optional = some(
        num_features=given_size(x),
        eps=st.sampled_from([1e-5, 1e-3, 0.1, 1.0, 1e20] * 3 + [0.0, -1.0]),
        momentum=st.one_of(st.none(), floats),
        affine=flags,
        track_running_stats=flags,
        bias=flags,
    )
    verdict(kind, data.draw(optional), x)


@given(data=st.data())
def test_group_norm(data: st.DataObject) -> None:
    x = data.draw(tensors(1, 2, 3))
    divisors = [n for n in range(1, 9) if x.shape and x.shape[0] % n == 0]
    groups = st.sampled_from([*divisors * 4, 1, 3, *x.shape[:1], 0, -2])
    optional = some(num_channels=given_size(x), eps=small, affine=flags, bias=flags)
    verdict("GroupNorm", {"num_groups": data.draw(groups), **data.draw(optional)}, x)


LOOSE = {"affine": False, "track_running_stats": False}
EDGES: dict[str, tuple[str, dict[str, Any], Tensor, str | None]] = {
    "features": ("BatchNorm1d", {}, Tensor((4,)), None),
    "sequence": ("BatchNorm1d", {}, Tensor((4, 3)), None),
    "image": ("BatchNorm2d", {"num_features": 4}, Tensor((4, 3, 3)), None),
    "no affine": ("BatchNorm2d", {"affine": False}, Tensor((4, 3, 3)), None),
    "no bias": ("BatchNorm2d", {"bias": False}, Tensor((4, 3, 3)), None),
    "no statistics": ("BatchNorm2d", {"track_running_stats": False}, Tensor((4, 3, 3)), None),
    "no statistics, one value": (
        "BatchNorm1d",
        {"track_running_stats": False},
        Tensor((4,)),
        "E503",
    ),
    "an average": ("BatchNorm2d", {"momentum": None}, Tensor((4, 3, 3)), None),
    "another num_features": ("BatchNorm2d", {"num_features": 3}, Tensor((4, 3, 3)), "E205"),
    "unused num_features": ("BatchNorm1d", {"num_features": 3, **LOOSE}, Tensor((4, 3)), "E503"),
    "eps 0": ("BatchNorm2d", {"eps": 0.0}, Tensor((4, 3, 3)), "E208"),
    "no channels": ("BatchNorm1d", {}, Tensor((0, 3)), "E211"),
    "no channels, no factors": ("BatchNorm1d", {"affine": False}, Tensor((0, 3)), None),
    "unseen num_features": ("BatchNorm1d", {"num_features": 3}, Tensor((4, 0)), "E503"),
    "no places": ("BatchNorm1d", {}, Tensor((4, 0)), None),
    "rank": ("BatchNorm2d", {}, Tensor((4, 3)), "E203"),
    "half": ("BatchNorm2d", {}, Tensor((4, 3, 3), "bfloat16"), None),
    "double": ("BatchNorm2d", {}, Tensor((4, 3, 3), "float64"), "E207"),
    "double statistics": ("BatchNorm1d", {"affine": False}, Tensor((4, 3), "float64"), "E207"),
    "double alone": ("BatchNorm1d", LOOSE, Tensor((4, 3), "float64"), None),
    "instance": ("InstanceNorm2d", {"affine": True}, Tensor((4, 3, 3)), None),
    "instance with statistics": (
        "InstanceNorm1d",
        {"affine": True, "track_running_stats": True},
        Tensor((4, 3)),
        None,
    ),
    "sample of one place": ("InstanceNorm2d", {}, Tensor((4, 1, 1)), "E211"),
    "sample of no place": ("InstanceNorm2d", {}, Tensor((4, 0, 1)), None),
    "instance without channels": ("InstanceNorm1d", {"affine": True}, Tensor((0, 3)), "E211"),
    "sample without batch": ("InstanceNorm2d", {}, Tensor((4, 3)), "E501"),
    "ignored num_features": ("InstanceNorm1d", {"num_features": 3}, Tensor((4, 3)), "E503"),
    "instance in double": ("InstanceNorm1d", {}, Tensor((4, 3), "float64"), None),
    "groups": ("GroupNorm", {"num_groups": 2}, Tensor((4, 3, 3)), None),
    "groups of features": ("GroupNorm", {"num_groups": 2}, Tensor((4,)), None),
    "no division": ("GroupNorm", {"num_groups": 3}, Tensor((4, 3)), "E206"),
    "no groups": ("GroupNorm", {"num_groups": 0}, Tensor((4, 3)), "E208"),
    "one value per group": ("GroupNorm", {"num_groups": 4}, Tensor((4, 1)), "E503"),
    "a number": ("GroupNorm", {"num_groups": 1}, Tensor(()), "E203"),
    "another num_channels": (
        "GroupNorm",
        {"num_groups": 2, "num_channels": 6},
        Tensor((4,)),
        "E205",
    ),
}


@pytest.mark.parametrize("case", EDGES)
def test_edges(case: str) -> None:
    kind, args, x, code = EDGES[case]
    found = verdict(kind, args, x)
    assert found.code == code
    if code is None:
        assert found.outputs == (x,)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 2)])
def test_one_value_per_channel_is_noted(shape: tuple[int, ...]) -> None:
    alone = shape in ((4,), (4, 1))
    remarks = find("BatchNorm1d")().remarks(Tensor(shape))  # type: ignore[misc]
    assert [r.code for r in remarks] == ["N401"] * alone
    module = torch.nn.BatchNorm1d(4)
    if alone:
        with pytest.raises(ValueError, match="more than 1 value"):
            module(torch.zeros(1, *shape))
    else:
        module(torch.zeros(1, *shape))


def test_help_lists_divisors() -> None:
    with pytest.raises(Fault) as caught:
        agrees_with_symbols("GroupNorm", {"num_groups": 5}, (6, "L"))
    assert caught.value.help == "6 is divided by 1, 2, 3, 6"


SYMBOLIC: list[tuple[str, dict[str, Any], tuple[int | str, ...], int]] = [
    ("BatchNorm2d", {}, (4, "H", "W"), 40),
    ("BatchNorm1d", {"track_running_stats": False}, (4, "L"), 39),
    ("InstanceNorm2d", {}, (4, "H", "W"), 39),
    ("GroupNorm", {"num_groups": 4}, (4, "L"), 39),
    ("GroupNorm", {"num_groups": 2}, (4, "L"), 40),
]


@pytest.mark.parametrize(("kind", "args", "shape", "fitting"), SYMBOLIC)
def test_symbols(
    kind: str, args: dict[str, Any], shape: tuple[int | str, ...], fitting: int
) -> None:
    assert agrees_with_symbols(kind, args, shape) == fitting


def test_symbolic_channels_stay_open() -> None:
    with pytest.raises(Fault) as caught:
        agrees_with_symbols("BatchNorm1d", {}, ("C", 3))
    assert caught.value.code == "E114"
    assert not find("BatchNorm1d")().remarks(Tensor((4, Domain().symbol("L"))))  # type: ignore[misc]
