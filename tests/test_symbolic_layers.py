"""Layer by layer, of a symbolic input: what is claimed to work is what PyTorch runs, and the
formula of the output is its real shape. Every size of a small grid."""

from itertools import product

import pytest

import archspec
from tests.test_network_sizes import runs

IMAGE = "{x: [4, H, W]}"
LINE = "{x: [4, T]}"
STEPS = "{x: [T, 8]}"
TWO = "{x: [4, H, W], y: [4, H, 3]}"

CASES = {
    "conv": (IMAGE, "{Conv2d: {out_channels: 2, kernel_size: [5, 2], stride: 3, dilation: 2}}"),
    "conv reflect": (
        LINE,
        "{Conv1d: {out_channels: 2, kernel_size: 3, padding: 4, padding_mode: reflect}}",
    ),
    "conv circular": (
        LINE,
        "{Conv1d: {out_channels: 2, kernel_size: 9, padding: 5, padding_mode: circular}}",
    ),
    "transposed": (
        LINE,
        "{ConvTranspose1d: {out_channels: 2, kernel_size: 3, stride: 4, padding: 3}}",
    ),
    "max pool": (IMAGE, "{MaxPool2d: {kernel_size: 3, stride: 2, padding: 1, ceil_mode: true}}"),
    "average pool": (LINE, "{AvgPool1d: {kernel_size: 5, stride: 7, ceil_mode: true}}"),
    "volume": ("{x: [2, T, 6, 6]}", "{AvgPool3d: {kernel_size: 3, padding: 1}}"),
    "lp pool": (LINE, "{LPPool1d: {norm_type: 2, kernel_size: 4, ceil_mode: true}}"),
    "adaptive": (IMAGE, "{AdaptiveAvgPool2d: {output_size: [3, null]}}"),
    "zero pad": (IMAGE, "{ZeroPad2d: {padding: [1, -3, -2, 2]}}"),
    "reflection pad": (IMAGE, "{ReflectionPad2d: {padding: [3, 1, -2, 4]}}"),
    "replication pad": (LINE, "{ReplicationPad1d: {padding: [-3, 2]}}"),
    "circular pad": (LINE, "{CircularPad1d: {padding: [4, 2]}}"),
    "upsample": (IMAGE, "{Upsample: {scale_factor: [1.5, 0.25]}}"),
    "upsample a third": (LINE, "{Upsample: {scale_factor: 0.7, mode: linear}}"),
    "unshuffle": (IMAGE, "{PixelUnshuffle: {downscale_factor: 3}}"),
    "unfold": (IMAGE, "{Unfold: {kernel_size: 3, stride: 2}}"),
    "fold": (LINE, "{Fold: {output_size: [5, 4], kernel_size: 2}}"),
    "flatten pins": (IMAGE, "{f: Flatten, l: {Linear: {in_features: 48, out_features: 2}}}"),
    "reshape": (IMAGE, "{Reshape: {shape: [-1, 6]}}"),
    "reshape pins": (IMAGE, "{Reshape: {shape: [6, 8]}}"),
    "unflatten": (LINE, "{Unflatten: {dim: 2, unflattened_size: [3, -1]}}"),
    "rearrange": (IMAGE, "{Rearrange: {pattern: b c (h p) (w q) -> b (h w) (c p q), p: 2, q: 3}}"),
    "transpose": (IMAGE, "{t: {Transpose: {dim0: 2, dim1: 3}}, c: {Concat: [t, x]}}"),
    "permute": (IMAGE, "{Permute: {dims: [0, 3, 1, 2]}}"),
    "chunk": (LINE, "{Chunk: {chunks: 4, dim: 2}}"),
    "split": (LINE, "{Split: {split_size: [3, 4], dim: 2}}"),
    "slice": (LINE, "{Slice: {dim: 2, start: -5, end: 9, step: 2}}"),
    "select": (LINE, "{Select: {dim: 2, index: -4}}"),
    "roll": (LINE, "{Roll: {shifts: 3, dims: 2}}"),
    "concat": (TWO, "{Concat: [x, y]}"),
    "concat of lengths": (TWO, "{Concat: {dim: 3}, from: [x, y]}"),
    "stack": (TWO, "{Stack: [x, y]}"),
    "add": (TWO, "{Add: [x, y]}"),
    "shared symbol": ("{x: [3, H, H], y: [3, H, W]}", "{Mul: [x, y]}"),
    "matmul": (TWO, "{t: {Transpose: {dim0: 2, dim1: 3}, from: y}, m: {MatMul: [x, t]}}"),
    "expand": (LINE, "{Expand: {shape: [4, 5]}}"),
    "layer norm": (IMAGE, "{LayerNorm: {normalized_shape: [5, 7]}}"),
    "batch norm": (IMAGE, "{BatchNorm2d: {}}"),
    "instance norm": (LINE, "{InstanceNorm1d: {}}"),
    "group norm": (IMAGE, "{GroupNorm: {num_groups: 2}}"),
    "activation": (IMAGE, "{GELU: {}}"),
    "halves": (IMAGE, "{GLU: {dim: 3}}"),
    "softmax": (IMAGE, "{Softmax: {dim: 3}}"),
    "mean": (IMAGE, "{Mean: {dim: [2, 3]}}"),
    "attention": (STEPS, "{MultiheadAttention: {num_heads: 2}}"),
    "encoder": (STEPS, "{TransformerEncoderLayer: {nhead: 2, dim_feedforward: 8}}"),
    "attention over pixels": (
        IMAGE,
        "{f: {Flatten: {start_dim: 2}}, t: {Transpose: {dim0: 1, dim1: 2}}, "
        "a: {MultiheadAttention: {num_heads: 2}}}",
    ),
    "positions": (
        IMAGE,
        "{p: {Parameter: {shape: [1, 6, 4], init: zeros_}}, f: {Flatten: {start_dim: 2}}, "
        "t: {Transpose: {dim0: 1, dim1: 2}}, a: {Add: [t, p]}}",
    ),
    "lstm": (STEPS, "{LSTM: {hidden_size: 3, bidirectional: true}}"),
    "gru": (STEPS, "{GRU: {hidden_size: 3}}"),
    "cut and joined": (
        LINE,
        "{a: {MaxPool1d: {kernel_size: 3}}, b: {Upsample: {scale_factor: 3}}, "
        "c: {Concat: [b, x]}, d: {Upsample: {scale_factor: 0.5}}}",
    ),
}


@pytest.mark.parametrize(("inputs", "layers"), CASES.values(), ids=CASES)
def test_what_is_claimed_is_what_runs(inputs: str, layers: str) -> None:
    body = layers if layers[1].islower() else f"[{layers}]"
    network = archspec.loads(f"archspec: 1\ninputs: {inputs}\nlayers: {body}\n")
    module = network.build().eval()
    names = network.sizes.symbols
    tried = list(product(range(1, 18), repeat=len(names)))
    claims = {sizes: network.sizes.valid(**dict(zip(names, sizes, strict=True))) for sizes in tried}
    assert any(claims.values())
    for sizes, claimed in claims.items():
        assert runs(network, module, **dict(zip(names, sizes, strict=True))) == claimed, sizes
    for name, valid in network.sizes.sets.items():
        assert valid.decided, name
