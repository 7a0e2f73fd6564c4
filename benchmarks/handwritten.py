"""Networks as a person writes them, in torchvision's style: what the emitted modules are held to.

Frozen: they were written before the emitter was tuned, and do not follow it. They pass
`mypy --strict`.
"""

import torch
from torch import Tensor, nn


def conv3x3(planes_in: int, planes: int, stride: int = 1) -> nn.Conv2d:
    """A 3x3 convolution that keeps the size, but for its stride."""
    return nn.Conv2d(planes_in, planes, 3, stride=stride, padding=1, bias=False)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut around them."""

    def __init__(self, planes_in: int, planes: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv3x3(planes_in, planes, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU()
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample: nn.Module | None = None
        if stride != 1 or planes_in != planes:
            self.downsample = nn.Sequential(
                nn.Conv2d(planes_in, planes, 1, stride=stride, bias=False),
                nn.BatchNorm2d(planes),
            )

    def forward(self, x: Tensor) -> Tensor:
        identity = x

        out: Tensor = self.conv1(x)
        out = self.bn1(out)
        out = self.relu(out)

        out = self.conv2(out)
        out = self.bn2(out)

        if self.downsample is not None:
            identity = self.downsample(x)

        out = out + identity
        out = self.relu(out)

        return out  # noqa: RET504 - mypy: what a module gives is Any


class ResNet18(nn.Module):
    """ResNet-18; `kaiming` initialises a second time, as torchvision's constructor does."""

    def __init__(self, num_classes: int = 1000, *, kaiming: bool = False) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self.stage(64, 64, 1)
        self.layer2 = self.stage(64, 128, 2)
        self.layer3 = self.stage(128, 256, 2)
        self.layer4 = self.stage(256, 512, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(512, num_classes)
        if kaiming:
            self.initialise()

    def stage(self, planes_in: int, planes: int, stride: int) -> nn.Sequential:
        """Two blocks, the first of which may change the shape."""
        return nn.Sequential(BasicBlock(planes_in, planes, stride), BasicBlock(planes, planes, 1))

    def initialise(self) -> None:
        """Draw the convolutions again, by Kaiming's rule."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        x = self.bn1(x)
        x = self.relu(x)
        x = self.maxpool(x)

        x = self.layer1(x)
        x = self.layer2(x)
        x = self.layer3(x)
        x = self.layer4(x)

        x = self.avgpool(x)
        x = self.flatten(x)
        x = self.fc(x)

        return x  # noqa: RET504


class Inception(nn.Module):
    """Four paths over the same input, joined by channel."""

    def __init__(
        self, planes_in: int, c1: int, c2: tuple[int, int], c3: tuple[int, int], c4: int
    ) -> None:
        super().__init__()
        self.p1_1 = nn.Conv2d(planes_in, c1, 1)
        self.out1 = nn.ReLU()
        self.p2_1 = nn.Conv2d(planes_in, c2[0], 1)
        self.relu2 = nn.ReLU()
        self.p2_2 = nn.Conv2d(c2[0], c2[1], 3, padding=1)
        self.out2 = nn.ReLU()
        self.p3_1 = nn.Conv2d(planes_in, c3[0], 1)
        self.relu3 = nn.ReLU()
        self.p3_2 = nn.Conv2d(c3[0], c3[1], 5, padding=2)
        self.out3 = nn.ReLU()
        self.p4_1 = nn.MaxPool2d(3, stride=1, padding=1)
        self.p4_2 = nn.Conv2d(planes_in, c4, 1)
        self.out4 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        p1 = self.p1_1(x)
        p1 = self.out1(p1)

        p2 = self.p2_1(x)
        p2 = self.relu2(p2)
        p2 = self.p2_2(p2)
        p2 = self.out2(p2)

        p3 = self.p3_1(x)
        p3 = self.relu3(p3)
        p3 = self.p3_2(p3)
        p3 = self.out3(p3)

        p4 = self.p4_1(x)
        p4 = self.p4_2(p4)
        p4 = self.out4(p4)

        return torch.cat([p1, p2, p3, p4], dim=1)


def googlenet(num_classes: int = 10) -> nn.Sequential:
    """GoogLeNet for one channel, as in "Dive into Deep Learning"."""
    return nn.Sequential(
        nn.Sequential(
            nn.Conv2d(1, 64, 7, stride=2, padding=3),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        ),
        nn.Sequential(
            nn.Conv2d(64, 64, 1),
            nn.ReLU(),
            nn.Conv2d(64, 192, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        ),
        nn.Sequential(
            Inception(192, 64, (96, 128), (16, 32), 32),
            Inception(256, 128, (128, 192), (32, 96), 64),
            nn.MaxPool2d(3, stride=2, padding=1),
        ),
        nn.Sequential(
            Inception(480, 192, (96, 208), (16, 48), 64),
            Inception(512, 160, (112, 224), (24, 64), 64),
            Inception(512, 128, (128, 256), (24, 64), 64),
            Inception(512, 112, (144, 288), (32, 64), 64),
            Inception(528, 256, (160, 320), (32, 128), 128),
            nn.MaxPool2d(3, stride=2, padding=1),
        ),
        nn.Sequential(
            Inception(832, 256, (160, 320), (32, 128), 128),
            Inception(832, 384, (192, 384), (48, 128), 128),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        ),
        nn.Linear(1024, num_classes),
    )


def chain(length: int = 1000, width: int = 8) -> nn.Sequential:
    """Linear layers and ReLUs in turn."""
    pairs = ((nn.Linear(width, width), nn.ReLU()) for _ in range(length // 2))
    return nn.Sequential(*(layer for pair in pairs for layer in pair))
