"""Poolings to a given size, whatever the input has.

https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
"""

import re
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Open, OpenOne, Words
from archspec.ops.base import Emission, Function
from archspec.ops.registry import register
from archspec.ops.window import Line, Plane, Spatial, Volume
from archspec.sizes import Size, Term, always, equal, holds, size_of
from archspec.tensors import Tensor

TwoSizes = Annotated[
    Open | tuple[Open | None, Open | None],
    Words("an integer or a list of 2 integers (null: as the input)"),
]
ThreeSizes = Annotated[
    Open | tuple[Open | None, Open | None, Open | None],
    Words("an integer or a list of 3 integers (null: as the input)"),
]

_FUNCTION_NAME: Final = re.compile(r"(?<!^)[A-Z]")
_OUTPUT: Final[Any] = Field(description="size of the output")


class _AdaptivePool(Spatial):
    """What poolings to a given output size share."""

    positional: ClassVar[tuple[str, ...]] = ("output_size",)

    measured: ClassVar[tuple[str, ...]] = ("output_size",)

    output_size: Term | tuple[Term | None, ...]

    def check(self) -> None:
        self.in_range(0, "output_size", *(n for n in self._wanted() if isinstance(n, int)))

    def emit(self, inputs: tuple[Tensor, ...]) -> Emission:
        if not self.measures():
            return super().emit(inputs)
        name = _FUNCTION_NAME.sub(r"_\g<0>", type(self).__name__).lower().lstrip("_")
        values = {"output_size": self.output_size}
        return Function(f"F.{name}({{0}}, {{output_size}})", values)

    def _wanted(self) -> tuple[Term | None, ...]:
        size = self.output_size
        return size if isinstance(size, tuple) else (size,) * self.spatial

    def _given(self, x: Tensor) -> tuple[Size, ...]:
        """The output sizes, those that are left open taken from the input."""
        sizes = x.shape[len(x.shape) - self.spatial :]
        pairs = zip(self._wanted(), sizes, strict=True)
        given = tuple(size if wanted is None else size_of(wanted) for wanted, size in pairs)
        for size in given:
            if not holds(size >= 0):
                message = f"output_size {size} is negative"
                raise Fault("E208", message, field="output_size", input=0)
        return given


class _AdaptiveMaxPool(_AdaptivePool):
    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        self.filled(x, x.shape)
        return x.sized(x.shape[0], *self._given(x))


class _AdaptiveAvgPool(_AdaptivePool):
    dtypes: ClassVar[tuple[str, ...] | None] = None
    strict: ClassVar[bool] = False
    """Whether no channels, or integers, are refused also where there is nothing to compute."""

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        sizes = self._given(x)
        mean = _all_ones(sizes)
        if not mean:
            self.filled(x, x.shape if self.strict else x.shape[1:])
        idle = not (self.strict or mean) and any(always(equal(s, 0)) for s in (x.shape[0], *sizes))
        if not (x.is_float or idle):
            kind = type(self).__name__
            raise Fault("E207", f"{kind} takes floating-point numbers, not {x.dtype}", input=0)
        return x.sized(*x.shape[: -self.spatial], *sizes)


class _MeanPool(_AdaptiveAvgPool):
    """Beyond one dimension, pooling to 1 is a mean in PyTorch: of any rank, and of nothing too."""

    ranks: ClassVar[tuple[int, ...] | None] = None

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        missing = self.spatial + 1 - len(x.shape)
        if missing == 0 or (missing < 0 and _all_ones(self._given(x))):
            return super().shape(x)
        kind, wanted = type(self).__name__, self.spatial + 1
        message = f"{kind} takes {wanted} dimensions beside the batch, not {len(x.shape)} ({x})"
        if missing == 1 or (missing == 2 and self._wanted() == (1,) * self.spatial):
            note = f"PyTorch would take the batch of this {x} for another dimension"
            raise Fault("E501", message, input=0, notes=[note])
        raise Fault("E203", message, input=0)


def _all_ones(sizes: tuple[Size, ...]) -> bool:
    return all(always(equal(size, 1)) for size in sizes)


@register
class AdaptiveMaxPool1d(Line, _AdaptiveMaxPool):
    """Takes the largest number of as many windows over a sequence as the output has points.

    Shapes: `[C, L]` → `[C, *output_size]`.
    """

    output_size: OpenOne = _OUTPUT


@register
class AdaptiveMaxPool2d(Plane, _AdaptiveMaxPool):
    """Takes the largest number of as many windows over an image as the output has points.

    Shapes: `[C, H, W]` → `[C, *output_size]`.
    """

    output_size: TwoSizes = _OUTPUT


@register
class AdaptiveMaxPool3d(Volume, _AdaptiveMaxPool):
    """Takes the largest number of as many windows over a volume as the output has points.

    Shapes: `[C, D, H, W]` → `[C, *output_size]`.
    """

    output_size: ThreeSizes = _OUTPUT


@register
class AdaptiveAvgPool1d(Line, _AdaptiveAvgPool):
    """Takes the average of as many windows over a sequence as the output has points.

    Shapes: `[C, L]` → `[C, *output_size]`.
    """

    output_size: OpenOne = _OUTPUT


@register
class AdaptiveAvgPool2d(Plane, _MeanPool):
    """Takes the average of as many windows over an image as the output has points.

    Shapes: `[C, H, W]` → `[C, *output_size]`.
    """

    ranks: ClassVar[tuple[int, ...] | None] = None

    output_size: TwoSizes = _OUTPUT


@register
class AdaptiveAvgPool3d(Volume, _MeanPool):
    """Takes the average of as many windows over a volume as the output has points.

    Shapes: `[C, D, H, W]` → `[C, *output_size]`.
    """

    strict = True

    ranks: ClassVar[tuple[int, ...] | None] = None

    output_size: ThreeSizes = _OUTPUT
