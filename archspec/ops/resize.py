"""Layers that change the resolution by a rule, without weights: Upsample and its two old forms.

https://docs.pytorch.org/docs/stable/generated/torch.nn.Upsample.html
"""

import math
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, OpenIntOrInts, OpenTwo, Words, sizes_of
from archspec.ops.base import Emission, Function, Layer
from archspec.ops.registry import register
from archspec.ops.window import LARGEST
from archspec.sizes import (
    TABLE,
    Expr,
    Measured,
    Size,
    Term,
    always,
    equal,
    holds,
    scalable,
    scaled,
)
from archspec.sizes.atoms import grouped
from archspec.tensors import Tensor, show_shape

Scale = Annotated[float, Field(strict=True)]
Scales = Annotated[Scale | tuple[Scale, ...], Words("a number or a list of numbers")]
Scales2 = Annotated[Scale | tuple[Scale, Scale], Words("a number or a list of 2 numbers")]
Mode = Literal["nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact"]

MODES = get_args(Mode)
# Beyond the batch and the channels. The modes that are missing take 1 to 3.
SPATIAL = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
WITH_BYTES = ("nearest", "nearest-exact", "bilinear", "bicubic")
N = TypeVar("N", Term, float)


class _Resize(Layer):
    """What the three share: a size or a factor, for every spatial dimension."""

    result_layout = "kept"
    ranks = (2, 3, 4)
    dtypes = None

    measured = ("size",)

    size: Term | tuple[Term, ...] | None
    scale_factor: float | tuple[float, ...] | None

    def check(self) -> None:
        if (self.size is None) == (self._factor is None):
            kind = type(self).__name__
            message = f"{kind} takes size or scale_factor, not both"
            if self.size is None:
                message = f"{kind} needs a size, or a scale_factor above 0"
            raise Fault("E208", message, field="scale_factor")
        if self._factor is None:
            self._check_sizes()
        else:
            self._check_scales()

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        self._check_input(x)
        sizes = x.shape[1:]
        if self._factor is None:
            assert self.size is not None
            outer: tuple[Size, ...] = sizes_of(_spread("size", self.size, len(sizes)))
        else:
            scales = _spread("scale_factor", self._factor, len(sizes))
            if not all(holds(scalable(*pair)) for pair in zip(sizes, scales, strict=True)):
                message = f"what {x} becomes is known up to sizes of {TABLE} only"
                raise Fault("E114", message, field="scale_factor", input=0)
            outer = tuple(map(scaled, sizes, scales))
        self._check_elements(x, outer)
        self._check_dtype(x, outer)
        if not all(holds(size >= 0) for size in outer):
            raise Fault("E208", f"size is negative: {show_shape(outer)}", field="size", input=0)
        if self._mode != "area" and not all(holds(size >= 1) for size in outer):
            output = x.sized(x.shape[0], *outer)
            field = "size" if self._factor is None else "scale_factor"
            raise Fault("E208", f"nothing would be left of {x}: {output}", field=field, input=0)
        return x.sized(x.shape[0], *outer)

    def remarks(self, x: Tensor) -> tuple[Fault, ...]:  # type: ignore[override]
        if self._factor is None:
            return ()
        scales = _spread("scale_factor", self._factor, len(x.shape) - 1)
        pairs = zip(x.shape[1:], scales, strict=True)
        unsure = next((pair for pair in pairs if not always(scalable(*pair))), None)
        if unsure is None:
            return ()
        size, scale = unsure
        assert isinstance(size, Expr), "what becomes of a number is known"
        product = f"{grouped(size)} * {scale}"
        message = f"sizes above {TABLE} are not decided: {product} is rounded unevenly"
        help = f"a fraction such as {_near(scale)} is exact for all sizes"
        return (Fault("N405", message, field="scale_factor", help=help),)

    def emit(self, inputs: tuple[Tensor, ...]) -> Emission:
        if not self.measures():
            return super().emit(inputs)
        corners = getattr(self, "align_corners", None)
        if corners is None and self._corners:
            corners = True
        more = "" if corners is None else f", align_corners={corners}"
        size = list(self.size) if isinstance(self.size, tuple) else self.size
        values = {"size": size, "mode": self._mode}
        return Function(f"F.interpolate({{0}}, size={{size}}, mode={{mode}}{more})", values)

    @property
    def _mode(self) -> str:
        raise NotImplementedError

    @property
    def _corners(self) -> bool:
        """Whether the corners are kept without being asked for."""
        return False

    @property
    def _factor(self) -> float | tuple[float, ...] | None:
        """The scale factor; PyTorch takes a single 0 for none."""
        return None if self.scale_factor == 0 else self.scale_factor

    def _check_sizes(self) -> None:
        assert self.size is not None
        for size in self.size if isinstance(self.size, tuple) else (self.size,):
            if isinstance(size, Measured):
                continue
            if size < 0:
                raise Fault("E208", f"size must not be negative, not {size}", field="size")
            if size > LARGEST:
                message = f"size {size} is larger than any that archspec takes ({LARGEST})"
                raise Fault("E005", message, field="size")

    def _check_scales(self) -> None:
        assert self._factor is not None
        for scale in self._factor if isinstance(self._factor, tuple) else (self._factor,):
            if not 0 <= scale < math.inf:
                message = f"scale_factor must be a positive number, not {scale}"
                # Area may round a small negative one to no output, instead of refusing it.
                code = "E503" if self._mode == "area" and scale < 0 else "E208"
                raise Fault(code, message, field="scale_factor")
            if scale > LARGEST:
                message = f"scale_factor {scale} is larger than any that archspec takes ({LARGEST})"
                raise Fault("E005", message, field="scale_factor")

    def _check_input(self, x: Tensor) -> None:
        wanted, given = SPATIAL.get(self._mode), len(x.shape) - 1
        if wanted not in (None, given):
            message = f"mode {self._mode} takes {wanted} dimensions after the channels, not {given}"
            raise Fault("E203", f"{message} ({x})", input=0)

    def _check_elements(self, x: Tensor, outer: tuple[Size, ...]) -> None:
        area = self._mode == "area"
        needed = x.shape[1:] if area and len(outer) < 3 else x.shape
        if all(holds(size >= 1) for size in needed):
            return
        if area and _all_ones(outer):
            raise Fault("E503", f"the one value would be the mean of nothing: {x}", input=0)
        message = f"{type(self).__name__} needs an input with elements, not {x}"
        raise Fault("E211", message, input=0)

    def _check_dtype(self, x: Tensor, outer: tuple[Size, ...]) -> None:
        if x.is_float or (x.dtype == "uint8" and self._mode in WITH_BYTES):
            return
        # What computes nothing takes any dtype.
        empty = any(always(equal(size, 0)) for size in (x.shape[0], *outer))
        if self._mode == "area" and empty and len(outer) < 3 and not _all_ones(outer):
            return
        also = " or uint8" if self._mode in WITH_BYTES else ""
        message = f"mode {self._mode} takes floating-point numbers{also}, not {x.dtype}"
        raise Fault("E207", message, input=0)


