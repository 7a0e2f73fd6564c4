"""Convolutions. Formulas: https://docs.pytorch.org/docs/stable/generated/torch.nn.Conv2d.html"""

from collections.abc import Mapping
from math import gcd
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Int, One, PaddingMode, Three, Two, Words
from archspec.ops.base import dtype_help
from archspec.ops.registry import register
from archspec.ops.window import LARGEST, Line, Plane, Spatial, Volume, divisors, misfit
from archspec.sizes import Size, holds, product
from archspec.tensors import Tensor, promote

Padding1 = Annotated[
    One | Literal["same", "valid"], Words("an integer, a list of 1 integer, same or valid")
]
Padding2 = Annotated[
    Two | Literal["same", "valid"], Words("an integer, a list of 2 integers, same or valid")
]
Padding3 = Annotated[
    Three | Literal["same", "valid"], Words("an integer, a list of 3 integers, same or valid")
]

KERNEL: Final[Any] = Field(description="size of the kernel")
STRIDE: Final[Any] = Field(1, description="step of the kernel")
DILATION: Final[Any] = Field(1, description="distance between the points of the kernel")
_PADDING: Final[Any] = Field(0, description="points added at both ends, or `same`, or `valid` (0)")


class Convolving(Spatial):
    """What convolutions and transposed convolutions share: channels, groups, bias."""

    starts_stage = True
    positional: ClassVar[tuple[str, ...]] = ("in_channels", "out_channels", "kernel_size")
    dtypes: ClassVar[tuple[str, ...] | None] = ("float32",)

    in_channels: Int | None = Field(None, description="channels of the input (inferred)")
    out_channels: Int = Field(description="channels of the output")
    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...]
    padding: int | tuple[int, ...] | Literal["same", "valid"]
    dilation: int | tuple[int, ...]
    groups: Int = Field(1, description="groups of channels that do not see each other")
    bias: Bool = Field(True, description="add a learned bias to every channel")
    padding_mode: PaddingMode = Field("zeros", description="what the padding is filled with")

    def check(self) -> None:
        """Check groups and channels, and what must be at least 1."""
        self.in_range(1, "groups", self.groups)
        self.in_range(1, "out_channels", self.out_channels)
        self._check_groups("out_channels", self.out_channels)
        self.at_least(1, "stride")

    def infer(self, x: Tensor) -> Mapping[str, Size]:  # type: ignore[override]
        """The channels of the input."""
        return {"in_channels": x.shape[0]}

    def reaches(self) -> tuple[int, ...]:
        """How many points the kernel spans, per dimension."""
        pairs = zip(self.each("kernel_size"), self.each("dilation"), strict=True)
        return tuple(dilation * (kernel - 1) + 1 for kernel, dilation in pairs)

    def _check_groups(self, name: str, channels: int) -> None:
        if channels % self.groups:
            common = gcd(channels, self.out_channels, self.in_channels or 0)
            message = f"groups {self.groups} does not divide {name} {channels}"
            raise Fault("E206", message, field="groups", help=f"it may be {divisors(common)}")

    def _known_channels(self) -> int:
        assert self.in_channels is not None, "infer() has filled it in"
        return self.in_channels

    def _with_bias(self, *weight: int) -> Mapping[str, tuple[int, ...]]:
        return {"weight": weight, "bias": (self.out_channels,)} if self.bias else {"weight": weight}

    def _work(self, positions: tuple[Size, ...]) -> Size:
        """Multiply-adds, if every pair of channels in a group meets once at each position."""
        pairs = self._known_channels() * self.out_channels // self.groups
        return product((*positions, *self.each("kernel_size"), pairs))


