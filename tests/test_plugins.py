"""Layer types of the user's own: with a shape rule or without; never because a spec names them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import archspec
from archspec.cli import main
from tests.helpers import error, spec

PLUGIN = '''
import torch
from torch import nn

import archspec
from archspec import Layer, Tensor


class ScaleModule(nn.Module):
    """What the layer type below constructs."""

    def __init__(self, channels: int, start: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels, 1, 1), start))

    def forward(self, x):
        return x * self.weight


@archspec.register
class ChannelScale(Layer):
    """Scales every channel.

    Shapes: `[C, H, W]` → `[C, H, W]`.
    """

    path = "MODULE.ScaleModule"
    ranks = (3,)
    channels: int | None = None
    start: float = 1.0

    def infer(self, x):
        return {"channels": x.shape[0]}

    def shape(self, x):
        return x

    def weights(self):
        return {"weight": (self.channels, 1, 1)}


@archspec.register
class TwoHeads(nn.Module):
    """A module without a shape rule."""

    def __init__(self, wide: int, narrow: int = 2) -> None:
        super().__init__()
        self.a = nn.LazyLinear(wide) if False else nn.Linear(8, wide)
        self.b = nn.Linear(8, narrow)

    def forward(self, x):
        return self.a(x), self.b(x)


@archspec.register
class Switched(nn.Module):
    def __init__(self, sizes: list[int], first: int = 0, second: bool = False) -> None:
        super().__init__()
        self.sizes, self.first, self.second = sizes + [8], first, second

    def forward(self, x):
        return x


@archspec.register
class Mixer(nn.Module):
    def __init__(self) -> None:
        super().__init__()

    def forward(self, x):
        return x.sum(0)
'''
SPEC = spec("""
    layers:
      a: {ChannelScale: {start: 2.0}}
      b: {TwoHeads: {wide: 5}}
      c: {Linear: {out_features: 5}, from: b.1}
      d: {Add: [b.0, c]}
    """)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A plugin module that can be imported."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "user_layers.py").write_text(PLUGIN.replace("MODULE", "user_layers"))
    (folder / "net.yaml").write_text(SPEC)
    sys.path.insert(0, str(folder))
    __import__("user_layers")
    return str(folder)


def test_a_layer_with_a_shape_rule_and_one_without(plugin: str) -> None:
    network = archspec.loads(SPEC)
    rows = {row.path: row for row in network.layers}
    assert rows["a"].args == {"channels": 3, "start": 2.0}
    assert (rows["b"].output_shape, rows["b"].params) == ((3, 8, 5), 8 * 5 + 5 + 8 * 2 + 2)
    module = network.build()
    names = ["a.weight", "b.a.weight", "b.a.bias", "b.b.weight", "b.b.bias", "c.weight", "c.bias"]
    assert list(module.state_dict()) == names
    assert type(module.a).__module__ == "user_layers"
    assert sum(p.numel() for p in module.parameters()) == network.parameter_count


def test_lists_and_booleans_arrive_as_they_were_written(plugin: str) -> None:
    block = """
        blocks:
          B:
            params: {n: int, m: list}
            layers: {s: {Switched: {sizes: =m, first: =n, second: =n == 1}}}
        layers: [{B: {n: 1, m: [1]}}, {B: {n: 0, m: [2, 3]}}]
        """
    module = archspec.loads(spec(block)).build()
    found = [(each.s.sizes, each.s.first, each.s.second) for each in module]
    assert found == [([1, 8], 1, True), ([2, 3, 8], 0, False)]
    assert [type(each.s.second) for each in module] == [bool, bool]


def test_what_was_run_on_the_meta_device_is_said(plugin: str) -> None:
    notes = [d for d in archspec.check(SPEC).diagnostics if d.code == "N402"]
    assert [(d.line, d.severity) for d in notes] == [(5, "note")]


@pytest.mark.parametrize(
    ("layers", "code"),
    [
        ("[{TwoHeads: {}}]", "E104"),
        ("[{TwoHeads: {wide: 3, widht: 3}}]", "E103"),
        ("[{TwoHeads: {wide: x}}]", "E105"),
        ("[{TwoHeads: {wide: -3}}]", "E212"),
        ("[{Linear: {out_features: 7}}, {TwoHeads: {wide: 3}}]", "E212"),
        ("[Mixer]", "E502"),
        ("[{ChannelScale: {channels: 4}}]", "E205"),
        ("[Flatten, ChannelScale]", "E203"),
    ],
)
def test_a_wrong_use(plugin: str, layers: str, code: str) -> None:
    assert error(spec(f"layers: {layers}")).code == code


def test_symbolic_sizes_through_a_module_without_a_rule_are_not_decided(plugin: str) -> None:
    text = spec("layers: [{TwoHeads: {wide: 5}}]", "inputs: {x: [T, 8]}\n")
    assert error(text).code == "E114"
    free = spec("layers: [ChannelScale]", "inputs: {x: [3, H, W]}\n")
    assert archspec.check(free).ok


def test_register_refuses_what_is_no_layer(plugin: str) -> None:
    with pytest.raises(TypeError, match="neither"):
        archspec.register(int)
    with pytest.raises(ValueError, match="already"):
        archspec.register(type("Conv2d", (archspec.Layer,), {}))


@pytest.mark.parametrize("command", ["check", "show", "build"])
def test_the_command_line_allows_it(command: str, plugin: str) -> None:
    wanted = [sys.executable, "-m", "archspec", command, "net.yaml"]
    home = {**os.environ, "PYTHONPATH": str(Path(archspec.__file__).parent.parent)}
    refused = subprocess.run(wanted, capture_output=True, text=True, cwd=plugin, env=home)
    assert refused.returncode == 1
    assert "E102" in refused.stderr
    done = subprocess.run(
        [*wanted, "--plugin", "user_layers"], capture_output=True, text=True, cwd=plugin, env=home
    )
    assert done.returncode == 0, done.stderr
    assert "N402" in done.stderr


def test_a_plugin_that_fails_is_a_plain_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken_plugin.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    assert main(["check", "--plugin", "broken_plugin", "x.yaml"]) == 2
    assert capsys.readouterr().err == "archspec: --plugin: ZeroDivisionError: division by zero\n"


@pytest.mark.parametrize(
    "name", ["os.system", "my_pkg.Thing", "torch.nn.Conv2d", "antigravity", "__import__", "this"]
)
def test_nothing_is_imported_because_a_spec_names_it(name: str) -> None:
    before = set(sys.modules)
    assert error(spec(f"layers: [{{{name}: {{}}}}]")).code == "E102"
    assert error(spec(f"params: {{act: {name}}}\nlayers: [{{=act: {{}}}}]")).code == "E102"
    found = {m.split(".")[0] for m in set(sys.modules) - before}
    assert not found & {"os.system", "my_pkg", "antigravity", "this"}


def test_an_installed_package_that_has_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "fancy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fancy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[archspec.layers]\nFancyConv = fancy_pkg.layers:FancyConv\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = error(spec("layers: [FancyConv]"))
    assert found.code == "E102"
    assert found.help == "an installed package has it: allow it with --plugin fancy_pkg.layers"
    assert "fancy_pkg" not in sys.modules
