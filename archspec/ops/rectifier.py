"""Rectifiers: activations that keep positive values and bend negative ones.

Formulas: https://docs.pytorch.org/docs/stable/nn.html#non-linear-activations-weighted-sum-nonlinearity
"""

from collections.abc import Mapping

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.activation import Inplace
from archspec.ops.arguments import Int, Number
from archspec.ops.base import Layer
from archspec.ops.registry import register
from archspec.sizes import Size, equal, holds
from archspec.tensors import Tensor


class _Slope(Inplace):
    """What those share whose gradient needs the sign of the input."""

    def _trains_in_place(self, slope: float, field: str) -> None:
        """Raise if the sign of the input, which the gradient needs, is lost with the input."""
        if self.inplace and slope < 0:
            message = (
                f"PyTorch cannot train {type(self).__name__} in place where {field} is negative"
            )
            raise Fault("E503", message, field="inplace", help="leave inplace out")


@register
class LeakyReLU(_Slope):
    """The value, made smaller where it is negative.

    Shapes: `[*]` → `[*]`.
    """

    negative_slope: Number = Field(default=0.01, description="factor for negative values")

    def check(self) -> None:
        self._trains_in_place(self.negative_slope, "negative_slope")


@register
class PReLU(Layer):
    """The value, made smaller by a learned factor where it is negative.

    Shapes: `[C, *]` → `[C, *]`. See https://arxiv.org/abs/1502.01852.
    """

    result_layout = "kept"
    dtypes = ("float32",)

    num_parameters: Int = Field(
        default=1, description="one factor for all channels, or one for each"
    )
    init: Number = Field(default=0.25, description="what the factors are at first")

    def check(self) -> None:
        if self.num_parameters < 0:
            message = f"num_parameters must not be negative, as {self.num_parameters} is"
            raise Fault("E208", message, field="num_parameters")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        channels: Size = x.shape[0] if x.shape else 1
        count = self.num_parameters
        if count != 1 and not holds(equal(channels, count)):
            message = f"num_parameters is {count}, but the input has {channels} channels"
            help = f"write num_parameters: {channels}, or leave it out: one factor for all"
            raise Fault("E205", message, field="num_parameters", input=0, help=help)
        return x

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        return {"weight": (self.num_parameters,)}


@register
class RReLU(_Slope):
    """The value, made smaller by a random factor where it is negative.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1505.00853.
    """

    dtypes = ("bfloat16", "float32", "float64")

    lower: Number = Field(default=1 / 8, description="smallest factor for negative values")
    upper: Number = Field(default=1 / 3, description="largest factor for negative values")

    def check(self) -> None:
        if self.lower > self.upper:
            message = f"lower {self.lower:g} must not be greater than upper {self.upper:g}"
            raise Fault("E208", message, field="lower")
        self._trains_in_place(self.lower + self.upper, "lower + upper")


@register
class ELU(_Slope):
    """The value, bent towards `-alpha` where it is negative.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1511.07289.
    """

    alpha: Number = Field(default=1.0, description="how far negative values may go down")

    def check(self) -> None:
        self._trains_in_place(self.alpha, "alpha")


@register
class CELU(_Slope):
    """ELU with a smooth bend: `max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1704.07483.
    """

    alpha: Number = Field(default=1.0, description="how far negative values may go down")

    def check(self) -> None:
        if self.alpha == 0:
            raise Fault("E208", "alpha must not be 0", field="alpha")
        self._trains_in_place(self.alpha, "alpha")


@register
class SELU(Inplace):
    """ELU with the factors that keep mean and variance.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1706.02515.
    """
