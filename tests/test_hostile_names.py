"""Generated code is right whatever the names in a spec are: no name becomes code."""

import copy
import pickle
import textwrap
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import archspec
from archspec.backends.source.literals import class_name, identifier, literal
from tests.helpers import error, runs, spec

NAMES = [
    "self", "torch", "nn", "F", "x", "y", "z", "Tensor", "Network", "NetworkOutput",
    "NamedTuple", "OrderedDict",
    "class", "lambda", "None", "print", "len", "int", "range", "super", "getattr", "_", "__x",
    "__len__",
    "_x_", "a b", "a-b", "a_b", "é", "😀", "0", "1_5", "a'b", 'a"b', "a\\b", "a{b}", "{0}", "}",
    "a\nb", "#", "%s", "import os", "append", "keys", "forward_", "input_", "merge", "concat",
    "x_", "T", "math", "if",
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
        codes = {d.code for d in error.diagnostics if d.severity == "error"}
        if not codes <= {"E106", "E107", "E111"}:
            raise
        return
    fed = torch.randn(1, 4)
    module = network.build()
    current = total = fed
    for name in names:
        current = module.get_submodule(name)(current)
        total = total + current
    assert torch.allclose(module(fed).all, total, atol=1e-6)


@given(st.lists(st.sampled_from(NAMES) | st.text(min_size=1), min_size=2, max_size=4, unique=True))
def test_a_selection_of_any_names_runs(names: list[str]) -> None:
    try:
        network = chain(names)
    except archspec.SpecError:
        return
    part = network.select(*names)
    found = part.build()(torch.randn(2, 4))
    assert found._fields == tuple(part.outputs)
    assert [tuple(each.shape) for each in found] == [(2, 4)] * len(names)


def test_no_name_is_run_by_a_selection(capsys: pytest.CaptureFixture[str]) -> None:
    code = "x: print('run') #"
    block = {"layers": {code: {"Linear": {"out_features": 4}}, "end": "ReLU"}}
    data = {
        "archspec": 1, "inputs": {"feed": [4]}, "blocks": {"B": block},
        "layers": {code: {"B": {}}, "last": "Tanh"},
    }  # fmt: skip
    network = archspec.from_dict(data)
    part = network.select(code, f"{code}.{code}")
    assert list(part.outputs) == ["x__print__run____", "x__print__run_____x__print__run____"]
    part.build()(torch.zeros(2, 4))
    assert capsys.readouterr().out == ""


def test_two_fields_that_python_reads_alike_are_refused() -> None:
    found = error(spec("layers: {a: Tanh, b: Tanh}\noutputs: {ﬁ: a, fi: b}\n"))
    assert (found.code, found.message) == ("E111", "two outputs are called `fi`")


BLOCKS = ["Linear", "Tensor", "nn", "torch", "NamedTuple", "OrderedDict", "mean", "a_b", "aB",
"A b", "F", "self",
          "network", "int", "Sequential", "Network", "stochastic_depth", "0", "é",
          "NetworkOutput"]  # fmt: skip


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


def test_what_nobody_reads_overwrites_nothing() -> None:
    """`_` takes results that nobody reads; layers and inputs may be called so themselves."""
    text = """
        archspec: 1
        inputs: {_: [8], series: [8, 3]}
        blocks:
          Two:
            layers:
              one: {Linear: {out_features: 8}}
              other: {Linear: {out_features: 8}, from: input}
            outputs: {one: one, other: other}
        layers:
          ü: {Linear: {out_features: 8}, from: _}
          two: {Two, from: _}
          lstm: {LSTM: {hidden_size: 8}, from: series}
          last: {Select: {dim: 1, index: 0}, from: lstm.h}
          sum: {Add: [two, ü, last, _]}
        """
    module = archspec.loads(textwrap.dedent(text)).build()
    x, series = torch.randn(2, 8), torch.randn(2, 8, 3)
    last = module.lstm(series)[1][0][0]
    assert torch.equal(module(x, series), module.two(x).one + module.ü(x) + last + x)
    assert torch.equal(module(series=series, _=x), module(x, series))
    torch.jit.script(module)
