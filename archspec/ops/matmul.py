"""Products of matrices."""

from archspec.diagnostics import Fault
from archspec.ops.base import Function, Layer
from archspec.ops.merge import broadcast
from archspec.ops.registry import register
from archspec.sizes import Size, always, equal, holds, product
from archspec.tensors import Tensor


@register
class MatMul(Layer):
    """Multiplies matrices (or vectors, where a tensor has one dimension) in their last dimensions.

    Shapes: `[*, N, K]`, `[*, K, M]` → `[*, N, M]`; the leading dimensions broadcast.
    https://docs.pytorch.org/docs/stable/generated/torch.matmul.html
    """

    result_layout = "kept"
    arity = (2, 2)
    dtypes = None
    free = True

    def shape(self, left: Tensor, right: Tensor) -> Tensor:  # type: ignore[override]
        _check_matrices(left, right)
        _check_factors(left, right)
        row = left.batched and left.ndim == 2  # the batch itself is the rows
        columns = right.shape[-1:] if right.ndim > 1 else ()
        inner = right.shape[-min(right.ndim, 2)]
        if not holds(equal(left.shape[-1], inner)):
            message = f"{left} and {right} do not multiply: {left.shape[-1]} meets {inner}"
            raise Fault("E201", message, input=1, help=_transposed(left, right))
        if row:
            return left.sized(*columns)
        leading = broadcast(_leading(left), _leading(right), 1)
        rows = left.shape[-2:-1] if left.ndim > 1 else ()
        return leading.sized(*leading.shape, *rows, *columns)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        left, right = inputs
        if right.ndim == 1:  # FlopCounterMode does not count products with a vector
            return 0
        return product(outputs[0].shape) * left.shape[-1]

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        return Function("{0} @ {1}")


def _transposed(left: Tensor, right: Tensor) -> str | None:
    if right.ndim > 1 and always(equal(left.shape[-1], right.shape[-1])):
        return "`Transpose: {dim0: -2, dim1: -1}` exchanges the last two dimensions of the second"
    return None


def _leading(x: Tensor) -> Tensor:
    """What stands before the matrix."""
    return x.sized(*x.shape[:-2])


def _check_matrices(left: Tensor, right: Tensor) -> None:
    """Raise a `Fault` where there is no matrix, or where the batch would be part of one."""
    for number, x in enumerate((left, right)):
        if x.ndim == 0:
            raise Fault("E203", "MatMul takes vectors and matrices, not a scalar", input=number)
    if left.batched and left.ndim == 1:
        raise Fault("E502", "MatMul would sum over the batch of its first input", input=0)
    if right.batched and right.ndim <= 2:
        raise Fault("E502", f"MatMul would sum over the batch of {right}", input=1)
    if left.batched and left.ndim == 2 and (right.batched or right.ndim > 2):
        message = f"MatMul would take the batch of {left} for the rows of one matrix"
        raise Fault("E502", message, input=0, help="add a dimension with Unsqueeze: {dim: 1}")


def _check_factors(left: Tensor, right: Tensor) -> None:
    # PyTorch looks at dtypes only where there is something to multiply.
    code = "E503" if 0 in (*left.shape, *right.shape) else "E207"
    if left.dtype != right.dtype:
        message = f"MatMul takes two tensors of one dtype, not {left.dtype} and {right.dtype}"
        raise Fault(code, message, input=1)
    if left.dtype == "bool":
        raise Fault(code, "MatMul takes numbers, not bool", input=0)
