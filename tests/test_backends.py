"""The generated source: what is printed is what runs, whatever the names in the spec are."""

import copy
import gc
import inspect
import io
import pickle
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import archspec
from archspec.backends.classes import SEQUENTIAL
from archspec.backends.literals import class_name, identifier, literal
from archspec.backends.source import generate
from tests.helpers import inputs_of, keys, runs, spec

RESIDUAL = """
    blocks:
      Block:
        params: {planes: int}
        layers:
          conv: {Conv2d: {out_channels: =planes, kernel_size: 3, padding: 1}}
          norm: BatchNorm2d
          down: {Conv2d: {out_channels: =planes, kernel_size: 1}, from: input}
          add: {Add: [norm, down]}
          relu: ReLU
    layers:
      one: {Block: {planes: 4}}
      two: {Block: {planes: 6}}
      aux: {Mean: {dim: [2, 3]}, from: one}
      pool: {AdaptiveAvgPool2d: {output_size: 1}, from: two}
      flat: Flatten
    outputs: {y: flat, aux: {from: aux, only: training}}
    """


def source(text: str) -> str:
    network = archspec.loads(text)
    return generate(network.graph, network.trace)[0]


def residual() -> torch.nn.Module:
    return archspec.loads(spec(RESIDUAL)).build().eval()


def x(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 3, 8, 8)


# The source itself.


def test_the_same_spec_gives_the_same_text() -> None:
    assert source(spec(RESIDUAL)) == source(spec(RESIDUAL))
    compile(source(spec(RESIDUAL)), "f", "exec")


def test_one_class_for_blocks_that_differ_in_numbers() -> None:
    text = source(spec(RESIDUAL))
    assert text.count("class Block(") == 1
    assert "def __init__(self, in_channels: int, planes: int)" in text


def test_getsource_gives_what_runs() -> None:
    module = residual()
    assert "def forward(self, image: Tensor)" in inspect.getsource(type(module))
    assert inspect.getsource(type(module.one)).startswith("class Block(nn.Module):")
    assert "self.conv" in inspect.getsource(module.one.forward)


def test_an_error_in_forward_shows_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    import traceback

    with pytest.raises(RuntimeError) as raised:
        residual()(torch.randn(2, 5, 8, 8))
    assert "self.conv" in "".join(traceback.format_exception(raised.value))


def test_sequential_has_no_names_that_we_do_not_know() -> None:
    own = {name for name in dir(nn.Sequential()) if not hasattr(nn.Module(), name)}
    assert own <= SEQUENTIAL | {"__constants__"} | {
        n for n in own if not callable(getattr(nn.Sequential, n, None))
    }


# Hostile names.

NAMES = [
    "self", "torch", "nn", "F", "x", "y", "z", "Tensor", "Network", "NetworkOutput", "NamedTuple", "OrderedDict",
    "class", "lambda", "None", "print", "len", "int", "range", "super", "getattr", "_", "__x", "__len__",
    "_x_", "a b", "a-b", "a_b", "é", "😀", "0", "1_5", "a'b", 'a"b', "a\\b", "a{b}", "{0}", "}",
    "a\nb", "#", "%s", "import os", "append", "keys", "forward_", "input_", "merge", "concat", "x_", "T", "math", "if",
]  # fmt: skip


def chain(names: list[str]) -> archspec.Network:
    """A flat residual chain over layers of these names."""
    fill = {f"p{number}": name for number, name in enumerate(names)}
    layers: dict[str, Any] = {}
    for number, _ in enumerate(names):
        layers[f"{{p{number}}}"] = {"Linear": {"out_features": 4}, "from": f"{{p{number - 1}}}"}
    layers["{p0}"]["from"] = "feed"
    sums = [f"{{p{number}}}" for number in range(len(names))]
    data = {
        "archspec": 1, "params": dict.fromkeys(fill, "str"), "inputs": {"feed": [4]},
        "layers": {**layers, "total": {"Add": [*sums, "feed"]}},
        "outputs": {"last": sums[-1], "all": "total"},
    }  # fmt: skip
    return archspec.from_dict(data, params=fill)


def test_layers_may_have_any_name() -> None:
    network = chain(NAMES)
    module = network.build()
    assert [name for name, _ in module.named_children()] == NAMES
    fed = torch.randn(2, 4)
    last, total, current = fed, fed, fed
    for name in NAMES:
        current = module.get_submodule(name)(current)
        total = total + current
    last = current
    found = module(fed)
    assert torch.equal(found.last, last)
    assert torch.allclose(found.all, total, atol=1e-6)
    copy.deepcopy(module).load_state_dict(pickle.loads(pickle.dumps(module.state_dict())))


@given(
    st.lists(
        st.sampled_from(NAMES) | st.text(min_size=1, max_size=6),
        min_size=2,
        max_size=6,
        unique=True,
    )
)
def test_any_names_run(names: list[str]) -> None:
    try:
        network = chain(names)
    except archspec.SpecError as error:
        assert {d.code for d in error.diagnostics if d.severity == "error"} <= {
            "E111",
            "E106",
            "E107",
        }
        return
    fed = torch.randn(1, 4)
    module = network.build()
    current = total = fed
    for name in names:
        current = module.get_submodule(name)(current)
        total = total + current
    assert torch.allclose(module(fed).all, total, atol=1e-6)


