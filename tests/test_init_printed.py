"""`init:` as code: the rules of `init_weights`, as they are printed and as they run."""

import inspect
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.backends.source import print_file
from tests.helpers import spec
from tests.test_init import network
from tests.test_initialise import LAYERS


def rules(net: archspec.Network) -> list[str]:
    """The statements of `init_weights`, without the indentation of the method."""
    source = inspect.getsource(type(net.build()))
    body = source.partition("def init_weights(self) -> None:\n")[2].partition("\n\n")[0]
    return [line.removeprefix(" " * 8) for line in body.splitlines()]


def test_rules_read_as_a_person_writes_them() -> None:
    net = network(
        "Conv2d: {kaiming_normal_: {mode: fan_out}}, "
        'BatchNorm2d: {weight: ones_, bias: zeros_}, "*.bn2.weight": zeros_, '
        "fc: {weight: {normal_: {std: 0.01}}}"
    )
    assert rules(net) == [
        "for module in self.modules():",
        "    if isinstance(module, nn.Conv2d):",
        '        nn.init.kaiming_normal_(module.weight, mode="fan_out")',
        "    elif isinstance(module, nn.BatchNorm2d):",
        "        nn.init.ones_(module.weight)",
        "        nn.init.zeros_(module.bias)",
        "    elif isinstance(module, nn.Linear):",
        "        nn.init.normal_(module.weight, std=0.01)",
        "for name, parameter in self.named_parameters():",
        '    if name.endswith(".bn2.weight"):',
        "        nn.init.zeros_(parameter)",
    ]


def test_endings_stand_for_the_parameters_of_a_rule_and_no_others() -> None:
    body = """
        init: {"*.[01].fc*": {constant_: 3}, "*.out.weight": {constant_: 5}}
        blocks:
          Pair: {layers: {fc: {Linear: {out_features: 4}}, out: {Linear: {out_features: 4}}}}
        layers: {pairs: {repeat: 4, Pair: {}}}
        """
    state = archspec.loads(spec(body, "inputs: {x: [4]}\n")).build().state_dict()
    found = {name for name, tensor in state.items() if (tensor == 3).all()}
    assert found == {"pairs.0.fc.weight", "pairs.1.fc.weight"}
    found = {name for name, tensor in state.items() if (tensor == 5).all()}
    assert found == {f"pairs.{number}.out.weight" for number in range(4)}


EXPRESSIONS = (
    *("1 / sqrt(out_features)", "-in_features ** -0.5", "(low - in_features) ** 2 / 7"),
    *("low ** 2 / max(in_features, out_features)", "int(in_features / 3) % 5 + 0.5"),
    *(
        "1 / fan_in",
        "half if in_features > 3 else 1",
        "ceil(half * out_features)",
        "half / fan_out",
    ),
    *("log(in_features + 1, 2)", "abs(low) * half", "1.0 if bias else 2.0", "-(in_features - 9)"),
)


@given(st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=3))
@settings(max_examples=30)
def test_code_over_attributes_gives_the_values_of_the_expressions(texts: list[str]) -> None:
    joined = " + ".join(f"({text})" for text in texts)
    net = archspec.from_dict(
        {
            "archspec": 1,
            "params": {"low": -2, "half": 0.5, "out_features": 4},
            "inputs": {"x": [6]},
            "init": {"Linear": {"weight": {"constant_": {"val": f"={joined}"}}}},
            "layers": [{"Linear": {"out_features": n}} for n in (6, 3, 12)],
        }
    )
    module = net.build()
    for name, parameter in module.named_parameters():
        if name.endswith("weight"):
            value = torch.tensor(net.initialisers[name].args["val"], dtype=torch.float32)
            assert (parameter == value).all()


def test_expressions_over_arguments_stay_expressions() -> None:
    net = network(
        'Conv2d: {normal_: {std: "=2 / (kernel_size[0] * out_channels)"}}, '
        "Linear: {normal_: {mean: =planes / 4, std: =1 / sqrt(out_features)}}"
    )
    assert rules(net) == [
        "for module in self.modules():",
        "    if isinstance(module, nn.Conv2d):",
        "        nn.init.normal_(",
        "            module.weight, std=2 / (module.kernel_size[0] * module.out_channels)",
        "        )",
        "    elif isinstance(module, nn.Linear):",
        "        nn.init.normal_(",
        "            module.weight, mean=2.0, std=1 / math.sqrt(module.out_features)",
        "        )",
    ]


def test_a_thousand_layers_are_a_few_lines() -> None:
    body = """
        init: {Linear: {weight: zeros_}, Conv1d: {weight: ones_, bias: zeros_}}
        layers:
          - for: i in range(500)
            layers: [{Linear: {out_features: 4}}, {Conv1d: {out_channels: 2, kernel_size: 1}}]
        """
    assert len(rules(archspec.loads(spec(body, "inputs: {x: [2, 4]}\n")))) <= 8


def test_a_linear_within_attention_is_not_taken_for_one_of_the_spec() -> None:
    body = """
        init: {Linear: {constant_: 7}}
        layers:
          - Linear: {out_features: 4}
          - MultiheadAttention: {num_heads: 2}
          - Linear: {out_features: 4}
        """
    state = archspec.loads(spec(body, "inputs: {x: [3, 4]}\n")).build().state_dict()
    assert (state["0.weight"] == 7).all()
    assert (state["2.weight"] == 7).all()
    assert not (state["1.out_proj.weight"] == 7).any()


@pytest.mark.soak
def test_printed_rules_satisfy_type_checkers(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api", reason="mypy is not installed")
    for number, (layer, inputs) in enumerate(LAYERS.items()):
        body = f"layers: {{one: {{{layer}}}, group: {{layers: {{one: {{{layer}}}}}}}}}"
        alone = f"layers: {{one: {{{layer}}}}}"
        names = [n.removeprefix("one.") for n in parameters(spec(alone, inputs))]
        setting = json.dumps(dict.fromkeys(names, "zeros_"))
        for key in (layer.partition(":")[0], "one"):
            text = body if key != "one" and _repeats(spec(body, inputs)) else alone
            rule = f"init: {{{key}: {setting}}}\n" if names else ""
            source = print_file(archspec.loads(spec(f"{rule}{text}", inputs)))
            (tmp_path / f"file_{number}_{key}.py").write_text(source)
    out, errors, status = api.run(["--strict", *map(str, tmp_path.glob("*.py"))])
    assert status == 0, out + errors


def parameters(text: str) -> list[str]:
    """The names of a network's parameters."""
    return [name for name, _ in archspec.loads(text).build(device="meta").named_parameters()]


def _repeats(text: str) -> bool:
    """Whether a layer can follow itself."""
    return archspec.check(text).ok
