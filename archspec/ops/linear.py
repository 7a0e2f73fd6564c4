"""Linear layers, and the layer that does nothing.

Formulas: https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
"""

from collections.abc import Mapping

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Int
from archspec.ops.base import Layer
from archspec.ops.registry import register
from archspec.sizes import Size, equal, holds, product
from archspec.tensors import Tensor


@register
class Identity(Layer):
    """Gives its input back, unchanged.

    Shapes: `[*]` → `[*]`.
    """

    result_view = True
    result_layout = "kept"
    dtypes = None
    free = True

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x


class _Affine(Layer):
    """What the linear layers share: a learned map to `out_features` numbers."""

    result_layout = "own"
    starts_stage = True
    dtypes = ("float32",)

    out_features: Int = Field(description="size of the last dimension of the output")
    bias: Bool = Field(default=True, description="add a learned number to every output")

    def check(self) -> None:
        for name in (n for n in type(self).model_fields if n.endswith("_features")):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise Fault("E208", f"{name} must not be negative, as {value} is", field=name)

    def _with_bias(self, *weight: int) -> Mapping[str, tuple[int, ...]]:
        return {"weight": weight, "bias": weight[:1]} if self.bias else {"weight": weight}


@register
class Linear(_Affine):
    """Multiplies the last dimension with a learned matrix and adds a bias.

    Shapes: `[*, in_features]` → `[*, out_features]`.
    """

    free = True
    positional = ("in_features", "out_features")

    in_features: Int | None = Field(
        default=None, description="size of the last dimension (inferred)"
    )

    def infer(self, x: Tensor) -> Mapping[str, Size]:  # type: ignore[override]
        size = _last_of(self, x, 0)
        given = self.in_features
        if given is not None and len(x.shape) > 1 and not holds(equal(size, given)):
            raise _unflattened(given, x)
        return {"in_features": size}

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.sized(*x.shape[:-1], self.out_features)

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        assert self.in_features is not None
        return self._with_bias(self.out_features, self.in_features)

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        assert self.in_features is not None
        return product(outputs[0].shape) * self.in_features


def _last_of(layer: Layer, x: Tensor, number: int) -> Size:
    if x.shape:
        return x.shape[-1]
    kind = type(layer).__name__
    if x.batched:
        message = f"{kind} works on the last dimension, which here is the batch"
        raise Fault("E501", message, input=number, help="Unsqueeze gives each sample a dimension")
    raise Fault("E203", f"{kind} takes 1 or more dimensions, not a scalar", input=number)


def _unflattened(given: int, x: Tensor) -> Fault:
    last, all_of_it = x.shape[-1], product(x.shape)
    factors = " * ".join(map(str, x.shape))
    message = f"in_features is {given}, but the last dimension of {x} has {last}"
    if all_of_it == given or len(x.shape) > 2:
        help = f"Flatten before it makes {factors} = {all_of_it} features"
        if all_of_it != given:
            help += f": write in_features: {all_of_it}, or leave it out"
    else:
        help = f"write in_features: {last}, or leave it out"
    return Fault("E205", message, field="in_features", input=0, help=help)


@register
class Bilinear(_Affine):
    """Weighs all products of a number of the first input with one of the second.

    Shapes: `[*, in1_features]`, `[*, in2_features]` → `[*, out_features]`.
    """

    arity = (2, 2)
    positional = ("in1_features", "in2_features", "out_features")

    in1_features: Int | None = Field(
        default=None, description="last size of the first input (inferred)"
    )
    in2_features: Int | None = Field(
        default=None, description="last size of the second input (inferred)"
    )

    def infer(self, x: Tensor, y: Tensor) -> Mapping[str, Size]:  # type: ignore[override]
        return {"in1_features": _last_of(self, x, 0), "in2_features": _last_of(self, y, 1)}

    def shape(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        if len(x.shape) != len(y.shape):
            raise Fault("E201", f"Bilinear takes tensors of equal rank, not {x} and {y}", input=1)
        for a, b in zip(x.shape[:-1], y.shape[:-1], strict=True):
            if not holds(equal(a, b)):
                raise Fault("E201", f"{x} and {y} do not go together: {a} meets {b}", input=1)
        for number, name in enumerate(("in1_features", "in2_features")):
            if getattr(self, name) == 0:
                raise Fault("E208", f"{name} must be positive, not 0", field=name, input=number)
        return x.sized(*x.shape[:-1], self.out_features)

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        assert self.in1_features is not None
        assert self.in2_features is not None
        return self._with_bias(self.out_features, self.in1_features, self.in2_features)
