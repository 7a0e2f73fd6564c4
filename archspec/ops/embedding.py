"""Tables of learned vectors that integers look up.

Arguments: https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Int, Number, Words
from archspec.ops.base import Layer
from archspec.ops.dims import has_no_elements
from archspec.ops.registry import register
from archspec.sizes import Size, holds
from archspec.tensors import Tensor

BagMode = Annotated[Literal["sum", "mean", "max"], Words("one of sum, mean, max")]


class _Table(Layer):
    """What the two share: a table, and which of its rows are special."""

    result_layout = "own"
    dtypes = ("int32", "int64")
    positional = ("num_embeddings", "embedding_dim")

    num_embeddings: Int = Field(description="rows of the table: the integers from 0 that may come")
    embedding_dim: Int = Field(description="length of each vector")
    padding_idx: Int | None = Field(
        default=None, description="row that is not trained, for padding"
    )
    max_norm: Number | None = Field(
        default=None, description="shorten vectors that are longer than this"
    )
    norm_type: Number = Field(default=2.0, description="the p of the norm that max_norm bounds")
    scale_grad_by_freq: Bool = Field(
        default=False, description="divide gradients by how often a row came"
    )
    sparse: Bool = Field(
        default=False, description="make the gradient of the table a sparse tensor"
    )

    def check(self) -> None:
        for name in ("num_embeddings", "embedding_dim"):
            value = getattr(self, name)
            if value < 0:
                raise Fault("E208", f"{name} must not be negative, as {value} is", field=name)
        rows, padding = self.num_embeddings, self.padding_idx
        if padding is not None and not -rows <= padding < rows:
            message = f"padding_idx {padding} is no row: there are {rows} (0 to {rows - 1})"
            raise Fault("E208", message, field="padding_idx")
        if self.sparse and self.scale_grad_by_freq:
            message = "PyTorch cannot train with sparse and scale_grad_by_freq both"
            raise Fault("E503", message, field="sparse", help="leave one of them out")

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        return {"weight": (self.num_embeddings, self.embedding_dim)}

    def _look_up(self, x: Tensor, *shape: Size) -> Tensor:
        if not has_no_elements(x):
            self._check_rows()
        return replace(x, shape=shape, dtype="float32")

    def _check_rows(self) -> None:
        if self.num_embeddings == 0:
            message = "num_embeddings is 0: there is no row to look up"
            raise Fault("E208", message, field="num_embeddings")
        if self.max_norm is not None and self.norm_type < 0 and self.embedding_dim == 0:
            message = f"there is no norm with norm_type {self.norm_type:g} over 0 values"
            raise Fault("E208", message, field="norm_type")


@register
class Embedding(_Table):
    """Replaces each integer by a learned vector.

    Shapes: `[*]` (integers) → `[*, embedding_dim]`.
    """

    free = True

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return self._look_up(x, *x.shape, self.embedding_dim)


@register
class EmbeddingBag(_Table):
    """Replaces a bag of integers by the mean, sum or maximum of their learned vectors.

    Shapes: `[T]` (integers) → `[embedding_dim]`.
    """

    ranks = (1,)

    mode: BagMode = Field(default="mean", description="how the vectors of a bag become one")

    def check(self) -> None:
        if self.mode == "max":
            for name in ("sparse", "scale_grad_by_freq"):
                if getattr(self, name):
                    message = f"mode max does not go with {name}"
                    raise Fault("E208", message, field=name, help=f"leave {name} out")
        super().check()

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if not holds(x.shape[0] >= 1):
            raise Fault("E211", "EmbeddingBag takes bags of 1 or more integers, not 0", input=0)
        return self._look_up(x, self.embedding_dim)
