"""Fresh weights of the zoo follow torchvision's distributions, parameter by parameter."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from tests import zoo


@dataclass(frozen=True)
class Distribution:
    """Values around 0: their standard deviation, and what none of them exceeds."""

    std: float
    bound: float = math.inf

    def assert_fits(self, values: torch.Tensor, name: str) -> None:
        """Mean, deviation and range, within what chance allows: 6 deviations of the estimate."""
        count, largest = values.numel(), values.abs().max().item()
        assert abs(values.mean().item()) <= 6 * self.std / math.sqrt(count) + 1e-12, name
        if count > 30:
            chance = 6 / math.sqrt(2 * count)
            assert values.std().item() == pytest.approx(self.std, rel=chance), name
        assert largest <= self.bound * (1 + 1e-6), name
        if count > 1000 and math.isinf(self.bound):
            assert largest > 2.5 * self.std, name  # a uniform distribution ends at 1.73


def normal(std: float) -> Distribution:
    return Distribution(std)


def uniform(bound: float) -> Distribution:
    return Distribution(bound / math.sqrt(3), bound)


ZERO = Distribution(0.0, 0.0)
Rule = Callable[[str, Any], Distribution]


def fan_in(layer: Any) -> int:
    return layer.weight[0].numel()


def fan_out(layer: Any) -> int:
    return layer.weight.numel() // layer.weight.shape[1]


def he_fan_out(_: str, layer: Any) -> Distribution:
    return normal(math.sqrt(2 / fan_out(layer)))


def he_fan_in(_: str, layer: Any) -> Distribution:
    return normal(math.sqrt(2 / fan_in(layer)))


def pytorch(_: str, layer: Any) -> Distribution:
    """The default of Conv2d and Linear, for weight and bias."""
    return uniform(1 / math.sqrt(fan_in(layer)))


def always(distribution: Distribution) -> Rule:
    return lambda name, layer: distribution


zero = always(ZERO)
NARROW = always(normal(0.01))


@dataclass(frozen=True)
class Rules:
    """How the weights and biases of a family's convolutions and linear layers begin."""

    conv: Rule = pytorch
    linear: Rule = pytorch
    conv_bias: Rule = zero
    linear_bias: Rule = zero


def inception(name: str, _: Any) -> Distribution:
    return normal(0.001 if name == "AuxLogits.fc" else 0.1)


def squeezenet(name: str, layer: Any) -> Distribution:
    last = name == "classifier.1"
    return normal(0.01) if last else uniform(math.sqrt(6 / fan_in(layer)))


def mnasnet(_: str, layer: Any) -> Distribution:
    return uniform(math.sqrt(3 / layer.out_features))


def efficientnet(_: str, layer: Any) -> Distribution:
    return uniform(1 / math.sqrt(layer.out_features))


RULES = {
    "alexnet": Rules(conv_bias=pytorch, linear_bias=pytorch),
    "vgg11_bn": Rules(he_fan_out, NARROW),
    "resnet18": Rules(he_fan_out, linear_bias=pytorch),
    "resnext50_32x4d": Rules(he_fan_out, linear_bias=pytorch),
    "densenet121": Rules(he_fan_in),
    "googlenet": Rules(NARROW, NARROW, linear_bias=pytorch),
    "inception_v3": Rules(inception, inception, linear_bias=pytorch),
    "squeezenet1_0": Rules(squeezenet),
    "mobilenet_v2": Rules(he_fan_out, NARROW),
    "mobilenet_v3_small": Rules(he_fan_out, NARROW),
    "shufflenet_v2_x1_0": Rules(conv_bias=pytorch, linear_bias=pytorch),
    "mnasnet0_5": Rules(he_fan_out, mnasnet),
    "efficientnet_b0": Rules(he_fan_out, efficientnet),
    "efficientnet_v2_s": Rules(he_fan_out, efficientnet),
    "regnet_y_400mf": Rules(he_fan_out, NARROW, conv_bias=pytorch),
    "regnet_x_400mf": Rules(he_fan_out, NARROW),
    "convnext_tiny": Rules(always(normal(0.02)), always(normal(0.02))),
}
"""What torchvision's constructors do, for one member of every convolutional family or more."""
QUICK = {"vgg11_bn": {"widths": [16, 32, 64, 64, 64]}}
"""Narrower copies of what takes long to fill; the rules depend on widths by formula."""


def fresh(variant: str, **params: Any) -> nn.Module:
    torch.manual_seed(0)
    return zoo.load(variant, **QUICK.get(variant, {}), **params).build()


@pytest.mark.parametrize("variant", RULES)
def test_fresh_weights(variant: str) -> None:
    """Convolutions and linear layers as the rules say; norms begin as the identity."""
    rules, seen = RULES[variant], 0
    for name, layer in fresh(variant).named_modules():
        if isinstance(layer, nn.BatchNorm2d | nn.LayerNorm):
            assert torch.equal(layer.weight, torch.ones_like(layer.weight))
            assert torch.equal(layer.bias, torch.zeros_like(layer.bias))
        if isinstance(layer, nn.Conv2d):
            weight, bias = rules.conv, rules.conv_bias
        elif isinstance(layer, nn.Linear):
            weight, bias = rules.linear, rules.linear_bias
        else:
            continue
        seen += 1
        weight(name, layer).assert_fits(layer.weight, name)
        if layer.bias is not None:
            bias(name, layer).assert_fits(layer.bias, name)
    assert seen > 5


@pytest.mark.parametrize(("variant", "last"), [("resnet18", "bn2"), ("resnet50", "bn3")])
def test_zero_init_residual(variant: str, last: str) -> None:
    """The last norm of every block begins with 0: the block is the identity then."""
    module = fresh(variant, zero_init_residual=True)
    norms = {n: m for n, m in module.named_modules() if isinstance(m, nn.BatchNorm2d)}
    silent = {name for name, norm in norms.items() if not norm.weight.any()}
    assert silent == {name for name in norms if name.startswith("layer") and name.endswith(last)}


def test_layer_scale() -> None:
    module = fresh("convnext_tiny", layer_scale=0.5)
    assert set(module.features[1][0].layer_scale.flatten().tolist()) == {0.5}
