"""Activations, rectifiers, softmax and gates, judged by PyTorch."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.modules import activation

from archspec.ops import find
from archspec.tensors import DTYPES, Tensor
from tests.ops.whole import agrees_with_symbols, flags, floats, judge, some, tensors

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # warnings are no refusal

KINDS = [name for name in activation.__all__ if name != "MultiheadAttention"]
ALONG = ("Softmax", "Softmin", "LogSoftmax")
INPLACE = (
    *("Threshold", "ReLU", "RReLU", "Hardtanh", "ReLU6", "Hardsigmoid", "SiLU"),
    *("Mish", "Hardswish", "ELU", "CELU", "SELU", "LeakyReLU"),
)
NUMBERS = {
    "Threshold": ("threshold", "value"),
    "RReLU": ("lower", "upper"),
    "Hardtanh": ("min_val", "max_val"),
    "ELU": ("alpha",),
    "CELU": ("alpha",),
    "LeakyReLU": ("negative_slope",),
    "Softplus": ("beta", "threshold"),
    "Hardshrink": ("lambd",),
    "Softshrink": ("lambd",),
    "PReLU": ("init",),
}
DIM = {"dim": 1}
REQUIRED: dict[str, dict[str, Any]] = {
    "Threshold": {"threshold": 0.5, "value": 2.0},
    "Softmax": DIM,
    "Softmin": DIM,
    "LogSoftmax": DIM,
}


def arguments(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    optional: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(NUMBERS.get(kind, ()), floats)
    if kind in INPLACE:
        optional["inplace"] = flags
    if kind in (*ALONG, "GLU"):
        optional["dim"] = st.sampled_from([1, -1, 1, -1, 2, -2, 0, 4, -5])
    if kind == "PReLU":
        optional["num_parameters"] = st.sampled_from([1, 1, 1, 2, 4, 3, 0, -1])
    if kind == "GELU":
        optional["approximate"] = st.sampled_from(["none", "tanh", "tanh", "fast"])
    return some(**optional).map(lambda given: {**REQUIRED.get(kind, {}), **given})


def verdict(kind: str, args: dict[str, Any], x: Tensor) -> Any:
    return judge(kind, args, (x,), lambda: getattr(torch.nn, kind)(**args))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_property(kind: str, data: st.DataObject) -> None:
    verdict(kind, data.draw(arguments(kind)), data.draw(tensors(*RANKS.get(kind, (1, 2, 3)))))


RANKS = {"Softmax2d": (2, 3, 3)}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_dtypes(kind: str, dtype: str) -> None:
    for shape in ((4, 3, 2), (0, 3, 2)):
        verdict(kind, REQUIRED.get(kind, {}), Tensor(shape, dtype))


EDGES: dict[str, tuple[str, dict[str, Any], Tensor, str | None]] = {
    "unsigned limits": ("Hardtanh", {}, Tensor((3,), "uint8"), "E208"),
    "limits are cut to integers": ("Hardtanh", {"min_val": -0.5}, Tensor((3,), "uint8"), None),
    "limit too large for int8": ("Hardtanh", {"max_val": 128.0}, Tensor((3,), "int8"), "E208"),
    "limits in float16": ("Hardtanh", {"max_val": 65505.0}, Tensor((3,), "float16"), "E208"),
    "limits in order": ("Hardtanh", {"min_val": 1.0, "max_val": 1.0}, Tensor((3,)), "E208"),
    "threshold is not cut": (
        "Threshold",
        {"threshold": -0.5, "value": 0.0},
        Tensor((3,), "uint8"),
        "E208",
    ),
    "int64 value": (
        "Threshold",
        {"threshold": 0.0, "value": 9.3e18},
        Tensor((3,), "int64"),
        "E208",
    ),
    "no number": ("Threshold", {"threshold": 0.0, "value": float("nan")}, Tensor((3,)), "E105"),
    "true is no number": ("ELU", {"alpha": True}, Tensor((3,)), "E105"),
    "CELU alpha 0": ("CELU", {"alpha": 0.0}, Tensor((3,)), "E208"),
    "bounds of RReLU": ("RReLU", {"lower": 0.5}, Tensor((3,)), "E208"),
    "RReLU in float16": ("RReLU", {}, Tensor((3,), "float16"), "E207"),
    "slope in place": (
        "LeakyReLU",
        {"negative_slope": -1.0, "inplace": True},
        Tensor((3,)),
        "E503",
    ),
    "a parameter in place": ("ReLU", {"inplace": True}, Tensor((3,), batched=False), "E503"),
    "softshrink below 0": ("Softshrink", {"lambd": -0.1}, Tensor((3,)), "E208"),
    "GELU of no kind": ("GELU", {"approximate": "fast"}, Tensor((3,)), "E105"),
    "sigmoid of booleans": ("Sigmoid", {}, Tensor((3,), "bool"), None),
    "softmax of the batch": ("Softmax", {"dim": 0}, Tensor((3,)), "E502"),
    "softmax of the batch, from the end": ("Softmax", {"dim": -2}, Tensor((3,)), "E502"),
    "softmax out of range": ("LogSoftmax", {"dim": 2}, Tensor((3,)), "E210"),
    "softmax of a parameter": ("Softmax", {"dim": 0}, Tensor((3,), batched=False), None),
    "softmax of one number": ("Softmax", {"dim": 0}, Tensor((), batched=False), "E117"),
    "softmax without dim": ("Softmax", {}, Tensor((3,)), "E105"),
    "sample without batch": ("Softmax2d", {}, Tensor((3, 4)), "E501"),
    "rank of Softmax2d": ("Softmax2d", {}, Tensor((3,)), "E203"),
    "odd half": ("GLU", {}, Tensor((4, 3)), "E206"),
    "half of the batch": ("GLU", {"dim": 0}, Tensor((4, 3)), "E502"),
    "half of nothing": ("GLU", {}, Tensor((4, 0)), None),
    "slopes of another": ("PReLU", {"num_parameters": 3}, Tensor((4, 3)), "E205"),
    "no slopes": ("PReLU", {"num_parameters": 0}, Tensor((4, 3)), "E205"),
    "no slopes for nothing": ("PReLU", {"num_parameters": 0}, Tensor((0, 3)), None),
    "one slope of a number": ("PReLU", {}, Tensor(()), None),
}


@pytest.mark.parametrize("case", EDGES)
def test_edges(case: str) -> None:
    kind, args, x, code = EDGES[case]
    assert verdict(kind, args, x).code == code


def test_glu_halves() -> None:
    assert verdict("GLU", {"dim": 1}, Tensor((4, 3))).outputs == (Tensor((2, 3)),)


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_those_of_torch(kind: str) -> None:
    cls = find(kind)
    assert cls is not None
    module = getattr(torch.nn, kind)(**REQUIRED.get(kind, {}))
    for name, info in cls.model_fields.items():
        if not info.is_required() and name != "init":
            assert getattr(module, name) == info.default


def test_symbols() -> None:
    assert agrees_with_symbols("ReLU", {}, ("H", 3)) == 40
    assert agrees_with_symbols("Softmax", {"dim": 1}, ("H", 3)) == 40
    assert agrees_with_symbols("GLU", {"dim": 1}, ("H", 3)) == 20
    assert agrees_with_symbols("PReLU", {"num_parameters": 4}, ("H", 3)) == 1
