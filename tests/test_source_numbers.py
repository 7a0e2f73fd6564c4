"""Numbers in the methods of a class: where uses differ, the constructor takes them."""

import copy
import pickle
import re

import pytest
import torch
from torch import Tensor

import archspec
from archspec.backends.source import print_file
from tests.helpers import inputs_of, spec
from tests.source_files import CHECKS, agree_here, complaints, is_installed, load, namespace

ATTENTION = """
archspec: 1
name: attention
inputs: {x: [8, 12]}
blocks:
  Heads:
    params: {heads: int, keep: 6}
    layers:
      apart: {Rearrange: {pattern: b t (h d) -> b h t d, h: =heads}}
      rolled: {Roll: {shifts: =heads, dims: 2}}
      some: {Slice: {dim: 2, end: =keep}}
      padded: {Pad: {pad: [0, 0, =8 - keep, 0]}}
      joined: {Rearrange: {pattern: b h t d -> b t (h d)}}
layers:
  a: {Heads: {heads: 2}}
  b: {Heads: {heads: 3, keep: 5}}
  c: {Heads: {heads: 4}}
"""


def heads(x: Tensor, count: int, keep: int) -> Tensor:
    """What the block does, by hand."""
    y = x.reshape(x.shape[0], 8, count, -1).transpose(1, 2)
    y = torch.cat([y[:, :, -count:], y[:, :, :-count]], 2)[:, :, :keep]
    y = torch.cat([y.new_zeros(x.shape[0], count, 8 - keep, y.shape[3]), y], 2)
    return y.transpose(1, 2).reshape(x.shape)


def test_one_class_whose_numbers_are_attributes() -> None:
    text = print_file(archspec.loads(ATTENTION))
    assert re.findall(r"^class (\w+)", text, re.MULTILINE) == ["Heads", "Attention"]
    assert "self, heads: int, pad: tuple[int, int, int, int], keep: int = 6\n" in text
    assert "torch.unflatten(x, 2, (self.heads, -1))" in text
    assert "self.b = Heads(3, (0, 0, 3, 0), keep=5)" in text


def test_it_computes_what_the_spec_says() -> None:
    network = archspec.loads(ATTENTION)
    module, x = network.build(), torch.randn(3, 8, 12)
    wanted = heads(heads(heads(x, 2, 6), 3, 5), 4, 6)
    assert torch.equal(module(x), wanted)
    for made in (
        pickle.loads(pickle.dumps(module)),
        copy.deepcopy(module),
        torch.jit.script(module),
        torch.jit.trace(module, (x,)),
        torch.fx.symbolic_trace(module),
        torch.compile(module, fullgraph=True, backend="eager"),
        torch.export.export(module, (x,)).module(),
    ):
        assert torch.equal(made(x), wanted)


def test_numbers_that_agree_stay_where_they_are() -> None:
    text = print_file(archspec.loads(ATTENTION.replace("heads: 3, keep: 5", "heads: 3")))
    assert "self.keep" not in text
    assert "x = x[:, :, :6]" in text


BIAS = """
archspec: 1
inputs: {x: [4, 4]}
blocks:
  Table:
    params: {rows: int, width: =rows * 2}
    layers:
      table: {Buffer: {shape: [rows, width], index: [i, j], value: "=(i + rows) % (width - 1) + j"}}
      mask:
        Buffer: {shape: [rows], index: [i], value: "=1.0 if i < rows - 1 or rows > 9 else 0.5"}
      pool: {AdaptiveAvgPool1d: {output_size: 1}, from: input}
      add: {Add: [pool, table]}
layers:
  first: {Table: {rows: 4}, from: x}
  second: {Table: {rows: 1}, from: x}
  third: {Table: {rows: 4, width: 4}, from: x}
outputs: [first, second, third]
"""


def table(rows: int, width: int) -> Tensor:
    return torch.tensor([[(i + rows) % (width - 1) + j for j in range(width)] for i in range(rows)])


def test_formulas_of_buffers_read_attributes() -> None:
    network = archspec.loads(BIAS)
    text = print_file(network)
    assert text.count("class Table(") == 1
    assert "(i + self.rows) % (self.width - 1) + j" in text
    assert "torch.where(i < self.rows - 1, 1.0, 0.5)" in text
    agree_here(network)
    module = network.build(device="meta").to_empty(device="cpu")
    archspec.initialise(module)
    for name, rows, width in (("first", 4, 8), ("second", 1, 2), ("third", 4, 4)):
        found = module.get_submodule(name)
        assert torch.equal(found.table, table(rows, width).float())
        assert found.mask[-1] == 0.5
    x = torch.randn(2, 4, 4)
    assert torch.equal(module(x)[1], x.mean(2, keepdim=True) + table(1, 2))


def test_a_structure_that_a_number_decides_is_a_class_of_its_own() -> None:
    """`rows > 9` is decided when the code is made: the code differs."""
    wide = BIAS.replace("rows: 4, width: 4", "rows: 12, width: 4").replace("[4, 4]", "[12, 4]")
    wide = wide.replace("{rows: 4}", "{rows: 1, width: 7}")
    network = archspec.loads(wide)
    assert len(re.findall(r"^class Table", print_file(network), re.MULTILINE)) == 2
    module = network.build()
    assert torch.equal(module.third.mask, torch.ones(12))
    assert torch.equal(module.third.table, table(12, 4).float())


