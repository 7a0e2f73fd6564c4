"""Layers that give the elements of a tensor another shape or order."""

from typing import ClassVar

from pydantic import ConfigDict, Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Int, IntOrInts, Ints, OpenInts, sizes_of
from archspec.ops.base import Emission, Function, Layer, Layout
from archspec.ops.dims import dim_index
from archspec.ops.fitting import check_open, check_sizes, fitted, sized_call
from archspec.ops.functions import countable, dim_indices, listed, method, new_index
from archspec.ops.registry import register
from archspec.sizes import (
    Size,
    always,
    either,
    equal,
    holds,
    product,
    simplified,
    unequal,
)
from archspec.tensors import Tensor, show_shape


class _View(Layer):
    """What these layers share: any dtype, and tensors without a batch."""

    result_view: ClassVar[bool | None] = True
    result_layout: ClassVar[Layout] = "kept"
    dtypes = None
    free = True


@register
class Flatten(_View):
    """Joins neighbouring dimensions into one; by default all but the batch.

    Shapes: `[C, H, W]` → `[C * H * W]`.
    """

    result_view = None
    start_dim: Int = Field(1, description="first dimension to join (0 is the batch)")
    end_dim: Int = Field(-1, description="last dimension to join")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if not x.ndim and self.start_dim in (0, -1) and self.end_dim in (0, -1):
            return x.sized(1)
        start = dim_index("Flatten", self.start_dim, x, "start_dim")
        end = dim_index("Flatten", self.end_dim, x, "end_dim")
        if start > end:
            message = f"start_dim {self.start_dim} comes after end_dim {self.end_dim} in {x}"
            raise Fault("E208", message, field="start_dim")
        joined = simplified(product(x.shape[start : end + 1]))
        return x.sized(*x.shape[:start], joined, *x.shape[end + 1 :])


@register
class Unflatten(_View):
    """Splits one dimension into several.

    Shapes: `[C, *]` → `[*unflattened_size, *]` with `dim: 1`.
    """

    positional = ("dim", "unflattened_size")
    measured = ("unflattened_size",)

    dim: Int = Field(description="dimension to split (0 is the batch)")
    unflattened_size: OpenInts = Field(description="sizes to split it into; one may be -1")

    def check(self) -> None:
        if not self.unflattened_size:
            raise Fault("E208", "unflattened_size is empty", field="unflattened_size")
        check_sizes(self.unflattened_size, "unflattened_size")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        axis = dim_index("Unflatten", self.dim, x)
        field = "unflattened_size"
        sizes = sizes_of(self.unflattened_size)
        parts = fitted(sizes, x.shape[axis], x.sized(x.shape[axis]), field)
        return x.sized(*x.shape[:axis], *parts, *x.shape[axis + 1 :])

    def emit(self, inputs: tuple[Tensor, ...]) -> Emission:
        if not self.measures():
            return super().emit(inputs)
        values = {"dim": self.dim, "sizes": self.unflattened_size}
        return Function("torch.unflatten({0}, {dim}, {sizes})", values)


@register
class Reshape(_View):
    """Gives the elements of every sample another shape.

    Shapes: `[*]` → `shape`, which has as many elements.
    """

    result_view = None
    model_config = ConfigDict(populate_by_name=True)
    measured = ("sizes",)

    sizes: OpenInts = Field(alias="shape", description="new shape without the batch; one may be -1")

    def check(self) -> None:
        check_sizes(self.sizes, "shape")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.sized(*fitted(sizes_of(self.sizes), product(x.shape), x, "shape"))

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return sized_call("reshape", "{0}.shape[0]", self.sizes, inputs[0])


