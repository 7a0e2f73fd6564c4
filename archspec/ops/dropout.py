"""Layers that drop values, channels or whole samples at random while training."""

from dataclasses import replace
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Float, Words
from archspec.ops.base import Construct, Layer
from archspec.ops.dims import has_no_elements
from archspec.ops.registry import register
from archspec.tensors import Tensor


class _Dropping(Layer):
    """What all of them share: a probability."""

    result_view = True
    result_layout = "kept"
    dtypes = None  # see `_drops`

    def check(self) -> None:
        if not 0 <= self._probability() <= 1:
            p = self._probability()
            help = f"write {p / 100:g}" if 1 < p <= 100 else None
            raise Fault("E208", f"p is a probability, from 0 to 1: not {p:g}", field="p", help=help)

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if not x.is_float and self._drops(x):
            kind = type(self).__name__
            raise Fault("E207", f"{kind} takes floating-point numbers, not {x.dtype}", input=0)
        return x

    def _drops(self, x: Tensor) -> bool:
        """Whether some of `x` may stay while the rest goes: then PyTorch rescales what stays."""
        return 0 < self._probability() < 1 and not has_no_elements(x)

    def _probability(self) -> float:
        raise NotImplementedError


class _Dropout(_Dropping):
    """What the classes of `torch.nn` share: their arguments."""

    p: Float = Field(default=0.5, description="probability to drop a value, or a channel")
    inplace: Bool = Field(default=False, description="overwrite the input")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if self.inplace and not x.batched:
            message = f"{type(self).__name__} in place would overwrite the free tensor itself"
            raise Fault("E503", message, field="inplace", input=0, help="leave inplace out")
        return super().shape(x)

    def _probability(self) -> float:
        return self.p


@register
class Dropout(_Dropout):
    """Sets values to zero at random while training, and scales up what stays.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1207.0580.
    """

    free = True


@register
class AlphaDropout(_Dropout):
    """Dropout for SELU networks: keeps mean and variance of its input.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1706.02515.
    """

    free = True


@register
class FeatureAlphaDropout(_Dropout):
    """AlphaDropout that drops whole channels.

    Shapes: `[C, *]` → `[C, *]`. See https://arxiv.org/abs/1706.02515.
    """

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if not x.shape and self._drops(x):
            message = "FeatureAlphaDropout takes 1 or more dimensions beside the batch, not 0"
            raise Fault("E203", message, input=0)
        return super().shape(x)


class _DropoutNd(_Dropout):
    """What Dropout2d and Dropout3d share: PyTorch only warns about other ranks."""

    spatial: ClassVar[int]

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        rank, wanted = len(x.shape), self.spatial + 1
        if rank != wanted:
            kind = type(self).__name__
            message = f"{kind} takes {wanted} dimensions beside the batch, not {rank} ({x})"
            code = "E501" if rank == self.spatial else "E503"
            note = "PyTorch only warns: it will refuse such inputs, or read them without a batch"
            raise Fault(code, message, input=0, notes=[note], help=_by_rank(rank))
        return super().shape(x)


def _by_rank(rank: int) -> str:
    return f"Dropout{rank - 1}d drops whole channels here" if 2 <= rank <= 4 else "write Dropout"


@register
class Dropout1d(_Dropout):
    """Dropout that drops whole channels of a sequence.

    Shapes: `[C, L]` → `[C, L]`. See https://arxiv.org/abs/1411.4280.
    """

    ranks = (2,)
    unbatched = (1,)


@register
class Dropout2d(_DropoutNd):
    """Dropout that drops whole channels of an image.

    Shapes: `[C, H, W]` → `[C, H, W]`. See https://arxiv.org/abs/1411.4280.
    """

    spatial = 2


@register
class Dropout3d(_DropoutNd):
    """Dropout that drops whole channels of a volume.

    Shapes: `[C, D, H, W]` → `[C, D, H, W]`. See https://arxiv.org/abs/1411.4280.
    """

    spatial = 3


STOCHASTIC_DEPTH: Final = '''\
class StochasticDepth(torch.nn.Module):
    """Drops its input at random while training: https://arxiv.org/abs/1603.09382."""

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return x
        samples = x.shape[0] if self.mode == "row" else 1
        kept = x.new_ones([samples] + [1] * (x.dim() - 1))
        return x * torch.nn.functional.dropout(kept, self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode}"
'''


@register
class StochasticDepth(_Dropping):
    """Drops whole samples at random while training: a residual branch that is skipped.

    Shapes: `[*]` → `[*]`. See https://arxiv.org/abs/1603.09382.
    """

    positional = ("p",)

    p: Float = Field(description="probability to drop a sample")
    mode: Annotated[Literal["row", "batch"], Words("row or batch")] = Field(
        default="row", description="drop each sample by itself, or all"
    )

    def emit(self, inputs: tuple[Tensor, ...]) -> Construct:
        built = super().emit(inputs)
        assert isinstance(built, Construct)
        kind = type(self).__name__
        return replace(built, path=kind, definition=STOCHASTIC_DEPTH)

    def _drops(self, x: Tensor) -> bool:
        return 0 < self.p < 1

    def _probability(self) -> float:
        return self.p
