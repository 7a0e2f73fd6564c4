"""Arguments that name a dimension, counted as in PyTorch: the batch is dimension 0."""

from archspec.diagnostics import Fault
from archspec.sizes import always, equal
from archspec.tensors import Tensor


def dim_index(layer_kind: str, dim: int, x: Tensor, field: str = "dim") -> int:
    """The index into `x.shape` of the dimension that PyTorch calls `dim`.

    Raises E210 where there is no such dimension, E502 where it is the batch.
    """
    if not x.shape and not x.batched and dim in (0, -1):
        # PyTorch lets these two name the missing dimension of a scalar; a rule cannot index it.
        raise Fault("E117", f"{layer_kind} along a dimension takes no scalar", field=field, input=0)
    if not -x.ndim <= dim < x.ndim:
        raise _no_such_dim(layer_kind, dim, x, field)
    counted = dim % x.ndim
    if x.batched and counted == 0:
        raise _batch_named(layer_kind, dim, x, field)
    return counted - x.batched


def has_no_elements(x: Tensor) -> bool:
    """Whether there is surely nothing in it: some of PyTorch's checks then do not happen."""
    return any(always(equal(size, 0)) for size in x.shape)


def _no_such_dim(kind: str, dim: int, x: Tensor, field: str) -> Fault:
    first = 1 if x.batched else 0
    beside = " beside the batch (dimension 0)" if x.batched else ""
    message = f"{kind} has no dimension {dim} here: {x} has {len(x.shape)}{beside}"
    names = range(first, x.ndim)
    help = f"{field} may be {_listed(names)}, or -1 for the last one" if names else None
    return Fault("E210", message, field=field, input=0, help=help)


def _batch_named(kind: str, dim: int, x: Tensor, field: str) -> Fault:
    message = f"{kind} along dimension {dim} would mix the samples of a batch: that is the batch"
    names = range(1, x.ndim)
    help = f"{field} may be {_listed(names)}, or -1 for the last one" if names else None
    return Fault("E502", message, field=field, input=0, help=help)


def _listed(names: range) -> str:
    *head, last = map(str, names)
    return f"{', '.join(head)} or {last}" if head else last