BLOCKS = ["Linear", "Tensor", "nn", "torch", "NamedTuple", "OrderedDict", "mean", "a_b", "aB", "A b", "F", "self",
          "network", "int", "Sequential", "Network", "stochastic_depth", "0", "é", "NetworkOutput"]  # fmt: skip


def test_blocks_may_have_any_name() -> None:
    blocks = {
        name: {
            "params": {"n": "int"},
            "layers": {"fc": {"Conv2d": {"out_channels": "=n", "kernel_size": 1}}, "a": "ReLU"},
        }
        for name in BLOCKS
    }
    data = {
        "archspec": 1, "name": "nn", "inputs": {"image": [3, 4, 4]}, "blocks": blocks,
        "layers": {
            **{f"l{number}": {name: {"n": number + 1}} for number, name in enumerate(BLOCKS)},
            "s": [{"Mean": {"dim": 2}}, "Tanh", {"Mean": {"dim": 2}}],
            "d": {"StochasticDepth": {"p": 0.5}},
        },
        "outputs": {"a": "l0", "b": "d"},
    }  # fmt: skip
    network = archspec.from_dict(data)
    module = runs(network)
    runs(network, training=True)
    assert sum(name.endswith("fc.weight") for name in module.state_dict()) == len(BLOCKS)


def test_parameters_of_blocks_may_be_called_like_anything() -> None:
    words = ["self", "nn", "torch", "Inner", "super", "__p", "x", "Linear", "int"]
    params = dict.fromkeys(words, "int")
    layers = {f"l{n}": {"Linear": {"out_features": f"={word}"}} for n, word in enumerate(words)}
    data = {
        "archspec": 1, "inputs": {"a": [4]},
        "blocks": {"Inner": {"params": params, "layers": {**layers, "b": {"Add": ["l0", "l0"]}}}},
        "layers": [{"Inner": {w: n + k for n, w in enumerate(words, 1)}} for k in (0, 2)],
    }  # fmt: skip
    runs(archspec.from_dict(data))


def test_a_formula_leaves_the_arguments_alone() -> None:
    text = spec("""
        blocks:
          B:
            params: {p: int}
            layers:
              t: {Buffer: {shape: [4, 4], index: [p, self], value: "=p * 4 + self"}}
              l: {Linear: {out_features: =p}, from: input}
              m: {MatMul: [l, t]}
        layers: [{Linear: {out_features: 4}}, {B: {p: 4}}, {B: {p: 4}}]
        """)
    assert torch.equal(
        archspec.loads(text).build().state_dict()["1.t"].flatten(), torch.arange(16.0)
    )
    varied = (
        text.replace("{B: {p: 4}}]", "{l: [{Linear: {out_features: 3}}]}]")
        .replace("{l: [", "[")
        .replace("]}]", "]]")
    )
    runs(archspec.loads(varied))


@pytest.mark.parametrize(
    "value",
    [
        "a'b",
        'a"b',
        "\\",
        "\n",
        "{x}",
        "é\ud800",
        "'''",
        1e400,
        -1e400,
        (1,),
        [],
        {"a": (2, None)},
        -0.0,
    ],
)
def test_literals_read_back(value: Any) -> None:
    assert eval(literal(value), {}) == value


@given(st.text(max_size=12))
def test_identifiers(name: str) -> None:
    for word in (identifier(name), class_name(name)):
        assert word.isidentifier()
        assert word.isascii()
        exec(f"{word} = 1")


# Plain modules.


def test_pickle_save_and_deepcopy() -> None:
    module = residual()
    fed = x()
    wanted = module(fed)
    assert torch.equal(copy.deepcopy(module)(fed), wanted)
    assert torch.equal(pickle.loads(pickle.dumps(module))(fed), wanted)
    stream = io.BytesIO()
    torch.save(module, stream)
    stream.seek(0)
    assert torch.equal(torch.load(stream, weights_only=False)(fed), wanted)


