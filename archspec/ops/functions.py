"""What layer types without a module of their own share: the text of calls, lists of dimensions."""

import math

from archspec.diagnostics import Fault
from archspec.ops.base import Function
from archspec.ops.dims import dim_index
from archspec.sizes import Size, product
from archspec.tensors import Tensor

MOST_ELEMENTS = 2**62  # PyTorch counts elements with 63 bits


def method(name: str, *args: object, **kwargs: object) -> Function:
    """A call of a method of the first input: `{0}.name(args)`."""
    given = [written(arg) for arg in args]
    named = [f"{key}={written(value)}" for key, value in kwargs.items()]
    return Function(f"{{0}}.{name}({', '.join(given + named)})")


def written(value: object) -> str:
    """A value as Python text; what is no literal (`inf`) as the call that makes it."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return f'"{value}"' if isinstance(value, str) else repr(value)


def listed(dims: int | tuple[int, ...]) -> tuple[int, ...]:
    """One dimension or several, as several."""
    return (dims,) if isinstance(dims, int) else dims


def dim_indices(kind: str, dims: tuple[int, ...], x: Tensor, field: str) -> tuple[int, ...]:
    """The indices into `x.shape` of dimensions, none of which may be named twice."""
    indices = tuple(dim_index(kind, dim, x, field) for dim in dims)
    for number, index in enumerate(indices):
        if index in indices[:number]:
            message = f"{kind} names dimension {index + x.batched} twice in {field} {list(dims)}"
            raise Fault("E208", message, field=field)
    return indices


def new_index(kind: str, dim: int, x: Tensor) -> int:
    """Where in `x.shape` a new dimension goes that is to be dimension `dim` of the result."""
    count = x.ndim + 1
    if not -count <= dim < count:
        message = f"{kind} has no place {dim} for a new dimension: {x} gets {x.batched} to {x.ndim}"
        raise Fault("E210", message, field="dim", input=0)
    index = dim % count - x.batched
    if index < 0:
        message = f"{kind} at dimension {dim} would put a dimension before the batch"
        help = "1 puts it right after the batch"
        raise Fault("E502", message, field="dim", input=0, help=help)
    return index


def countable(sizes: tuple[Size, ...], field: str) -> None:
    """Raise a `Fault` for fixed sizes that PyTorch cannot count the elements of."""
    total = product(size for size in sizes if isinstance(size, int) and size)
    if isinstance(total, int) and total > MOST_ELEMENTS:
        raise Fault("E005", f"{field} {list(sizes)} has too many elements", field=field)
