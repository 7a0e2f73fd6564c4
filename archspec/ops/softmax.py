"""Activations that know of dimensions: softmax and its kin, and the gate.

Formulas: https://docs.pytorch.org/docs/stable/nn.html#non-linear-activations-other
"""

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Int
from archspec.ops.base import Layer
from archspec.ops.dims import dim_index, has_no_elements
from archspec.ops.registry import register
from archspec.sizes import divisible, holds
from archspec.tensors import Tensor


class _Normalised(Layer):
    """What the softmax layers share: floating-point numbers, unless there are none at all."""

    result_layout = "kept"
    dtypes = None

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if not x.is_float and not has_no_elements(x):
            raise self._not_float(x)
        return x

    def _not_float(self, x: Tensor) -> Fault:
        message = f"{type(self).__name__} takes floating-point numbers, not {x.dtype}"
        return Fault("E207", message, input=0)


class _SoftmaxAlong(_Normalised):
    """What those with a dimension share."""

    free = True
    positional = ("dim",)

    dim: Int = Field(description="dimension whose values sum up to 1 (0 is the batch)")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        dim_index(type(self).__name__, self.dim, x)
        return super().shape(x)


@register
class Softmax(_SoftmaxAlong):
    """Makes positive numbers that sum up to 1 along one dimension.

    Shapes: `[*]` → `[*]`.
    """


@register
class LogSoftmax(_SoftmaxAlong):
    """The logarithm of the softmax along one dimension.

    Shapes: `[*]` → `[*]`.
    """


@register
class Softmin(_SoftmaxAlong):
    """The softmax of the negated values: small ones weigh most.

    Shapes: `[*]` → `[*]`.
    """

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if x.dtype == "bool":
            raise self._not_float(x)
        return super().shape(x)


@register
class Softmax2d(_Normalised):
    """The softmax over the channels, at every place of an image.

    Shapes: `[C, H, W]` → `[C, H, W]`.
    """

    ranks = (3,)
    unbatched = (2,)


@register
class GLU(Layer):
    """One half of a dimension, gated by the sigmoid of the other half.

    Shapes: `[*, 2 * C, *]` → `[*, C, *]`. See https://arxiv.org/abs/1612.08083.
    """

    result_layout = "kept"
    free = True

    dim: Int = Field(default=-1, description="dimension that is halved (0 is the batch)")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        index = dim_index("GLU", self.dim, x)
        size = x.shape[index]
        if not holds(divisible(size, 2)):
            message = f"GLU halves dimension {self.dim}, but {size} is odd ({x})"
            raise Fault("E206", message, field="dim", input=0)
        return x.sized(*x.shape[:index], size // 2, *x.shape[index + 1 :])
