"""The networks of the matrix: six small ones that have every construct of the language in them."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

import archspec

RESIDUAL = """
archspec: 1
name: residual
inputs: {image: [3, H, W]}
blocks:
  Block:
    params: {planes: int, stride: 1}
    layers:
      conv1:
        Conv2d: {out_channels: =planes, kernel_size: 3, stride: =stride, padding: 1, bias: false}
      bn1: BatchNorm2d
      relu: {ReLU: {inplace: true}}
      conv2: {Conv2d: {out_channels: =planes, kernel_size: 3, padding: 1, bias: false}}
      bn2: BatchNorm2d
      downsample:
        from: input
        when: =stride != 1
        layers:
          - Conv2d: {out_channels: =planes, kernel_size: 1, stride: =stride, bias: false}
          - BatchNorm2d
      add: {Add: [bn2, downsample]}
      out: {Reuse: relu}
layers:
  conv1: {Conv2d: {out_channels: 8, kernel_size: 3, padding: 1, bias: false}}
  bn1: BatchNorm2d
  relu: ReLU
  layer1: [{Block: {planes: 8}}, {Block: {planes: 8}}]
  layer2: [{Block: {planes: 16, stride: 2}}]
  avgpool: {AdaptiveAvgPool2d: {output_size: 1}}
  flatten: {Flatten: {start_dim: 1}}
  fc: {Linear: {out_features: 10}}
"""

DENSE = """
archspec: 1
name: dense
inputs: {image: [3, 16, 16]}
blocks:
  DenseLayer:
    layers:
      norm: BatchNorm2d
      relu: ReLU
      conv: {Conv2d: {out_channels: 4, kernel_size: 3, padding: 1, bias: false}}
layers:
  features:
    layers:
      conv0: {Conv2d: {out_channels: 8, kernel_size: 3, padding: 1, bias: false}}
      denseblock1:
        repeat: 3
        names: "denselayer{i + 1}"
        connect: dense
        DenseLayer: {}
      norm5: BatchNorm2d
  relu: ReLU
  pool: {AdaptiveAvgPool2d: {output_size: 1}}
  flatten: Flatten
  classifier: {Linear: {out_features: 10}}
"""

UNET = """
archspec: 1
name: unet
inputs: {image: [1, H, W]}
blocks:
  DoubleConv:
    params: {out: int}
    layers:
      - for: _ in range(2)
        layers:
          - Conv2d: {out_channels: =out, kernel_size: 3, padding: 1}
          - {GroupNorm: {num_groups: 2}}
          - GELU
  Up:
    inputs: [x, skip]
    layers:
      up: {ConvTranspose2d: {out_channels: =skip.channels, kernel_size: 2, stride: 2}, from: x}
      join: {Concat: [skip, up]}
      conv: {DoubleConv: {out: =skip.channels}}
layers:
  inc: {DoubleConv: {out: 4}}
  pool: {MaxPool2d: {kernel_size: 2}}
  down: {DoubleConv: {out: 8}}
  up: {Up, from: [down, inc]}
  outc: {Conv2d: {out_channels: 2, kernel_size: 1}}
"""

ATTENTION = """
archspec: 1
name: attention
inputs: {image: [3, 16, 16]}
blocks:
  EncoderBlock:
    layers:
      ln_1: LayerNorm
      attention: {MultiheadAttention: {num_heads: 2}, from: [ln_1, ln_1, ln_1]}
      mid: {Add: [attention, input]}
      ln_2: LayerNorm
      mlp: [{Linear: {out_features: 32}}, GELU, {Linear: {out_features: 16}}]
      add: {Add: [mid, mlp]}
layers:
  class_token: {Parameter: {shape: [1, 1, 16], init: zeros_}}
  position: {Parameter: {shape: [1, 17, 16], init: {normal_: {std: 0.02}}}}
  patches: {Conv2d: {out_channels: 16, kernel_size: 4, stride: 4}, from: input}
  tokens: {Rearrange: {pattern: "b c h w -> b (h w) c"}}
  joined: {Concat: {dim: 1}, from: [class_token, tokens]}
  embedded: {Add: [joined, position]}
  encoder: [EncoderBlock, EncoderBlock]
  ln: LayerNorm
  first: {Select: {dim: 1, index: 0}}
  head: {Linear: {out_features: 10}}
