"""The sizes that the convolutional members of the zoo take are those that PyTorch takes."""

from typing import Any

import pytest
import torch

from archspec.network import Network
from tests import zoo
from tests.conformance import value

SMALLEST = {
    "alexnet": 63,
    "convnext_tiny": 32,
    "densenet121": 29,
    "efficientnet_b0": 1,
    "googlenet": 15,
    "inception_v3": 299,
    "mnasnet0_5": 1,
    "mobilenet_v2": 1,
    "mobilenet_v3_small": 1,
    "regnet_y_400mf": 1,
    "resnet18": 1,
    "shufflenet_v2_x0_5": 1,
    "squeezenet1_0": 21,
    "squeezenet1_1": 17,
    "vgg11": 32,
}
NARROW: dict[str, dict[str, Any]] = {
    "convnext_tiny": {"dims": [8, 16, 24, 32]},
    "vgg11": {"widths": [8, 8, 16, 16, 16]},
}
"""Copies that are quick to build and run: widths do not matter for what fits."""


def takes(network: Network, module: torch.nn.Module, height: int, width: int) -> bool:
    """Whether PyTorch takes this size, one image in eval and two in training, as predicted."""
    sizes = {"H": height, "W": width}
    try:
        for batch, training in ((1, False), (2, True)):
            with torch.no_grad():
                image = torch.zeros(batch, 3, height, width, device="meta")
                result = zoo.named(module.train(training)(image))
            wanted = network.output_tensors(training=training).values()
            for real, tensor in zip(result.values(), wanted, strict=True):
                assert tuple(real.shape) == (batch, *(value(s, sizes) for s in tensor.shape))
    except (RuntimeError, ValueError):
        return False
    return True


@pytest.mark.parametrize("variant", SMALLEST)
def test_smallest_sizes(variant: str) -> None:
    """On the meta device, which agrees with the CPU on kernels that do not fit."""
    network = zoo.load(variant, **NARROW.get(variant, {}))
    module, least = network.build(device="meta"), SMALLEST[variant]
    assert network.sizes.smallest() == {"H": least, "W": least}
    for size in {least - 1, least} - {0}:
        assert network.sizes.valid(H=size, W=least) == (size >= least)
        assert takes(network, module, size, least) == (size >= least)
        assert takes(network, module, least, size) == (size >= least)


@pytest.mark.parametrize("variant", ["densenet121", "googlenet", "resnet18", "vgg11"])
def test_smallest_sizes_on_cpu(variant: str) -> None:
    network, least = zoo.load(variant, **NARROW.get(variant, {})), SMALLEST[variant]
    module = network.build(init=False).eval()
    with torch.no_grad():
        assert module(torch.zeros(1, 3, least, least)).shape == (1, 1000)
        if least > 1:
            with pytest.raises(RuntimeError):
                module(torch.zeros(1, 3, least, least - 1))


def test_without_its_auxiliary_head_inception_takes_less() -> None:
    network = zoo.load("inception_v3", aux_logits=False)
    assert network.sizes.smallest() == {"H": 75, "W": 75}
    module = network.build(device="meta")
    assert takes(network, module, 75, 75)
    assert not takes(network, module, 74, 75)


@pytest.mark.parametrize(("stages", "least", "period"), [(2, 13, 16), (4, 61, 64)])
def test_every_stage_of_maxvit_is_cut_into_windows(stages: int, least: int, period: int) -> None:
    """Strides round up: torchvision's takes up to 3 rows less than a multiple too."""
    network = zoo.load(
        "maxvit_t",
        partition_size=2,
        block_layers=[1] * stages,
        block_channels=[8] * stages,
        stem_channels=8,
        head_dim=4,
    )
    module = network.build(device="meta")
    for size in range(1, period + 3):
        assert network.sizes.valid(H=size, W=period) == (least <= size <= period)
        assert takes(network, module, size, period) == (least <= size <= period)
