"""The three ways to give a spec (text, data, Python objects) mean the same, and so do params."""

import copy
import pickle
import re
from typing import Any

import pytest

import archspec
from archspec import Spec, SpecError
from archspec.backends.source import generate
from archspec.ops.convolution import Conv2d
from archspec.ops.rectifier import LeakyReLU
from tests.helpers import spec

DATA: dict[str, Any] = {
    "archspec": 1,
    "name": "small",
    "params": {"width": 8, "act": "ReLU"},
    "inputs": {"image": [3, 16, "=width * 2"]},
    "blocks": {
        "Down": {
            "params": {"out": "int"},
            "layers": {
                "conv": {"Conv2d": {"out_channels": "=out", "kernel_size": 3}},
                "relu": "ReLU",
            },
        }
    },
    "layers": [
        {"Down": {"out": "=width"}},
        {"=act": None},
        {"Down": {"out": "=width * 2"}, "repeat": 2},
        {"AdaptiveAvgPool2d": {"output_size": [1, None]}},
    ],
}
TEXT = """\
archspec: 1
name: small
params: {width: 8, act: ReLU}
inputs: {image: [3, 16, =width * 2]}
blocks:
  Down:
    params: {out: int}
    layers: {conv: {Conv2d: {out_channels: =out, kernel_size: 3}}, relu: ReLU}
layers:
  - Down: {out: =width}
  - =act
  - {Down: {out: =width * 2}, repeat: 2}
  - AdaptiveAvgPool2d: {output_size: [1, null]}
"""


def source(network: archspec.Network) -> str:
    return re.sub("Made by archspec.*", "", generate(network)[0])


def equal(a: archspec.Network, b: archspec.Network) -> None:
    assert a.layers == b.layers
    assert a.inputs == b.inputs
    assert a.outputs == b.outputs
    assert source(a) == source(b)


def test_text_data_and_python_give_the_same_network() -> None:
    wanted = archspec.loads(TEXT)
    equal(archspec.from_dict(DATA), wanted)
    equal(archspec.load(Spec(**DATA)), wanted)
    equal(archspec.load(DATA), wanted)
    equal(archspec.load(TEXT), wanted)


def test_layers_made_in_python_stand_for_types_with_arguments() -> None:
    made = Spec(
        archspec=1,
        inputs={"image": [3, 8, 8]},
        params={"act": "layer"},
        layers={"a": Conv2d(out_channels=4, kernel_size=3), "b": LeakyReLU(negative_slope=0.2)},
    ).with_params(act="ReLU")
    text = spec("""
        params: {act: layer}
        layers:
          a: {Conv2d: {out_channels: 4, kernel_size: 3}}
          b: {LeakyReLU: {negative_slope: 0.2}}
        """)
    equal(archspec.load(made), archspec.loads(text, params={"act": "ReLU"}))


def test_params_override_and_with_params_reads_nothing_again() -> None:
    read = Spec(**DATA)
    wide = read.with_params(width=16)
    equal(archspec.load(wide), archspec.loads(TEXT, params={"width": 16}))
    equal(archspec.load(wide, params={"width": 8}), archspec.load(read))
    equal(
        archspec.load(wide.with_params(act="Tanh")),
        archspec.loads(TEXT, params={"width": 16, "act": "Tanh"}),
    )
    assert wide.body is read.body
    assert archspec.load(wide).params == {"width": 16, "act": "ReLU"}


def test_tuples_are_lists() -> None:
    text = spec("params: {sizes: list}\nlayers: [{Linear: {out_features: '=sizes[1]'}}]")
    network = archspec.loads(text, params={"sizes": (4, 5)})
    assert network.layers[0].output_shape == (3, 8, 5)


@pytest.mark.parametrize(
    ("params", "code", "where"),
    [
        ({"width": "wide"}, "E105", "width"),
        ({"widht": 3}, "E108", "widht"),
        ({"width": 1.5}, "E105", "width"),
        ({"act": "Nope"}, "E102", None),
        ({"act": {"ReLU": {"x": 1}}}, "E103", None),
        ({"act": {"ReLU": 1, "Tanh": 2}}, "E105", None),
        ({"width": "=1 + 1"}, "E105", "width"),
        ({"width": True}, "E105", "width"),
    ],
)
def test_wrong_params(params: dict[str, Any], code: str, where: str | None) -> None:
    report = archspec.check(DATA, params=params)
    (only,) = [d for d in report.diagnostics if d.severity == "error"]
    assert only.code == code
    if where is not None:
        assert only.place.path == (where,)


def test_places_of_data_are_key_paths() -> None:
    data = copy.deepcopy(DATA)
    data["blocks"]["Down"]["layers"]["conv"]["Conv2d"]["kernel_size"] = "big"
    with pytest.raises(SpecError) as raised:
        archspec.from_dict(data)
    (only,) = raised.value.diagnostics
    assert (only.code, only.line) == ("E105", 0)
    assert str(only.place) == "<dict>:blocks.Down.layers.conv.Conv2d.kernel_size"


@pytest.mark.parametrize("value", [{1, 2}, b"3", object(), float("nan"), {"a": {1}}, lambda: 1])
def test_odd_objects_are_a_refusal_not_a_crash(value: Any) -> None:
    data = {"archspec": 1, "inputs": {"x": [3]}, "layers": [{"Linear": {"out_features": value}}]}
    codes = {d.code for d in archspec.check(data).diagnostics}
    assert codes == {"E105"}


def test_data_that_contains_itself() -> None:
    data: dict[str, Any] = {"archspec": 1, "inputs": {"x": [3]}}
    data["layers"] = [data]
    assert {d.code for d in archspec.check(data).diagnostics} == {"E005"}
    endless: list[Any] = []
    endless.append(endless)
    report = archspec.check(DATA, params={"width": endless})
    assert {d.code for d in report.diagnostics} == {"E005"}


def test_a_bad_spec_in_python_raises_at_once_with_everything() -> None:
    with pytest.raises(SpecError) as raised:
        Spec(archspec=1, inputs={"x": [3]}, layer=["ReLU"])
    assert [d.code for d in raised.value.diagnostics] == ["E101"]
    with pytest.raises(SpecError):
        Spec(archspec=2, inputs={"x": [3]}, layers=["ReLU"])


def test_check_never_raises() -> None:
    odd: list[Any] = ["", "\n", "no such file.yaml", "a\0b", {}, {"archspec": 1}, {1: 2}, "\0\n"]
    for each in odd:
        report = archspec.check(each)
        assert not report.ok
        assert report.diagnostics


def test_errors_travel_between_processes() -> None:
    with pytest.raises(SpecError) as raised:
        archspec.loads("archspec: 1\ninputs: {x: [3]}\nlayers: [Nope]\n", filename="f.yaml")
    again = pickle.loads(pickle.dumps(raised.value))
    assert str(again) == str(raised.value)
    assert "f.yaml:3:10" in str(again)


def test_a_spec_is_a_value() -> None:
    read = Spec(**DATA)
    equal(archspec.load(copy.deepcopy(read)), archspec.load(read))
    equal(archspec.load(pickle.loads(pickle.dumps(read))), archspec.load(read))
    with pytest.raises(Exception, match="frozen"):
        read.name = "other"
