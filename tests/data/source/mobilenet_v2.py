"""mobilenet_v2

(N, 3, H, W) -> (N, num_classes)

Made by archspec from mobilenet_v2.yaml.
"""

import torch
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    """(N, in_channels, H, W) -> (N, out, H', W')"""

    def __init__(
        self,
        in_channels: int,
        out: int,
        kernel_size: int = 1,
        stride: int = 1,
        groups: int = 1,
    ) -> None:
        super().__init__(
            nn.Conv2d(
                in_channels,
                out,
                kernel_size,
                stride=stride,
                padding=kernel_size // 2,
                groups=groups,
                bias=False,
            ),
            nn.BatchNorm2d(out),
            nn.ReLU6(),
        )


class InvertedResidual(nn.Module):
    """(N, 32, H, W) -> (N, 16, H, W)"""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            ConvNorm(32, 32, kernel_size=3, groups=32),
            nn.Conv2d(32, 16, 1, bias=False),
            nn.BatchNorm2d(16),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x


class InvertedResidualExpand6(nn.Module):
    """(N, in_channels, H, W) -> (N, out, H', W')"""

    def __init__(
        self, in_channels: int, hidden: int, out: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            ConvNorm(in_channels, hidden),
            ConvNorm(hidden, hidden, kernel_size=3, stride=stride, groups=hidden),
            nn.Conv2d(hidden, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x


class InvertedResidualAdd(nn.Module):
    """(N, out, H, W) -> (N, out, H, W)"""

    def __init__(self, out: int, hidden: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            ConvNorm(out, hidden),
            ConvNorm(hidden, hidden, kernel_size=3, groups=hidden),
            nn.Conv2d(hidden, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out + x


class MobilenetV2(nn.Module):
    """(N, 3, H, W) -> (N, num_classes)"""

    def __init__(self, dropout: float = 0.2, num_classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            ConvNorm(3, 32, kernel_size=3, stride=2),
            InvertedResidual(),
            InvertedResidualExpand6(16, 96, 24, stride=2),
            InvertedResidualAdd(24, 144),
            InvertedResidualExpand6(24, 144, 32, stride=2),
            InvertedResidualAdd(32, 192),
            InvertedResidualAdd(32, 192),
            InvertedResidualExpand6(32, 192, 64, stride=2),
            InvertedResidualAdd(64, 384),
            InvertedResidualAdd(64, 384),
            InvertedResidualAdd(64, 384),
            InvertedResidualExpand6(64, 384, 96),
            InvertedResidualAdd(96, 576),
            InvertedResidualAdd(96, 576),
            InvertedResidualExpand6(96, 576, 160, stride=2),
            InvertedResidualAdd(160, 960),
            InvertedResidualAdd(160, 960),
            InvertedResidualExpand6(160, 960, 320),
            ConvNorm(320, 1280),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), nn.Linear(1280, num_classes)
        )
        self.init_weights()

    def init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(
                    module.weight, mode="fan_out", nonlinearity="relu"
                )
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        x: Tensor = self.features(image)  # (N, 1280, (H + 31) // 32, (W + 31) // 32)
        x = self.avgpool(x)
        x = self.flatten(x)
        x = self.classifier(x)
        return x


def mobilenet_v2(dropout: float = 0.2, num_classes: int = 1000) -> MobilenetV2:
    """mobilenet_v2 with fresh weights."""
    return MobilenetV2(dropout=dropout, num_classes=num_classes)


if __name__ == "__main__":
    model = mobilenet_v2().eval()
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        output = model(image)
    print(tuple(output.shape))
    count = sum(p.numel() for p in model.parameters())
    print(f"{count:,} parameters")
