"""Parameters of layers that references name: `embed.weight`."""

from pydantic import Field

from archspec.ops.base import Attribute, Layer
from archspec.tensors import Tensor


class Weight(Layer):
    """A parameter of another layer of the scope. It is no layer type: references make it.

    Shapes: → the parameter's, without a batch.
    """

    result_layout = "kept"
    arity = (0, 0)

    layer: str
    name: str
    sizes: tuple[int, ...] = Field(alias="shape")

    def shape(self) -> Tensor:  # type: ignore[override]
        return Tensor(self.sizes, batched=False)

    def emit(self, inputs: tuple[Tensor, ...]) -> Attribute:
        return Attribute(self.layer, self.name)