"""

RECURRENT = """
archspec: 1
name: recurrent
inputs:
  tokens: {shape: [T], dtype: int64}
  speaker: [6]
layers:
  embedding: {Embedding: {num_embeddings: 20, embedding_dim: 8}, from: tokens}
  lstm: {LSTM: {hidden_size: 8, bidirectional: true}}
  mean: {Mean: {dim: 1}}
  voice: {Linear: {out_features: 16}, from: speaker}
  joined: {Add: [mean, voice]}
  word: {Linear: {out_features: 20}}
  mood: {Linear: {out_features: 3}, from: joined}
outputs: {as: dict, word: word, mood: mood}
"""

SHARED = """
archspec: 1
name: shared
params: {width: 8}
inputs: {left: [3, 12, 12], right: [3, 12, 12]}
blocks:
  Tower:
    params: {width: int}
    layers:
      conv: {Conv2d: {out_channels: =width, kernel_size: 3, padding: 1}}
      ramp: {Buffer: {shape: [1, 1, 12], index: [a, b, k], value: "=k / 12"}}
      shifted: {Add: [conv, ramp]}
      act: SiLU
      drop: {Dropout: {p: 0.25}}
layers:
  tower: {Tower: {width: =width}, from: left}
  again: {Reuse: tower, from: right}
  difference: {Sub: [tower, again]}
  pool: {AdaptiveAvgPool2d: {output_size: 1}}
  flatten: Flatten
  match: {Linear: {out_features: 1}}
  aux: {Mean: {dim: [2, 3]}, from: tower}
outputs: {match: match, features: flatten, aux: {from: aux, only: training}}
"""


@dataclass(frozen=True)
class Case:
    """A network of the matrix, and what a person would expect of its module."""

    name: str
    text: str
    children: tuple[str, ...] = ()
    """The module's children, in file order."""
    blocks: tuple[str, ...] = ()
    """Instances of blocks of the spec: paths in the module."""
    samples: dict[str, int] | None = None
    """Sizes for symbols of the inputs, small enough to be quick."""
    loaded: archspec.Network | None = None
    """The network, if it does not come from the text."""

    @property
    def network(self) -> archspec.Network:
        return self.loaded or _loaded(self.text)

    def build(self, **options: Any) -> nn.Module:
        """A module, in eval; the same weights each time."""
        torch.manual_seed(0)
        return self.network.build(**options).eval()

    def inputs(self, batch: int = 2, **sizes: int) -> tuple[Tensor, ...]:
        """Random inputs with these sizes for symbols, else the case's own."""
        chosen = {**self.network.example_sizes, **(self.samples or {}), **sizes}
        made = []
        for tensor in self.network.input_tensors.values():
            shape = (batch, *(s if isinstance(s, int) else s.at(chosen) for s in tensor.shape))
            kind = getattr(torch, tensor.dtype)
            made.append(
                torch.randn(shape) if tensor.is_float else torch.randint(0, 2, shape, dtype=kind)
            )
        return tuple(made)

    def has(self, *types: str) -> bool:
        """Whether the network has a layer of one of these types."""
        return any(row.type in types for row in self.network.layers)


@cache
def _loaded(text: str) -> archspec.Network:
    return archspec.loads(text)


CASES = {
    case.name: case
    for case in (
        Case(
            "residual",
            RESIDUAL,
            ("conv1", "bn1", "relu", "layer1", "layer2", "avgpool", "flatten", "fc"),
            ("layer1.0", "layer1.1", "layer2.0"),
            {"H": 16, "W": 12},
        ),
        Case(
            "dense",
            DENSE,
            ("features", "relu", "pool", "flatten", "classifier"),
            tuple(f"features.denseblock1.denselayer{n}" for n in (1, 2, 3)),
        ),
        Case(
            "unet",
            UNET,
            ("inc", "pool", "down", "up", "outc"),
            ("inc", "down", "up"),
            {"H": 16, "W": 12},
        ),
        Case(
            "attention",
            ATTENTION,
            ("patches", "encoder", "ln", "head"),
            ("encoder.0", "encoder.1"),
        ),
        Case(
            "recurrent",
            RECURRENT,
            ("embedding", "lstm", "voice", "word", "mood"),
            samples={"T": 5},
        ),
        Case("shared", SHARED, ("tower", "pool", "flatten", "match"), ("tower",)),
    )
}