CLASHING = """
  Half:
    params: {p: int}
    layers:
      p: {Linear: {out_features: 8}}
      at: {Rearrange: {pattern: b (inputs x) -> b x inputs, inputs: =p}}
layers:
  a: {Half: {p: 2}, from: input}
  b: {Half: {p: 4}, from: input}
outputs: [a, b]
"""


def test_an_attribute_hides_no_child() -> None:
    network = archspec.loads(spec("blocks:" + CLASHING, inputs="inputs: {x: [6]}\n"))
    module, x = network.build(), torch.randn(2, 6)
    assert isinstance(module.a.p, torch.nn.Linear)
    wanted = [part.p(x).unflatten(1, (k, -1)).transpose(1, 2) for part, k in zip(
        (module.a, module.b), (2, 4), strict=True
    )]  # fmt: skip
    assert all(torch.equal(*pair) for pair in zip(module(x), wanted, strict=True))


def test_equal_turns_are_equal_in_their_methods_too() -> None:
    """Blocks that differ in nothing but a number of `forward` are no loop of equal layers."""
    turns = "layers: [{for: i in range(6), layers: [{Shift: {by: =i % 2 + 1}}]}]"
    text = spec(f"""
    blocks:
      Shift:
        params: {{by: int}}
        layers: {{roll: {{Roll: {{shifts: =by, dims: 1}}}}}}
    {turns}
    """, inputs="inputs: {x: [5]}\n")  # fmt: skip
    network = archspec.loads(text)
    x = inputs_of(network)[0]
    assert torch.equal(network.build()(x), x.roll(9, 1))
    grown = archspec.loads(text.replace("i % 2 + 1", "i + 1"))
    assert "Shift(1 + i) for i in range(6)" in print_file(grown)
    assert torch.equal(grown.build()(x), x.roll(21, 1))


@pytest.mark.parametrize("check", CHECKS)
def test_the_files_are_clean(check: str, tmp_path) -> None:  # type: ignore[no-untyped-def]
    if not is_installed(check):
        pytest.skip(f"{check.partition(' ')[0]} is not installed")
    for name, text in (("attention", ATTENTION), ("bias", BIAS)):
        (tmp_path / f"{name}.py").write_text(print_file(archspec.loads(text)))
    assert complaints(check, tmp_path) == ""


def test_swin_has_a_class_for_every_block() -> None:
    text = print_file(load("specs/torchvision/swin.yaml"))
    names = re.findall(r"^class (\w+)\(nn\.Module", text, re.MULTILINE)
    assert sum(name.startswith("WindowAttention") for name in names) == 2
    assert "(3, self.heads, -1)" in text
    assert namespace(text)


MIXED = """
archspec: 1
name: mixed
inputs: {x: [4, 6]}
blocks:
  Scaled:
    params: {heads: int, low: -1.0, scale: 1e-4, filled: float}
    layers:
      gamma: {Parameter: {shape: [6], init: {constant_: =scale}}}
      offset: {Buffer: {shape: [6], index: [i], value: =i * scale}}
      split: {Reshape: {shape: [4, =heads, -1]}, from: input}
      swap: {Transpose: {dim0: 1, dim1: 2}}
      clamp: {Clamp: {min: =low}}
      pad: {Pad: {pad: [0, 1], value: =filled}}
      last: {Slice: {dim: 3, start: 1}}
      back: {Reshape: {shape: [4, 6]}}
      mul: {Mul: [back, gamma]}
      add: {Add: [mul, offset]}
layers:
  - Scaled: {heads: 2, filled: 0.0}
  - Scaled: {heads: 3, low: -2, scale: 1, filled: 1.0}
  - Scaled: {heads: 6, low: -1e400, scale: 2.5, filled: -1e400}
"""


def test_integers_and_floats_share_a_class() -> None:
    network = archspec.loads(MIXED)
    text = print_file(network)
    assert re.findall(r"^class (\w+)", text, re.MULTILINE) == ["Scaled", "Mixed"]
    head = "heads: int, filled: float, low: float = -1.0, scale: float = 0.0001"
    assert head in " ".join(text.split())
    assert "x = x.reshape(x.shape[0], 4, self.heads, -1)" in text
    assert 'Scaled(6, float("-inf"), low=float("-inf"), scale=2.5)' in text
    agree_here(network)
    module, x = network.build().eval(), torch.randn(2, 4, 6)
    y = x
    for heads, low, scale, filled in (
        (2, -1.0, 1e-4, 0),
        (3, -2, 1, 1),
        (6, -torch.inf, 2.5, -torch.inf),
    ):
        y = y.reshape(2, 4, heads, -1).transpose(1, 2).clamp(min=low)
        y = torch.cat([y, torch.full_like(y[..., :1], filled)], 3)[..., 1:].reshape(2, 4, 6)
        y = y * scale + torch.arange(6) * scale
    assert torch.equal(module(x), y)
    assert torch.equal(torch.jit.script(module)(x), y)
    assert torch.equal(torch.compile(module, fullgraph=True, backend="eager")(x), y)
