"""Arithmetic on one tensor: functions of every element, and what reduces a dimension."""

import math
from typing import ClassVar, Final

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, IntOrFloat, IntOrInts, Number
from archspec.ops.base import Function, Layer
from archspec.ops.functions import dim_indices, listed, method
from archspec.ops.registry import register
from archspec.sizes import holds
from archspec.tensors import FLOATS, Tensor

LARGEST: Final = {
    "float16": 65504.0,
    "bfloat16": 3.3895313892515355e38,
    "float32": 3.4028234663852886e38,
    "float64": float("inf"),
}


class _Elementwise(Layer):
    """What functions of every element share."""

    result_layout = "kept"
    dtypes: ClassVar[tuple[str, ...] | None] = None
    free = True

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return Tensor(x.shape, self._dtype(x), x.batched)

    def _dtype(self, x: Tensor) -> str:
        raise NotImplementedError


@register
class Exp(_Elementwise):
    """Raises e to the power of every element; integers give float32.

    Shapes: `[*]` → `[*]`.
    """

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return method("exp")

    def _dtype(self, x: Tensor) -> str:
        return x.dtype if x.is_float else "float32"


@register
class Scale(_Elementwise):
    """Multiplies every element by a number.

    Shapes: `[*]` → `[*]`.
    """

    dtypes = FLOATS

    factor: Number = Field(description="what to multiply by")

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return Function("{0} * {factor}", {"factor": self.factor})

    def _dtype(self, x: Tensor) -> str:
        return x.dtype


@register
class Clamp(_Elementwise):
    """Moves every element into the range from `min` to `max`; one of them may be left open.

    Shapes: `[*]` → `[*]`. Integers stay integers if the bounds are integers too.
    """

    min: IntOrFloat | None = Field(None, description="smallest value of the result")
    max: IntOrFloat | None = Field(None, description="largest value of the result")

    def check(self) -> None:
        if self.min is None and self.max is None:
            raise Fault("E208", "Clamp needs min or max", help="write {min: 0}, for example")
        for name, bound in (("min", self.min), ("max", self.max)):
            if bound is not None and math.isnan(bound):
                raise Fault("E105", f"{name} is nan, which bounds nothing", field=name)

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        bounds = {"min": self.min, "max": self.max}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        return Function(f"{{0}}.clamp({', '.join(f'{n}={{{n}}}' for n in given)})", given)

    def _dtype(self, x: Tensor) -> str:
        dtype = self._promoted(x)
        for name, bound in (("min", self.min), ("max", self.max)):
            if bound is not None and not fits(bound, dtype):
                wraps = dtype == "uint8" and bound < 0  # PyTorch takes -1 for 255
                message = f"{name} {bound} is out of the range of {dtype}"
                raise Fault("E503" if wraps else "E208", message, field=name)
        return dtype

    def _promoted(self, x: Tensor) -> str:
        if x.is_float:
            return x.dtype
        if isinstance(self.min, float) or isinstance(self.max, float):
            return "float32"
        return "int64" if x.dtype == "bool" else x.dtype


def fits(value: int | float, dtype: str) -> bool:
    """Whether PyTorch converts this number to the dtype (which may round it)."""
    if dtype == "bool":
        return True
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return False
    if dtype in FLOATS:
        return math.isinf(value) or not abs(value) > LARGEST[dtype]
    bits = int(dtype.removeprefix("u").removeprefix("int"))
    low, high = (0, 1 << bits) if dtype == "uint8" else (-1 << (bits - 1), 1 << (bits - 1))
    return low <= value <= high - 1


class _Reduction(Layer):
    """What reductions share: the dimensions that go away."""

    result_layout = "kept"
    dtypes: ClassVar[tuple[str, ...] | None] = None
    free = True
    function: ClassVar[str]

    dim: IntOrInts = Field(description="dimension or dimensions to reduce (0 is the batch)")
    keepdim: Bool = Field(False, description="keep every reduced dimension with size 1")

    def check(self) -> None:
        if self.dim == ():
            message = "an empty dim would reduce every dimension, the batch too"
            raise Fault("E503", message, field="dim")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        reduced = dim_indices(type(self).__name__, listed(self.dim), x, "dim")
        self._check_reduced(x, reduced)
        kept = (1,) if self.keepdim else ()
        sizes = ((size,) if at not in reduced else kept for at, size in enumerate(x.shape))
        return Tensor(tuple(s for pair in sizes for s in pair), self._dtype(x), x.batched)

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        kept = {"keepdim": True} if self.keepdim else {}
        return method(self.function, dim=self.dim, **kept)

    def _check_reduced(self, x: Tensor, reduced: tuple[int, ...]) -> None:
        """Raise a `Fault` for sizes that cannot be reduced."""

    def _dtype(self, x: Tensor) -> str:
        return x.dtype


@register
class Mean(_Reduction):
    """Averages over dimensions; over rows and columns it is global average pooling.

    Shapes: `[C, H, W]` → `[C]` with `dim: [2, 3]`.
    """

    dtypes = FLOATS
    function = "mean"


@register
class Sum(_Reduction):
    """Adds up over dimensions; integers give int64.

    Shapes: `[C, H, W]` → `[C]` with `dim: [2, 3]`.
    """

    function = "sum"

    def _dtype(self, x: Tensor) -> str:
        return x.dtype if x.is_float else "int64"


@register
class Amax(_Reduction):
    """Takes the largest element over dimensions.

    Shapes: `[C, H, W]` → `[C]` with `dim: [2, 3]`.
    """

    function = "amax"

    def _check_reduced(self, x: Tensor, reduced: tuple[int, ...]) -> None:
        for axis in reduced:
            if not holds(x.shape[axis] >= 1):
                message = f"Amax over dimension {axis + x.batched} of {x}: it has no elements"
                raise Fault("E208", message, field="dim", input=0)
