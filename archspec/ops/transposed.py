"""Transposed convolutions: https://docs.pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import One, Three, Two
from archspec.ops.convolution import DILATION, KERNEL, STRIDE, Convolving
from archspec.ops.registry import register
from archspec.ops.window import Line, Plane, Volume
from archspec.sizes import Size, always, holds
from archspec.tensors import Tensor

_PADDING: Final[Any] = Field(0, description="points cut off at both ends of the output")
_OUTPUT_PADDING: Final[Any] = Field(0, description="points added at one end of the output")


class _ConvTranspose(Convolving):
    output_padding: int | tuple[int, ...]

    def check(self) -> None:
        super().check()
        self.at_least(1, "kernel_size")
        self._check_dilation()
        self.at_least(0, "padding", "output_padding")
        if self.padding_mode != "zeros":
            message = f"transposed convolutions take padding_mode zeros, not {self.padding_mode}"
            raise Fault("E208", message, field="padding_mode", help="leave padding_mode out")
        extras = zip(
            self.each("output_padding"), self.each("stride"), self.each("dilation"), strict=True
        )
        for extra, stride, dilation in extras:
            if extra >= max(stride, dilation):
                raise _too_much(extra, stride, dilation)

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        self._check_groups("in_channels", self._known_channels())
        self.filled(x, x.shape)
        numbers = zip(
            x.shape[1:],
            self.each("stride"),
            self.each("padding"),
            self.reaches(),
            self.each("output_padding"),
            strict=True,
        )
        return x.sized(self.out_channels, *(_unfolded(*each) for each in numbers))

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        channels = self.out_channels // self.groups
        return self._with_bias(self._known_channels(), channels, *self.each("kernel_size"))

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return self._work(inputs[0].shape[1:])

    def _check_dilation(self) -> None:
        pairs = zip(self.each("kernel_size"), self.each("dilation"), strict=True)
        lame = [d == 0 and k == 1 for k, d in pairs]
        if self.spatial < 3 and any(lame):
            # PyTorch runs this, but not for every batch.
            message = "dilation must be at least 1, not 0, also where the kernel is 1"
            raise Fault("E118", message, field="dilation", help="leave dilation out")
        self.at_least(1, "dilation")


def _unfolded(size: Size, stride: int, padding: int, reach: int, extra: int) -> Size:
    """`(size - 1) * stride - 2 * padding + reach + output_padding`."""
    whole = (size - 1) * stride + reach + extra
    if not holds(whole > 2 * padding):
        raise _cut_away(whole, padding)
    return whole - 2 * padding


def _cut_away(whole: Size, padding: int) -> Fault:
    """Less than nothing is refused by PyTorch; nothing, for some batches and numbers of threads."""
    code = "E204" if always(whole < 2 * padding) else "E118"
    message = f"padding {padding} leaves nothing of the output, which is {whole} before it is cut"
    most = (whole - 1) // 2 if isinstance(whole, int) else None
    help = None if most is None else f"padding may be up to {most}"
    return Fault(code, message, field="padding", input=0, help=help)


def _too_much(extra: int, stride: int, dilation: int) -> Fault:
    message = f"output_padding {extra} is not smaller than stride {stride} or dilation {dilation}"
    most = max(stride, dilation) - 1
    return Fault("E208", message, field="output_padding", help=f"it may be up to {most}")


@register
class ConvTranspose1d(Line, _ConvTranspose):
    """Spreads every point of a sequence over a learned kernel: the gradient of Conv1d.

    Shapes: `[C, L]` → `[out_channels, L']`, `L' =
    (L - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1`.
    """

    kernel_size: One = KERNEL
    stride: One = STRIDE
    padding: One = _PADDING
    dilation: One = DILATION
    output_padding: One = _OUTPUT_PADDING


@register
class ConvTranspose2d(Plane, _ConvTranspose):
    """Spreads every point of an image over a learned kernel: the gradient of Conv2d.

    Shapes: `[C, H, W]` → `[out_channels, H', W']`, `H' =
    (H - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1`.
    """

    kernel_size: Two = KERNEL
    stride: Two = STRIDE
    padding: Two = _PADDING
    dilation: Two = DILATION
    output_padding: Two = _OUTPUT_PADDING


@register
class ConvTranspose3d(Volume, _ConvTranspose):
    """Spreads every point of a volume over a learned kernel: the gradient of Conv3d.

    Shapes: `[C, D, H, W]` → `[out_channels, D', H', W']`, `D' =
    (D - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1`.
    """

    kernel_size: Three = KERNEL
    stride: Three = STRIDE
    padding: Three = _PADDING
    dilation: Three = DILATION
    output_padding: Three = _OUTPUT_PADDING
