"""Fresh weights of the transformers and of what segments follow torchvision's distributions."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from tests import zoo
from tests.test_zoo_init import (
    Distribution,
    Rules,
    always,
    he_fan_out,
    normal,
    pytorch,
    uniform,
    zero,
)

SMALL: dict[str, dict[str, Any]] = {
    "vit_b_16": {"num_layers": 2, "image_size": 32, "representation_size": 64},
    "swin_t": {"depths": [1, 1, 2, 1]},
    "swin_v2_t": {"depths": [1, 1, 2, 1]},
    "maxvit_t": {"block_layers": [1, 1, 1, 1]},
    "fcn_resnet50": {"depth": [1, 1, 1, 1], "aux_loss": True},
    "deeplabv3_mobilenet_v3_large": {"aux_loss": True},
    "lraspp_mobilenet_v3_large": {},
}
"""Shorter copies: every block begins like the others of its kind."""


def vit(name: str, layer: Any) -> Distribution:
    if name == "heads.head":
        return Distribution(0.0, 0.0)
    if name == "heads.pre_logits":
        return normal(math.sqrt(1 / layer.in_features))
    if name.endswith("out_proj"):
        return pytorch(name, layer)
    return uniform(math.sqrt(6 / (layer.in_features + layer.out_features)))  # Glorot's


def vit_bias(name: str, _: Any) -> Distribution:
    return normal(1e-6) if ".mlp." in name else Distribution(0.0, 0.0)


def vit_conv(_: str, layer: Any) -> Distribution:
    return normal(math.sqrt(1 / layer.weight[0].numel()))


def backbone(name: str, layer: Any) -> Distribution:
    return (he_fan_out if name.startswith("backbone.") else pytorch)(name, layer)


def backbone_bias(name: str, layer: Any) -> Distribution:
    return (zero if name.startswith("backbone.") else pytorch)(name, layer)


NARROW = always(normal(0.02))
SEGMENTATION = Rules(backbone, conv_bias=backbone_bias)
RULES = {
    "vit_b_16": Rules(vit_conv, vit, linear_bias=vit_bias),
    "swin_t": Rules(pytorch, NARROW, conv_bias=pytorch),
    "swin_v2_t": Rules(pytorch, NARROW, conv_bias=pytorch),
    "maxvit_t": Rules(NARROW, NARROW),
    "fcn_resnet50": SEGMENTATION,
    "deeplabv3_mobilenet_v3_large": SEGMENTATION,
    "lraspp_mobilenet_v3_large": SEGMENTATION,
}


def fresh(variant: str, **params: Any) -> nn.Module:
    torch.manual_seed(0)
    return zoo.load(variant, **{**SMALL[variant], **params}).build()


@pytest.mark.parametrize("variant", RULES)
def test_fresh_weights(variant: str) -> None:
    rules = RULES[variant]
    for name, layer in fresh(variant).named_modules():
        if isinstance(layer, nn.Conv2d):
            weight, bias = rules.conv, rules.conv_bias
        elif isinstance(layer, nn.Linear):
            weight, bias = rules.linear, rules.linear_bias
        else:
            continue
        weight(name, layer).assert_fits(layer.weight, name)
        if layer.bias is not None:
            bias(name, layer).assert_fits(layer.bias, name)


@pytest.mark.parametrize("variant", RULES)
def test_norms_begin_as_the_identity(variant: str) -> None:
    for layer in fresh(variant).modules():
        if isinstance(layer, nn.BatchNorm2d | nn.LayerNorm):
            assert torch.equal(layer.weight, torch.ones_like(layer.weight))
            assert torch.equal(layer.bias, torch.zeros_like(layer.bias))


FREE = {
    "relative_position_bias_table": normal(0.02),
    "pos_embedding": normal(0.02),
    "class_token": Distribution(0.0, 0.0),
}
TENSORS = [("vit_b_16", 2), ("swin_t", 5), ("swin_v2_t", 5), ("maxvit_t", 8)]


@pytest.mark.parametrize(("variant", "count"), TENSORS)
def test_free_tensors(variant: str, count: int) -> None:
    seen = 0
    for name, tensor in fresh(variant).named_parameters():
        last = name.rpartition(".")[2]
        if last in FREE:
            FREE[last].assert_fits(tensor, name)
        elif last == "logit_scale":
            assert torch.equal(tensor, torch.log(10 * torch.ones_like(tensor)))
        else:
            continue
        seen += 1
    assert seen == count


def test_projections_of_attention() -> None:
    """Queries, keys and values begin as PyTorch's own attention does."""
    module = fresh("vit_b_16").encoder.layers.encoder_layer_0.self_attention
    width = module.embed_dim
    uniform(math.sqrt(6 / (4 * width))).assert_fits(module.in_proj_weight, "in_proj_weight")
    assert not module.in_proj_bias.any()


def test_convolutional_stem() -> None:
    """The stem of arXiv 2106.14881, and how its last convolution begins."""
    rows = [[8, 3, 2], [16, 3, 2], [32, 3, 2], [48, 3, 2]]
    module = fresh("vit_b_16", conv_stem_configs=rows)
    last = module.conv_proj.conv_last
    normal(math.sqrt(2 / last.out_channels)).assert_fits(last.weight, "conv_last")
    assert not last.bias.any()
    assert list(dict(module.conv_proj.named_children())) == [
        *(f"conv_bn_relu_{k}" for k in range(4)),
        "conv_last",
    ]
    assert module.encoder.pos_embedding.shape == (1, 5, 768)
