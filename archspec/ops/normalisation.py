"""Normalisation over batches, instances and groups of channels.

Formulas: https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Int, Number
from archspec.ops.base import Layer
from archspec.ops.dims import has_no_elements
from archspec.ops.registry import register
from archspec.sizes import Size, always, divisible, equal, holds, product, unequal
from archspec.tensors import Tensor


class _ByChannel(Layer):
    """What they share: a learned factor and bias for each channel."""

    result_layout = "kept"
    starts_stage = True
    counted: ClassVar[str] = "num_features"
    """The argument that holds the number of channels."""

    eps: Number = Field(default=1e-5, description="added to the variance")
    affine: Bool
    bias: Bool = Field(default=True, description="learn a bias too, if affine")

    def infer(self, x: Tensor) -> Mapping[str, Size]:  # type: ignore[override]
        kind = type(self).__name__
        if not x.shape:
            raise Fault("E203", f"{kind} takes 1 or more dimensions beside the batch", input=0)
        self._check_dtype(x)
        given = getattr(self, self.counted)
        if given is not None and (has_no_elements(x) or not self._holds_channels()):
            self._check_unused(given, x)
        return {self.counted: x.shape[0]}

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        names = ("weight", "bias") if self.bias else ("weight",)
        return dict.fromkeys(names, (self._channels(),)) if self.affine else {}

    def _channels(self) -> int:
        count = getattr(self, self.counted)
        assert isinstance(count, int)
        return count

    def _holds_channels(self) -> bool:
        """Whether it holds a tensor with a number for each channel."""
        return self.affine

    def _is_mixed(self) -> bool:
        """Whether it computes with what it holds and the input at once."""
        return self.affine

    def _check_dtype(self, x: Tensor) -> None:
        if x.dtype == "float64" and self._is_mixed():
            message = f"{type(self).__name__} holds float32 numbers: they do not go with float64"
            raise Fault("E207", message, input=0)

    def _check_unused(self, given: int, x: Tensor) -> None:
        if not holds(equal(x.shape[0], given)):
            message = f"{self.counted} is {given}, but the input has {x.shape[0]} channels"
            note = "PyTorch would use what the input has, and say so in a warning at most"
            help = f"write {self.counted}: {x.shape[0]}, or leave it out"
            raise Fault("E503", message, field=self.counted, input=0, notes=[note], help=help)


class _Tracking(_ByChannel):
    """What the batch and instance norms share: statistics of what they saw in training."""

    dtypes = None  # see `_check_dtype`
    positional = ("num_features",)

    num_features: Int | None = Field(default=None, description="channels of the input (inferred)")
    momentum: Number | None = Field(
        default=0.1, description="weight of new statistics; null: an average"
    )
    track_running_stats: Bool

    def buffers(self) -> Mapping[str, tuple[int, ...]]:
        if not self.track_running_stats:
            return {}
        channels = (self._channels(),)
        return {"running_mean": channels, "running_var": channels, "num_batches_tracked": ()}

    def _holds_channels(self) -> bool:
        return self.affine or self.track_running_stats

    def _check_dtype(self, x: Tensor) -> None:
        if has_no_elements(x) and (x.is_float or self._passes_integers()):
            return  # PyTorch computes nothing then
        if not x.is_float:
            message = f"{type(self).__name__} takes floating-point numbers, not {x.dtype}"
            raise Fault("E207", message, input=0)
        super()._check_dtype(x)

    def _passes_integers(self) -> bool:
        return True

    def _normalised(self, x: Tensor) -> Tensor:
        if self.affine and not holds(x.shape[0] >= 1):
            kind = type(self).__name__
            raise Fault("E211", f"{kind} takes 1 or more channels, not 0 ({x})", input=0)
        return x if x.is_float or not self.affine else replace(x, dtype="float32")


class _BatchNorm(_Tracking):
    """What the batch norms share."""

    affine: Bool = Field(default=True, description="learn a factor for each channel")
    track_running_stats: Bool = Field(default=True, description="keep statistics for eval")

    def check(self) -> None:
        if self.eps <= 0:
            raise Fault("E208", f"eps must be positive, not {self.eps:g}", field="eps")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        kind = type(self).__name__
        if not self.track_running_stats and not holds(unequal(product(x.shape[1:]), 1)):
            message = f"{kind} without running statistics takes more than 1 value per channel"
            note = f"PyTorch refuses a batch of 1, in eval too: the variance of this {x} is 0"
            help = "leave track_running_stats out"
            raise Fault("E503", message, field="track_running_stats", notes=[note], help=help)
        return self._normalised(x)

    def remarks(self, x: Tensor) -> tuple[Fault, ...]:  # type: ignore[override]
        if not always(equal(product(x.shape[1:]), 1)):
            return ()
        message = (
            f"{type(self).__name__} sees one value per channel: train with batches of 2 or more"
        )
        return (Fault("N401", message, input=0),)

    def _is_mixed(self) -> bool:
        return self._holds_channels()


@register
class BatchNorm1d(_BatchNorm):
    """Normalises each channel over the batch and the length.

    Shapes: `[C]` → `[C]`, or `[C, L]` → `[C, L]`. See https://arxiv.org/abs/1502.03167.
    """

    ranks = (1, 2)


@register
class BatchNorm2d(_BatchNorm):
    """Normalises each channel over the batch, rows and columns.

    Shapes: `[C, H, W]` → `[C, H, W]`. See https://arxiv.org/abs/1502.03167.
    """

    ranks = (3,)


@register
class BatchNorm3d(_BatchNorm):
    """Normalises each channel over the batch and the volume.

    Shapes: `[C, D, H, W]` → `[C, D, H, W]`. See https://arxiv.org/abs/1502.03167.
    """

    ranks = (4,)


class _InstanceNorm(_Tracking):
    """What the instance norms share."""

    affine: Bool = Field(default=False, description="learn a factor for each channel")
    track_running_stats: Bool = Field(default=False, description="keep statistics for eval")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if not holds(unequal(product(x.shape[1:]), 1)):
            kind = type(self).__name__
            message = f"{kind} takes more than 1 value per channel, to normalise over ({x})"
            raise Fault("E211", message, input=0)
        return self._normalised(x)

    def _passes_integers(self) -> bool:
        return self.affine or not self.track_running_stats


@register
class InstanceNorm1d(_InstanceNorm):
    """Normalises each channel of each sample over the length.

    Shapes: `[C, L]` → `[C, L]`. See https://arxiv.org/abs/1607.08022.
    """

    ranks = (2,)
    unbatched = (1,)


@register
class InstanceNorm2d(_InstanceNorm):
    """Normalises each channel of each sample over rows and columns.

    Shapes: `[C, H, W]` → `[C, H, W]`. See https://arxiv.org/abs/1607.08022.
    """

    ranks = (3,)
    unbatched = (2,)


@register
class InstanceNorm3d(_InstanceNorm):
    """Normalises each channel of each sample over the volume.

    Shapes: `[C, D, H, W]` → `[C, D, H, W]`. See https://arxiv.org/abs/1607.08022.
    """

    ranks = (4,)
    unbatched = (3,)


@register
class GroupNorm(_ByChannel):
    """Normalises groups of channels of each sample.

    Shapes: `[C, *]` → `[C, *]`. See https://arxiv.org/abs/1803.08494.
    """

    counted = "num_channels"
    positional = ("num_groups", "num_channels")

    num_groups: Int = Field(description="groups that are normalised each by itself")
    num_channels: Int | None = Field(default=None, description="channels of the input (inferred)")
    affine: Bool = Field(default=True, description="learn a factor for each channel")

    def check(self) -> None:
        if self.num_groups < 1:
            message = f"num_groups must be positive, not {self.num_groups}"
            raise Fault("E208", message, field="num_groups")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        groups, channels = self.num_groups, x.shape[0]
        if not holds(divisible(channels, groups)):
            message = f"num_groups {groups} does not divide the {channels} channels"
            help = _divisors(channels)
            raise Fault("E206", message, field="num_groups", input=0, help=help)
        if not holds(unequal(channels // groups * product(x.shape[1:]), 1)):
            message = f"num_groups {groups} leaves groups of one value in {x}"
            note = "PyTorch would make it 0, and refuses a batch of 1, in eval too"
            raise Fault("E503", message, field="num_groups", input=0, notes=[note])
        return x


def _divisors(number: Size) -> str | None:
    if not isinstance(number, int):
        return None
    divisors = [str(n) for n in range(1, number + 1) if number % n == 0]
    return f"{number} is divided by {', '.join(divisors)}"
