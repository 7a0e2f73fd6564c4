"""Layers that take parts of a tensor."""

from dataclasses import replace
from typing import Annotated, Final

from pydantic import Field, StrictInt

from archspec.diagnostics import Fault
from archspec.ops.arguments import Int, Open, OpenInt, Words, sizes_of
from archspec.ops.base import Function, Layer
from archspec.ops.dims import dim_index
from archspec.ops.functions import method
from archspec.ops.registry import register
from archspec.sizes import (
    Size,
    Term,
    always,
    ceil_div,
    divisible,
    either,
    equal,
    holds,
    maximum,
    minimum,
    size_of,
)
from archspec.tensors import Tensor

MOST_RESULTS: Final = 10_000
MAX_SUM: Final = 2**63  # PyTorch adds the number of chunks to the size
LARGEST_INDEX: Final = 2**31  # PyTorch multiplies steps with strides

SizeOrSizes = Annotated[StrictInt | tuple[Open, ...], Words("a size or a list of sizes")]


class _Part(Layer):
    """What these layers share: any dtype, and tensors without a batch."""

    result_view = True
    dtypes = None
    free = True


class _Parts(_Part):
    """What Chunk and Split share: they cut along one dimension into numbered results."""

    dim: Int = Field(1, description="dimension to cut (0 is the batch); the channels by default")

    def shape(self, x: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        axis = dim_index(type(self).__name__, self.dim, x)
        sizes = self._sizes(x, x.shape[axis])
        return tuple(x.sized(*x.shape[:axis], size, *x.shape[axis + 1 :]) for size in sizes)

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        call = self._call()
        if len(self.shape(*inputs)) > 1:
            return call
        return replace(call, template=f"{call.template}[0]")  # the one part, not a tuple of one

    def _call(self) -> Function:
        """The call that gives a tuple of parts."""
        raise NotImplementedError

    def _sizes(self, x: Tensor, size: Size) -> tuple[Size, ...]:
        """The sizes of the parts."""
        raise NotImplementedError

    def _pieces(self, size: int, piece: int, field: str) -> tuple[int, ...]:
        """Pieces of one size, the last of them maybe smaller."""
        count = -(-size // piece)
        if count > MOST_RESULTS:
            message = f"{type(self).__name__} of {size} would give {count} results"
            raise Fault("E005", message, field=field)
        return (*[piece] * (count - 1), size - piece * (count - 1))


@register
class Chunk(_Parts):
    """Cuts a dimension into `chunks` equal parts (the last may be smaller, or parts be missing).

    Shapes: `[C, *]` → `chunks` times `[C / chunks, *]`; the results are numbered from 0.
    """

    chunks: Int = Field(description="number of parts")

    def check(self) -> None:
        if self.chunks < 1:
            raise Fault("E208", f"chunks must be positive, not {self.chunks}", field="chunks")

    def _call(self) -> Function:
        return method("chunk", self.chunks, dim=self.dim)

    def _sizes(self, x: Tensor, size: Size) -> tuple[Size, ...]:
        if isinstance(size, int) and size + self.chunks > MAX_SUM:
            raise Fault("E208", f"{self.chunks} chunks are beyond 64 bits", field="chunks")
        if isinstance(size, int) and size % self.chunks:
            return self._pieces(size, -(-size // self.chunks), "chunks")
        if self.chunks > MOST_RESULTS:
            raise Fault("E005", f"Chunk would give {self.chunks} results", field="chunks")
        if always(divisible(size, self.chunks)):
            return (size // self.chunks,) * self.chunks
        return self._all(size)

    def _all(self, size: Size) -> tuple[Size, ...]:
        """All parts of a symbolic size, where none of them is missing."""
        piece = ceil_div(size, self.chunks)
        last = size - piece * (self.chunks - 1)
        if not holds(either(last >= 1, equal(size, 0))):
            message = f"there are never {self.chunks} parts of {size}"
            raise Fault("E208", message, field="chunks", input=0)
        return (*[piece] * (self.chunks - 1), last)


@register
class Split(_Parts):
    """Cuts a dimension into parts of given sizes.

    Shapes: `[C, *]` → `[C0, *]`, `[C1, *]`, … with `split_size: [C0, C1, …]`; numbered from 0.
    One integer gives parts of that size, the last of them maybe smaller.
    """

    measured = ("split_size",)

    split_size: SizeOrSizes = Field(description="size of every part, or a list of all sizes")

    def check(self) -> None:
        if isinstance(self.split_size, int):
            if self.split_size < 0:
                message = f"split_size must not be negative, but is {self.split_size}"
                raise Fault("E208", message, field="split_size")
        elif any(isinstance(size, int) and size < 0 for size in self.split_size):
            message = f"split_size {list(self.split_size)} has a negative size"
            raise Fault("E208", message, field="split_size")
        elif not self.split_size:
            raise Fault("E105", "split_size is an empty list", field="split_size")

    def _call(self) -> Function:
        sizes = self.split_size
        values = {"sizes": sizes if isinstance(sizes, int) else list(sizes), "dim": self.dim}
        return Function("torch.split({0}, {sizes}, dim={dim})", values)

    def _sizes(self, x: Tensor, size: Size) -> tuple[Size, ...]:
        if not isinstance(self.split_size, int):
            return self._listed(x, size, sizes_of(self.split_size))
        if not isinstance(size, int):
            message = f"the number of parts of {size} depends on the input"
            help = "fix the size, or list the sizes of all parts"
            raise Fault("E114", message, field="split_size", input=0, help=help)
        if self.split_size >= size:
            return (size,)
        if self.split_size == 0:
            message = f"split_size 0 never cuts up dimension {self.dim} of {x}"
            raise Fault("E208", message, field="split_size")
        return self._pieces(size, self.split_size, "split_size")

    def _listed(self, x: Tensor, size: Size, parts: tuple[Size, ...]) -> tuple[Size, ...]:
        for part in parts:
            if not holds(part >= 0):
                raise Fault("E208", f"a part of {part} is negative", field="split_size")
        total = sum(parts, start=0)
        if not holds(equal(size, total)):
            message = f"split_size {list(parts)} makes {total}, but dimension {self.dim} of {x}"
            raise Fault("E209", f"{message} has {size}", field="split_size", input=0)
        return parts


@register
class Slice(_Part):
    """Takes a range of one dimension: Python's `[start:end:step]`, negative numbers included.

    Shapes: `[C, *]` → `[ceil((end - start) / step), *]` with `dim: 1`.
    """

    measured = ("start", "end")

    dim: Int = Field(description="dimension to take from (0 is the batch)")
    start: OpenInt | None = Field(None, description="first index; from the beginning by default")
    end: OpenInt | None = Field(None, description="index to stop before; to the end by default")
    step: Int = Field(1, description="distance between the indices")

    def check(self) -> None:
        if self.step < 1:
            raise Fault("E208", f"step must be positive, not {self.step}", field="step")
        for name, value in (("start", self.start), ("end", self.end), ("step", self.step)):
            if isinstance(value, int) and abs(value) > LARGEST_INDEX:
                raise Fault("E105", f"{name} {value} is beyond {LARGEST_INDEX}", field=name)

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        axis = dim_index("Slice", self.dim, x)
        size = x.shape[axis]
        taken = ceil_div(self._length(size), self.step)
        return x.sized(*x.shape[:axis], taken, *x.shape[axis + 1 :])

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        values = {"start": self.start, "end": self.end}
        start, end = ("" if v is None else f"{{{name}}}" for name, v in values.items())
        step = "" if self.step == 1 else f":{self.step}"
        taken = _indexed(self.dim, inputs[0], f"{start}:{end}{step}")
        return replace(taken, values={n: v for n, v in values.items() if v is not None})

    def _length(self, size: Size) -> Size:
        """From start to end, before steps are taken."""
        if isinstance(self.start, int) and self.start < 0 and self.end is None:
            return minimum(size, -self.start)
        start = self._bound("start", 0, size)
        end = self._bound("end", size, size)
        return maximum(end - start, 0)

    def _bound(self, name: str, default: Size, size: Size) -> Size:
        """The place in a dimension that one end means."""
        given: Term | None = getattr(self, name)
        if given is None:
            return default
        value = size_of(given)
        if always(value < 0):
            return maximum(size + value, 0)
        if not holds(value >= 0):
            message = f"{name} {value} counts from the other end for some inputs only"
            raise Fault("E114", message, field=name, input=0)
        return minimum(value, size)


@register
class Select(_Part):
    """Takes one index of a dimension, which goes away: the class token of a sequence.

    Shapes: `[T, C]` → `[C]` with `dim: 1`.
    """

    dim: Int = Field(description="dimension to take from (0 is the batch)")
    index: Int = Field(description="which index; negative ones count from the end")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        axis = dim_index("Select", self.dim, x)
        size = x.shape[axis]
        if not holds(size > self.index if self.index >= 0 else size >= -self.index):
            message = f"index {self.index} is outside dimension {self.dim} of {x}, which has {size}"
            raise Fault("E208", message, field="index", input=0)
        return x.sized(*x.shape[:axis], *x.shape[axis + 1 :])

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return _indexed(self.dim, inputs[0], str(self.index))


@register
class IndexSelect(_Part):
    """Takes the entries of a table (first input) that a vector of indices (second input) names.

    Shapes: `[N, D]`, `[K]` → `[K, D]` for a free table; with a batch, `dim` says where.
    Whether every index is below N is not checked.
    """

    result_view = False
    result_layout = "kept"
    arity = (2, 2)

    dim: Int = Field(0, description="dimension of the table that the indices count")

    def shape(self, table: Tensor, index: Tensor) -> Tensor:  # type: ignore[override]
        if index.dtype not in ("int32", "int64"):
            raise Fault("E207", f"indices are int32 or int64, not {index.dtype}", input=1)
        if index.ndim > 1:
            raise Fault("E203", f"indices are one vector, not {index}", input=1)
        axis = dim_index("IndexSelect", self.dim, table)
        if index.batched and (table.batched or axis):
            message = "a batch of indices takes whole rows (dim 0) of a free table only"
            raise Fault("E502", message, input=1)
        if index.shape != (0,) and not holds(table.shape[axis] >= 1):
            message = f"dimension {self.dim} of {table} is empty: no index fits"
            raise Fault("E208", message, field="dim", input=0)
        if index.batched:
            return Tensor(table.shape[1:], table.dtype)
        count = index.shape[0] if index.shape else 1
        return table.sized(*table.shape[:axis], count, *table.shape[axis + 1 :])

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return Function("{0}.index_select({dim}, {1})", {"dim": self.dim})


def _indexed(dim: int, x: Tensor, index: str) -> Function:
    """`x[:, index]` with as many colons as there are dimensions before."""
    return Function(f"{{0}}[{':, ' * (dim % x.ndim)}{index}]")
