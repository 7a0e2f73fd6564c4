"""Parameters and buffers: what they accept is built, and what they refuse, torch refuses."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import archspec
from archspec.diagnostics import CODES
from archspec.ops.initialisers import INITIALISERS, WORDS, split
from tests.ops.against_torch import ask

NUMBERS = (0, 1, -1, 0.5, 2, -3.5, 1e29, 7)


@st.composite
def inits(draw: st.DrawFn) -> str | dict[str, Any]:
    name = draw(st.sampled_from(sorted(INITIALISERS)))
    args = {
        argument: draw(st.sampled_from(WORDS.get(argument, NUMBERS)))
        for argument in INITIALISERS[name]
        if draw(st.booleans())
    }
    return {name: args} if args else name


@given(inits(), st.lists(st.integers(0, 3), max_size=3))
@pytest.mark.filterwarnings("ignore")
def test_initialisers_agree_with_torch(init: str | dict[str, Any], sizes: list[int]) -> None:
    verdict = ask("Parameter", {"shape": sizes, "init": init})
    name, args = split(init)
    try:
        getattr(torch.nn.init, name)(torch.empty(sizes), **args)
        runs = True
    except Exception:
        runs = False
    if verdict.code is None:
        assert runs
    elif CODES[verdict.code].cls == "torch":
        assert not runs


@pytest.mark.parametrize(
    ("init", "code"),
    [
        ("zeros", "E105"),
        ({"normal_": {"std": "abc"}}, "E105"),
        ({"normal_": {"sdt": 1.0}}, "E103"),
        ({"normal_": {"std": -1.0}}, "E208"),
        ({"trunc_normal_": {"a": 2, "b": 1}}, "E208"),
        ({"trunc_normal_": {"mean": 1e20}}, "E105"),
        ({"trunc_normal_": {"std": 0.02, "a": 1.0}}, "E105"),
        ({"trunc_normal_": {"std": -1e-6}}, "E105"),
        ({"trunc_normal_": {"std": 1e-6, "a": 2.0}}, "E105"),
        ({"kaiming_uniform_": {"mode": "fanin"}}, "E105"),
        ("constant_", "E104"),
        ("eye_", "E203"),
        ({"constant_": True}, "E105"),
        ({}, "E105"),
        ({"zeros_": None, "ones_": None}, "E105"),
    ],
)
def test_initialisers_refused(init: Any, code: str) -> None:
    assert ask("Parameter", {"shape": [3], "init": init}).code == code


BUFFER = """archspec: 1
name: buffers
inputs: {{x: [4]}}
layers:
  table: {{Buffer: {{shape: [4], dtype: {dtype}, index: [i], value: "{value}"}}}}
  add: {{Add: [input, table]}}
"""


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("int64", "=i * 2 + 1", [1, 3, 5, 7]),
        ("float32", "=i / 2", [0.0, 0.5, 1.0, 1.5]),
        ("float64", "=i / 3", [0.0, 1 / 3, 2 / 3, 1.0]),
        ("bool", "=i % 2 == 0", [True, False, True, False]),
        ("float32", "=1 / (i + 1)", [1.0, 0.5, 1 / 3, 0.25]),
    ],
)
def test_buffers_hold_their_formula(dtype: str, value: str, expected: list[Any]) -> None:
    module = archspec.loads(BUFFER.format(dtype=dtype, value=value)).build()
    wanted = torch.tensor(expected, dtype=getattr(torch, dtype))
    assert torch.equal(module.state_dict()["table"], wanted)


@pytest.mark.parametrize("value", ["=8 // i", "=8 % i", "=i // 0", "=i / 0"])
def test_formulas_that_divide_by_zero_are_refused(value: str) -> None:
    assert not archspec.check(BUFFER.format(dtype="int64", value=value)).ok


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 0.5])
def test_integers_hold_whole_numbers(value: float) -> None:
    args = {"shape": [2], "dtype": "int64", "value": value}
    assert ask("Buffer", args).code == "E105"
    assert ask("Buffer", {**args, "dtype": "float32"}).code is None


def test_indices_that_do_not_matter_share_a_name() -> None:
    text = BUFFER.replace("[4], dtype", "[4, 2, 3], dtype").replace("[i]", "[c, _, _]")
    text = text.replace("[input, table]", "[input, input]") + "outputs: [add, table]\n"
    module = archspec.loads(text.format(dtype="int64", value="=10 * c")).build()
    wanted = torch.tensor([0, 10, 20, 30]).view(4, 1, 1).expand(4, 2, 3)
    assert torch.equal(module.state_dict()["table"], wanted)
    for value in ("=c + _", "=_"):  # which of the two?
        report = archspec.check(text.format(dtype="int64", value=value))
        assert [d.code for d in report.diagnostics if d.severity == "error"] == ["E105"]
