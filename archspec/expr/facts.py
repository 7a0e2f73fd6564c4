"""What an expression may ask about a tensor: `input.channels`, `skip.size(2)`, `input.width`."""

from dataclasses import dataclass

from archspec.expr.errors import ExpressionError
from archspec.sizes import Dimension, Measured, Term
from archspec.tensors import Tensor


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one named tensor. Dimensions count as in PyTorch: 0 is the batch.

    A symbolic size remembers where it was read: `value` is the tensor's number in `scope`.
    """

    name: str
    tensor: Tensor
    scope: object = None
    value: int = 0

    def get(self, fact: str) -> Term:
        """`channels` (dimension 1), `height` and `width` (the last two of an image)."""
        if fact == "channels":
            return self.size(1)
        if fact in ("height", "width"):
            if self.tensor.ndim < 3:
                raise ExpressionError(f"{self.name} ({self.tensor}) has no {fact}")
            return self.size(-2 if fact == "height" else -1)
        raise ExpressionError(
            f"`{self.name}.{fact}`: there is no such fact",
            code="E108",
            help="there are channels, height, width and size(k)",
        )

    def size(self, dim: int) -> Term:
        """The size of a dimension, as `Tensor.size` counts them."""
        if type(dim) is not int or not -self.tensor.ndim <= dim < self.tensor.ndim:
            raise ExpressionError(f"{self.name} ({self.tensor}) has no dimension {dim}")
        index = dim % self.tensor.ndim - self.tensor.batched
        if index < 0:
            raise ExpressionError("the size of the batch is not known when a network is built")
        size = self.tensor.shape[index]
        if isinstance(size, int):
            return size
        place = Dimension(self.scope, self.value, index + self.tensor.batched, self.name)
        return Measured(size, place)
