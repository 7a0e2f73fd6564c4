"""Every construct of the language: the layers, shapes and state dict that it stands for."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

import archspec
from tests.helpers import error, errors, inputs_of, keys, paths, runs, spec

EXAMPLES = sorted((Path(__file__).parent / "data" / "examples").glob("*.yaml"))
CONV = "Conv2d: {out_channels: 4, kernel_size: 3, padding: 1"


def shapes(text: str, **params: Any) -> dict[str, tuple[Any, ...]]:
    return {r.path: r.output_shape for r in archspec.loads(text, params=params).layers}


# Wiring.


def test_a_layer_takes_the_previous_one_unless_it_says_from() -> None:
    text = spec(f"""
        layers:
          a: {{{CONV}}}}}
          b: ReLU
          c: {{Conv2d: {{out_channels: 2, kernel_size: 1}}, from: a}}
          d: {{Concat: [b, c]}}
          e: {{Add: [d, input.0]}}
        """)
    assert errors(text) == ["E106 8:16"]  # an input has no results
    text = text.replace("input.0", "d")
    assert shapes(text)["d"] == (6, 8, 8)
    assert keys(text) == ["a.weight", "a.bias", "c.weight", "c.bias"]


def test_references_may_point_forwards_and_file_order_is_registration_order() -> None:
    text = spec(f"""
        layers:
          late: {{Add: [first, input], shape: [3, 8, 8]}}
          first: {{{CONV.replace("4", "3")}}}, from: input}}
        """)
    assert paths(text) == ["first", "late"]
    assert keys(text) == ["first.weight", "first.bias"]
    assert archspec.loads(text).outputs != {}


def test_a_reference_may_name_a_list_entry_by_number() -> None:
    assert paths(spec("layers: [ReLU, Tanh, {Add: [0, 1]}]")) == ["0", "1", "2"]


def test_a_cycle_is_named() -> None:
    found = error(
        spec("layers: {a: {Add: [c, input]}, b: {ReLU: , from: a}, c: {Tanh: , from: b}}")
    )
    assert (found.code, found.line, found.column) == ("E107", 3, 10)
    assert "a ← c ← b ← a" in found.message


def test_an_unknown_reference_gets_help() -> None:
    found = error(spec("layers: {stem: ReLU, b: {Tanh: , from: stm}}"))
    assert (found.code, found.line, found.column) == ("E106", 3, 40)
    assert found.help == "did you mean `stem`?"


# Conditions.


def test_an_absent_layer_stands_for_its_input() -> None:
    text = spec("""
        params: {on: bool}
        layers:
          a: Tanh
          b: {ReLU: , when: =on}
          c: {Sigmoid: , when: =on, from: a}
          d: {Add: [b, c]}
        """)
    assert paths(text, on=True) == ["a", "b", "c", "d"]
    assert paths(text, on=False) == ["a", "d"]
    runs(archspec.loads(text, params={"on": False}))


def test_an_absent_layer_of_a_list_takes_no_number() -> None:
    text = spec("layers: [Tanh, {ReLU: , when: false}, Sigmoid]")
    assert paths(text) == ["0", "1"]


def test_when_is_evaluated_before_everything_else() -> None:
    assert paths(spec("layers: [{Nope: {x: =zz}, when: false}, ReLU]")) == ["0"]


def test_concat_over_an_absent_layer_is_unclear() -> None:
    text = spec("layers: {a: ReLU, b: {Tanh: , when: false}, c: {Concat: [a, b]}}")
    assert error(text).code == "E112"
    clear = spec("layers: {a: ReLU, b: {Tanh: , from: a, when: false}, c: {Concat: [a, b]}}")
    assert shapes(clear)["c"] == (6, 8, 8)


def test_an_absent_free_tensor_is_nobodys_predecessor() -> None:
    text = spec(
        "layers: {p: {Parameter: {shape: [3], init: zeros_}, when: false}, x: {Add: [a, b]}}",
        "inputs: {a: [3], b: [3]}\n",
    )
    assert paths(text) == ["x"]
    used = text.replace("[a, b]", "[a, p]")
    assert error(used).code == "E106"


# Repetition.


def test_repeat_nests_and_counts() -> None:
    text = spec("layers: {r: {Linear: {out_features: =8 + i}, repeat: 3}}")
    assert shapes(text) == {"r.0": (3, 8, 8), "r.1": (3, 8, 9), "r.2": (3, 8, 10)}
    assert keys(text)[0] == "r.0.weight"


def test_repeat_with_names() -> None:
    text = spec('layers: {r: {ReLU: , repeat: 2, names: "step{i + 1}"}}')
    assert paths(text) == ["r.step1", "r.step2"]
    assert error(text.replace("{i + 1}", "")).code == "E111"
    assert error(text.replace("{i + 1}", "{i / 2}")).code == "E110"


@pytest.mark.parametrize(
    ("count", "code"), [("-1", "E105"), ("1.5", "E105"), ("two", "E105"), ("=10 ** 12", "E005")]
)
def test_a_bad_count(count: str, code: str) -> None:
    assert error(spec(f"layers: {{r: {{ReLU: , repeat: {count}}}}}")).code == code


def test_repeat_zero_is_nothing() -> None:
    assert paths(spec("layers: {a: ReLU, r: {Tanh: , repeat: 0}}")) == ["a"]


def test_dense_connections() -> None:
    text = spec("""
        layers:
          dense:
            layers: {conv: {Conv2d: {out_channels: 2, kernel_size: 1}}}
            repeat: 3
            connect: dense
        """)
    network = archspec.loads(text)
    found = {r.path: r.input_shapes for r in network.layers if r.type == "Conv2d"}
    assert [s[0][0] for s in found.values()] == [3, 5, 7]
    assert next(iter(network.outputs.values()))[0] == 9
    runs(network)


# Loops.


def test_a_loop_splices_into_a_list_and_numbering_runs_on() -> None:
    text = spec("""
        layers:
          - Tanh
          - for: n in [5, 6]
            layers: [{Linear: {out_features: =n}}, ReLU]
          - Sigmoid
        """)
    assert list(shapes(text).values())[1::2] == [(3, 8, 5), (3, 8, 6), (3, 8, 6)]
    assert paths(text) == ["0", "1", "2", "3", "4", "5"]


def test_a_loop_in_a_mapping_has_templates_for_keys() -> None:
    text = spec("""
        layers:
          encoder:
            for: k, (n, flag) in enumerate([[5, true], [6, false]])
            layers:
              "e{k}": {Linear: {out_features: =n}}
              "a{k}": {ReLU: , when: =flag}
          last: {Add: [e1, "e{1}"]}
        """)
    assert paths(text) == ["e0", "a0", "e1", "last"]
    assert keys(text) == ["e0.weight", "e0.bias", "e1.weight", "e1.bias"]


def test_loops_nest_and_may_be_absent() -> None:
    text = spec("""
        layers:
          a:
            for: i in range(2)
            layers:
              b:
                for: j in range(i + 1)
                layers: {"l{i}{j}": ReLU}
          c: {for: "k in range(3)", when: false, layers: {"m{k}": ReLU}}
        """)
    assert paths(text) == ["l00", "l10", "l11"]


# Blocks.

BOTTLENECK = """
    blocks:
      Wide:
        params: {planes: int, groups: 1, act: layer, eps: float?, out: =planes * 2}
        layers:
          conv: {Conv2d: {out_channels: =planes, kernel_size: 1, groups: =groups}}
          norm: {BatchNorm2d: {eps: =eps}, when: =eps != null}
          act: {=act, when: =act != null}
          last: {Conv2d: {out_channels: =out + input.channels, kernel_size: 1}}
    layers:
      - Wide: {planes: 4, act: ReLU, eps: 0.1}
      - Wide: {planes: 6, act: {LeakyReLU: {negative_slope: 0.3}}, eps: null, out: 1}
      - Wide: {planes: 6, act: null, eps: null}
    """


def test_a_block_has_parameters_of_its_own() -> None:
    text = spec(BOTTLENECK)
    found = shapes(text)
    assert found["0.last"][0] == 4 * 2 + 3
    assert found["1.last"][0] == 1 + 11
    assert found["2.last"][0] == 12 + 12
    assert [p for p in found if p.endswith(("act", "norm"))] == ["0.norm", "0.act", "1.act"]
    assert "0.norm.running_mean" in keys(text)
    slope = [r.args for r in archspec.loads(text).layers if r.type == "LeakyReLU"]
    assert slope[0]["negative_slope"] == 0.3


@pytest.mark.parametrize(
    ("use", "code"),
    [
        ("Wide: {act: null, eps: 1}", "E104"),
        ("Wide: {planes: 4.5, act: null, eps: 1}", "E105"),
        ("Wide: {planes: yes, act: null, eps: 1}", "E105"),
        ("Wide: {planes: 4, act: 3, eps: 1}", "E105"),
        ("Wide: {planes: 4, act: Nope, eps: 1}", "E102"),
        ("Wide: {planes: 4, act: null, eps: 1, plans: 3}", "E108"),
        ("Wide: 4", "E105"),
        ("Wide: [4]", "E105"),
        ("{Wide: {planes: 4, act: null, eps: 1}, from: [input, input]}", "E112"),
    ],
)
def test_a_wrong_use_of_a_block(use: str, code: str) -> None:
    head = re.split(r"^layers:", spec(BOTTLENECK), flags=re.M)[0]
    use = use if use.startswith("{") else f"{{{use}}}"
    assert error(f"{head}layers:\n  - {use}\n").code == code


def test_a_block_sees_its_own_parameters_only() -> None:
    text = spec("""
        params: {width: 5}
        blocks: {B: {layers: [{Linear: {out_features: =width}}]}}
        layers: [B]
        """)
    assert errors(text) == ["E108 4:47"]


def test_blocks_with_several_inputs_and_outputs() -> None:
    text = spec("""
        blocks:
          Cell:
            inputs: [x, skip]
            layers:
              sum: {Add: [x, skip]}
              left: {Linear: {out_features: =skip.width // 2}}
            outputs: {new: left, old: sum}
        layers:
          a: {Cell: , from: [input, input]}
          b: {Linear: {out_features: 4}, from: a.old}
          c: {Add: [a.new, b]}
          d: {Tanh: , from: a}
          e: {Add: [c, d]}
        """)
    assert shapes(text)["e"] == (3, 8, 4)
    runs(archspec.loads(text))
    assert error(text.replace("a.old", "a.odd")).code == "E106"


def test_recursion_ends_where_a_condition_ends_it() -> None:
    text = spec("""
        blocks:
          Fractal:
            params: {depth: int}
            merge: Add
            branches:
              deep:
                - {Fractal: {depth: =depth - 1}, when: =depth > 0}
                - {Fractal: {depth: =depth - 1}, when: =depth > 0}
              flat: {Conv2d: {out_channels: 3, kernel_size: 1}}
        layers: [{Fractal: {depth: 3}}]
        """)
    assert sum(row.type == "Conv2d" for row in archspec.loads(text).layers) == 15
    endless = text.replace(", when: =depth > 0", "")
    assert error(endless).code == "E005"


def test_groups_are_open_scopes() -> None:
    text = spec("""
        params: {n: 5}
        layers:
          g: {layers: {a: {Linear: {out_features: =n + input.width}}}}
          h: [ReLU, {Linear: {out_features: 2}}]
        """)
    assert shapes(text)["g.a"] == (3, 8, 13)
    assert keys(text) == ["g.a.weight", "g.a.bias", "h.1.weight", "h.1.bias"]


@pytest.mark.parametrize(
    ("branches", "channels"),
    [
        ("{a: ReLU, b: [Tanh, ReLU]}", 6),
        ("{a: ReLU, b: {Tanh: , when: false}}", 3),
        ("[ReLU, Tanh, Sigmoid]", 9),
        ("[]", 3),
    ],
)
def test_parallel_bodies(branches: str, channels: int) -> None:
    text = spec(f"layers: {{p: {{merge: Concat, branches: {branches}}}, q: ReLU}}")
    assert shapes(text)["q"] == (channels, 8, 8)
    runs(archspec.loads(text))


# Sharing.


def test_reuse_registers_once_and_works_every_time() -> None:
    text = spec("""
        layers:
          a: {Conv2d: {out_channels: 3, kernel_size: 1}}
          b: [Tanh, {Linear: {out_features: 8}}]
          c: {Reuse: a}
          d: {Reuse: b}
        """)
    network = archspec.loads(text)
    assert keys(text) == ["a.weight", "a.bias", "b.1.weight", "b.1.bias"]
    once = archspec.loads(text.split("  c:")[0])
    assert network.parameter_count == once.parameter_count
    assert network.macs == 2 * once.macs
    assert [row.reused for row in network.layers] == [False, False, False, True, True, True]


def test_reuse_before_its_definition_in_call_order() -> None:
    text = spec("""
        layers:
          first: {Reuse: conv, from: input}
          conv: {Conv2d: {out_channels: 3, kernel_size: 1}, from: first}
        """)
    assert keys(text) == ["conv.weight", "conv.bias"]


def test_reuse_of_a_repetition_and_of_a_block() -> None:
    text = spec("""
        blocks: {B: {layers: {l: {Linear: {out_features: 8}}}}}
        layers:
          r: {B: , repeat: 2}
          s: {Reuse: r}
        """)
    assert [p for p in paths(text) if p.startswith("s")] == ["s.0.l", "s.1.l"]
    runs(archspec.loads(text))


@pytest.mark.parametrize(
    ("layers", "code"),
    [
        ("{a: {Conv2d: {out_channels: 4, kernel_size: 1}}, b: {Reuse: a}}", "E205"),
        ("{a: {Linear: {out_features: 4}}, b: {Reuse: a}}", "E205"),
        ("{a: ReLU, b: {Reuse: }}", "E104"),
        ("{a: ReLU, b: Reuse}", "E104"),
        ("{a: ReLU, b: {Reuse: nope}}", "E106"),
        ("{a: ReLU, b: {Reuse: a}, c: {Reuse: b}}", "E106"),
        ("{a: {ReLU: , when: false}, b: {Reuse: a}}", "E106"),
        ("{a: ReLU, b: {Reuse: a, repeat: 2}}", "E101"),
        ("{b: {Reuse: b}}", "E106"),
    ],
)
def test_reuse_gone_wrong(layers: str, code: str) -> None:
    assert error(spec(f"layers: {layers}")).code == code


def test_reuse_with_another_shape_that_fits() -> None:
    text = spec("""
        layers:
          a: {Conv2d: {out_channels: 3, kernel_size: 3}}
          b: {Reuse: a}
        """)
    assert list(shapes(text).values()) == [(3, 6, 6), (3, 4, 4)]


# Free tensors, defaults, inputs, outputs, annotations.


def test_free_tensors() -> None:
    text = spec("""
        params: {n: 8}
        layers:
          conv: {Conv2d: {out_channels: 3, kernel_size: 1}}
          scale: {Parameter: {shape: [3, 1, n], init: ones_}}
          table: {Buffer: {shape: [n, n], index: [p, q], value: "=p * n + q"}}
          y: {Mul: [conv, scale]}
          z: {Add: [y, table]}
        """)
    assert keys(text) == ["scale", "table", "conv.weight", "conv.bias"]
    table = archspec.loads(text).build().state_dict()["table"]
    assert torch.equal(table, torch.arange(64.0).view(8, 8))


def test_defaults_yield_to_what_is_written() -> None:
    text = spec("""
        params: {eps: 0.5}
        defaults: {BatchNorm2d: {eps: =eps}}
        layers: [BatchNorm2d, {BatchNorm2d: {eps: 0.1}}]
        """)
    assert [row.args["eps"] for row in archspec.loads(text).layers] == [0.5, 0.1]
    assert [row.args["eps"] for row in archspec.loads(text, params={"eps": 2.0}).layers] == [
        2.0,
        0.1,
    ]


def test_inputs_with_symbols_expressions_and_dtypes() -> None:
    text = spec(
        """
        params: {n: 4}
        layers:
          e: {Embedding: {num_embeddings: 5, embedding_dim: =n}, from: words}
          c: {Conv2d: {out_channels: 2, kernel_size: 3}, from: image}
        outputs: [e, c]
        """,
        "inputs: {words: {shape: [T], dtype: int64}, image: [=n, H, 2 * n]}\n",
    )
    network = archspec.loads(text)
    assert [[str(s) for s in shape] for shape in network.outputs.values()] == [
        ["T", "4"], ["2", "H - 2", "6"]
    ]  # fmt: skip
    runs(network)


def test_a_shape_annotation_is_checked_and_may_name_a_size() -> None:
    text = spec(
        "layers: {a: {ReLU: , shape: [3, h, w]}, b: {Upsample: {scale_factor: 2}, shape: [3, 2 * h, 2 * w]}}"
    )
    assert errors(text) == []
    assert errors(text.replace("2 * w]", "3 * w]"))[0].startswith("E113")


OUTPUTS = (
    "layers: {a: Tanh, b: {Linear: {out_features: 2}}, c: {Linear: {out_features: 5}, from: b}}\n"
)


@pytest.mark.parametrize(
    ("outputs", "evaluated", "trained"),
    [
        ("a", ["a"], ["a"]),
        ("[a, c]", ["a", "c"], ["a", "c"]),
        ("{first: a, second: a}", ["first", "second"], ["first", "second"]),
        ("{as: dict, x: c, the first: a}", ["x", "the first"], ["x", "the first"]),
        ("{x: c, aux: {from: b, only: training}}", ["x"], ["x", "aux"]),
        (
            "{x: c, u: {from: b, only: training}, v: {from: a, only: training}}",
            ["x"],
            ["x", "u", "v"],
        ),
        ("{x: c, aux: {from: b, when: false}}", ["x"], ["x"]),
        ("{c: , a: {only: training}}", None, None),
        ("{c: {}, a: {only: training}}", ["c"], ["c", "a"]),
    ],
)
def test_outputs(outputs: str, evaluated: list[str] | None, trained: list[str]) -> None:
    text = spec(f"{OUTPUTS}outputs: {outputs}\n")
    if evaluated is None:
        assert error(text).code == "E105"
        return
    network = archspec.loads(text)
    assert list(network.outputs) == evaluated
    assert list(network.output_tensors(training=True)) == trained
    runs(network)
    runs(network, training=True)


@pytest.mark.parametrize(
    ("outputs", "code"),
    [
        ("nope", "E106"), ("[a, a]", "E111"), ("{class: a, b: b}", "E111"), ("{_x: a, b: b}", "E111"),
        ("{x y: a, b: b}", "E111"), ("[]", "E115"), ("{as: dict}", "E115"), ("{as: list, x: a}", "E105"),
        ("{x: {from: a, only: eval}}", "E105"), ("{x: {frm: a}}", "E101"), ("{x: [a]}", "E105"),
        ("{x: {from: a, when: false}}", "E115"), ("{x: {from: a, only: training}}", "E115"),
        ("a.k", "E106"), ("{x: {from: a, when: 3}}", "E105"),
    ],
)  # fmt: skip
def test_outputs_gone_wrong(outputs: str, code: str) -> None:
    assert error(spec(f"{OUTPUTS}outputs: {outputs}\n")).code == code


# The examples of the design.


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_expand_and_build(path: Path) -> None:
    text = re.sub(r"^(variants|expect):\n(?:[ #].*\n|\n)*", "", path.read_text(), flags=re.M)
    network = archspec.loads(text, filename=path.name)
    with torch.device("meta"):
        module = network.build()
    assert sum(p.numel() for p in module.parameters()) == network.parameter_count
    if network.parameter_count < 12_000_000 and network.at_example(network.macs) < 1_000_000_000:
        with torch.no_grad():
            runs(network)
    assert len(inputs_of(network, 1)) == len(network.inputs)
