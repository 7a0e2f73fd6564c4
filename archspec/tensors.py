"""What flows between layers: the type of a tensor, as the checker sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

from archspec.sizes import Size

FLOATS: Final = ("float16", "bfloat16", "float32", "float64")
INTEGERS: Final = ("uint8", "int8", "int16", "int32", "int64")
DTYPES: Final = ("bool", *INTEGERS, *FLOATS)


@dataclass(frozen=True, slots=True)
class Tensor:
    """Shape and dtype of a tensor.

    `shape` leaves the batch out: a batched image is `(3, 224, 224)`. A tensor that has no batch
    dimension (a Parameter, a Buffer, and what is made of them alone) says `batched=False`, and
    its shape is all there is. `float32` stands for the dtype that the module is built with.
    """

    shape: tuple[Size, ...]
    dtype: str = "float32"
    batched: bool = True

    @property
    def ndim(self) -> int:
        """The number of dimensions as PyTorch counts them, batch included."""
        return len(self.shape) + self.batched

    @property
    def is_float(self) -> bool:
        """Whether the dtype is a floating one."""
        return self.dtype in FLOATS

    def sized(self, *shape: Size) -> Self:
        """The same dtype and batch, another shape."""
        return replace(self, shape=shape)

    def at(self, sizes: Mapping[str, int]) -> Self:
        """The tensor for these values of the symbols in its shape."""
        return self.sized(*(s if isinstance(s, int) else s.at(sizes) for s in self.shape))

    def __str__(self) -> str:
        shown = show_shape(self.shape)
        return f"[{shown}]" if len(self.shape) == 1 else shown


def show_shape(shape: tuple[Size, ...]) -> str:
    """A shape in the words of messages: `64×56×56`; `scalar` for none."""
    return "×".join(_factor(str(size)) for size in shape) if shape else "scalar"


def show_shapes(shapes: Mapping[str, tuple[Size, ...]]) -> str:
    """Shapes by name: `left 3×8×8, right 3×8×8`."""
    return ", ".join(f"{name} {show_shape(shape)}" for name, shape in shapes.items())


def promote(left: str, right: str) -> str:
    """The dtype of an arithmetic operation over tensors of two dtypes.

    https://docs.pytorch.org/docs/stable/tensor_attributes.html (type promotion): the higher
    category wins; within a category the wider dtype, float16 with bfloat16 giving float32,
    and uint8 with a signed integer the next wider signed one.
    """
    if left == right:
        return left
    low, high = sorted((left, right), key=DTYPES.index)
    if {low, high} == {"float16", "bfloat16"}:
        return "float32"
    if low == "uint8" and high == "int8":
        return "int16"
    return high


def _factor(text: str) -> str:
    return f"({text})" if " " in text else text
