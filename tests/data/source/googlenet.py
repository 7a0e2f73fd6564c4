"""googlenet_d2l

(N, 1, H, W) -> (N, num_classes)

Made by archspec from googlenet_d2l.yaml.
"""

import torch
from torch import Tensor, nn


class Inception(nn.Module):
    """(N, in_channels, H, W) -> (N, C, H, W)"""

    def __init__(
        self,
        in_channels: int,
        c1: int,
        c2: tuple[int, int],
        c3: tuple[int, int],
        c4: int,
    ) -> None:
        super().__init__()
        self.p1_1 = nn.Conv2d(in_channels, c1, 1)
        self.out1 = nn.ReLU()
        self.p2_1 = nn.Conv2d(in_channels, c2[0], 1)
        self.relu2 = nn.ReLU()
        self.p2_2 = nn.Conv2d(c2[0], c2[1], 3, padding=1)
        self.out2 = nn.ReLU()
        self.p3_1 = nn.Conv2d(in_channels, c3[0], 1)
        self.relu3 = nn.ReLU()
        self.p3_2 = nn.Conv2d(c3[0], c3[1], 5, padding=2)
        self.out3 = nn.ReLU()
        self.p4_1 = nn.MaxPool2d(3, stride=1, padding=1)
        self.p4_2 = nn.Conv2d(in_channels, c4, 1)
        self.out4 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out1 = self.p1_1(x)
        out1 = self.out1(out1)
        out2 = self.p2_1(x)
        out2 = self.relu2(out2)
        out2 = self.p2_2(out2)
        out2 = self.out2(out2)
        out3 = self.p3_1(x)
        out3 = self.relu3(out3)
        out3 = self.p3_2(out3)
        out3 = self.out3(out3)
        out4 = self.p4_1(x)
        out4 = self.p4_2(out4)
        out4 = self.out4(out4)
        return torch.cat([out1, out2, out3, out4], dim=1)


class GooglenetD2l(nn.Sequential):
    """(N, 1, H, W) -> (N, num_classes)"""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__(
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

    def forward(self, image: Tensor) -> Tensor:
        for layer in self:
            image = layer(image)
        return image


def googlenet_d2l(num_classes: int = 10) -> GooglenetD2l:
    """googlenet_d2l with fresh weights."""
    return GooglenetD2l(num_classes=num_classes)


if __name__ == "__main__":
    model = googlenet_d2l().eval()
    image = torch.randn(1, 1, 224, 224)
    with torch.no_grad():
        output = model(image)
    print(tuple(output.shape))
    count = sum(p.numel() for p in model.parameters())
    print(f"{count:,} parameters")