@register
class Expand(_View):
    """Repeats a tensor along dimensions of size 1, without a copy.

    Shapes: `[*]` → `shape`; the last dimensions match, a free tensor may get more in front.
    """

    result_layout = "any"
    model_config = ConfigDict(populate_by_name=True)
    measured = ("sizes",)

    sizes: OpenInts = Field(
        alias="shape", description="new shape without the batch; -1 keeps a size"
    )

    def check(self) -> None:
        if any(isinstance(size, int) and size < -1 for size in self.sizes):
            raise Fault("E105", f"shape {list(self.sizes)} has a negative size", field="shape")
        countable(sizes_of(self.sizes), "shape")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        sizes = sizes_of(self.sizes)
        check_open(sizes, "shape")
        more = len(sizes) - len(x.shape)
        if more < 0 or (more and x.batched):
            message = f"shape {list(self.sizes)} has {len(self.sizes)} sizes, {x} {len(x.shape)}"
            help = "Unsqueeze adds a dimension of size 1" if more > 0 else None
            raise Fault("E502" if x.batched else "E203", message, field="shape", help=help)
        if -1 in sizes[:more]:
            message = f"-1 keeps a size, and {x} has none at this place of {list(self.sizes)}"
            raise Fault("E105", message, field="shape")
        pairs = zip(sizes[more:], x.shape, strict=True)
        return x.sized(*sizes[:more], *(self._size(to, size, x) for to, size in pairs))

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return sized_call("expand", "-1", self.sizes, inputs[0])

    def _size(self, to: Size, size: Size, x: Tensor) -> Size:
        if to == -1:
            return size
        if not holds(either(equal(size, 1), equal(size, to))):
            shown = show_shape(sizes_of(self.sizes))
            message = f"{x} does not expand to {shown}: {size} is neither 1 nor {to}"
            raise Fault("E201", message, field="shape", input=0)
        return to


@register
class Permute(_View):
    """Puts the dimensions into another order.

    Shapes: `[C, H, W]` → `[H, W, C]` with `dims: [0, 2, 3, 1]`.
    """

    result_layout = "any"
    dims: Ints = Field(description="all dimensions in their new order; the batch, 0, stays first")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if len(self.dims) != x.ndim:
            beside = ", the batch among them" if x.batched else ""
            message = f"dims {list(self.dims)} must list the {x.ndim} dimensions of {x}{beside}"
            raise Fault("E208", message, field="dims", help=self._with_batch(x))
        rest = self.dims[x.batched :]
        if x.batched and self.dims[0] not in (0, -x.ndim):
            message = f"dims {list(self.dims)} must begin with 0: the batch stays first"
            raise Fault("E502", message, field="dims")
        for dim in rest:
            if rest.count(dim) > 1:
                message = f"dims {list(self.dims)} names dimension {dim} twice"
                help = f"each of 0 to {x.ndim - 1} stands there once"
                raise Fault("E208", message, field="dims", help=help)
        return x.sized(*(x.shape[at] for at in dim_indices("Permute", rest, x, "dims")))

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return Function("torch.permute({0}, {dims})", {"dims": self.dims})

    def _with_batch(self, x: Tensor) -> str | None:
        """The same order with the batch in front, if it was only forgotten."""
        if sorted(self.dims) != list(range(len(x.shape))) or not x.batched:
            return None
        return f"write dims: {[0, *(dim + 1 for dim in self.dims)]}"


@register
class Transpose(_View):
    """Exchanges two dimensions.

    Shapes: `[T, C]` → `[C, T]` with `dim0: 1, dim1: 2`.
    """

    result_layout = "any"
    dim0: Int = Field(description="one dimension (0 is the batch)")
    dim1: Int = Field(description="the other dimension")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        one = dim_index("Transpose", self.dim0, x, "dim0")
        other = dim_index("Transpose", self.dim1, x, "dim1")
        sizes = list(x.shape)
        sizes[one], sizes[other] = sizes[other], sizes[one]
        return x.sized(*sizes)

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return method("transpose", self.dim0, self.dim1)


@register
class Squeeze(_View):
    """Removes dimensions of size 1; a dimension of another size stays, as in PyTorch.

    Shapes: `[C, 1, 1]` → `[C]` with `dim: [2, 3]`.
    """

    dim: IntOrInts = Field(description="dimension or dimensions to remove (0 is the batch)")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        named = dim_indices("Squeeze", listed(self.dim), x, "dim")
        gone = {axis for axis in named if self._goes(x, axis)}
        return x.sized(*(size for axis, size in enumerate(x.shape) if axis not in gone))

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return method("squeeze", self.dim)

    def _goes(self, x: Tensor, axis: int) -> bool:
        size = x.shape[axis]
        if always(equal(size, 1)) or always(unequal(size, 1)):
            return always(equal(size, 1))
        message = f"Squeeze keeps or removes dimension {axis + x.batched} of {x} as it is 1 or not"
        raise Fault("E114", message, field="dim", input=0, help="Flatten joins dimensions instead")


@register
class Unsqueeze(_View):
    """Adds a dimension of size 1.

    Shapes: `[C]` → `[C, 1]` with `dim: 2`.
    """

    dim: Int = Field(description="number of the new dimension (0 is the batch)")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        at = new_index("Unsqueeze", self.dim, x)
        return x.sized(*x.shape[:at], 1, *x.shape[at:])

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return method("unsqueeze", self.dim)
