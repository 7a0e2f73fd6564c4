"""How the printed file reads: loops, names, arguments, sequences, as a person would write them."""

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch

import archspec
from archspec.backends.source import print_file
from tests.helpers import inputs_of, spec
from tests.source_files import GOLDEN, ROOT, agree_here, load, printed


def test_equal_layers_are_a_loop() -> None:
    text = spec("layers: [{for: i in range(500), layers: [{Linear: {out_features: 8}}, Tanh]}]")
    found = printed(text)
    assert len(found.splitlines()) < 40
    assert "for _ in range(500)" in found or "for _ in range(499)" in found
    agree_here(archspec.loads(text))


def test_three_equal_lines_stay() -> None:
    text = spec("layers: {b: [Tanh, Tanh, Tanh], c: {repeat: 4, Tanh: }}")
    found = printed(text)
    assert "nn.Sequential(nn.Tanh(), nn.Tanh(), nn.Tanh())" in found
    assert "nn.Sequential(*(nn.Tanh() for _ in range(4)))" in found


def test_numbers_that_grow_are_a_loop() -> None:
    text = spec(
        """
        layers:
          - for: i in range(8)
            layers: [{Conv2d: {out_channels: =8 - i, kernel_size: 1}}]
        """
    )
    found = printed(text)
    assert "nn.Conv2d(8 - i, 7 - i, 1) for i in range(7)" in found
    agree_here(archspec.loads(text))


DENSE = """
    blocks:
      Layer:
        params: {k: int}
        layers: {conv: {Conv2d: {out_channels: =k, kernel_size: 1}}}
    layers:
      a: {Layer: {k: 2}, repeat: 4, connect: dense, names: "layer{i + 1}"}
      b: {Layer: {k: 3}, repeat: 2, connect: dense, names: "layer{i + 1}"}
      c: {Conv2d: {out_channels: 5, kernel_size: 1}, repeat: 3, connect: dense}
"""


def test_a_dense_connection_is_a_loop() -> None:
    read = archspec.loads(spec(DENSE))
    found = print_file(read)
    assert found.count("features.append(layer(torch.cat(features, dim=1)))") == 3
    assert 'self.add_module(f"layer{i + 1}", Layer(' in found
    agree_here(read)
    fed = inputs_of(read)[0]
    module = read.build().eval()
    scripted, traced = torch.jit.script(module), torch.fx.symbolic_trace(module)
    assert torch.equal(scripted(fed), module(fed))
    assert torch.equal(traced(fed), module(fed))
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    assert torch.equal(compiled(fed), module(fed))


def test_topologies_of_a_block_say_how_they_differ() -> None:
    found = print_file(load("specs/resnet18.yaml"))
    assert re.findall(r"^class (\w+)", found, re.MULTILINE) == [
        "BasicBlock", "BasicBlockDownsample", "Resnet18",
    ]  # fmt: skip


def test_lists_of_the_spec_are_tuples() -> None:
    found = print_file(load("specs/googlenet_d2l.yaml"))
    assert "c2: tuple[int, int]," in found
    assert "Inception(192, 64, (96, 128), (16, 32), 32)," in found


def test_a_list_that_is_an_argument_as_it_is_keeps_its_name() -> None:
    text = spec(
        """
        blocks:
          B:
            params: {pool: [1, 2]}
            layers: {p: {MaxPool2d: {kernel_size: =pool}}, act: ReLU}
        layers: [B, {B: {pool: [2, 1]}}]
        """
    )
    assert "def __init__(self, pool: tuple[int, int]) -> None:" in printed(text)
    agree_here(archspec.loads(text))


def test_numbers_in_the_name_of_a_class_do_not_run_together() -> None:
    assert "class Net1_6x2B(" in printed(spec("name: net_1_6x2_b\nlayers: [Tanh]"))


def test_a_class_of_operations_has_no_constructor() -> None:
    text = spec(
        """
        blocks: {B: {layers: {t: {Transpose: {dim0: 2, dim1: 3}}, a: {Add: [t, input]}}}}
        layers: [B, Flatten]
        """
    )
    found = printed(text).partition("class B(nn.Module):")[2].partition("class ")[0]
    assert "__init__" not in found
    assert "def forward" in found
    agree_here(archspec.loads(text))


def test_numbered_names_are_a_loop() -> None:
    text = spec(
        """
        layers:
          stack: {repeat: 5, names: "layer_{i}", BatchNorm2d: }
          other: {repeat: 4, names: "part-{i}", ReLU: }
        """
    )
    found = printed(text)
    assert 'OrderedDict((f"layer_{i}", nn.BatchNorm2d(3)) for i in range(5))' in found
    assert 'OrderedDict((f"part-{i}", nn.ReLU()) for i in range(4))' in found
    few = spec('layers: {stack: {repeat: 3, names: "layer_{i}", BatchNorm2d: }}')
    assert '("layer_2", nn.BatchNorm2d(3))' in printed(few)
    agree_here(archspec.loads(text))


