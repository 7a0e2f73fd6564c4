"""Free tensors: a learned parameter or a constant buffer that belongs to a scope."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from archspec.diagnostics import Fault, shown
from archspec.expr import ExpressionError, Formula, compile_expression
from archspec.ops import initialisers
from archspec.ops.arguments import Bool, Ints, Words
from archspec.ops.base import FreeTensor, Layer
from archspec.ops.registry import register
from archspec.tensors import DTYPES, FLOATS, Tensor

Init = Annotated[
    str | dict[str, Any],
    Words("a function of torch.nn.init such as zeros_ or {normal_: {std: 0.02}}"),
]
NO_MATTER = "_"
"""The name of indices that a formula does not read; several dimensions may have it."""


class _Free(Layer):
    """What both share: a shape of its own, and no inputs."""

    model_config = ConfigDict(populate_by_name=True)
    arity = (0, 0)
    bare: ClassVar[tuple[str, ...]] = ("shape",)

    sizes: Ints = Field(alias="shape", description="its shape, without a batch")
    dtype: str = Field("float32", description="its dtype")

    def check(self) -> None:
        if self.dtype not in DTYPES:
            help = f"there are {', '.join(DTYPES)}"
            raise Fault("E105", f"there is no dtype `{self.dtype}`", field="dtype", help=help)
        if any(size < 0 for size in self.sizes):
            raise Fault("E208", f"a size is negative: {list(self.sizes)}", field="shape")

    def shape(self) -> Tensor:  # type: ignore[override]
        return Tensor(self.sizes, self.dtype, batched=False)


@register
class Parameter(_Free):
    """A learned tensor of this scope, named by its key.

    Shapes: → `shape`, without a batch.
    """

    init: Init = Field(description="how it begins, in the words of torch.nn.init")

    def check(self) -> None:
        super().check()
        if self.dtype not in FLOATS:
            raise Fault("E105", f"a parameter is floating-point, not {self.dtype}", field="dtype")
        initialisers.check(self.init, self.sizes, self.dtype)

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        return {"": self.sizes}

    def emit(self, inputs: tuple[Tensor, ...]) -> FreeTensor:
        return FreeTensor(self.sizes, self.dtype, init=initialisers.split(self.init))


@register
class Buffer(_Free):
    """A constant tensor of this scope, named by its key: a formula over its indices, or a number.

    Shapes: → `shape`, without a batch.
    """

    formulas: ClassVar[tuple[str, ...]] = ("value",)

    index: tuple[str, ...] = Field((), description="names for the indices, one per dimension")
    value: Any = Field(description="a formula over the indices, or a number")
    persistent: Bool = Field(True, description="whether it is part of the state dict")

    def check(self) -> None:
        super().check()
        if self.index and len(self.index) != len(self.sizes):
            message = f"{len(self.index)} index names for a shape of {len(self.sizes)}"
            raise Fault("E105", message, field="index")
        read = isinstance(self.value, Formula) and self.value.reads(NO_MATTER)
        told = [name for name in self.index if name != NO_MATTER or read]
        if len(set(told)) < len(told):
            raise Fault("E105", "two dimensions have the same index name", field="index")
        if self.value is None or isinstance(self.value, str | list | dict):
            message = f"a buffer holds a number or a formula, not {shown(self.value)}"
            raise Fault("E105", message, field="value", help=_as_formula(self.value, self.index))
        whole = not isinstance(self.value, float) or self.value.is_integer()
        if not whole and self.dtype not in FLOATS:
            message = f"a buffer of {self.dtype} cannot hold {self.value}"
            raise Fault("E105", message, field="value")

    def buffers(self) -> Mapping[str, tuple[int, ...]]:
        return {"": self.sizes} if self.persistent else {}

    def emit(self, inputs: tuple[Tensor, ...]) -> FreeTensor:
        return FreeTensor(
            self.sizes, self.dtype, value=self.value, index=self.index, persistent=self.persistent
        )


def _as_formula(value: Any, index: Collection[str]) -> str | None:
    """How to write a text that is a formula over the indices; None for others."""
    try:
        names = compile_expression(value).names if isinstance(value, str) else None
    except ExpressionError:
        return None
    known = names is not None and all(name in index for name in names)
    return f"an expression begins with `=`: write `={value}`" if known else None
