"""Windows, shifts, masks and grids against attention by hand, at sizes that do not fit."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import archspec
from tests import zoo

SPEC = """
archspec: 1
include: blocks/windows.yaml
params: {{w: {w}, shift: {shift}}}
inputs: {{map: [{height}, {width}, 2]}}
layers:
  windows: {{Windows: {{w: =w, shift: =shift}}}}
  back: {{FromWindows: {{w: =w, shift: =shift}}, from: [windows.tokens, map]}}
outputs: {{tokens: windows.tokens, {mask}back: back}}
"""


def shifts(size: int, w: int, shift: int) -> int:
    """A side of one window is not shifted."""
    return shift if size > w else 0


def windows_of(x: Tensor, w: int, shift: int) -> tuple[Tensor, Tensor]:
    """Every window of the padded, shifted map; and for its pairs of tokens, which are neighbours.

    Token by token: a token's number in the padded map, before the shift, says where it came from.
    """
    _, height, width, _ = x.shape
    x = F.pad(x, (0, 0, 0, -width % w, 0, -height % w))
    rows, columns = x.shape[1:3]
    dy, dx = shifts(height, w, shift), shifts(width, w, shift)
    tokens, near = [], []
    for top in range(0, rows, w):
        for left in range(0, columns, w):
            ys = [(top + k + dy) for k in range(w)]
            xs = [(left + k + dx) for k in range(w)]
            spots = [(y, x) for y in ys for x in xs]
            tokens.append(torch.stack([x[:, a % rows, b % columns] for a, b in spots], dim=1))
            # What wrapped around an edge is no neighbour of what did not.
            sides = [(a >= rows, b >= columns) for a, b in spots]
            near.append(torch.tensor([[p == q for q in sides] for p in sides]))
    return torch.stack(tokens, dim=1), torch.stack(near)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 11), st.integers(1, 11), st.integers(1, 5), st.data())
def test_windows(height: int, width: int, w: int, data: Any) -> None:
    shift = data.draw(st.integers(0, w - 1))
    shifted = shift > 0 and max(height, width) > w
    mask = "mask: windows.mask, " if shifted else ""
    text = SPEC.format(w=w, shift=shift, height=height, width=width, mask=mask)
    module = archspec.loads(text).build().eval()
    x = torch.randn(2, height, width, 2)
    found = module(x)
    tokens, near = windows_of(x, w, shift)
    assert torch.equal(found.tokens, tokens)
    assert torch.equal(found.back, x)
    if shifted:
        assert torch.equal(found.mask[:, 0] == 0, near)
        assert set(found.mask.unique().tolist()) <= {0.0, -100.0}


def attention(block: nn.Module, x: Tensor, w: int, shift: int) -> Tensor:
    """Windowed attention of Swin by its formula, from a block's own weights."""
    batch, height, width, dim = x.shape
    tokens, near = windows_of(x, w, shift)
    q, k, v = block.qkv(tokens).chunk(3, dim=-1)
    heads = block.relative_position_bias_table.shape[1]
    spots = [(y, x) for y in range(w) for x in range(w)]
    side = 2 * w - 1
    distance = torch.tensor(
        [[(a - c + w - 1) * side + b - d + w - 1 for c, d in spots] for a, b in spots]
    )
    bias = block.relative_position_bias_table[distance].permute(2, 0, 1)
    each = dim // heads
    parts = []
    for h in range(heads):
        part = slice(h * each, (h + 1) * each)
        scores = q[..., part] @ k[..., part].transpose(-2, -1) / each**0.5 + bias[h]
        scores = scores.masked_fill(~near, -100.0) if shift else scores
        parts.append(scores.softmax(dim=-1) @ v[..., part])
    out = block.proj(torch.cat(parts, dim=-1))
    rows, columns = -(-height // w), -(-width // w)
    out = out.reshape(batch, rows, columns, w, w, dim).permute(0, 1, 3, 2, 4, 5)
    out = out.reshape(batch, rows * w, columns * w, dim)
    out = out.roll((shifts(height, w, shift), shifts(width, w, shift)), (1, 2))
    return out[:, :height, :width]


@pytest.mark.parametrize("size", [52, 100])
def test_swin_at_sizes_that_windows_do_not_divide(size: int) -> None:
    """Maps that are padded in stages, and in merging: the data has none."""
    torch.manual_seed(0)
    options = {"depths": [2, 2, 2, 2], "embed_dim": 24, "window_size": 4}
    module = zoo.load("swin_t", image_size=size, **options).build().double().eval()
    seen: list[tuple[nn.Module, Tensor, Tensor]] = []
    for name, block in module.named_modules():
        if name.endswith(".attn"):
            block.register_forward_hook(lambda m, x, y: seen.append((m, x[0], y)))
    with torch.no_grad():
        module(torch.randn(1, 3, size, size, dtype=torch.float64))
        for number, (block, x, y) in enumerate(seen):
            torch.testing.assert_close(y, attention(block, x, 4, 2 * (number % 2)))
    assert len(seen) == 8
    assert any(x.shape[1] % 4 for _, x, _ in seen)


def partitioned(layer: nn.Module, x: Tensor, p: int, *, grid: bool) -> Tensor:
    """A partition attention layer of MaxViT, part by part."""
    _, _, height, width = x.shape
    y = torch.empty_like(x)
    for a in range(height // p):
        for b in range(width // p):
            if grid:  # every so many rows and columns one
                part = (slice(a, None, height // p), slice(b, None, width // p))
            else:
                part = (slice(a * p, a * p + p), slice(b * p, b * p + p))
            tokens = x[:, :, part[0], part[1]].flatten(2).transpose(1, 2)[:, None]
            tokens = tokens + layer.attn_layer(tokens)
            tokens = tokens + layer.mlp_layer(tokens)
            y[:, :, part[0], part[1]] = tokens[:, 0].transpose(1, 2).unflatten(2, (p, p))
    return y


@pytest.mark.parametrize("size", [(64, 64), (128, 192)])
def test_maxvit_at_other_sizes(size: tuple[int, int]) -> None:
    """One module takes every multiple: torchvision's is made for one square."""
    torch.manual_seed(0)
    module = zoo.load(
        "maxvit_t",
        partition_size=2,
        block_layers=[1, 1, 1, 1],
        block_channels=[8, 8, 16, 16],
        stem_channels=8,
        head_dim=4,
    )
    built = module.build().double().eval()
    checked = []

    def check(name: str) -> Any:
        def hook(layer: nn.Module, x: tuple[Tensor, ...], y: Tensor) -> None:
            wanted = partitioned(layer, x[0], 2, grid=name.endswith("grid_attention"))
            torch.testing.assert_close(y, wanted)
            checked.append(name)

        return hook

    for name, layer in built.named_modules():
        if name.endswith(("window_attention", "grid_attention")):
            layer.register_forward_hook(check(name))
    with torch.no_grad():
        out = built(torch.randn(1, 3, *size, dtype=torch.float64))
    assert out.shape == (1, 1000)
    assert len(checked) == 8
