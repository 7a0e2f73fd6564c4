"""`init:` in a spec: which parameter begins how, and what `init_weights` makes of it."""

import json
import math
from fnmatch import fnmatchcase

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import archspec
from archspec.ops.initialisers import Initialiser
from tests.helpers import error, spec

NET = """
archspec: 1
params: {zero: false, planes: 8}
inputs: {image: [3, 8, 8]}
INIT
blocks:
  Residual:
    params: {planes: int, std: 0.5}
    BLOCK
    layers:
      conv1: {Conv2d: {out_channels: =planes, kernel_size: [3, 1], padding: [1, 0], bias: false}}
      bn1: BatchNorm2d
      conv2: {Conv2d: {out_channels: =planes, kernel_size: 3, padding: 1}}
      bn2: BatchNorm2d
      add: {Add: [input, bn2]}
layers:
  stem: {Conv2d: {out_channels: =planes, kernel_size: 3}}
  blocks: [{Residual: {planes: 8}}, {Residual: {planes: 8, std: 0.25}}]
  pool: {AdaptiveAvgPool2d: {output_size: 1}}
  flatten: Flatten
  fc: {Linear: {out_features: 10}}
"""


def network(init: str, block: str = "", **params: object) -> archspec.Network:
    """`NET` with rules in flow style for the network and for its block."""
    text = NET.replace("INIT", f"init: {{{init}}}")
    return archspec.loads(text.replace("BLOCK", f"init: {{{block}}}"), params=params)


def begins(found: archspec.Network, name: str) -> tuple[str, dict[str, object]] | None:
    """The function and its arguments for one parameter."""
    known = found.initialisers.get(name)
    return None if known is None else (known.function, dict(known.args))


def test_a_type_a_layer_and_a_parameter_can_be_named() -> None:
    net = network("Conv2d: {xavier_normal_: {gain: 2}}, stem.bias: zeros_, fc: {bias: ones_}")
    assert net.initialisers == {
        "stem.weight": Initialiser("xavier_normal_", {"gain": 2}),
        "stem.bias": Initialiser("zeros_"),
        **{
            f"blocks.{block}.{conv}.weight": Initialiser("xavier_normal_", {"gain": 2})
            for block in (0, 1)
            for conv in ("conv1", "conv2")
        },
        "fc.bias": Initialiser("ones_"),
    }


def test_the_later_rule_wins_and_null_takes_it_back() -> None:
    net = network('"*.weight": ones_, "blocks.*.bn2": zeros_, "*.1.bn2": null')
    assert begins(net, "blocks.0.bn1.weight") == ("ones_", {})
    assert begins(net, "blocks.0.bn2.weight") == ("zeros_", {})
    assert begins(net, "blocks.1.bn2.weight") is None
    assert begins(net, "fc.bias") is None


def test_a_block_is_closer_to_its_layers_than_the_network() -> None:
    net = network('Conv2d: zeros_, "*.bn1.weight": zeros_', "conv2: ones_, bn1: ones_")
    assert begins(net, "blocks.1.conv2.weight") == ("ones_", {})
    assert begins(net, "blocks.1.bn1.weight") == ("ones_", {})
    assert begins(net, "blocks.1.conv1.weight") == ("zeros_", {})


@pytest.mark.parametrize("zero", [True, False])
def test_a_rule_may_have_a_condition(zero: bool) -> None:
    net = network('BatchNorm2d: {weight: ones_}, "*.bn2.weight": {zeros_, when: =zero}', zero=zero)
    assert begins(net, "blocks.0.bn2.weight") == ("zeros_" if zero else "ones_", {})


def test_expressions_see_parameters_arguments_and_fans() -> None:
    net = network(
        'Linear: {weight: {uniform_: {a: "=-1 / sqrt(in_features)", b: "=planes / 8"}}}',
        'Conv2d: {normal_: {std: "=std * kernel_size[1] / fan_out"}}, conv2.bias: '
        "{constant_: =out_channels}",
    )
    assert begins(net, "fc.weight") == ("uniform_", {"a": -1 / math.sqrt(8), "b": 1.0})
    assert begins(net, "blocks.0.conv1.weight") == ("normal_", {"std": 0.5 / 24})
    assert begins(net, "blocks.1.conv2.weight") == ("normal_", {"std": 0.25 * 3 / 72})
    assert begins(net, "blocks.1.conv2.bias") == ("constant_", {"val": 8})


