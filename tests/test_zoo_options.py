"""Members of families that no function is named after: the parameters mean what they say."""

from typing import Any

import pytest
import torch

from archspec import SpecError
from archspec.network import Network
from tests import zoo
from tests.conformance import predicted_calls, weights_by_formula

IMAGENET = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], dtype=torch.float64)
"""Mean and deviation of the channels."""


def recorded(name: str) -> zoo.Model:
    return next(model for model in zoo.models() if model.name == name)


def arguments(network: Network, kind: str, name: str) -> list[object]:
    return [row.args.get(name) for row in network.layers if row.type == kind]


def test_dilation_in_place_of_stride() -> None:
    """The backbone of torchvision's FCN is its ResNet-50 with these arguments."""
    fcn = recorded("fcn_resnet50")
    wanted = [call for call in fcn.calls if call.name.startswith("backbone.")]
    network = zoo.load("resnet50", replace_stride_with_dilation=[False, True, True])
    calls = predicted_calls(network, fcn.input)
    names = {call.name.removeprefix("backbone.") for call in wanted}
    found = [(c.type, c.inputs, c.output) for c in calls if c.name in names]
    assert found == [(c.type, c.inputs, c.output) for c in wanted]


def test_resnext_and_wide_are_values() -> None:
    like = zoo.load("resnet50", groups=32, width_per_group=4)
    assert like.parameter_count == zoo.load("resnext50_32x4d").parameter_count
    basic = zoo.load("resnet18", groups=2, width_per_group=48)
    assert {row.args.get("groups", 1) for row in basic.layers if row.type == "Conv2d"} == {1, 2}
    assert zoo.load("resnet18", width_per_group=128).parameter_count > 11_689_512


def test_another_norm() -> None:
    network = zoo.load("resnet50", norm={"GroupNorm": {"num_groups": 32}}, zero_init_residual=True)
    kinds = {row.type for row in network.layers}
    assert "GroupNorm" in kinds
    assert "BatchNorm2d" not in kinds
    assert network.parameter_count == 25_557_032
    module = network.build()
    assert module(torch.zeros(1, 3, 64, 64)).shape == (1, 1000)
    assert not module.layer2[1].bn3.weight.any()


@pytest.mark.parametrize("variant", ["googlenet", "inception_v3"])
def test_transform_input(variant: str) -> None:
    """Images normalised for ImageNet come in, images from -1 to 1 go on."""
    torch.manual_seed(0)
    plain, module = (
        zoo.load(variant, aux_logits=False, transform_input=transform).build(dtype=torch.float64)
        for transform in (False, True)
    )
    for each in (plain, module):
        weights_by_formula(each, gain=2.0)
    pixels = torch.rand(2, 3, 80, 80, dtype=torch.float64)
    mean, deviation = (each.view(3, 1, 1) for each in IMAGENET)
    with torch.no_grad():
        wanted = plain.eval()((pixels - 0.5) / 0.5)
        found = module.eval()((pixels - mean) / deviation)
        unlike = plain((pixels - mean) / deviation)
    assert (found - wanted).abs().max() < 1e-6 * wanted.std()
    assert (found - unlike).abs().max() > 1e-2 * wanted.std()


def test_transform_input_is_torchvision_s_to_the_last_bit() -> None:
    module = zoo.load("googlenet", aux_logits=False, transform_input=True).build(init=False)
    pixels = torch.randn(2, 3, 4, 4)
    numbers = ((0.229, 0.485), (0.224, 0.456), (0.225, 0.406))
    wanted = [
        pixels[:, c] * (deviation / 0.5) + (mean - 0.5) / 0.5
        for c, (deviation, mean) in enumerate(numbers)
    ]
    assert torch.equal(module.transform(pixels), torch.stack(wanted, dim=1))


def test_auxiliary_heads_of_inception() -> None:
    """As torchvision's: the logits first, and nothing but them in eval or without the head."""
    with torch.device("meta"):
        image = torch.zeros(2, 3, 299, 299)
    module = zoo.load("inception_v3").build(device="meta")
    result = module.train()(image)
    assert result._fields == ("logits", "aux_logits")
    assert [tuple(each.shape) for each in result] == [(2, 1000), (2, 1000)]
    assert module.eval()(image).shape == (2, 1000)
    without = zoo.load("inception_v3", aux_logits=False)
    assert without.build(device="meta").train()(image).shape == (2, 1000)
    assert without.parameter_count == 23_834_568
    assert not any(row.path.startswith("AuxLogits") for row in without.layers)


def test_auxiliary_heads_of_googlenet_have_their_own_names() -> None:
    module = zoo.load("googlenet", num_classes=10).build().train()
    torch.nn.init.zeros_(module.aux1.fc2.weight)
    torch.nn.init.zeros_(module.aux1.fc2.bias)
    with torch.no_grad():
        result = module(torch.rand(2, 3, 64, 64))
    assert result._fields == ("logits", "aux_logits2", "aux_logits1")
    assert [bool(each.any()) for each in result] == [True, True, False]


