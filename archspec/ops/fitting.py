"""Lists of sizes that give the elements of a tensor another shape: what they must multiply to."""

from archspec.diagnostics import Fault
from archspec.ops.arguments import sizes_of
from archspec.ops.base import Function
from archspec.ops.functions import countable, method
from archspec.sizes import (
    Size,
    Term,
    divisible,
    equal,
    holds,
    product,
    share,
)
from archspec.tensors import Tensor


def sized_call(name: str, batch: str, sizes: tuple[Term, ...], x: Tensor) -> Function:
    """A call with a list of sizes; `batch` is what stands in the place of the batch."""
    if not x.batched and not sizes:
        return method(name, ())
    values = {f"size{at}": size for at, size in enumerate(sizes, x.batched) if size != -1}
    texts = (f"{{size{at}}}" if s != -1 else "-1" for at, s in enumerate(sizes, x.batched))
    return Function(f"{{0}}.{name}({', '.join([batch] * x.batched + [*texts])})", values)


def check_open(sizes: tuple[Size, ...], field: str) -> None:
    """Raise a `Fault` for a size read from a tensor that is always negative."""
    for size in sizes:
        if not isinstance(size, int) and not holds(size >= 0):
            raise Fault("E208", f"{field} has the size {size}, which is negative", field=field)


def check_sizes(sizes: tuple[Term, ...], field: str) -> None:
    """Raise a `Fault` for sizes that no tensor has."""
    if any(isinstance(size, int) and size < -1 for size in sizes):
        raise Fault("E208", f"{field} {list(sizes)} has a negative size", field=field)
    if sizes.count(-1) > 1:
        raise Fault("E208", f"{field} {list(sizes)} has more than one -1", field=field)
    countable(sizes_of(sizes), field)


def fitted(sizes: tuple[Size, ...], total: Size, x: Tensor, field: str) -> tuple[Size, ...]:
    """`sizes` with -1 replaced by what makes them `total` elements in all."""
    check_open(sizes, field)
    if -1 not in sizes:
        if not holds(equal(total, product(sizes))):
            raise _misfit(sizes, total, x, field)
        return sizes
    known = product(size for size in sizes if size != -1)
    if not holds(known >= 1):
        raise _misfit(sizes, total, x, field)
    if isinstance(known, int):
        if not holds(divisible(total, known)):
            raise _misfit(sizes, total, x, field)
        missing = total // known
    else:
        missing = _quotient(total, known, field)
    return tuple(missing if size == -1 else size for size in sizes)


def _quotient(total: Size, known: Size, field: str) -> Size:
    found = share(total, known)
    if found is None:
        message = f"whether {known} divides {total} is not decided"
        help = "write the size in place of -1, or pool to a fixed size before"
        raise Fault("E114", message, field=field, input=0, help=help)
    return found


def _misfit(sizes: tuple[Size, ...], total: Size, x: Tensor, field: str) -> Fault:
    known = product(size for size in sizes if size != -1)
    wanted = f"a multiple of {known}" if -1 in sizes else str(known)
    message = f"{field} {list(sizes)} needs {wanted} elements, but {x} has {total}"
    return Fault("E209", message, field=field, input=0)
