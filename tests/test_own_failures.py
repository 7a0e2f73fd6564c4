"""The user's own layer types gone wrong: one message, which names the layer and the line."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import archspec
from archspec.cli import main
from archspec.ops import registry
from tests.helpers import error, spec

PLUGIN = '''
from torch import nn
import archspec
from archspec.diagnostics import Fault
from archspec.ops import Construct, Function


class Plain(nn.Module):
    def forward(self, x):
        return x


class Ruled(archspec.Layer):
    path = "failing_layers.Plain"
    level: int = 0

    def shape(self, x):
        return x


def rule(name, answer):
    """A layer type with one rule of its own."""
    members = {name: answer, "__module__": __name__, "__doc__": "Wrong."}
    archspec.register(type(f"Wrong{name.title()}", (Ruled,), members))


rule("infer", lambda self, x: {"levle": 3})
rule("check", lambda self: [][0])
rule("shape", lambda self, x: None)
rule("weights", lambda self: 1 / 0)
rule("buffers", lambda self: {"mean": ("C",)})
rule("macs", lambda self, inputs, outputs: 0.5)
rule("remarks", lambda self, x: None)
rule("emit", lambda self, inputs: Function("{0} + {1}"))
rule("path", "failing_layers.Missing")


@archspec.register
class SomeTimes(Ruled):
    def shape(self, x):
        return {3: x}[x.shape[0]]


@archspec.register
class Unmakeable(nn.Module):
    def __init__(self, here: bool = True) -> None:
        super().__init__()
        self.here = here and nn.Linear(1, 1).weight.device.type != "meta"
        if self.here:
            raise KeyError("not here")

    def forward(self, x):
        return x


@archspec.register
class Unrunnable(nn.Module):
    def forward(self, x):
        if x.device.type != "meta":
            raise KeyError("not now")
        return x


@archspec.register
class NoTensor(nn.Module):
    def forward(self, x):
        return {"x": x}


class Unknown(Ruled):
    def emit(self, inputs):
        return Function("unknown({0})")


archspec.register(Unknown)


@archspec.register
class Lying(Ruled):
    path = "failing_layers.NoTensor"
'''


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin whose layers fail, in the current folder."""
    registry.names()  # all built-in types are loaded now
    before = dict(registry._types)
    (tmp_path / "failing_layers.py").write_text(PLUGIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("failing_layers")
    yield
    del sys.modules["failing_layers"]
    registry._types.clear()
    registry._types.update(before)


def line_of(text: str) -> int:
    """The line of the plugin that has this text."""
    return next(n for n, line in enumerate(PLUGIN.splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("WrongInfer", "raises AttributeError"),
        ("WrongCheck", "raises IndexError: list index out of range"),
        ("WrongShape", "`shape` of WrongShape gives None, not a Tensor or a tuple of them"),
        ("WrongWeights", "raises ZeroDivisionError: division by zero"),
        ("WrongBuffers", "gives {'mean': ('C',)}, not a mapping of names to shapes"),
        ("WrongMacs", "`macs` of WrongMacs gives 0.5, not a whole number"),
        ("WrongRemarks", "`remarks` of WrongRemarks gives None, not a tuple of Faults"),
        ("WrongEmit", "`emit` of WrongEmit gives `{0} + {1}`: IndexError"),
        ("WrongPath", "constructs `failing_layers.Missing`, and there is no such class"),
    ],
)
def test_a_rule_that_fails_is_told_where_the_layer_stands(name: str, said: str) -> None:
    found = error(spec(f"layers: [ReLU, {name}]"))
    assert (found.code, found.column) == ("E126", 16)
    assert said in found.message


def test_the_line_of_the_rule_is_told() -> None:
    found = error(spec("layers: [WrongWeights]"))
    assert found.notes == (f"at failing_layers.py:{line_of('1 / 0')}, in <lambda>",)
    assert error(spec("layers: [NoTensor]")).code == "E212"


def test_a_rule_may_fail_for_a_later_use_only() -> None:
    layers = "{a: SomeTimes, b: {Conv2d: {out_channels: 4, kernel_size: 1}}, c: {Reuse: a}}"
    assert error(spec(f"layers: {layers}")).code == "E126"


@pytest.mark.parametrize(
    ("layer", "said", "line"),
    [
        ("Unmakeable", "KeyError: 'not here'", 'raise KeyError("not here")'),
        ("Unrunnable", "KeyError: 'not now'", 'raise KeyError("not now")'),
        ("Unknown", "NameError: name 'unknown' is not defined", "class Unknown"),
    ],
)
def test_what_raises_when_it_is_built_or_run(
    layer: str, said: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"archspec: 1\ninputs: {{x: [3]}}\nlayers:\n  deep: [ReLU, {layer}]\n"
    Path("net.yaml").write_text(text)
    assert main(["build", "net.yaml"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    start = f"archspec: {layer}, layer `deep.1` (net.yaml:4:16) raises {said}"
    assert told.startswith(f"{start}, at failing_layers.py:{line_of(line)}")


def test_the_python_api_has_the_cause() -> None:
    network = archspec.loads(spec("layers: [Unmakeable, {Unmakeable: {here: false}}]"))
    with pytest.raises(archspec.LayerError, match="layer `0`") as caught:
        network.build()
    assert isinstance(caught.value.__cause__, KeyError)
    assert "Unmakeable" in network.source()  # writing it down makes none


def test_a_result_that_is_no_tensor(capsys: pytest.CaptureFixture[str]) -> None:
    Path("net.yaml").write_text(spec("layers: [Lying]"))
    assert main(["build", "net.yaml"]) == 2
    assert "`forward` gives {'x': tensor(" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["sizes"], ["show", "--features"]])
def test_maps_of_any_size_do_not_reach_a_layer_without_a_rule(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("net.yaml").write_text(spec("layers: [Unrunnable, {MaxPool2d: {kernel_size: 2}}]"))
    assert main([*command, "net.yaml"]) == 0