def test_numbered_names_of_layers_that_are_not_alike_are_no_loop() -> None:
    text = spec("""
        layers:
          g:
            layers:
              l0: {Linear: {out_features: 4}}
              l1: Tanh
              l2: {Linear: {out_features: 4}}
              l3: Tanh
        """)
    assert printed(text).count("nn.Tanh()") == 2


def test_what_no_attribute_can_name_is_a_sequence() -> None:
    """`getattr(self, "0")(x)` is no way to write."""
    text = spec(
        """
        layers:
          stem:
            layers:
              0: {Conv2d: {out_channels: 4, kernel_size: 1}}
              turned: {Permute: {dims: [0, 2, 3, 1]}}
              1: {LayerNorm: {normalized_shape: [4]}}
        """
    )
    found = printed(text)
    assert "getattr(" not in found
    assert '("turned", Permute(dims=(0, 2, 3, 1))),' in found
    assert list(archspec.loads(text).build().state_dict()) == [
        "stem.0.weight", "stem.0.bias", "stem.1.weight", "stem.1.bias",
    ]  # fmt: skip
    agree_here(archspec.loads(text))


def test_defaults_of_blocks_are_defaults_of_their_classes() -> None:
    found = printed(
        spec(
            """
            blocks:
              B:
                params: {out: int, stride: 1}
                layers: {c: {Conv2d: {out_channels: =out, kernel_size: 1, stride: =stride}}}
            layers: [{B: {out: 4}}, {B: {out: 8, stride: 2}}]
            """
        )
    )
    assert "def __init__(self, in_channels: int, out: int, stride: int = 1) -> None:" in found
    assert "B(3, 4),\n            B(4, 8, stride=2)," in found or "B(3, 4), B(4, 8" in found


def test_sizes_of_parameters_are_arguments_too() -> None:
    text = spec(
        """
        blocks:
          Scale:
            layers:
              scale: {Parameter: {shape: [input.channels, 1, 1], init: ones_}}
              norm: {BatchNorm2d: , from: input}
              out: {Mul: [norm, scale]}
        layers: [Scale, {Conv2d: {out_channels: 5, kernel_size: 1}}, Scale]
        """
    )
    found = printed(text)
    assert found.count("class Scale") == 1
    assert "nn.Parameter(torch.empty(num_features, 1, 1))" in found
    agree_here(archspec.loads(text))


def test_a_trunk_with_heads_for_training_keeps_its_variable() -> None:
    found = printed(
        spec(
            """
            layers:
              a: {Conv2d: {out_channels: 4, kernel_size: 1}}
              b: ReLU
              head: {Conv2d: {out_channels: 2, kernel_size: 1}, from: a}
              c: {Conv2d: {out_channels: 5, kernel_size: 1}, from: b}
            outputs: {y: c, aux: {from: head, only: training}}
            """
        )
    )
    body = found.partition("def forward")[2].partition("def network")[0]
    assert re.findall(r"^ +(\w+)(?:: Tensor)? = ", body, re.MULTILINE) == ["x", "head", "x", "x"]


def test_what_a_head_for_training_reads_later_is_not_overwritten() -> None:
    text = spec(
        """
        layers:
          a: Tanh
          b: ReLU
          c: Sigmoid
          aux: {Sub: [a, c]}
          d: {Softplus: , from: c}
        outputs: {y: d, aux: {from: aux, only: training}}
        """
    )
    read = archspec.loads(text)
    (fed,) = inputs_of(read)
    found = read.build().train()(fed)
    first = torch.tanh(fed)
    assert torch.equal(found.aux, first - torch.sigmoid(torch.relu(first)))


def test_sequences_within_each_other_do_not_exhaust_python() -> None:
    layer: Any = {"Linear": {"out_features": 4}}
    for _ in range(45):
        layer = {"layers": {"a": layer}}
    agree_here(archspec.from_dict({"archspec": 1, "inputs": {"x": [4]}, "layers": {"m": layer}}))


def test_the_file_says_what_it_was_made_from() -> None:
    read = archspec.load(Path(GOLDEN).parents[2] / "specs/unet.yaml", params={"width": 8})
    assert "Made by archspec from unet.yaml, with width=8." in print_file(read)


def test_parallel_branches_have_their_own_variables() -> None:
    found = print_file(load("specs/googlenet_d2l.yaml"))
    assert "return torch.cat([out1, out2, out3, out4], dim=1)" in found


