"""Poolings. Formulas: https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, Final

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Float, Int, One, Three, Two
from archspec.ops.registry import register
from archspec.ops.window import LARGEST, Line, Plane, Spatial, Volume, misfit
from archspec.sizes import Condition, Size, holds, minimum
from archspec.tensors import DTYPES, FLOATS, INTEGERS, Tensor

_KERNEL: Final[Any] = Field(description="size of the window")
_STRIDE: Final[Any] = Field(None, description="step of the window (default: kernel_size)")
_PADDING: Final[Any] = Field(0, description="points added at both ends, at most half a window")
_DILATION: Final[Any] = Field(1, description="distance between the points of the window")
_DIVISOR: Final[Any] = Field(None, description="divide by this, not by the size of the window")


class Pool(Spatial):
    """What poolings with a sliding window share."""

    positional: ClassVar[tuple[str, ...]] = ("kernel_size",)

    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] | None
    ceil_mode: Bool = Field(False, description="let the last window reach over the end")

    def check(self) -> None:
        self.at_least(1, "kernel_size")
        if self.stride is not None:
            self.at_least(1, "stride")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        self.filled(x, x.shape)
        return x.sized(x.shape[0], *(self._along(*window) for window in self._windows(x)))

    def clipped(self, x: Tensor) -> list[bool | Condition]:
        """Per dimension, whether the last window is left out, as it would begin in the padding."""
        if not self.ceil_mode:
            return []
        ends = (self._last(*window) for window in self._windows(x))
        return [inside < last for last, inside in ends]

    def _windows(self, x: Tensor) -> Iterator[tuple[Size, int, int, int]]:
        """Per dimension: its size, and reach, stride and padding of the window."""
        return zip(x.shape[1:], self._reaches(), self._strides(), self._paddings(), strict=True)

    def _reaches(self) -> tuple[int, ...]:
        """How many points the window spans, per dimension."""
        return self.each("kernel_size")

    def _strides(self) -> tuple[int, ...]:
        return self.each("kernel_size" if self.stride is None else "stride")

    def _paddings(self) -> tuple[int, ...]:
        return (0,) * self.spatial

    def _along(self, size: Size, reach: int, stride: int, padding: int) -> Size:
        """The number of windows; with `ceil_mode` none may start in the padding at the far end.

        https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/Pool.h
        """
        beyond = stride - 1 if self.ceil_mode else 0
        room = size + 2 * padding + beyond
        if not holds(room >= reach):
            smallest = max(reach - 2 * padding - beyond, 1)
            raise misfit(size, reach, smallest, 2 * padding, most=self._most_padding(reach))
        last, inside = self._last(size, reach, stride, padding)
        return (minimum(last, inside) if self.ceil_mode else last) + 1

    def _last(self, size: Size, reach: int, stride: int, padding: int) -> tuple[Size, Size]:
        """Numbers of windows: of the last one with room, of the last before the far padding."""
        beyond = stride - 1 if self.ceil_mode else 0
        return (size + 2 * padding + beyond - reach) // stride, (size + padding - 1) // stride

    def _most_padding(self, reach: int) -> int | None:
        """How much padding could be asked for, to make a window fit."""
        return None


class _PaddedPool(Pool):
    padding: int | tuple[int, ...]

    def check(self) -> None:
        super().check()
        self.at_least(0, "padding")
        for kernel, padding in zip(self.each("kernel_size"), self.each("padding"), strict=True):
            if 2 * padding > kernel:
                message = f"padding {padding} is more than half of kernel_size {kernel}"
                help = f"it may be up to {kernel // 2}"
                raise Fault("E208", message, field="padding", help=help)

    def _paddings(self) -> tuple[int, ...]:
        return self.each("padding")

    def _most_padding(self, reach: int) -> int | None:
        return min(self.each("kernel_size")) // 2


class _MaxPool(_PaddedPool):
    dtypes: ClassVar[tuple[str, ...] | None] = (*INTEGERS, *FLOATS)

    dilation: int | tuple[int, ...]

    def check(self) -> None:
        super().check()
        self.at_least(1, "dilation")

    def _reaches(self) -> tuple[int, ...]:
        pairs = zip(self.each("kernel_size"), self.each("dilation"), strict=True)
        return tuple(dilation * (kernel - 1) + 1 for kernel, dilation in pairs)


class _AvgPool(_PaddedPool):
    dtypes: ClassVar[tuple[str, ...] | None] = ("int64", *FLOATS)

    count_include_pad: Bool = Field(True, description="let the padding count in the average")


class _DividingPool(_AvgPool):
    divisor_override: Int | None = _DIVISOR

    def check(self) -> None:
        super().check()
        if self.divisor_override == 0:
            raise Fault("E208", "divisor_override must not be 0", field="divisor_override")
        self.in_range(-LARGEST, "divisor_override", self.divisor_override or 1)


class _LPPool(Pool):
    positional: ClassVar[tuple[str, ...]] = ("norm_type", "kernel_size")
    dtypes: ClassVar[tuple[str, ...] | None] = DTYPES

    norm_type: Float = Field(allow_inf_nan=False, description="the p of `(sum of x ** p) ** 1/p`")

    def check(self) -> None:
        super().check()
        if self.norm_type == 0:
            raise Fault("E208", "norm_type must not be 0", field="norm_type")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        pooled = super().shape(x)
        return pooled if x.is_float else replace(pooled, dtype="float32")


class _InsidePool(Pool):
    """Average pooling in 3d, which wants its window inside the input, before any padding."""

    def _along(self, size: Size, reach: int, stride: int, padding: int) -> Size:
        if not holds(size >= reach):
            kind = type(self).__name__
            message = f"{kind} takes no kernel of {reach} over {size}, with or without padding"
            help = f"an input of {reach} or more would fit"
            raise Fault("E204", message, field="kernel_size", input=0, help=help)
        return super()._along(size, reach, stride, padding)


@register
class MaxPool1d(Line, _MaxPool):
    """Takes the largest number of every window over a sequence.

    Shapes: `[C, L]` → `[C, L']`,
    `L' = (L + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1` (`ceil_mode`: up).
    """

    dtypes: ClassVar[tuple[str, ...] | None] = FLOATS

    kernel_size: One = _KERNEL
    stride: One | None = _STRIDE
    padding: One = _PADDING
    dilation: One = _DILATION


@register
class MaxPool2d(Plane, _MaxPool):
    """Takes the largest number of every window over an image.

    Shapes: `[C, H, W]` → `[C, H', W']`,
    `H' = (H + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1` (`ceil_mode`: up).
    """

    kernel_size: Two = _KERNEL
    stride: Two | None = _STRIDE
    padding: Two = _PADDING
    dilation: Two = _DILATION


@register
class MaxPool3d(Volume, _MaxPool):
    """Takes the largest number of every window over a volume.

    Shapes: `[C, D, H, W]` → `[C, D', H', W']`,
    `D' = (D + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1` (`ceil_mode`: up).
    """

    kernel_size: Three = _KERNEL
    stride: Three | None = _STRIDE
    padding: Three = _PADDING
    dilation: Three = _DILATION


@register
class AvgPool1d(Line, _AvgPool):
    """Takes the average of every window over a sequence.

    Shapes: `[C, L]` → `[C, L']`,
    `L' = (L + 2 * padding - kernel_size) // stride + 1` (`ceil_mode`: up).
    """

    kernel_size: One = _KERNEL
    stride: One | None = _STRIDE
    padding: One = _PADDING


@register
class AvgPool2d(Plane, _DividingPool):
    """Takes the average of every window over an image.

    Shapes: `[C, H, W]` → `[C, H', W']`,
    `H' = (H + 2 * padding - kernel_size) // stride + 1` (`ceil_mode`: up).
    """

    kernel_size: Two = _KERNEL
    stride: Two | None = _STRIDE
    padding: Two = _PADDING


@register
class AvgPool3d(Volume, _InsidePool, _DividingPool):
    """Takes the average of every window over a volume.

    Shapes: `[C, D, H, W]` → `[C, D', H', W']`,
    `D' = (D + 2 * padding - kernel_size) // stride + 1` (`ceil_mode`: up).
    """

    dtypes: ClassVar[tuple[str, ...] | None] = ("int64", "float32", "float64")

    kernel_size: Three = _KERNEL
    stride: Three | None = _STRIDE
    padding: Three = _PADDING


@register
class LPPool1d(Line, _LPPool):
    """Takes the p-norm of every window over a sequence.

    Shapes: `[C, L]` → `[C, L']`,
    `L' = (L - kernel_size) // stride + 1` (`ceil_mode`: up).
    """

    kernel_size: Int = _KERNEL
    stride: One | None = _STRIDE


@register
class LPPool2d(Plane, _LPPool):
    """Takes the p-norm of every window over an image.

    Shapes: `[C, H, W]` → `[C, H', W']`,
    `H' = (H - kernel_size) // stride + 1` (`ceil_mode`: up).
    """

    kernel_size: Two = _KERNEL
    stride: Two | None = _STRIDE


@register
class LPPool3d(Volume, _InsidePool, _LPPool):
    """Takes the p-norm of every window over a volume.

    Shapes: `[C, D, H, W]` → `[C, D', H', W']`,
    `D' = (D - kernel_size) // stride + 1` (`ceil_mode`: up).
    """

    dtypes: ClassVar[tuple[str, ...] | None] = ("bool", *INTEGERS, "float32", "float64")

    kernel_size: Three = _KERNEL
    stride: Three | None = _STRIDE
