"""Computed help is true: what it says is done to the spec, and the spec is accepted."""

import itertools
import re
from typing import Any

import pytest

import archspec
from archspec.diagnostics import Diagnostic

Data = dict[str, Any]

ARGUMENT = re.compile(r"`(\w+): (\d+)` at `(\w+)`")
LAYER = re.compile(r"`(\w+): (\{.+\})` on `(\w+)`")
WINDOW = re.compile(r"(?:padding: (\d+) or )?an input of (\d+) or more would fit")
DIVISORS = re.compile(r"^(?:it may be|divisors of \d+:|\d+ is divided by) ([\d, ]+)$")
INSTEAD = re.compile(r"write (\w+): (\d+), or leave it out")
AT_MOST = re.compile(r"(?:it|padding) may be (?:up to )?(\d+)")


def data(layers: Data, shape: list[int]) -> Data:
    return {"archspec": 1, "inputs": {"image": shape}, "layers": layers}


def refusal(spec: Data) -> Diagnostic | None:
    """The one error of a spec, or None if it is accepted."""
    report = archspec.check(spec)
    errors = [d for d in report.diagnostics if d.severity == "error"]
    assert len(errors) <= 1
    return errors[0] if errors else None


def conv(**arguments: Any) -> Data:
    return {"Conv2d": {"kernel_size": 3, **arguments}, "from": "image"}


def two_branches(joint: str, left: Data, right: Data, size: tuple[int, int] = (12, 9)) -> Data:
    return data({"left": left, "right": right, "joint": {joint: ["left", "right"]}}, [3, *size])


def repaired(spec: Data, help: str) -> Data:
    """A spec of two branches, changed as its help says."""
    layers = {name: dict(layer) for name, layer in spec["layers"].items()}
    if match := ARGUMENT.search(help):
        layers[match[3]]["Conv2d"] = {**layers[match[3]]["Conv2d"], match[1]: int(match[2])}
        return {**spec, "layers": layers}
    match = LAYER.search(help)
    assert match, help
    args = dict(re.findall(r"(\w+): (\[[^]]*\]|\d+)", match[2]))
    numbers = {name: [*map(int, re.findall(r"-?\d+", text))] for name, text in args.items()}
    plain = {name: n if args[name].startswith("[") else n[0] for name, n in numbers.items()}
    ((joint, names),) = layers.pop("joint").items()
    layers["fix"] = {match[1]: plain, "from": match[3]}
    layers["joint"] = {joint: ["fix" if name == match[3] else name for name in names]}
    return {**spec, "layers": layers}


BRANCHES = [
    conv(out_channels=c, stride=s, padding=p, kernel_size=k)
    for c, s, p, k in itertools.product((4, 6), (1, 2, 3), (0, 1), (1, 3, 4))
]


@pytest.mark.parametrize("joint", ["Add", "Concat"])
def test_branches_that_do_not_meet(joint: str) -> None:
    offered = met = 0
    for left, right in itertools.islice(itertools.combinations(BRANCHES, 2), 0, None, 3):
        spec = two_branches(joint, left, right)
        error = refusal(spec)
        if error is None:
            met += 1
        elif error.help is not None:
            offered += 1
            assert refusal(repaired(spec, error.help)) is None, (spec, error.help)
    assert met > 5
    assert offered > 100


WINDOWS = [
    {kind: {"kernel_size": k, "dilation": d}}
    for kind, k, d in itertools.product(("MaxPool2d", "Conv2d"), (5, 7, 11), (1, 2))
]


@pytest.mark.parametrize("layer", WINDOWS, ids=str)
def test_a_window_that_does_not_fit(layer: Data) -> None:
    ((kind, args),) = layer.items()
    args = {**args, "out_channels": 4} if kind == "Conv2d" else args
    spec = data({"window": {kind: args}}, [3, 4, 4])
    error = refusal(spec)
    assert error is not None
    match = WINDOW.search(error.help or "")
    assert match, error.help
    smallest = int(match[2])
    assert refusal({**spec, "inputs": {"image": [3, smallest, smallest]}}) is None
    smaller = refusal({**spec, "inputs": {"image": [3, smallest - 1, smallest - 1]}})
    assert smaller is not None
    if match[1]:
        padded = {**args, "padding": int(match[1])}
        assert refusal(data({"window": {kind: padded}}, [3, 4, 4])) is None


