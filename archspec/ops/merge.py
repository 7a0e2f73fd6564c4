"""Layers that join several tensors."""

from typing import ClassVar

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Int
from archspec.ops.base import Function, Layer, Layout
from archspec.ops.dims import dim_index
from archspec.ops.functions import new_index
from archspec.ops.registry import register
from archspec.sizes import Size, broadcast_size, equal, holds
from archspec.tensors import Tensor, promote


class _Merge(Layer):
    """What all merges share: any dtype, and tensors without a batch."""

    result_layout: ClassVar[Layout] = "kept"
    arity: ClassVar[tuple[int, int | None]] = (2, 2)
    dtypes = None
    free = True


class _Arithmetic(_Merge):
    """What Add and its like share: an operator between tensors that broadcast."""

    operator: ClassVar[str]

    def shape(self, *inputs: Tensor) -> Tensor:
        result = inputs[0]
        for number, x in enumerate(inputs[1:], 1):
            result = broadcast(result, x, number)
        return result

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return Function(f" {self.operator} ".join(f"{{{n}}}" for n in range(len(inputs))))


def broadcast(left: Tensor, right: Tensor, number: int) -> Tensor:
    """The result of an elementwise operation. `number`: which input `right` is.

    https://docs.pytorch.org/docs/stable/notes/broadcasting.html
    """
    _keep_batch(left, right, number)
    left_shape, right_shape = _full(left), _full(right)
    rank = max(len(left_shape), len(right_shape))
    pairs = zip(_padded(left_shape, rank), _padded(right_shape, rank), strict=True)
    batched = left.batched or right.batched
    sizes = tuple(_common(a, b, left, right, number) for a, b in pairs)
    return Tensor(sizes[batched:], result_dtype(left, right), batched)


def result_dtype(left: Tensor, right: Tensor) -> str:
    """The dtype of an elementwise operation.

    A scalar's dtype counts only where it is of a higher kind (bool, integer, float) than the
    other's: https://docs.pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
    """
    if bool(left.ndim) == bool(right.ndim):
        return promote(left.dtype, right.dtype)
    x, scalar = (left, right) if left.ndim else (right, left)
    return promote(x.dtype, scalar.dtype) if _kind(scalar) > _kind(x) else x.dtype


def _kind(x: Tensor) -> int:
    return 2 if x.is_float else int(x.dtype != "bool")


def _keep_batch(left: Tensor, right: Tensor, number: int) -> None:
    """Raise a `Fault` where broadcasting would align a batch with anything else."""
    if left.batched and right.batched:
        if len(left.shape) != len(right.shape):
            message = f"{left} and {right} differ in rank: the batch would meet another dimension"
            help = "keep the dimensions (keepdim: true, AdaptiveAvgPool2d), or add some (Unsqueeze)"
            raise Fault("E502", message, input=number, help=help)
        return
    if not left.batched and not right.batched:
        return
    x, free, which = (left, right, number) if left.batched else (right, left, number - 1)
    if free.ndim > x.ndim or (free.ndim == x.ndim and not holds(equal(free.shape[0], 1))):
        meets = free.shape[free.ndim - x.ndim]
        raise Fault(
            "E502",
            f"{meets} of the free tensor {free} would meet the batch of {x}",
            input=which,
            help=f"give it {len(x.shape)} dimensions, or a 1 where the batch is",
        )


def _full(x: Tensor) -> tuple[Size, ...]:
    """The shape with a 1 in the place of the batch: what a free tensor may have there."""
    return (1, *x.shape) if x.batched else x.shape


def _padded(shape: tuple[Size, ...], rank: int) -> tuple[Size, ...]:
    return (1,) * (rank - len(shape)) + shape


def _common(a: Size, b: Size, left: Tensor, right: Tensor, number: int) -> Size:
    if a == b:
        return a
    fits, size = broadcast_size(a, b)
    if not holds(fits):
        raise Fault("E201", f"{left} and {right} do not go together: {a} meets {b}", input=number)
    return size


@register
class Add(_Arithmetic):
    """Adds tensors of equal shapes, or of shapes that broadcast: the residual connection.

    Shapes: `[*]`, `[*]`, … → `[*]`.
    """

    arity = (2, None)
    operator = "+"


@register
class Mul(_Arithmetic):
    """Multiplies tensors element by element: a gate, a scale.

    Shapes: `[*]`, `[*]`, … → `[*]`.
    """

    arity = (2, None)
    operator = "*"


@register
class Sub(_Arithmetic):
    """Subtracts the second tensor from the first, element by element.

    Shapes: `[*]`, `[*]` → `[*]`.
    """

    operator = "-"

    def shape(self, *inputs: Tensor) -> Tensor:
        for number, x in enumerate(inputs):
            if x.dtype == "bool":
                raise Fault("E207", "Sub takes numbers, not bool", input=number)
        return super().shape(*inputs)


