"""unet

(N, 1, H, W) -> (N, num_classes, H, W)

Made by archspec from unet.yaml.
"""

import torch
from torch import Tensor, nn


class DoubleConv(nn.Sequential):
    """(N, in_channels, H, W) -> (N, out, H, W)"""

    def __init__(self, in_channels: int, out: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )


class Up(nn.Module):
    """(N, in_channels, H, W), (N, out_channels, H', W')
    -> (N, out_channels, H'', W'')
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.up(x)
        x = torch.cat([skip, x], dim=1)
        x = self.conv(x)
        return x


class Unet(nn.Module):
    """(N, 1, H, W) -> (N, num_classes, H, W)"""

    def __init__(self, num_classes: int = 2) -> None:
        super().__init__()
        self.inc = DoubleConv(1, 64)
        self.pool1 = nn.MaxPool2d(2)
        self.down1 = DoubleConv(64, 128)
        self.pool2 = nn.MaxPool2d(2)
        self.down2 = DoubleConv(128, 256)
        self.pool3 = nn.MaxPool2d(2)
        self.down3 = DoubleConv(256, 512)
        self.pool4 = nn.MaxPool2d(2)
        self.down4 = DoubleConv(512, 1024)
        self.up1 = Up(1024, 512)
        self.up2 = Up(512, 256)
        self.up3 = Up(256, 128)
        self.up4 = Up(128, 64)
        self.outc = nn.Conv2d(64, num_classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        inc = self.inc(image)  # (N, 64, H, W)
        down1 = self.pool1(inc)
        down1 = self.down1(down1)  # (N, 128, H // 2, W // 2)
        down2 = self.pool2(down1)
        down2 = self.down2(down2)  # (N, 256, H // 4, W // 4)
        down3 = self.pool3(down2)
        down3 = self.down3(down3)  # (N, 512, H // 8, W // 8)
        x: Tensor = self.pool4(down3)
        x = self.down4(x)  # (N, 1024, H // 16, W // 16)
        x = self.up1(x, down3)  # (N, 512, H // 8, W // 8)
        del down3
        x = self.up2(x, down2)  # (N, 256, H // 4, W // 4)
        del down2
        x = self.up3(x, down1)  # (N, 128, H // 2, W // 2)
        del down1
        x = self.up4(x, inc)  # (N, 64, H, W)
        x = self.outc(x)
        return x


def unet(num_classes: int = 2) -> Unet:
    """unet with fresh weights."""
    return Unet(num_classes=num_classes)


if __name__ == "__main__":
    model = unet().eval()
    image = torch.randn(1, 1, 224, 224)
    with torch.no_grad():
        output = model(image)
    print(tuple(output.shape))
    count = sum(p.numel() for p in model.parameters())
    print(f"{count:,} parameters")