def test_an_expression_may_choose_the_function() -> None:
    text = "Linear: {weight: \"='zeros_' if zero else null\", bias: =act}"
    net = archspec.loads(
        NET.replace("INIT", f"init: {{{text}}}")
        .replace("BLOCK", "")
        .replace("zero: false", "zero: false, act: {constant_: 2}")
    )
    assert net.initialisers == {"fc.bias": Initialiser("constant_", {"val": 2})}


def test_weights_of_a_recurrent_layer_are_named_by_a_pattern() -> None:
    text = spec(
        """
        init: {LSTM: {"weight_hh_*": orthogonal_, "bias_*": zeros_}}
        layers: [{LSTM: {hidden_size: 4, num_layers: 2}}]
        """,
        "inputs: {tokens: [5, 3]}\n",
    )
    net = archspec.loads(text)
    assert set(net.initialisers) == {
        *("0.weight_hh_l0", "0.bias_ih_l0", "0.bias_hh_l0"),
        *("0.weight_hh_l1", "0.bias_ih_l1", "0.bias_hh_l1"),
    }


def test_a_bias_that_is_switched_off_is_no_mistake() -> None:
    body = """
        init: {Linear: {weight: ones_, bias: zeros_}}
        layers: [{Linear: {out_features: 2, bias: false}}]
        """
    assert list(archspec.loads(spec(body, "inputs: {x: [4]}\n")).initialisers) == ["0.weight"]


def test_a_fault_of_a_size_shows_the_layer() -> None:
    found = error(NET.replace("INIT", "init: {BatchNorm2d: eye_}").replace("BLOCK", ""))
    assert found.code == "E203"
    assert [label.text for label in found.labels] == ["`blocks.0.bn1.weight` is [8]"]


@pytest.mark.parametrize(
    ("init", "code"),
    [
        ({"*" * 1001: "zeros_"}, "E005"),
        ({f"*a{number}*b*c*": "zeros_" for number in range(5000)}, "E005"),
    ],
)
def test_patterns_have_limits(init: dict[str, str], code: str) -> None:
    layers = [{"for": "i in range(4000)", "layers": [{"Linear": {"out_features": 1}}]}]
    data = {"archspec": 1, "inputs": {"x": [1]}, "init": init, "layers": layers}
    assert [d.code for d in archspec.check(data).diagnostics] == [code]


def test_rules_of_a_spec_made_in_python() -> None:
    made = archspec.Spec(
        archspec=1,
        inputs={"x": [4]},
        init={"Linear": {"weight": {"normal_": {"std": 0.5}}, "bias": "zeros_"}},
        layers=[{"Linear": {"out_features": 2}}],
    )
    assert archspec.load(made).initialisers == {
        "0.weight": Initialiser("normal_", {"std": 0.5}),
        "0.bias": Initialiser("zeros_"),
    }


# Rules against a reference that knows names only.

KEYS = (
    *("Conv2d", "BatchNorm2d", "Linear", "*", "*.weight", "*.bias", "blocks.*", "blocks.0.*"),
    *(
        "*.bn2.weight",
        "stem",
        "fc",
        "fc.bias",
        "*.conv?",
        "blocks.1.bn[12]",
        "blocks.*.conv1.weight",
    ),
)
TYPES = {"conv": "Conv2d", "stem": "Conv2d", "bn": "BatchNorm2d", "fc": "Linear"}


@st.composite
def rule_lists(draw: st.DrawFn) -> dict[str, object]:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=5))
    found: dict[str, object] = {}
    for number, key in enumerate(keys, 2):
        one = draw(st.sampled_from([{"constant_": float(number)}, None]))
        of_parameters = "weight" in key or "bias" in key
        several = {"weight": one, "bias": {"constant_": -float(number)}}
        found[key] = one if of_parameters or draw(st.booleans()) else several
    return found


def settle(
    begun: dict[str, float], given: dict[str, object], names: list[str], prefix: str
) -> None:
    """Apply rules to the parameters below a prefix, by the words of the documentation."""
    inner = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    layers = {name.rpartition(".")[0] for name in inner}
    for key, value in given.items():
        if key in TYPES.values():
            chosen = {n for n in layers if TYPES[n.split(".")[-1].rstrip("12")] == key}
        else:
            chosen = {name for name in layers if fnmatchcase(name, key)}
        for name in inner:
            layer, _, parameter = name.rpartition(".")
            if layer in chosen:
                each = value if _several(value) else {"weight": value}
                if parameter in each:  # type: ignore[operator]
                    _begin(begun, f"{prefix}{name}", each[parameter])  # type: ignore[index]
            elif not chosen and fnmatchcase(name, key):
                _begin(begun, f"{prefix}{name}", value)


