"""Every construct of the language: the layers, shapes and state dict that it stands for."""

import re
from typing import Any

import pytest

import archspec
from tests.helpers import error, errors, keys, paths, runs, spec

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
    assert errors(text) == ["E108 4:48"]


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
