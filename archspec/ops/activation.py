"""Activations that look at each value by itself.

Formulas: https://docs.pytorch.org/docs/stable/nn.html#non-linear-activations-weighted-sum-nonlinearity
"""

from dataclasses import replace
from typing import Annotated, Final, Literal

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Number, Words
from archspec.ops.base import Layer
from archspec.ops.registry import register
from archspec.tensors import DTYPES, FLOATS, INTEGERS, Tensor

NUMBERS: Final = (*INTEGERS, *FLOATS)


Approximation = Annotated[Literal["none", "tanh"], Words("one of none, tanh")]


class Elementwise(Layer):
    """What all of them share: the shape stays."""

    result_layout = "kept"
    free = True

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x


class _ToFloat(Elementwise):
    """Those that turn integers into float32."""

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x if x.is_float else replace(x, dtype="float32")


class Inplace(Elementwise):
    """Those that may overwrite their input."""

    inplace: Bool = Field(default=False, description="overwrite the input")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if self.inplace and not x.batched:
            message = f"{type(self).__name__} in place would overwrite the free tensor itself"
            raise Fault("E503", message, field="inplace", input=0, help="leave inplace out")
        return x


def fits(field: str, value: float, dtype: str) -> None:
    """Raise unless PyTorch can turn the argument `field` into a number of this dtype."""
    low, high = _range(dtype)
    if not low <= value <= high:
        message = f"{field} {value:g} is out of the range of {dtype} ({low} to {high})"
        raise Fault("E208", message, field=field, input=0)


def _range(dtype: str) -> tuple[float, float]:
    if dtype in FLOATS:
        high = 65504.0 if dtype == "float16" else float("inf")
        return -high, high
    bits = int(dtype.removeprefix("u").removeprefix("int"))
    return (0, 2**bits - 1) if dtype == "uint8" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@register
class ReLU(Inplace):
    """The larger of the value and zero.

    Shapes: `[*]` → `[*]`.
    """

    dtypes = NUMBERS


@register
class ReLU6(Inplace):
    """The value, kept between 0 and 6.

    Shapes: `[*]` → `[*]`.
    """

    dtypes = NUMBERS


@register
class Threshold(Inplace):
    """The value where it is above a threshold, else a constant.

    Shapes: `[*]` → `[*]`.
    """

    dtypes = NUMBERS
    positional = ("threshold", "value")

    threshold: Number = Field(description="what a value must be above to stay")
    value: Number = Field(description="what stands in for the others")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if not x.is_float:
            fits("threshold", self.threshold, x.dtype)
        fits("value", self.value, x.dtype)
        return super().shape(x)


@register
class Hardtanh(Inplace):
    """The value, kept between two bounds.

    Shapes: `[*]` → `[*]`.
    """

    dtypes = NUMBERS

    min_val: Number = Field(default=-1.0, description="lower bound")
    max_val: Number = Field(default=1.0, description="upper bound")

    def check(self) -> None:
        if not self.min_val < self.max_val:
            message = f"max_val {self.max_val:g} must be greater than min_val {self.min_val:g}"
            raise Fault("E208", message, field="max_val")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        for field, value in (("min_val", self.min_val), ("max_val", self.max_val)):
            fits(field, value if x.is_float else int(value), x.dtype)
        return super().shape(x)


@register
class Sigmoid(_ToFloat):
    """Squeezes values between 0 and 1: `1 / (1 + exp(-x))`.

    Shapes: `[*]` → `[*]`.
    """

    dtypes = DTYPES


@register
class Tanh(_ToFloat):
    """Squeezes values between -1 and 1.

    Shapes: `[*]` → `[*]`.
    """

    dtypes = DTYPES


@register
class Softsign(_ToFloat):
    """Squeezes values between -1 and 1: `x / (1 + abs(x))`.

    Shapes: `[*]` → `[*]`.
    """

    dtypes = NUMBERS


@register
class Tanhshrink(_ToFloat):
    """The value less its hyperbolic tangent.

    Shapes: `[*]` → `[*]`.
    """

    dtypes = NUMBERS


@register
class LogSigmoid(Elementwise):
    """The logarithm of the sigmoid.

    Shapes: `[*]` → `[*]`.
    """


@register
class Hardsigmoid(Inplace):
    """The sigmoid, made of straight lines: `min(max(x / 6 + 1 / 2, 0), 1)`.

    Shapes: `[*]` → `[*]`.
    """


@register
class Hardswish(Inplace):
    """The value times its hard sigmoid.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1905.02244.
    """


@register
class SiLU(Inplace):
    """The value times its sigmoid, also known as swish.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1702.03118.
    """


@register
class Mish(Inplace):
    """The value times the hyperbolic tangent of its softplus.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1908.08681.
    """


@register
class GELU(Elementwise):
    """The value times the share of a normal distribution below it.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1606.08415.
    """

    approximate: Approximation = Field(
        default="none", description="none, or tanh for the fast formula"
    )


@register
class Softplus(Elementwise):
    """A smooth ReLU: `log(1 + exp(beta * x)) / beta`.

    Shapes: `[*]` → `[*]`.
    """

    beta: Number = Field(default=1.0, description="how sharp the bend is")
    threshold: Number = Field(default=20.0, description="from here on it is a straight line")


class _Shrink(Elementwise):
    """What the two share: the width of the gap around zero."""

    lambd: Number = Field(default=0.5, description="values nearer to zero become zero")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        fits("lambd", self.lambd, x.dtype)
        return x


@register
class Hardshrink(_Shrink):
    """The value, or zero where it is near zero.

    Shapes: `[*]` → `[*]`.
    """


@register
class Softshrink(_Shrink):
    """The value moved towards zero, by `lambd` at most.

    Shapes: `[*]` → `[*]`.
    """

    def check(self) -> None:
        if self.lambd < 0:
            message = f"lambd must not be negative, as {self.lambd:g} is"
            raise Fault("E208", message, field="lambd")