class _Conv(Convolving):
    dtypes: ClassVar[tuple[str, ...] | None] = None

    def check(self) -> None:
        super().check()
        self.at_least(1, "dilation")
        self.at_least(0, "kernel_size")  # what has no channels may have an empty kernel
        if self.padding == "same" and any(step != 1 for step in self.each("stride")):
            message = f"padding same needs stride 1, not {self.stride}"
            raise Fault("E208", message, field="padding", help="give the padding as a number")
        if not isinstance(self.padding, str):
            # Fills other than zeros take negative padding: it cuts points off.
            self.at_least(0 if self.padding_mode == "zeros" else -LARGEST, "padding")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        self._check_groups("in_channels", self._known_channels())
        self._check_input(x)
        ends, strides = self._ends(), self.each("stride")
        windows = zip(x.shape[1:], ends, self.reaches(), strides, strict=True)
        # PyTorch gives no channels at all where it takes none, whatever out_channels says.
        channels = self.out_channels if self.in_channels else 0
        sizes = (self._along(*window) for window in windows)
        return Tensor((channels, *sizes), promote(x.dtype, "float32"))

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        channels = self._known_channels() // self.groups
        return self._with_bias(self.out_channels, channels, *self.each("kernel_size"))

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        return self._work(outputs[0].shape[1:])

    def _ends(self) -> tuple[tuple[int, int], ...]:
        """What is added before and after, per dimension."""
        if self.padding == "valid":
            return ((0, 0),) * self.spatial
        if self.padding == "same":
            return tuple(((r - 1) // 2, r // 2) for r in self.reaches())
        return tuple((p, p) for p in self.each("padding"))

    def _check_input(self, x: Tensor) -> None:
        """What PyTorch wants of an input, unless it has no channels: then nothing is computed."""
        if self.in_channels:
            self.at_least(1, "kernel_size")
        if x.dtype != "float32" and (self.in_channels or self.bias):
            kind = type(self).__name__
            help = dtype_help(("float32",), x)
            raise Fault("E207", f"{kind} takes float32, not {x.dtype}", input=0, help=help)
        if self.padding_mode in ("reflect", "replicate") or self.in_channels:
            self.filled(x, x.shape)

    def _along(self, size: Size, ends: tuple[int, int], reach: int, stride: int) -> Size:
        """`(size + padding - reach) // stride + 1`: the number of positions of the kernel."""
        padding = sum(ends)
        self._check_fill(size, ends[1])
        if not holds(size + padding >= reach):
            most = None if isinstance(self.padding, str) else self._most_padding(size)
            raise misfit(size, reach, reach - padding, padding, most=most)
        return (size + padding - reach) // stride + 1

    def _check_fill(self, size: Size, end: int) -> None:
        if self.padding_mode == "reflect" and not holds(size > end):
            reason = "smaller than the size"
        elif self.padding_mode == "circular" and not holds(size >= end):
            reason = "no larger than the size"
        else:
            return
        message = f"{self.padding_mode} padding must be {reason} {size}, not {end}"
        help = "padding_mode zeros and replicate have no limit"
        if isinstance(size, int):
            help = f"padding may be up to {self._most_padding(size)}; {help}"
        raise Fault("E204", message, field="padding", input=0, help=help)

    def _most_padding(self, size: Size) -> int:
        if isinstance(size, int) and self.padding_mode in ("reflect", "circular"):
            return size - (self.padding_mode == "reflect")
        return LARGEST


@register
class Conv1d(Line, _Conv):
    """Slides a learned kernel along a sequence.

    Shapes: `[C, L]` → `[out_channels, L']`,
    `L' = (L + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1`.
    """

    kernel_size: One = KERNEL
    stride: One = STRIDE
    padding: Padding1 = _PADDING
    dilation: One = DILATION


@register
class Conv2d(Plane, _Conv):
    """Slides a learned kernel over the rows and columns of an image.

    Shapes: `[C, H, W]` → `[out_channels, H', W']`,
    `H' = (H + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1`.
    """

    kernel_size: Two = KERNEL
    stride: Two = STRIDE
    padding: Padding2 = _PADDING
    dilation: Two = DILATION


@register
class Conv3d(Volume, _Conv):
    """Slides a learned kernel through a volume, or a video with time as its depth.

    Shapes: `[C, D, H, W]` → `[out_channels, D', H', W']`,
    `D' = (D + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1`.
    """

    kernel_size: Three = KERNEL
    stride: Three = STRIDE
    padding: Padding3 = _PADDING
    dilation: Three = DILATION