def test_a_rule_goes_by_endings_where_a_type_would_say_too_much() -> None:
    """Attention holds a linear layer of its own, which the rule does not mean."""
    text = spec(
        """
        init: {Linear: {weight: {normal_: {std: 0.02}}}}
        layers:
          stack:
            repeat: 2
            layers:
              a: {MultiheadAttention: {num_heads: 2}}
              fc1: {Linear: {out_features: 8}}
              fc2: {Linear: {out_features: 4}}
          head: {Linear: {out_features: 3}}
        """,
        "inputs: {x: [5, 4]}\n",
    )
    found = printed(text)
    assert 'if name.endswith((".fc1.weight", ".fc2.weight")):' in found
    assert "nn.init.normal_(self.head.weight, std=0.02)" in found
    agree_here(archspec.loads(text))


def test_shapes_of_tokens_have_their_channels_last() -> None:
    swin = print_file(archspec.load(ROOT / "specs/torchvision/swin.yaml"))
    assert '"""(N, H, W, dim) -> (N, H, W, dim)"""' in swin
    assert '"""(N, H, W, in_features // 4) -> (N, H // 2, W // 2, out_features)"""' in swin
    maxvit = print_file(archspec.load(ROOT / "specs/torchvision/maxvit.yaml"))
    assert '"""(N, H, 49, dim) -> (N, H, 49, dim)"""' in maxvit
    assert '"""(N, dim, H, W) -> (N, dim, H, W)"""' in maxvit
    text = """
        inputs: {words: {shape: [T], dtype: int64}}
        blocks: {Mlp: {layers: [{Linear: {out_features: 8}}, GELU]}}
        layers: [{Embedding: {num_embeddings: 9, embedding_dim: 8}}, Mlp, Mlp]
        """
    assert '"""(N, L, 8) -> (N, L, 8)"""' in printed("archspec: 1\n" + textwrap.dedent(text))


def test_arguments_with_defaults_are_in_the_order_of_the_spec() -> None:
    text = """
        name: ordered
        params: {classes: 10, p: 0.5}
        inputs: {x: [4]}
        blocks:
          B:
            params: {width: int, bias: true, p: 0.1}
            layers: [{Dropout: {p: =p}}, {Linear: {out_features: =width, bias: =bias}}]
        layers:
          a: {B: {width: 4}}
          b: {B: {width: 5, bias: false, p: 0.2}}
          drop: {Dropout: {p: =p}}
          fc: {Linear: {out_features: =classes}}
        """
    found = " ".join(printed("archspec: 1\n" + textwrap.dedent(text)).split())
    assert "def ordered(classes: int = 10, p: float = 0.5) -> Ordered:" in found
    assert "self, width: int, bias: bool = True, p: float = 0.1" in found
    assert "self.fc = nn.Linear(5, classes)" in found


def test_a_network_called_like_a_block_has_its_own_defaults() -> None:
    text = """
        name: B
        params: {p: 0.5}
        inputs: {x: [4]}
        blocks: {B: {params: {p: 0.1}, layers: [{Dropout: {p: =p}}]}}
        layers: {a: B, drop: {Dropout: {p: =p}}}
        """
    found = printed("archspec: 1\n" + textwrap.dedent(text))
    assert "def __init__(self, p: float = 0.5) -> None:" in found


def test_keywords_are_in_the_order_in_which_people_write_them() -> None:
    text = spec(
        """
        layers:
          act: {LeakyReLU: {negative_slope: 0.2, inplace: true}}
          rows: {Select: {dim: 1, index: 0}}
          lstm: {LSTM: {hidden_size: 4, num_layers: 2}}
        """
    )
    found = printed(text)
    assert "nn.LeakyReLU(negative_slope=0.2, inplace=True)" in found
    assert "nn.LSTM(8, 4, num_layers=2, batch_first=True)" in found


def test_a_constant_needs_no_keyword() -> None:
    found = printed(
        spec(
            """
            init: {Conv2d: {bias: {constant_: 0.5}}}
            layers:
              conv: {Conv2d: {out_channels: 3, kernel_size: 1}}
              gamma: {Parameter: {shape: [8], init: {constant_: 1e-4}}}
              out: {Mul: [conv, gamma]}
            """
        )
    )
    assert "nn.init.constant_(self.gamma, 0.0001)" in found
    assert "nn.init.constant_(module.bias, 0.5)" in found


@pytest.mark.parametrize(
    ("symbols", "batch"), [("N", "B"), ("N, B", "batch"), ("N, B, batch", "batch_"), ("H", "N")]
)
def test_the_batch_has_another_name_than_the_sizes(symbols: str, batch: str) -> None:
    text = printed(
        f"archspec: 1\ninputs: {{points: [3, {symbols}]}}\nblocks:\n"
        "  Shift: {layers: {exp: Exp, add: {Add: [exp, input]}}}\n"
        "layers: {shift: Shift, flat: {Flatten: {start_dim: 2}}, last: {Amax: {dim: 2}}}\n"
    )
    assert f'"""({batch}, 3, {symbols}) -> ({batch}, 3)"""' in text
    assert text.count(f'"""({batch}, 3, ') == 2, "in every class"
