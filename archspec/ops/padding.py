"""Layers that add a border. https://docs.pytorch.org/docs/stable/nn.html#padding-layers

A negative number takes away from that end. Numbers stand as in PyTorch: both ends of the last
dimension first (left, right, top, bottom, front, back).
"""

import math
from typing import Annotated, ClassVar, Final

from pydantic import Field, StrictInt

from archspec.diagnostics import Fault
from archspec.ops.arguments import Float, Two, Words
from archspec.ops.registry import register
from archspec.ops.window import LARGEST, Spatial
from archspec.sizes import Size, holds
from archspec.tensors import INTEGERS, Tensor

Four = Annotated[
    StrictInt | tuple[StrictInt, StrictInt, StrictInt, StrictInt],
    Words("an integer or a list of 4 integers"),
]
Six = Annotated[
    StrictInt | tuple[StrictInt, StrictInt, StrictInt, StrictInt, StrictInt, StrictInt],
    Words("an integer or a list of 6 integers"),
]

_HIGHEST: Final = {
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float32": 3.4028234663852886e38,
}
"""What a dtype can hold; float64 holds everything that can be written."""
_RANGES: Final[dict[str, tuple[int, int]]] = {
    f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32)
}
_RANGES["uint8"] = (0, 255)
_RANGES["int64"] = (-(2**63), 2**63)  # compared in double precision, where the end is rounded


class Padding(Spatial):
    """What all paddings share: numbers for both ends of the last `spatial` dimensions."""

    dtypes: ClassVar[tuple[str, ...] | None] = None
    positional: ClassVar[tuple[str, ...]] = ("padding",)

    padding: int | tuple[int, ...]

    def check(self) -> None:
        self.at_least(-LARGEST, "padding")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        ends = self._ends()
        kept = len(x.shape) - len(ends)
        sizes = zip(x.shape[kept:], ends, strict=True)
        padded = (self._padded(size, *pair) for size, pair in sizes)
        return x.sized(*x.shape[:kept], *padded)

    def _ends(self) -> tuple[tuple[int, int], ...]:
        """Both ends of every padded dimension, in the order of the shape."""
        if isinstance(self.padding, int):
            return ((self.padding, self.padding),) * self.spatial
        pairs = zip(self.padding[::2], self.padding[1::2], strict=True)
        return tuple(pairs)[::-1]

    def _padded(self, size: Size, first: int, last: int) -> Size:
        """The size after padding: what is taken away must be there."""
        taken = -min(first, 0) - min(last, 0)
        if not holds(size >= taken):
            message = f"padding ({first}, {last}) takes {taken} away, but there are only {size}"
            raise Fault("E204", message, field="padding", input=0)
        return size + (first + last)


class Padding1d(Padding):
    """Padding of one dimension."""

    spatial = 1

    padding: Two = Field(description="added at both ends, or [left, right]")


class Padding2d(Padding):
    """Padding of two dimensions."""

    spatial = 2

    padding: Four = Field(description="added at all ends, or [left, right, top, bottom]")


class Padding3d(Padding):
    """Padding of three dimensions."""

    spatial = 3

    padding: Six = Field(description="at all ends, or [left, right, top, bottom, front, back]")


class _Constant(Padding):
    """Pads the last dimensions, however many stand before them."""

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if len(x.shape) < self.spatial:
            kind = type(self).__name__
            message = f"{kind} pads the last {self.spatial} dimensions beside the batch, not of {x}"
            code = "E501" if len(x.shape) == self.spatial - 1 else "E203"
            raise Fault(code, message, input=0)
        return super().shape(x)


class _Value(_Constant):
    positional = ("padding", "value")

    value: Float = Field(description="what the border is filled with")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        padded = super().shape(x)
        filled = any(end > 0 for pair in self._ends() for end in pair)
        if filled and not _holds(x.dtype, self.value):
            message = f"value {self.value} is not one that {x.dtype} can hold"
            raise Fault("E208", message, field="value")
        return padded


def _holds(dtype: str, value: float) -> bool:
    """Whether PyTorch fills a tensor of this dtype with the value: only the range counts."""
    if dtype == "bool":
        return True
    if dtype in INTEGERS:
        low, high = _RANGES[dtype]
        return low <= value <= high
    return not math.isfinite(value) or abs(value) <= _HIGHEST.get(dtype, math.inf)


@register
class ZeroPad1d(Padding1d, _Constant):
    """Puts zeros at the ends of a sequence.

    Shapes: `[*, L]` → `[*, L + left + right]`.
    """


@register
class ZeroPad2d(Padding2d, _Constant):
    """Puts zeros around an image.

    Shapes: `[*, H, W]` → `[*, H + top + bottom, W + left + right]`.
    """


@register
class ZeroPad3d(Padding3d, _Constant):
    """Puts zeros around a volume.

    Shapes: `[*, D, H, W]` → `[*, D + front + back, H + top + bottom, W + left + right]`.
    """


@register
class ConstantPad1d(Padding1d, _Value):
    """Puts one value at the ends of a sequence.

    Shapes: `[*, L]` → `[*, L + left + right]`.
    """


@register
class ConstantPad2d(Padding2d, _Value):
    """Puts one value around an image.

    Shapes: `[*, H, W]` → `[*, H + top + bottom, W + left + right]`.
    """


@register
class ConstantPad3d(Padding3d, _Value):
    """Puts one value around a volume.

    Shapes: `[*, D, H, W]` → `[*, D + front + back, H + top + bottom, W + left + right]`.
    """