def test_rates_of_dropout() -> None:
    dense = zoo.load("densenet121", drop_rate=0.1)
    assert arguments(dense, "Dropout", "p") == [0.1] * 58
    assert arguments(zoo.load("densenet121"), "Dropout", "p") == []
    assert arguments(zoo.load("googlenet", dropout_aux=0.6), "Dropout", "p") == [0.6, 0.6, 0.2]
    vgg = zoo.load("vgg11", dropout=0.25)
    assert arguments(vgg, "Dropout", "p") == [0.25, 0.25]


def test_stochastic_depth_grows_from_block_to_block() -> None:
    rates = arguments(zoo.load("convnext_small"), "StochasticDepth", "p")
    assert rates == pytest.approx([0.4 * k / 35 for k in range(36)])
    rates = arguments(
        zoo.load("efficientnet_b0", stochastic_depth_prob=0.4), "StochasticDepth", "p"
    )
    assert max(rates) < 0.4
    assert sorted(rates) == rates


def test_mobilenet_v3_for_segmentation() -> None:
    """Dilation keeps the last stage at a sixteenth; the reduced tail halves its channels."""
    plain = zoo.load("mobilenet_v3_large")
    network = zoo.load("mobilenet_v3_large", dilated=True, reduced_tail=True)
    assert 2 in arguments(network, "Conv2d", "dilation")
    last, usual = (
        next(row for row in each.layers if row.path == "avgpool") for each in (network, plain)
    )
    sizes = zoo.square(network, 224)
    assert [int(s.at(sizes)) for s in last.input_shapes[0][1:]] == [14, 14]
    assert [int(s.at(sizes)) for s in usual.input_shapes[0][1:]] == [7, 7]
    assert (last.input_shapes[0][0], usual.input_shapes[0][0]) == (480, 960)


def test_a_bottleneck_inside_the_blocks_of_a_regnet() -> None:
    """Widths stay multiples of the groups, as in the paper's design space."""
    network = zoo.load("regnet_y_400mf", bottleneck_multiplier=0.5, group_width=16)
    widths = network.params["widths"]
    grouped = {
        (row.args["out_channels"], row.args.get("groups"))
        for row in network.layers
        if row.path.endswith(".f.b.0")
    }
    assert {out for out, _ in grouped} == {width // 2 for width in widths}
    assert all(out % groups == 0 and out // groups <= 16 for out, groups in grouped)


@pytest.mark.parametrize("alpha", [0.35, 0.5, 1.0, 1.4])
def test_widths_are_multiples_of_eight(alpha: float) -> None:
    for variant, name in (("mobilenet_v2", "width_mult"), ("mnasnet1_0", "alpha")):
        rows = arguments(zoo.load(variant, **{name: alpha}), "Conv2d", "out_channels")
        assert all(width % 8 == 0 for width in rows if isinstance(width, int))


@pytest.mark.parametrize(
    ("variant", "params"),
    [
        ("resnet50", {"depth": [3, 4, 6]}),
        ("resnet50", {"depth": [3, 4, 6, 3, 3]}),
        ("resnet50", {"replace_stride_with_dilation": [False, True]}),
        ("resnet50", {"replace_stride_with_dilation": [False, False, False, True]}),
        ("convnext_tiny", {"depth": [3, 3, 9]}),
        ("shufflenet_v2_x1_0", {"repeats": [4, 8]}),
        ("vgg11", {"depth": [1, 1, 2]}),
        ("swin_t", {"depths": [2, 2, 6]}),
        ("fcn_resnet50", {"depth": [3, 4, 6]}),
    ],
)
def test_a_table_of_another_length_is_refused(variant: str, params: dict[str, Any]) -> None:
    """None of its rows is left out in silence."""
    with pytest.raises(SpecError, match="zip over lists of different lengths"):
        zoo.load(variant, **params)


def test_expansions_may_be_fractions() -> None:
    """They are rounded as torchvision rounds them."""
    network = zoo.load("mobilenet_v2", rows=[[1, 16, 1, 1], [1.5, 24, 2, 2], [4.3, 40, 2, 2]])
    widths = {row.args["groups"] for row in network.layers if row.args.get("groups")}
    assert widths == {32, 24, 36, 103, 172}
    rows = [["FusedMBConv", 2.5, 5, 2, 40, 2], ["MBConv", 3.3, 3, 2, 56, 1]]
    network = zoo.load("efficientnet_v2_s", rows=rows)
    outer, inner, last = (
        row.args["out_channels"]
        for row in network.layers
        if row.path
        in ("features.1.0.block.0.0", "features.1.1.block.0.0", "features.2.0.block.0.0")
    )
    assert (outer, inner, last) == (64, 104, 136)


def test_networks_of_fewer_stages() -> None:
    """What is given for every stage is given once less."""
    for variant, params in (
        ("resnet18", {"depth": [1, 1, 1, 0]}),
        ("convnext_tiny", {"depth": [1, 1], "dims": [8, 16]}),
        ("shufflenet_v2_x1_0", {"repeats": [1, 1], "channels": [8, 16, 32, 64]}),
        ("maxvit_t", {"block_layers": [1], "block_channels": [32], "stem_channels": 16}),
    ):
        network = zoo.load(variant, num_classes=7, **params)
        with torch.device("meta"):
            image = torch.zeros(2, 3, 224, 224)
        assert network.build(device="meta").train()(image).shape == (2, 7)