@register
class Div(_Arithmetic):
    """Divides the first tensor by the second, element by element; integers give float32.

    Shapes: `[*]`, `[*]` → `[*]`.
    """

    operator = "/"

    def shape(self, *inputs: Tensor) -> Tensor:
        result = super().shape(*inputs)
        return result if result.is_float else Tensor(result.shape, "float32", result.batched)


class _Join(_Merge):
    """What Concat and Stack share: tensors of one rank, where a free one is repeated."""

    result_layout = "joined"
    arity = (1, None)
    function: ClassVar[str]

    dim: Int = Field(1, description="dimension to join, counted as in PyTorch (0 is the batch)")

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        batched = next((n for n, x in enumerate(inputs) if x.batched), None)
        items = "{inputs}"
        if batched is not None and not all(x.batched for x in inputs):
            items = ", ".join(_repeated(x, n, batched) for n, x in enumerate(inputs))
        return Function(f"{self.function}([{items}], dim={{dim}})", {"dim": self.dim})

    def _aligned(self, inputs: tuple[Tensor, ...]) -> list[Tensor]:
        """The inputs, all with a batch if one has it."""
        model = next((x for x in inputs if x.batched), inputs[0])
        return [self._like(model, x, number) for number, x in enumerate(inputs)]

    def _like(self, model: Tensor, x: Tensor, number: int) -> Tensor:
        kind = type(self).__name__
        if x.ndim != model.ndim:
            message = f"{kind} takes tensors of one rank: {x} has {x.ndim} dimensions"
            vector = 2 in (x.ndim, model.ndim) and x.batched and model.batched
            help = "Flatten makes a vector of each sample" if vector else None
            raise Fault("E203", f"{message}, {model} has {model.ndim}", input=number, help=help)
        if x.batched or not model.batched:
            return x
        if not holds(equal(x.shape[0], 1)):
            message = f"{kind} repeats a free tensor over the batch where it has a 1: not {x}"
            raise Fault("E502", message, input=number)
        return Tensor(x.shape[1:], x.dtype)

    def _dtype(self, inputs: tuple[Tensor, ...]) -> str:
        result = inputs[0].dtype
        for x in inputs[1:]:
            result = promote(result, x.dtype)
        return result


def _repeated(x: Tensor, number: int, batched: int) -> str:
    if x.batched:
        return f"{{{number}}}"
    return f"{{{number}}}.expand({{{batched}}}.shape[0]{', -1' * (x.ndim - 1)})"


@register
class Concat(_Join):
    """Joins tensors along one dimension (by default the channels); a free tensor is repeated.

    Shapes: `[C1, *]`, `[C2, *]`, … → `[C1 + C2 + …, *]`.
    """

    function = "torch.cat"

    def shape(self, *inputs: Tensor) -> Tensor:
        self._check_skipped(inputs)
        first, *others = self._aligned(inputs)
        axis = dim_index("Concat", self.dim, first)
        sizes = list(first.shape)
        for number, x in enumerate(others, 1):
            for at, (a, b) in enumerate(zip(first.shape, x.shape, strict=True)):
                if at == axis:
                    sizes[at] = sizes[at] + b
                elif not holds(equal(a, b)):
                    raise self._differ(first, x, at, number)
                elif isinstance(b, int):
                    sizes[at] = b
        return Tensor(tuple(sizes), self._dtype(inputs), first.batched)

    def _check_skipped(self, inputs: tuple[Tensor, ...]) -> None:
        """Refuse empty vectors among other tensors: PyTorch leaves them out without a word."""
        vectors = self.dim in (0, -1) and all(x.ndim == 1 for x in inputs)
        for number, x in enumerate(inputs):
            if x.shape == (0,) and not x.batched and not vectors:
                message = "Concat along another dimension than 0 would leave out an empty vector"
                raise Fault("E503", message, input=number)

    def _differ(self, first: Tensor, x: Tensor, at: int, number: int) -> Fault:
        where = f"in dimension {at + x.batched} ({first.shape[at]} and {x.shape[at]})"
        message = f"Concat along dimension {self.dim}: {first} and {x} differ {where}"
        return Fault("E202", message, input=number)


@register
class Stack(_Join):
    """Joins tensors of one shape along a new dimension; a free tensor is repeated.

    Shapes: N times `[*]` → `[N, *]` with `dim: 1`.
    """

    function = "torch.stack"

    def shape(self, *inputs: Tensor) -> Tensor:
        first, *others = self._aligned(inputs)
        axis = new_index("Stack", self.dim, first)
        sizes = list(first.shape)
        for number, x in enumerate(others, 1):
            for at, size in enumerate(x.shape):
                if not holds(equal(sizes[at], size)):
                    raise Fault("E201", f"Stack: {first} and {x} differ in shape", input=number)
                sizes[at] = size if isinstance(size, int) else sizes[at]
        sizes.insert(axis, len(inputs))
        return Tensor(tuple(sizes), self._dtype(inputs), first.batched)
