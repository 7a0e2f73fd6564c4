"""densenet121

(N, 3, H, W) -> (N, num_classes)

Made by archspec from densenet121.yaml.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn


class DenseLayer(nn.Module):
    """(N, num_features, H, W) -> (N, 32, H, W)"""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_features)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(num_features, 128, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(128)
        self.relu2 = nn.ReLU()
        self.conv2 = nn.Conv2d(128, 32, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(x)
        x = self.relu1(x)
        x = self.conv1(x)
        x = self.norm2(x)
        x = self.relu2(x)
        x = self.conv2(x)
        return x


class Denseblock(nn.Module):
    """(N, num_features, H, W) -> (N, C, H, W)"""

    def __init__(self, num_layers: int, num_features: int) -> None:
        super().__init__()
        for i in range(num_layers):
            self.add_module(f"denselayer{i + 1}", DenseLayer(num_features + 32 * i))

    def forward(self, x: Tensor) -> Tensor:
        features = [x]
        for layer in self.children():
            features.append(layer(torch.cat(features, dim=1)))
        return torch.cat(features, dim=1)


class Transition(nn.Module):
    """(N, num_features, H, W) -> (N, out_channels, H // 2, W // 2)"""

    def __init__(self, num_features: int, out_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(num_features)
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(num_features, out_channels, 1, bias=False)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        x = self.relu(x)
        x = self.conv(x)
        x = self.pool(x)
        return x


class Densenet121(nn.Module):
    """(N, 3, H, W) -> (N, num_classes)"""

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                [
                    ("conv0", nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)),
                    ("norm0", nn.BatchNorm2d(64)),
                    ("relu0", nn.ReLU()),
                    ("pool0", nn.MaxPool2d(3, stride=2, padding=1)),
                    ("denseblock1", Denseblock(6, 64)),
                    ("transition1", Transition(256, 128)),
                    ("denseblock2", Denseblock(12, 128)),
                    ("transition2", Transition(512, 256)),
                    ("denseblock3", Denseblock(24, 256)),
                    ("transition3", Transition(1024, 512)),
                    ("denseblock4", Denseblock(16, 512)),
                    ("norm5", nn.BatchNorm2d(1024)),
                ],
            ),
        )
        self.relu = nn.ReLU()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.classifier = nn.Linear(1024, num_classes)
        self.init_weights()

    def init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            elif isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(self, image: Tensor) -> Tensor:
        x: Tensor = self.features(image)  # (N, 1024, (H + 3) // 32, (W + 3) // 32)
        x = self.relu(x)
        x = self.avgpool(x)
        x = self.flatten(x)
        x = self.classifier(x)
        return x


def densenet121(num_classes: int = 1000) -> Densenet121:
    """densenet121 with fresh weights."""
    return Densenet121(num_classes=num_classes)


if __name__ == "__main__":
    model = densenet121().eval()
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        output = model(image)
    print(tuple(output.shape))
    count = sum(p.numel() for p in model.parameters())
    print(f"{count:,} parameters")
