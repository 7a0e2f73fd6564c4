# ruff: noqa: E501 - one spec a line, so that the tables can be read
"""Lints: every rule fires where it should, not on near misses, and is silenced by a comment."""

import pytest

import archspec
from archspec.diagnostics import CODES
from tests.helpers import place_of, spec

IMAGE = "inputs: {x: [3, 32, 32]}\n"
TOKENS = "inputs: {x: [64]}\n"
SEQUENCE = "inputs: {x: [16, 64]}\n"
BLOCK = "blocks: {B: {params: {n: int}, layers: [{Linear: {out_features: =n}}]}}\n"

# A `¦` stands before the place of the one warning.
FIRES = {
    "W301 layer": (TOKENS, "layers:\n  a: ReLU\n  ¦b: Tanh\noutputs: a"),
    "W301 layer in a block": (TOKENS, "blocks:\n  B:\n    layers:\n      a: ReLU\n      ¦b: Tanh\n    outputs: a\nlayers: [B]"),
    "W301 layer of a network that it ends": (TOKENS, "layers:\n  a: ReLU\n  ¦b: {Tanh: , from: x}\n  c: {Sigmoid: , from: a}"),
    "W301 input": ("inputs:\n  x: [64]\n  ¦y: [64]\n", "layers: {a: {ReLU: , from: x}}"),
    "W302 parameter": (TOKENS, "params:\n  ¦width: 3\nlayers: [ReLU]"),
    "W302 parameter of a block": (TOKENS, "blocks:\n  B:\n    params:\n      ¦n: int\n    layers: [ReLU]\nlayers: [{B: {n: 3}}]"),
    "W302 block": (TOKENS, "blocks:\n  ¦B: {layers: [ReLU]}\nlayers: [Tanh]"),
    "W303 head": (TOKENS, "layers:\n  a: ReLU\n  head: {Linear: {out_features: 64}}\n  ¦b: Tanh\noutputs: {y: b, aux: head}"),
    "W303 head that is a group": (TOKENS, "layers:\n  a: ReLU\n  head: [Tanh, {Linear: {out_features: 64}}]\n  ¦b: Tanh\noutputs: {y: b, aux: head}"),
    "W303 in training only": (TOKENS, "layers:\n  a: ReLU\n  ¦b: Tanh\noutputs: {y: b, aux: {from: a, only: training}}"),
    "W314": (TOKENS, "init:\n  ¦head: {weight: zeros_}\nlayers: {fc: {Linear: {out_features: 64}}}"),
    "W304": (SEQUENCE, "layers:\n  - {¦Slice: {dim: 1, start: 16}}"),
    "W306 both ways": ("inputs: {x: [16, 1], y: [1, 16]}\n", "layers:\n  ¦a: {Add: [x, y]}"),
    "W306 one channel": ("inputs: {x: [16, 8, 8], y: [1, 8, 8]}\n", "layers:\n  ¦a: {Add: [x, y]}"),
    "W307": (IMAGE, "layers:\n  - ¦Conv2d: {out_channels: 8, kernel_size: 3}\n  - BatchNorm2d"),
    "W307 named": (IMAGE, "layers:\n  n: {BatchNorm2d: , from: c}\n  ¦c: {Conv2d: {out_channels: 8, kernel_size: 3}, from: x}\noutputs: n"),
    "W308 activation": (TOKENS, "layers:\n  - ReLU\n  - ¦ReLU"),
    "W308 norm": (IMAGE, "layers:\n  - BatchNorm2d\n  - ¦BatchNorm2d"),
    "W309": (IMAGE, "layers:\n  - AdaptiveAvgPool2d: {output_size: 1}\n  - ¦Conv2d: {out_channels: 8, kernel_size: 3, padding: 1}"),
    "W310": (IMAGE, "layers:\n  - ¦Conv2d: {out_channels: 8, kernel_size: 4, stride: 3}"),
    "W310 pool": ("inputs: {x: [3, 33, 33]}\n", "layers:\n  - ¦MaxPool2d: {kernel_size: 2}"),
    "W311": (TOKENS, "layers:\n  - Linear: {out_features: 10}\n  - ¦Softmax: {dim: 1}"),
    "W311 logarithm": (TOKENS, "layers:\n  - Linear: {out_features: 10}\n  - ¦LogSoftmax: {dim: 1}"),
    "W312 switch": (TOKENS, "params: {mode: ¦on}\nlayers: [{ReLU: , when: \"=mode == 'on'\"}, Tanh]"),
    "W312 octal": (TOKENS, "layers:\n  - Linear: {out_features: ¦010}"),
    "W313": (TOKENS, "params: {n: 3}\nlayers:\n  - Linear:\n      out_features: ¦=n # 2"),
}  # fmt: skip
NEAR_MISSES = {
    "W301: read by an output alone": (TOKENS, "layers: {a: ReLU, b: {Tanh: , from: x}}\noutputs: [a, b]"),
    "W301: absent": (TOKENS, "layers: {a: ReLU, b: {Tanh: , from: x, when: =false}, c: {Sigmoid: , from: a}}"),
    "W301: read by Reuse's input": (TOKENS, "layers: {a: ReLU, b: {Linear: {out_features: 64}}, c: {Reuse: a}}"),
    "W302: in a key": (TOKENS, "params: {n: 3}\nlayers: {'r{n}': ReLU}"),
    "W302: in a loop": (TOKENS, "params: {n: 3}\nlayers: [{for: k in range(n), layers: [{Linear: {out_features: 4}}]}]"),
    "W302: in an input": ("inputs: {x: [3, size, size]}\n", "params: {size: 8}\nlayers: [ReLU]"),
    "W302: in another parameter": (TOKENS, "params: {n: 3, m: =n * 2}\nlayers: [{Linear: {out_features: =m}}]"),
    "W302: a block as a parameter": (TOKENS, "params: {block: B}\n" + BLOCK + "layers: [{=block: {n: 3}}]"),
    "W302: a block in a block": (TOKENS, "blocks: {A: {layers: [B]}, B: {layers: [ReLU]}}\nlayers: [A]"),
    "W303: says from": (TOKENS, "layers: {a: ReLU, head: {Linear: {out_features: 9}}, b: {Tanh: , from: a}}\noutputs: {y: b, aux: head}"),
    "W303: stages": (IMAGE, "layers: {a: {Conv2d: {out_channels: 4, kernel_size: 3}}, b: ReLU}\noutputs: [a, b]"),
    "W304: one element left": (SEQUENCE, "layers: [{Slice: {dim: 1, start: 15}}]"),
    "W306: gate of a squeeze-excitation": (IMAGE, "layers: {g: {AdaptiveAvgPool2d: {output_size: 1}}, y: {Mul: [x, g]}}"),
    "W306: mask of one channel": ("inputs: {x: [16, 8, 8], y: [1, 8, 8]}\n", "layers: [{Mul: [x, y]}]"),
    "W306: a learned position": (SEQUENCE, "layers: {p: {Parameter: {shape: [1, 16, 64], init: zeros_}}, y: {Add: [x, p]}}"),
    "W307: no bias": (IMAGE, "layers: [{Conv2d: {out_channels: 8, kernel_size: 3, bias: false}}, BatchNorm2d]"),
    "W307: an activation between": (IMAGE, "layers: [{Conv2d: {out_channels: 8, kernel_size: 3}}, ReLU, BatchNorm2d]"),
    "W307: somebody else reads it": (IMAGE, "layers: {c: {Conv2d: {out_channels: 8, kernel_size: 3}}, n: BatchNorm2d, y: {Add: [n, c]}}"),
    "W307: another norm": (IMAGE, "layers: [{Conv2d: {out_channels: 8, kernel_size: 3}}, {GroupNorm: {num_groups: 2}}]"),
    "W308: two kinds": (TOKENS, "layers: [ReLU, Tanh]"),
    "W308: beside each other": (TOKENS, "layers: {a: ReLU, b: {ReLU: , from: x}, y: {Add: [a, b]}}"),
    "W308: dropout": (TOKENS, "layers: [Dropout, Dropout]"),
    "W309: kernel of one": (IMAGE, "layers: [{AdaptiveAvgPool2d: {output_size: 1}}, {Conv2d: {out_channels: 8, kernel_size: 1}}]"),
    "W309: two points": (IMAGE, "layers: [{AdaptiveAvgPool2d: {output_size: 2}}, {Conv2d: {out_channels: 8, kernel_size: 3, padding: 1}}]"),
    "W310: an ordinary shortcut": (IMAGE, "layers: [{Conv2d: {out_channels: 8, kernel_size: 1, stride: 2}}]"),
    "W310: padding is dropped": (IMAGE, "layers: [{Conv2d: {out_channels: 8, kernel_size: 3, stride: 2, padding: 1}}]"),
    "W310: the 7×7 stem": ("inputs: {x: [3, 224, 224]}\n", "layers: [{Conv2d: {out_channels: 8, kernel_size: 7, stride: 2, padding: 3}}]"),
    "W310: ceil_mode": ("inputs: {x: [3, 33, 33]}\n", "layers: [{MaxPool2d: {kernel_size: 2, ceil_mode: true}}]"),
    "W310: symbolic": ("inputs: {x: [3, H, W]}\n", "layers: [{MaxPool2d: {kernel_size: 2}}]"),
    "W311: inside": (TOKENS, "layers: [{Softmax: {dim: 1}}, {Linear: {out_features: 10}}]"),
    "W311: in an attention block": (SEQUENCE, "layers: {s: {Softmax: {dim: 2}}, y: {Mul: [s, x]}}"),
    "W312: quoted": (TOKENS, "params: {mode: 'on'}\nlayers: [{ReLU: , when: \"=mode == 'on'\"}, Tanh]"),
    "W312: numbers": (TOKENS, "layers: [{Linear: {out_features: 10}}, {Dropout: {p: 0.5}}]"),
    "W313: a sentence": (TOKENS, "params: {n: 3}\nlayers:\n  - Linear:\n      out_features: =n # n is small"),
}  # fmt: skip