@pytest.mark.parametrize(
    ("kind", "field", "args"),
    [
        ("Conv2d", "groups", {"out_channels": 24, "kernel_size": 1, "groups": 9}),
        ("ConvTranspose2d", "groups", {"out_channels": 24, "kernel_size": 1, "groups": 9}),
        ("GroupNorm", "num_groups", {"num_groups": 5}),
        ("ChannelShuffle", "groups", {"groups": 5}),
    ],
)
def test_divisors(kind: str, field: str, args: Data) -> None:
    error = refusal(data({"layer": {kind: args}}, [12, 8, 8]))
    assert error is not None
    match = DIVISORS.match(error.help or "")
    assert match, error.help
    offered = [int(number) for number in match[1].split(",")]
    works = [
        n for n in range(1, 25) if not refusal(data({"l": {kind: {**args, field: n}}}, [12, 8, 8]))
    ]
    assert [n for n in works if n > 1] == [n for n in offered if n > 1]


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("Conv2d", {"in_channels": 9, "out_channels": 4, "kernel_size": 1}),
        ("ConvTranspose2d", {"in_channels": 9, "out_channels": 4, "kernel_size": 1}),
        ("BatchNorm2d", {"num_features": 9}),
        ("InstanceNorm2d", {"num_features": 9}),
        ("GroupNorm", {"num_channels": 9, "num_groups": 1}),
        ("PReLU", {"num_parameters": 9}),
    ],
)
def test_the_right_number(kind: str, args: Data) -> None:
    error = refusal(data({"layer": {kind: args}}, [12, 8, 8]))
    assert error is not None
    match = INSTEAD.search(error.help or "")
    assert match, error.help
    assert refusal(data({"l": {kind: {**args, match[1]: int(match[2])}}}, [12, 8, 8])) is None
    without = {name: value for name, value in args.items() if name != match[1]}
    assert refusal(data({"l": {kind: without}}, [12, 8, 8])) is None


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("MaxPool2d", {"kernel_size": 3, "padding": 2}),
        ("ReflectionPad2d", {"padding": 9}),
        ("CircularPad2d", {"padding": 9}),
        ("Conv2d", {"padding": 9, "padding_mode": "reflect", "kernel_size": 3, "out_channels": 1}),
        ("ConvTranspose2d", {"padding": 9, "kernel_size": 3, "out_channels": 1}),
    ],
)
def test_the_most_padding(kind: str, args: Data) -> None:
    error = refusal(data({"layer": {kind: args}}, [3, 8, 8]))
    assert error is not None
    match = AT_MOST.search(error.help or "")
    assert match, error.help
    most = int(match[1])
    assert refusal(data({"layer": {kind: {**args, "padding": most}}}, [3, 8, 8])) is None
    assert refusal(data({"layer": {kind: {**args, "padding": most + 1}}}, [3, 8, 8])) is not None


def test_linear_after_a_map() -> None:
    layers: Data = {"fc": {"Linear": {"in_features": 192, "out_features": 4}}}
    error = refusal(data(layers, [3, 8, 8]))
    assert error is not None
    assert "Flatten before it makes 3 * 8 * 8 = 192 features" in (error.help or "")
    assert refusal(data({"flat": "Flatten", **layers}, [3, 8, 8])) is None


@pytest.mark.parametrize("joint", ["Concat", "Add"])
def test_one_input_for_several(joint: str) -> None:
    shapes = {"a": 5, "b": 5 if joint == "Add" else 7}
    layers: Data = {
        name: {"Conv2d": {"out_channels": n, "kernel_size": 1}, "from": "image"}
        for name, n in shapes.items()
    }
    norm = {"BatchNorm2d": {"num_features": 5 if joint == "Add" else 12}}
    error = refusal(data({**layers, "norm": {**norm, "from": ["a", "b"]}}, [3, 8, 8]))
    assert error is not None
    assert error.code == "E112"
    assert f"`{{{joint}: [a, b]}}`" in (error.help or "")
    joined = {**layers, "joint": {joint: ["a", "b"]}, "norm": norm}
    assert refusal(data(joined, [3, 8, 8])) is None


def test_nothing_is_offered_that_does_not_help() -> None:
    """No projection joins tensors of a vector and a map."""
    layers: Data = {"a": conv(out_channels=4), "b": {"Flatten": None, "from": "image"}}
    error = refusal(data({**layers, "joint": {"Add": ["a", "b"]}}, [3, 8, 8]))
    assert error is not None
    assert "would make them meet" not in (error.help or "")


def test_words_for_true_are_no_numbers() -> None:
    for name, help in (("batch_norm", "write true"), ("num_classes", None)):
        (found,) = archspec.check("torchvision/vgg", params={name: "T"}).diagnostics
        assert (found.code, found.help) == ("E105", help)


@pytest.mark.parametrize(("value", "helps"), [("1 / (t + 1)", True), ("pi", False), ("a b", False)])
def test_a_formula_without_its_sign(value: str, helps: bool) -> None:
    def spec(value: str) -> Data:
        table = {"Buffer": {"shape": [4], "index": ["t"], "value": value}}
        return data({"table": table, "sum": {"Add": ["image", "table"]}}, [4])

    found = refusal(spec(value))
    assert found is not None
    assert bool(found.help) == helps
    if helps:
        assert found.help == f"an expression begins with `=`: write `={value}`"
        assert refusal(spec(f"={value}")) is None
