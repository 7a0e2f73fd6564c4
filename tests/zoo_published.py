"""What torchvision's documentation says of its models, also of those that are not in the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Published:
    """Parameters, GMACs in eval with two decimals, and the height and width they are for."""

    params: int
    gmacs: float
    size: int = 224
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments beside the function's defaults, as the documented weights have them."""


WITH_AUX = {"aux_loss": True}

PUBLISHED = {
    "alexnet": Published(61_100_840, 0.71),
    "convnext_tiny": Published(28_589_128, 4.46),
    "convnext_small": Published(50_223_688, 8.68),
    "convnext_base": Published(88_591_464, 15.36),
    "convnext_large": Published(197_767_336, 34.36),
    "deeplabv3_resnet50": Published(42_004_074, 178.72, 520, WITH_AUX),
    "deeplabv3_resnet101": Published(60_996_202, 258.74, 520, WITH_AUX),
    "deeplabv3_mobilenet_v3_large": Published(11_029_328, 10.45, 520, WITH_AUX),
    "densenet121": Published(7_978_856, 2.83),
    "densenet161": Published(28_681_000, 7.73),
    "densenet169": Published(14_149_480, 3.36),
    "densenet201": Published(20_013_928, 4.29),
    "efficientnet_b0": Published(5_288_548, 0.39),
    "efficientnet_b1": Published(7_794_184, 0.69, 240),
    "efficientnet_b2": Published(9_109_994, 1.09, 288),
    "efficientnet_b3": Published(12_233_232, 1.83, 300),
    "efficientnet_b4": Published(19_341_616, 4.39, 380),
    "efficientnet_b5": Published(30_389_784, 10.27, 456),
    "efficientnet_b6": Published(43_040_704, 19.07, 528),
    "efficientnet_b7": Published(66_347_960, 37.75, 600),
    "efficientnet_v2_s": Published(21_458_488, 8.37, 384),
    "efficientnet_v2_m": Published(54_139_356, 24.58, 480),
    "efficientnet_v2_l": Published(118_515_272, 56.08, 480),
    "fcn_resnet50": Published(35_322_218, 152.72, 520, WITH_AUX),
    "fcn_resnet101": Published(54_314_346, 232.74, 520, WITH_AUX),
    "googlenet": Published(6_624_904, 1.50, options={"aux_logits": False}),
    "inception_v3": Published(27_161_264, 5.71, 299),
    "lraspp_mobilenet_v3_large": Published(3_221_538, 2.09, 520),
    "maxvit_t": Published(30_919_624, 5.56),
    "mnasnet0_5": Published(2_218_512, 0.10),
    "mnasnet0_75": Published(3_170_208, 0.21),
    "mnasnet1_0": Published(4_383_312, 0.31),
    "mnasnet1_3": Published(6_282_256, 0.53),
    "mobilenet_v2": Published(3_504_872, 0.30),
    "mobilenet_v3_large": Published(5_483_032, 0.22),
    "mobilenet_v3_small": Published(2_542_856, 0.06),
    "regnet_x_400mf": Published(5_495_976, 0.41),
    "regnet_x_800mf": Published(7_259_656, 0.80),
    "regnet_x_1_6gf": Published(9_190_136, 1.60),
    "regnet_x_3_2gf": Published(15_296_552, 3.18),
    "regnet_x_8gf": Published(39_572_648, 8.00),
    "regnet_x_16gf": Published(54_278_536, 15.94),
    "regnet_x_32gf": Published(107_811_560, 31.74),
    "regnet_y_400mf": Published(4_344_144, 0.40),
    "regnet_y_800mf": Published(6_432_512, 0.83),
    "regnet_y_1_6gf": Published(11_202_430, 1.61),
    "regnet_y_3_2gf": Published(19_436_338, 3.18),
    "regnet_y_8gf": Published(39_381_472, 8.47),
    "regnet_y_16gf": Published(83_590_140, 15.91),
    "regnet_y_32gf": Published(145_046_770, 32.28),
    "regnet_y_128gf": Published(644_812_894, 127.52),
    "resnet18": Published(11_689_512, 1.81),
    "resnet34": Published(21_797_672, 3.66),
    "resnet50": Published(25_557_032, 4.09),
    "resnet101": Published(44_549_160, 7.80),
    "resnet152": Published(60_192_808, 11.51),
    "resnext50_32x4d": Published(25_028_904, 4.23),
    "resnext101_32x8d": Published(88_791_336, 16.41),
    "resnext101_64x4d": Published(83_455_272, 15.46),
    "shufflenet_v2_x0_5": Published(1_366_792, 0.04),
    "shufflenet_v2_x1_0": Published(2_278_604, 0.14),
    "shufflenet_v2_x1_5": Published(3_503_624, 0.30),
    "shufflenet_v2_x2_0": Published(7_393_996, 0.58),
    "squeezenet1_0": Published(1_248_424, 0.82),
    "squeezenet1_1": Published(1_235_496, 0.35),
    "swin_t": Published(28_288_354, 4.49),
    "swin_s": Published(49_606_258, 8.74),
    "swin_b": Published(87_768_224, 15.43),
    "swin_v2_t": Published(28_351_570, 5.94, 256),
    "swin_v2_s": Published(49_737_442, 11.55, 256),
    "swin_v2_b": Published(87_930_848, 20.32, 256),
    "vgg11": Published(132_863_336, 7.61),
    "vgg11_bn": Published(132_868_840, 7.61),
    "vgg13": Published(133_047_848, 11.31),
    "vgg13_bn": Published(133_053_736, 11.31),
    "vgg16": Published(138_357_544, 15.47),
    "vgg16_bn": Published(138_365_992, 15.47),
    "vgg19": Published(143_667_240, 19.63),
    "vgg19_bn": Published(143_678_248, 19.63),
    "vit_b_16": Published(86_567_656, 17.56),
    "vit_b_32": Published(88_224_232, 4.41),
    "vit_l_16": Published(304_326_632, 61.55),
    "vit_l_32": Published(306_535_400, 15.38),
    "vit_h_14": Published(632_045_800, 167.29),
    "wide_resnet50_2": Published(68_883_240, 11.40),
    "wide_resnet101_2": Published(126_886_696, 22.75),
}
