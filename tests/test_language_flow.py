"""The language, second part: groups, sharing, free tensors, inputs, outputs, examples."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

import archspec
from tests.helpers import error, errors, inputs_of, keys, paths, runs, spec

EXAMPLES = sorted((Path(__file__).parent / "data" / "examples").glob("*.yaml"))


def shapes(text: str, **params: Any) -> dict[str, tuple[Any, ...]]:
    return {r.path: r.output_shape for r in archspec.loads(text, params=params).layers}


# Groups and parallel bodies.


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


def test_more_repetitions_than_layers_are_allowed_end_before_the_first() -> None:
    text = spec("layers: {deep: {repeat: 999999999, layers: [{Linear: {out_features: 8}}, ReLU]}}")
    report = archspec.check(text)
    assert [each.code for each in report.diagnostics] == ["E005"]
    assert report.rows == ()


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
        "layers: {a: {ReLU: , shape: [3, h, w]}, "
        "b: {Upsample: {scale_factor: 2}, shape: [3, 2 * h, 2 * w]}}"
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
        ("nope", "E106"), ("[a, a]", "E111"), ("{class: a, b: b}", "E111"), ("{_x: a, b: b}",
        "E111"),
        ("{x y: a, b: b}", "E111"), ("[]", "E115"), ("{as: dict}", "E115"), ("{as: list, x: a}",
        "E105"),
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
