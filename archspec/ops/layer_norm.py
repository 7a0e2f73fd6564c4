"""Normalisation within each sample: over its last dimensions, or along one of them.

Formulas: https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import Field, Strict

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Int, IntOrInts, Number, Words
from archspec.ops.base import Construct, Function, Layer
from archspec.ops.dims import dim_index, has_no_elements
from archspec.ops.registry import register
from archspec.sizes import Size, always, equal, holds
from archspec.tensors import Tensor, show_shape

Power = Annotated[float, Strict(), Field(ge=float("-inf")), Words("a number or .inf")]


class _LastDims(Layer):
    """What LayerNorm and RMSNorm share: what they normalise over."""

    result_layout = "own"
    starts_stage = True
    free = True
    positional = ("normalized_shape",)
    hidden = ("dim",)

    normalized_shape: IntOrInts | None = Field(
        default=None,
        description="sizes of the last dimensions, to normalise over (default: the last one)",
    )
    elementwise_affine: Bool = Field(default=True, description="learn a factor for each place")
    dim: Int | None = Field(
        default=None, description="normalise along this one dimension instead: 1 for the channels"
    )

    def check(self) -> None:
        sizes = self._given()
        if self.dim is not None and len(sizes) > 1:
            message = f"dim is one dimension, but normalized_shape has {len(sizes)}"
            raise Fault("E105", message, field="dim", help="leave one of them out")
        if self.normalized_shape == () or any(size < 0 for size in sizes):
            message = f"normalized_shape takes 1 or more sizes from 0 up, not {list(sizes)}"
            raise Fault("E208", message, field="normalized_shape")

    def infer(self, x: Tensor) -> Mapping[str, Size]:  # type: ignore[override]
        sizes = self._chosen(x)
        if self.normalized_shape is None:
            return {"normalized_shape": sizes[0]}
        return {}

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        given, found = self._given(), self._chosen(x)
        if not all(holds(equal(a, b)) for a, b in zip(found, given, strict=True)):
            message = (
                f"normalized_shape is {show_shape(given)}, but the input has {show_shape(found)}"
            )
            help = f"write normalized_shape: {_as_written(found)}"
            if len(given) == 1 and len(x.shape) > 1 and always(equal(x.shape[0], given[0])):
                help = "dim: 1 normalises over the channels, which have this size"
            raise Fault("E205", message, field="normalized_shape", input=0, help=help)
        return x

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        return {"weight": self._given()} if self.elementwise_affine else {}

    def emit(self, inputs: tuple[Tensor, ...]) -> Construct:
        built = super().emit(inputs)
        assert isinstance(built, Construct)
        if self.dim is None or self.dim in (-1, inputs[0].ndim - 1):
            return built
        call = f"{{self}}({{inputs}}.movedim({self.dim}, -1)).movedim(-1, {self.dim})"
        return replace(built, call=call)

    def _given(self) -> tuple[int, ...]:
        given = self.normalized_shape
        return (given,) if isinstance(given, int) else given or ()

    def _chosen(self, x: Tensor) -> tuple[Size, ...]:
        """The sizes that it normalises over."""
        kind = type(self).__name__
        if self.dim is not None:
            return (x.shape[dim_index(kind, self.dim, x)],)
        if not x.shape and x.batched and len(self._given()) <= 1:
            raise Fault("E501", f"{kind} works on the last dimension: here the batch", input=0)
        count = len(self._given()) or 1
        if count > len(x.shape):
            message = f"{kind} takes {count} or more dimensions beside the batch ({x})"
            raise Fault("E203", message, field="normalized_shape", input=0)
        return x.shape[-count:]


def _as_written(sizes: tuple[Size, ...]) -> str:
    return str(sizes[0]) if len(sizes) == 1 else f"[{', '.join(map(str, sizes))}]"


@register
class LayerNorm(_LastDims):
    """Normalises each sample over its last dimensions (or, with `dim`, over that one).

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1607.06450.
    """

    eps: Number = Field(default=1e-5, description="added to the variance")
    bias: Bool = Field(default=True, description="learn a bias too, if elementwise_affine")

    def infer(self, x: Tensor) -> Mapping[str, Size]:  # type: ignore[override]
        if x.dtype == "float64" and self.elementwise_affine:
            message = "LayerNorm holds float32 numbers, which do not go with float64"
            raise Fault("E207", message, input=0)
        return super().infer(x)

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        names = ("weight", "bias") if self.bias else ("weight",)
        return dict.fromkeys(names, self._given()) if self.elementwise_affine else {}


@register
class RMSNorm(_LastDims):
    """Divides each sample by its root mean square over the last dimensions (or over `dim`).

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1910.07467.
    """

    eps: Number | None = Field(
        default=None, description="added to the mean square (null: a tiny number)"
    )


@register
class LocalResponseNorm(Layer):
    """Divides each value by those of the channels next to it.

    Shapes: `[C, *]` → `[C, *]`, with 1 or more dimensions after the channels.
    See https://papers.nips.cc/paper/4824 (section 3.3).
    """

    result_layout = "kept"
    dtypes = None
    positional = ("size",)

    size: Int = Field(description="channels that count together")
    alpha: Number = Field(default=1e-4, description="factor of their mean square")
    beta: Number = Field(default=0.75, description="exponent")
    k: Number = Field(default=1.0, description="added before the exponent")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if len(x.shape) < 2:
            message = f"LocalResponseNorm takes 2 or more dimensions beside the batch ({x})"
            raise Fault("E203", message, input=0)
        if has_no_elements(x):
            return x
        self._check_numbers(x)
        return x if x.is_float else replace(x, dtype="float32")

    def emit(self, inputs: tuple[Tensor, ...]) -> Construct:
        made = super().emit(inputs)
        assert isinstance(made, Construct)
        if len(inputs[0].shape) < 4:
            return made
        # PyTorch makes one dimension of the last ones by `view`, which permuted memory refuses.
        return replace(made, call="{self}({inputs}.contiguous())")

    def _check_numbers(self, x: Tensor) -> None:
        if self.size < 1:
            raise Fault("E208", f"size must be positive, not {self.size}", field="size")
        allowed: tuple[str, ...] = ("int64", "float32", "float64")
        if len(x.shape) == 2:
            allowed += ("float16", "bfloat16")
        if x.dtype not in allowed:
            message = f"LocalResponseNorm of this {x} takes {', '.join(allowed)}, not {x.dtype}"
            raise Fault("E207", message, input=0)
        if x.dtype == "float16" and abs(self.beta) > 65504:
            raise Fault("E208", f"beta {self.beta:g} is out of the range of float16", field="beta")


@register
class Normalize(Layer):
    """Divides by the p-norm along one dimension.

    Shapes: `[*]` → `[*]`. It is `torch.nn.functional.normalize`.
    """

    result_layout = "kept"
    free = True

    p: Power = Field(default=2.0, description="the exponent of the norm")
    dim: Int = Field(default=1, description="dimension whose norm becomes 1 (0 is the batch)")
    eps: Number = Field(default=1e-12, description="the norm counts as no less than this")

    def check(self) -> None:
        if 1e4 < abs(self.p) < float("inf"):
            message = f"p {self.p:g} is too large: 1e4 is the limit, or .inf for the maximum"
            raise Fault("E005", message, field="p")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        index = dim_index("Normalize", self.dim, x)
        if (self.p < 0 or self.p == float("inf")) and not holds(x.shape[index] >= 1):
            message = f"there is no norm with p {self.p:g} over 0 values ({x})"
            raise Fault("E211", message, field="p", input=0)
        return x

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        power = "{p}" if abs(self.p) < float("inf") else f'float("{self.p}")'
        template = f"F.normalize({{0}}, p={power}, dim={{dim}}, eps={{eps}})"
        return Function(template, {"p": self.p, "dim": self.dim, "eps": self.eps})
