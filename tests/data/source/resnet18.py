"""resnet18

(N, 3, H, W) -> (N, num_classes)

Made by archspec from resnet18.yaml.
"""

import torch
from torch import Tensor, nn


class BasicBlock(nn.Module):
    """(N, planes, H, W) -> (N, planes, H, W)"""

    def __init__(self, planes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv1(x)
        out = self.bn1(out)
        out = self.relu(out)
        out = self.conv2(out)
        out = self.bn2(out)
        out = out + x
        out = self.relu(out)
        return out


class BasicBlockDownsample(nn.Module):
    """(N, in_channels, H, W) -> (N, planes, (H + 1) // 2, (W + 1) // 2)"""

    def __init__(self, in_channels: int, planes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, planes, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = nn.Sequential(
            nn.Conv2d(in_channels, planes, 1, stride=2, bias=False),
            nn.BatchNorm2d(planes),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv1(x)
        out = self.bn1(out)
        out = self.relu(out)
        out = self.conv2(out)
        out = self.bn2(out)
        downsample = self.downsample(x)
        out = out + downsample
        out = self.relu(out)
        return out


class Resnet18(nn.Module):
    """(N, 3, H, W) -> (N, num_classes)"""

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(64), BasicBlock(64))
        self.layer2 = nn.Sequential(BasicBlockDownsample(64, 128), BasicBlock(128))
        self.layer3 = nn.Sequential(BasicBlockDownsample(128, 256), BasicBlock(256))
        self.layer4 = nn.Sequential(BasicBlockDownsample(256, 512), BasicBlock(512))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(512, num_classes)

    def forward(self, image: Tensor) -> Tensor:
        x: Tensor = self.conv1(image)
        x = self.bn1(x)
        x = self.relu(x)
        x = self.maxpool(x)
        x = self.layer1(x)
        x = self.layer2(x)  # (N, 128, (H + 7) // 8, (W + 7) // 8)
        x = self.layer3(x)  # (N, 256, (H + 15) // 16, (W + 15) // 16)
        x = self.layer4(x)  # (N, 512, (H + 31) // 32, (W + 31) // 32)
        x = self.avgpool(x)
        x = self.flatten(x)
        x = self.fc(x)
        return x


def resnet18(num_classes: int = 1000) -> Resnet18:
    """resnet18 with fresh weights."""
    return Resnet18(num_classes=num_classes)


if __name__ == "__main__":
    model = resnet18().eval()
    image = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        output = model(image)
    print(tuple(output.shape))
    count = sum(p.numel() for p in model.parameters())
    print(f"{count:,} parameters")