def _near(scale: float) -> float:
    """A factor close by that is a fraction of a power of 2."""
    return round(scale * 64) / 64


def _all_ones(sizes: tuple[Size, ...]) -> bool:
    """Whether area takes one mean of everything, in another way than otherwise."""
    return all(always(equal(size, 1)) for size in sizes)


def _spread(name: str, value: N | tuple[N, ...], rank: int) -> tuple[N, ...]:
    if not isinstance(value, tuple):
        return (value,) * rank
    if len(value) != rank:
        message = f"{name} has {len(value)} numbers, but the input has {rank} spatial dimensions"
        raise Fault("E201", message, field=name, input=0)
    return value


@register
class Upsample(_Resize):
    """Makes a sequence, image or volume larger or smaller, by repeating or interpolating values.

    Shapes: `[C, *]` → `[C, *']`, `*' = size`, or `floor(* * scale_factor)`.
    """

    size: OpenIntOrInts | None = Field(None, description="size of the output")
    scale_factor: Scales | None = Field(None, description="size of the output over the input's")
    mode: Annotated[Mode, Words(f"one of {', '.join(MODES)}")] = Field(
        "nearest", description="how the values in between are made"
    )
    align_corners: Bool | None = Field(None, description="keep the values at the corners")
    recompute_scale_factor: Bool | None = Field(
        None, description="interpolate with the factor that the rounded size gives"
    )

    def check(self) -> None:
        super().check()
        if self.align_corners is not None and self.mode not in SPATIAL:
            message = f"align_corners goes with {', '.join(SPATIAL)}, not with {self.mode}"
            raise Fault("E208", message, field="align_corners")
        if self.recompute_scale_factor and self.size is not None:
            message = "recompute_scale_factor goes with scale_factor, not with size"
            raise Fault("E208", message, field="recompute_scale_factor")

    @property
    def _mode(self) -> str:
        return self.mode


@register
class UpsamplingNearest2d(_Resize):
    """Makes an image larger or smaller by repeating or leaving out pixels.

    Shapes: `[C, H, W]` → `[C, H', W']`, `H' = size`, or `floor(H * scale_factor)`.
    """

    size: OpenTwo | None = Field(None, description="size of the output")
    scale_factor: Scales2 | None = Field(None, description="size of the output over the input's")

    @property
    def _mode(self) -> str:
        return "nearest"


@register
class UpsamplingBilinear2d(_Resize):
    """Makes an image larger or smaller by interpolating, its corners kept.

    Shapes: `[C, H, W]` → `[C, H', W']`, `H' = size`, or `floor(H * scale_factor)`.
    """

    size: OpenTwo | None = Field(None, description="size of the output")
    scale_factor: Scales2 | None = Field(None, description="size of the output over the input's")

    @property
    def _mode(self) -> str:
        return "bilinear"

    @property
    def _corners(self) -> bool:
        return True
