"""Padding and cropping of any dimensions: torch.nn.functional.pad."""

from typing import Annotated, Literal

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Float, OpenInts, Words, sizes_of
from archspec.ops.arithmetic import fits
from archspec.ops.base import Function, Layer
from archspec.ops.registry import register
from archspec.sizes import Condition, Measured, Size, holds, minimum
from archspec.tensors import Tensor

PadMode = Annotated[
    Literal["constant", "reflect", "replicate", "circular"],
    Words("one of constant, reflect, replicate, circular"),
]


@register
class Pad(Layer):
    """Adds elements at both ends of the last dimensions; negative numbers take elements away.

    Shapes: `[C, H, W]` → `[C, top + H + bottom, left + W + right]`
    with `pad: [left, right, top, bottom]`.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
    """

    result_layout = "kept"
    dtypes = None
    free = True
    measured = ("pad",)

    pad: OpenInts = Field(
        description="two numbers per dimension, those of the last dimension first"
    )
    mode: PadMode = Field("constant", description="what the new elements are")
    value: Float | None = Field(None, description="the new elements in constant mode; 0 by default")

    def check(self) -> None:
        if len(self.pad) % 2:
            message = f"pad has two numbers per dimension, not {len(self.pad)} in all"
            raise Fault("E208", message, field="pad")
        if self.mode != "constant" and self.value:
            raise Fault("E208", f"value has no place in {self.mode} mode", field="value")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        count = len(self.pad) // 2
        if self.mode == "constant":
            self._check_constant(x, count)
        else:
            self._check_other(x, count)
        pairs = self._pairs()[: len(x.shape)]
        first = len(x.shape) - len(pairs)
        padded = (self._padded(x, first + n, *pair) for n, pair in enumerate(reversed(pairs)))
        return x.sized(*x.shape[:first], *padded)

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        mode = "" if self.mode == "constant" else f', mode="{self.mode}"'
        value = "" if self.value is None else ", value={value}"
        given = {} if self.value is None else {"value": self.value}
        pad = list(self.pad) if self.measures() else self.pad
        return Function(f"F.pad({{0}}, {{pad}}{mode}{value})", {"pad": pad, **given})

    def _pairs(self) -> tuple[tuple[Size, Size], ...]:
        sizes = sizes_of(self.pad)
        return tuple(zip(sizes[::2], sizes[1::2], strict=True))

    def _check_constant(self, x: Tensor, count: int) -> None:
        if count > x.ndim:
            message = f"pad {list(self.pad)} is for {count} dimensions, {x} has {x.ndim}"
            raise Fault("E208", message, field="pad", input=0)
        if count > len(x.shape) and self._pairs()[-1] != (0, 0):
            raise Fault("E502", f"pad {list(self.pad)} would pad the batch", field="pad")
        if (
            self.value is not None
            and any(isinstance(n, Measured) or n > 0 for n in self.pad)
            and not fits(self.value, x.dtype)
        ):
            raise Fault(
                "E208", f"value {self.value} is out of the range of {x.dtype}", field="value"
            )

    def _check_other(self, x: Tensor, count: int) -> None:
        """PyTorch pads the last one to three dimensions so, behind one or two others."""
        if not 1 <= count <= 3 or x.ndim not in (count + 1, count + 2):
            message = f"{self.mode} padding of {count} dimensions does not take {x}"
            raise Fault("E203", message, field="pad", input=0)
        if x.dtype == "bool" and self.mode != "circular":
            raise Fault("E207", f"{self.mode} padding takes numbers, not bool", input=0)
        samples = x.shape if x.batched or x.ndim == count + 1 else x.shape[1:]
        if self.mode != "circular" and 0 in samples:
            raise Fault("E204", f"{self.mode} padding takes no empty {x}", input=0)

    def _padded(self, x: Tensor, axis: int, low: Size, high: Size) -> Size:
        size = x.shape[axis]
        if not all(holds(fits) for fits in self._limits(size, low, high)):
            raise self._misfit("E204", x, axis, low, high)
        # PyTorch lets some of these through, and reads past what is left of the tensor.
        if not all(holds(fits) for fits in self._remains(size, low, high)):
            raise self._misfit("E503", x, axis, low, high)
        return size + low + high

    def _limits(self, size: Size, low: Size, high: Size) -> tuple[bool | Condition, ...]:
        """What must be true of a size to be padded so."""
        if self.mode == "constant":
            return (size + minimum(low, 0) + minimum(high, 0) >= 0,)
        if self.mode == "circular":
            return size >= low, size >= high
        if self.mode == "reflect":
            return size > low, size > high, size >= 1
        return (size >= 1,)

    def _remains(self, size: Size, low: Size, high: Size) -> tuple[bool | Condition, ...]:
        """What must be true of a size to be cropped so."""
        if self.mode == "constant":
            return ()
        left = size + minimum(low, 0) + minimum(high, 0)
        if self.mode == "circular":
            return left >= 0, left >= low, left >= high
        return size + low + high >= 1, size + minimum(low, 0) >= 0, size + minimum(high, 0) >= 0

    def _misfit(self, code: str, x: Tensor, axis: int, low: Size, high: Size) -> Fault:
        message = f"{self.mode} padding by {low} and {high} does not fit dimension"
        where = f"{axis + x.batched} of {x}"
        return Fault(code, f"{message} {where}", field="pad", input=0)
