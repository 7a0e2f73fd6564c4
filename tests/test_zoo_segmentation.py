"""What the networks for segmentation do at any size, against their heads written out by hand."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests import zoo

SIZES = [(32, 32), (65, 97), (7, 1)]
SHORT = {"fcn_resnet50": {"depth": [1, 1, 1, 1]}}


def built(variant: str, **params: Any) -> nn.Module:
    torch.manual_seed(0)
    return zoo.load(variant, **{**SHORT.get(variant, {}), **params}).build().double().eval()


def resized(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=False)


def fcn(module: nn.Module, image: Tensor) -> dict[str, Tensor]:
    maps = module.backbone(image)
    return {
        "out": resized(module.classifier(maps.out), image),
        "aux": resized(module.aux_classifier(maps.aux), image),
    }


def deeplab(module: nn.Module, image: Tensor) -> dict[str, Tensor]:
    maps = module.backbone(image)
    aspp, *rest = module.classifier.children()
    arms = list(aspp.convs.children())
    pooled = maps.out.mean((2, 3), keepdim=True)
    for layer in list(arms[-1].children())[1:4]:
        pooled = layer(pooled)
    x = torch.cat([*(arm(maps.out) for arm in arms[:-1]), resized(pooled, maps.out)], dim=1)
    for layer in (aspp.project, *rest):
        x = layer(x)
    return {
        "out": resized(x, image),
        "aux": resized(module.aux_classifier(maps.aux), image),
    }


def lraspp(module: nn.Module, image: Tensor) -> dict[str, Tensor]:
    maps, head = module.backbone(image), module.classifier
    x = resized(head.cbr(maps.out) * head.scale(maps.out), maps.aux)
    return {"out": resized(head.low_classifier(maps.aux) + head.high_classifier(x), image)}


BY_HAND = {
    "fcn_resnet50": (fcn, {"aux_loss": True}),
    "deeplabv3_mobilenet_v3_large": (deeplab, {"aux_loss": True}),
    "lraspp_mobilenet_v3_large": (lraspp, {}),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("variant", BY_HAND)
def test_every_size(variant: str, size: tuple[int, int]) -> None:
    """One module for all sizes; the scores have the size of the image."""
    by_hand, params = BY_HAND[variant]
    module = built(variant, num_classes=5, **params)
    image = torch.randn(1, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        found, wanted = module(image), by_hand(module, image)
    assert type(found) is dict
    assert list(found) == list(wanted)
    for name, scores in found.items():
        assert scores.shape == (1, 5, *size)
        torch.testing.assert_close(scores, wanted[name])


@pytest.mark.parametrize("variant", ["fcn_resnet50", "deeplabv3_mobilenet_v3_large"])
def test_the_auxiliary_head_is_an_option(variant: str) -> None:
    module = built(variant)
    assert list(module(torch.zeros(1, 3, 32, 32, dtype=torch.float64))) == ["out"]
    assert not [name for name in module.state_dict() if name.startswith("aux_classifier")]


def test_dilation_keeps_maps_large() -> None:
    """Stride 8 for ResNet, 16 for MobileNetV3; their auxiliary maps at stride 8."""
    image = torch.zeros(1, 3, 64, 64, dtype=torch.float64)
    maps = built("fcn_resnet50").backbone(image)
    assert (maps.out.shape, maps.aux.shape) == ((1, 2048, 8, 8), (1, 1024, 8, 8))
    maps = built("lraspp_mobilenet_v3_large").backbone(image)
    assert (maps.out.shape, maps.aux.shape) == ((1, 960, 4, 4), (1, 40, 8, 8))