def warnings(text: str) -> list[str]:
    """The warnings of a spec that is accepted, as `CODE line:column`."""
    report = archspec.check(text)
    assert report.ok, report.diagnostics
    found = [d for d in report.diagnostics if d.severity == "warning"]
    return [f"{d.code} {d.line}:{d.column}" for d in found]


@pytest.mark.parametrize("name", FIRES)
def test_a_rule_fires(name: str) -> None:
    inputs, body = FIRES[name]
    text, place = place_of(spec(body + "\n", inputs), "¦")
    assert warnings(text) == [f"{name[:4]} {place}"]


@pytest.mark.parametrize("name", FIRES)
def test_a_comment_on_the_line_above_silences_it(name: str) -> None:
    inputs, body = FIRES[name]
    text, place = place_of(spec(body + "\n", inputs), "¦")
    lines = text.splitlines()
    at = int(place.partition(":")[0]) - 1
    indent = " " * (len(lines[at]) - len(lines[at].lstrip()))
    lines.insert(at, f"{indent}# archspec: ignore[E101, {name[:4]}] for a reason")
    assert warnings("\n".join(lines)) == []


@pytest.mark.parametrize("name", FIRES)
def test_a_comment_behind_it_silences_it(name: str) -> None:
    if name == "W313":
        pytest.skip("it is about the comment there")
    inputs, body = FIRES[name]
    text, place = place_of(spec(body + "\n", inputs), "¦")
    lines = text.splitlines()
    lines[int(place.partition(":")[0]) - 1] += f"  # archspec: ignore[{name[:4]}]"
    assert warnings("\n".join(lines)) == []
    lines = text.splitlines()
    lines[int(place.partition(":")[0]) - 1] += "  # archspec: ignore[W399]"
    assert warnings("\n".join(lines)) != []


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_is_silent(name: str) -> None:
    inputs, body = NEAR_MISSES[name]
    assert warnings(spec(body + "\n", inputs)) == []


def test_every_lint_is_tried() -> None:
    lints = {code for code, row in CODES.items() if row.cls == "lint"}
    assert lints - {name[:4] for name in FIRES} == {"W305"}, "W305: tests of the layer families"


def test_one_fault_of_a_block_is_one_warning() -> None:
    text = spec("""
        blocks:
          B: {layers: [{Conv2d: {out_channels: 3, kernel_size: 1}}, BatchNorm2d]}
        layers: {a: {B: , repeat: 16}, b: B}
        """)
    assert len(warnings(text)) == 1