def test_a_pickle_opens_in_a_fresh_process(tmp_path: Path) -> None:
    module, fed = residual().train(), x()
    output = module(fed)
    torch.save((module.eval(), fed, module(fed), output), tmp_path / "m.pt")
    code = f"""
import torch
module, fed, wanted, output = torch.load({str(tmp_path / "m.pt")!r}, weights_only=False)
assert torch.allclose(module(fed), wanted, atol=1e-6)
assert output._fields == ("y", "aux") and type(output).__name__ == "NetworkTrainingOutput"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_children_can_be_replaced_and_hooked() -> None:
    module, fed = residual(), x()
    seen = []
    module.two.register_forward_hook(lambda m, args, result: seen.append(tuple(result.shape)))
    module.two.relu = nn.Identity()
    module(fed)
    assert seen == [(2, 6, 8, 8)]
    module.one.conv = nn.Conv2d(3, 4, 1)
    assert module(fed).shape == (2, 6)


def test_outputs_by_mode() -> None:
    module, fed = residual(), x()
    assert isinstance(module(fed), torch.Tensor)
    output = module.train()(fed)
    assert output._fields == ("y", "aux")
    assert output.aux.shape == (2, 4)
    named = spec(
        "layers: {a: ReLU, b: {Tanh: , from: input}}\noutputs: {as: dict, one: a, the two: b}\n"
    )
    assert list(archspec.loads(named).build()(fed)) == ["one", "the two"]


def test_inputs_by_keyword() -> None:
    text = spec("layers: {s: {Sub: [b, a]}}", "inputs: {a: [3], b: [3]}\n")
    module = archspec.loads(text).build()
    a, b = torch.randn(2, 2, 3)
    assert torch.equal(module(b=b, a=a), b - a)


def test_torch_can_trace_script_and_export_it() -> None:
    module, fed = residual(), x()
    wanted = module(fed)
    assert torch.equal(torch.jit.trace(module, fed)(fed), wanted)
    assert torch.equal(torch.export.export(module, (fed,)).module()(fed), wanted)
    assert torch.equal(torch.fx.symbolic_trace(module)(fed), wanted)


def test_nothing_of_ours_is_in_the_module() -> None:
    for part in residual().modules():
        homes = {cls.__module__.split(".")[0] for cls in type(part).__mro__}
        assert "archspec" not in homes


def test_what_is_dead_is_let_go() -> None:
    """A long residual chain, written flat, keeps as many tensors alive as a block by block one."""
    blocks = 12
    layers: dict[str, Any] = {"stem": {"Linear": {"out_features": 4}}}
    before = "stem"
    for n in range(blocks):
        layers[f"a{n}self"] = {"Linear": {"out_features": 4}, "from": before}
        layers[f"b{n}"] = {"Linear": {"out_features": 4}}
        layers[f"s{n}"] = {"Add": [f"b{n}", before]}
        before = f"s{n}"
    network = archspec.from_dict({"archspec": 1, "inputs": {"x": [4]}, "layers": layers})
    module = network.build()
    live: list[weakref.ref[torch.Tensor]] = []
    peaks = []

    def watch(part: nn.Module, args: Any, result: torch.Tensor) -> None:
        live.append(weakref.ref(result))
        peaks.append(sum(each() is not None for each in live))

    for child in module.children():
        child.register_forward_hook(watch)
    gc.disable()
    try:
        with torch.no_grad():
            module(*inputs_of(network))
    finally:
        gc.enable()
    assert len(peaks) == 2 * blocks + 1
    assert max(peaks) <= 3


# Random wirings over hostile names equal a reference.


@st.composite
def wirings(draw: st.DrawFn) -> list[tuple[str, list[int], bool]]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=7, unique=True))
    return [
        (name, draw(st.lists(st.integers(0, n), min_size=1, max_size=3)), draw(st.booleans()))
        for n, name in enumerate(names)
    ]


@given(wirings(), st.integers(1, 3))
def test_random_wirings_equal_a_reference(
    wiring: list[tuple[str, list[int], bool]], outputs: int
) -> None:
    fill = {f"p{n}": name for n, (name, _, _) in enumerate(wiring)}
    names = ["feed", *(f"{{p{n}}}" for n in range(len(wiring)))]
    layers: dict[str, Any] = {}
    for n, (_, sources, linear) in enumerate(wiring):
        taken = [names[s] for s in sources]
        if linear or len(taken) == 1:
            layers[names[n + 1]] = {"Linear": {"out_features": 4}, "from": taken[0]}
        else:
            layers[names[n + 1]] = {"Add": taken}
    data = {
        "archspec": 1,
        "params": dict.fromkeys(fill, "str"),
        "inputs": {"feed": [4]},
        "layers": layers,
        "outputs": {f"o{k}": name for k, name in enumerate(names[1:][-outputs:])},
    }
    network = archspec.from_dict(data, params=fill)
    module = network.build()
    values = [torch.randn(2, 4)]
    for name, sources, linear in wiring:
        fed = [values[s] for s in sources]
        made = (
            module.get_submodule(name)(fed[0]) if linear or len(fed) == 1 else sum(fed[1:], fed[0])
        )
        values.append(made)
    found = module(values[0])
    found = tuple(found) if isinstance(found, tuple) else (found,)
    for mine, wanted in zip(found, values[1:][-outputs:], strict=True):
        assert torch.allclose(mine, wanted, atol=1e-6)
    assert keys_of(module) == [
        k for n, _, _ in wiring for k in keys_of(module) if k.rpartition(".")[0] == n
    ]


def keys_of(module: nn.Module) -> list[str]:
    return list(module.state_dict())


def test_the_state_dict_reads_off_the_file() -> None:
    assert keys(spec(RESIDUAL))[:3] == ["one.conv.weight", "one.conv.bias", "one.norm.weight"]
