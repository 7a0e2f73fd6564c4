"""Free tensors: a learned parameter or a constant buffer that belongs to a scope."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from archspec.diagnostics import Fault, did_you_mean
from archspec.ops.arguments import Bool, Ints, Words
from archspec.ops.base import FreeTensor, Layer
from archspec.ops.registry import register
from archspec.tensors import DTYPES, FLOATS, Tensor

INITIALISERS: Mapping[str, tuple[str, ...]] = {
    "zeros_": (),
    "ones_": (),
    "eye_": (),
    "constant_": ("val",),
    "normal_": ("mean", "std"),
    "uniform_": ("a", "b"),
    "trunc_normal_": ("mean", "std", "a", "b"),
    "xavier_uniform_": ("gain",),
    "xavier_normal_": ("gain",),
    "kaiming_uniform_": ("a", "mode", "nonlinearity"),
    "kaiming_normal_": ("a", "mode", "nonlinearity"),
    "orthogonal_": ("gain",),
}
"""Functions of `torch.nn.init` with their arguments."""

Init = Annotated[
    str | dict[str, Any],
    Words("a function of torch.nn.init such as zeros_ or {normal_: {std: 0.02}}"),
]


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
        name, args = initialiser(self.init)
        if name not in INITIALISERS:
            help = did_you_mean(name, INITIALISERS) or f"there are {', '.join(INITIALISERS)}"
            raise Fault("E105", f"there is no initialiser `{name}`", field="init", help=help)
        for argument in args:
            if argument not in INITIALISERS[name]:
                message = f"{name} has no argument `{argument}`"
                raise Fault("E103", message, field="init")

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        return {"": self.sizes}

    def emit(self, inputs: tuple[Tensor, ...]) -> FreeTensor:
        return FreeTensor(self.sizes, self.dtype, init=initialiser(self.init))


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
            message = f"{len(self.index)} index names for {len(self.sizes)} dimensions"
            raise Fault("E105", message, field="index")
        if len(set(self.index)) < len(self.index):
            raise Fault("E105", "two dimensions have the same index name", field="index")
        if self.value is None or isinstance(self.value, str | list | dict):
            message = f"a buffer holds a number or a formula, not {self.value!r}"
            raise Fault("E105", message, field="value")

    def buffers(self) -> Mapping[str, tuple[int, ...]]:
        return {"": self.sizes} if self.persistent else {}

    def emit(self, inputs: tuple[Tensor, ...]) -> FreeTensor:
        return FreeTensor(
            self.sizes, self.dtype, value=self.value, index=self.index, persistent=self.persistent
        )


def initialiser(init: str | dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name of an initialiser, and its arguments by name."""
    if isinstance(init, str):
        return init, {}
    name, value = next(iter(init.items()), ("", None))
    if isinstance(value, dict):
        return name, value
    first = INITIALISERS.get(name, ())[:1]
    return name, dict(zip(first, [value], strict=False)) if value is not None else {}