def _begin(begun: dict[str, float], name: str, value: dict[str, float] | None) -> None:
    if value is None:
        begun.pop(name, None)
    else:
        begun[name] = value["constant_"]


def _several(value: object) -> bool:
    return isinstance(value, dict) and "weight" in value


@given(rule_lists(), rule_lists())
@settings(max_examples=40)
def test_parameters_hold_what_the_rules_say(
    outer: dict[str, object], inner: dict[str, object]
) -> None:
    text = NET.replace("INIT", f"init: {json.dumps(outer)}")
    net = archspec.check(text.replace("BLOCK", f"init: {json.dumps(inner)}")).network
    assume(net is not None)  # null for one parameter, and a pattern over parameters
    assert net is not None
    parameters = dict(net.build().named_parameters())
    wanted: dict[str, float] = {}
    settle(wanted, outer, list(parameters), "")
    for prefix in ("blocks.0.", "blocks.1."):
        settle(wanted, inner, list(parameters), prefix)
    assert {name: each.args["val"] for name, each in net.initialisers.items()} == wanted
    for name, parameter in parameters.items():
        if name in wanted:
            assert (parameter == wanted[name]).all(), name
        elif "bn" in name:  # as PyTorch does it
            assert (parameter == ("weight" in name)).all(), name
        else:
            assert len(parameter.unique()) > 1, name


FUNCTIONS = [
    ("zeros_", {}),
    ("normal_", {"mean": 1, "std": 0.5}),
    ("uniform_", {"a": -2, "b": 3}),
    ("trunc_normal_", {"std": 0.02, "a": -0.04, "b": 0.04}),
    ("trunc_normal_", {"mean": 2.5, "a": -1, "b": 1}),
    ("constant_", {"val": 0.5}),
    ("xavier_uniform_", {"gain": 2}),
    ("xavier_normal_", {}),
    ("kaiming_uniform_", {"a": 1, "mode": "fan_out", "nonlinearity": "leaky_relu"}),
    ("kaiming_normal_", {"nonlinearity": "relu"}),
    ("orthogonal_", {"gain": 0.5}),
    ("eye_", {}),
    ("sparse_", {"sparsity": 0.5, "std": 0.1}),
]


@pytest.mark.parametrize(("function", "args"), FUNCTIONS)
def test_every_function_draws_what_torch_draws(function: str, args: dict[str, object]) -> None:
    init = {"Linear": {"weight": {function: args}, "bias": "zeros_"}}
    data = {"archspec": 1, "inputs": {"x": [16]}, "layers": [{"Linear": {"out_features": 12}}]}
    net = archspec.from_dict({**data, "init": init})
    torch.manual_seed(3)
    found: Tensor = net.build().state_dict()["0.weight"]
    torch.manual_seed(3)
    wanted = getattr(nn.init, function)(torch.empty(12, 16), **args)
    assert torch.equal(found, wanted)


@pytest.mark.parametrize("rule", ["constant_: {}", "orthogonal_: {{gain: {}}}"])
def test_an_integer_may_be_as_large_as_any_number(rule: str) -> None:
    init = f"init: {{Linear: {{weight: {{{rule.format(10**20)}}}}}}}"
    net = archspec.loads(
        spec(f"{init}\nlayers: [{{Linear: {{out_features: 2}}}}]", "inputs: {x: [4]}\n")
    )
    assert net.build().state_dict()["0.weight"].abs().max() > 1e19


@pytest.mark.parametrize(
    ("value", "words"), [(".nan", "is not a number"), ("null", "is a number, not null")]
)
def test_what_is_no_number(value: str, words: str) -> None:
    text = "archspec: 1\ninputs: {x: [3]}\nlayers: {f: {Linear: {out_features: 2}}}\n"
    report = archspec.check(f"{text}init: {{Linear: {{normal_: {{std: {value}}}}}}}\n")
    assert [each.message for each in report.diagnostics] == [f"normal_.std {words}"]
