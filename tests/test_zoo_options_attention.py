"""Options of the transformers that the recorded models leave at their defaults."""

from typing import Any

import pytest
import torch
from torch import nn

from tests import zoo

SHORT: dict[str, dict[str, Any]] = {
    "vit_b_16": {"num_layers": 2, "image_size": 32},
    "swin_t": {"depths": [1, 2, 1, 1], "image_size": 56, "stochastic_depth_prob": 0.0},
    "swin_v2_t": {"depths": [1, 2, 1, 1], "image_size": 64, "stochastic_depth_prob": 0.0},
    "maxvit_t": {
        "block_layers": [1, 1, 1, 1],
        "partition_size": 2,
        "stochastic_depth_prob": 0.0,
    },
}


def built(variant: str, **params: Any) -> nn.Module:
    torch.manual_seed(0)
    return zoo.load(variant, **{**SHORT[variant], **params}).build()


def rates(module: nn.Module) -> set[float]:
    return {each.p for each in module.modules() if isinstance(each, nn.Dropout)}


DROPOUT = [
    ("vit_b_16", {"dropout": 0.1}, 7),
    ("swin_t", {"dropout": 0.1}, 15),
    ("swin_v2_t", {"dropout": 0.1}, 15),
    ("maxvit_t", {"mlp_dropout": 0.1, "attention_dropout": 0.1}, 16),
]


@pytest.mark.parametrize(("variant", "params", "count"), DROPOUT)
def test_dropout(variant: str, params: dict[str, float], count: int) -> None:
    """Behind every projection and in every MLP; torchvision calls some of them as functions."""
    module = built(variant, **params)
    assert rates(module) == {0.1}
    assert sum(isinstance(each, nn.Dropout) for each in module.modules()) == count


@pytest.mark.parametrize("variant", ["vit_b_16", "swin_t", "swin_v2_t"])
def test_dropout_of_attention_weights(variant: str) -> None:
    """It acts in training, and in training only."""
    size = SHORT[variant]["image_size"]
    image = torch.randn(2, 3, size, size)
    for rate in (0.0, 0.5):
        module = built(variant, attention_dropout=rate)
        nn.init.normal_((module.heads if variant == "vit_b_16" else module).head.weight)
        with torch.no_grad():
            assert torch.equal(module.eval()(image), module(image))
            module.train()
            assert torch.equal(module(image), module(image)) == (rate == 0.0)


def test_keys_of_swin_v2_go_without_a_bias() -> None:
    """So it learns nothing, as torchvision's: also where windows are padded, and keys are zero."""
    module = built("swin_v2_t", image_size=72)
    module.train()(torch.randn(2, 3, 72, 72)).square().mean().backward()
    for name, parameter in module.named_parameters():
        if name.endswith("qkv.bias"):
            query, key, value = parameter.grad.chunk(3)
            assert not key.any()
            assert query.any()
            assert value.any()


@pytest.mark.parametrize("variant", SHORT)
def test_classes(variant: str) -> None:
    module = built(variant, num_classes=7)
    size = SHORT[variant].get("image_size", 64)
    assert module(torch.zeros(2, 3, size, size)).shape == (2, 7)


def test_stochastic_depth_grows() -> None:
    """From nothing in the first block to the rate in the last."""
    module = built("swin_t", stochastic_depth_prob=0.4)
    found = [each.p for each in module.modules() if type(each).__name__ == "StochasticDepth"]
    assert found == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("variant", "image_size", "params"),
    [("vit_b_16", 384, 86_859_496), ("vit_l_16", 512, 305_174_504), ("vit_h_14", 518, 633_470_440)],
)
def test_larger_images_take_more_positions(variant: str, image_size: int, params: int) -> None:
    """The figures of torchvision's documentation for the weights `IMAGENET1K_SWAG_E2E_V1`."""
    assert zoo.load(variant, image_size=image_size).parameter_count == params
