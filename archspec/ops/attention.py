"""Attention. Formulas: https://arxiv.org/abs/1706.03762

These layers are batch-first always. The attention without weights is in `dot_product`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Float, Int, Words
from archspec.ops.base import Construct
from archspec.ops.batch_first import BatchFirst, forced
from archspec.ops.registry import register
from archspec.ops.window import divisors
from archspec.sizes import Size, equal, holds
from archspec.tensors import Tensor


class _Sequence(BatchFirst):
    """What the layers over `[T, features]` share."""

    starts_stage = True
    ranks = (2,)
    unbatched = (1,)
    dtypes = ("float32",)

    def emit(self, inputs: tuple[Tensor, ...]) -> Construct:
        plain = super().emit(inputs)
        assert isinstance(plain, Construct)
        return forced(plain)


def _check_heads(width: int | None, heads: int, names: tuple[str, str]) -> None:
    """Heads share the features evenly. `width` is None before it is inferred."""
    if heads < 1:
        raise Fault("E208", f"{names[1]} must be positive, not {heads}", field=names[1])
    if width is None:
        return
    if width < 1:
        raise Fault("E208", f"{names[0]} must be positive, not {width}", field=names[0])
    if width % heads:
        message = f"{names[1]} {heads} does not divide {names[0]} {width}"
        help = f"divisors of {width}: {divisors(width)}"
        raise Fault("E206", message, field=names[1], help=help)


@register
class MultiheadAttention(_Sequence):
    """Lets every step of a sequence collect from all steps of another, or of the same one.

    Shapes: `[T, embed_dim]` → output `[T, embed_dim]`, weights `[T, S]`: self-attention, `S = T`.
    With query `[T, embed_dim]`, key `[S, kdim]` and value `[S, vdim]` as three inputs: attention
    to another sequence. `add_bias_kv` and `add_zero_attn` add one each to the `S` of the weights.
    """

    arity = (1, 3)
    results = ("output", "weights")
    positional = ("embed_dim", "num_heads")

    embed_dim: Int | None = Field(None, description="features of the query (inferred)")
    num_heads: Int = Field(description="heads that attend side by side")
    dropout: Float = Field(0.0, description="probability of zeroing an attention weight")
    bias: Bool = Field(True, description="add learned biases in the projections")
    add_bias_kv: Bool = Field(False, description="add a learned step to key and value")
    add_zero_attn: Bool = Field(False, description="add a step of zeros to key and value")
    kdim: Int | None = Field(None, description="features of the key (inferred)")
    vdim: Int | None = Field(None, description="features of the value (inferred)")

    def check(self) -> None:
        super().check()
        _check_heads(self.embed_dim, self.num_heads, ("embed_dim", "num_heads"))
        for name in ("kdim", "vdim"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise Fault("E208", f"{name} must not be negative, not {value}", field=name)
        if self.dropout > 1:
            message = f"dropout is a probability, from 0 to 1, not {self.dropout}"
            raise Fault("E208", message, field="dropout")
        if not self.dropout >= 0:
            message = f"PyTorch would ignore dropout {self.dropout}: it is a probability"
            raise Fault("E503", message, field="dropout")

    def infer(self, *inputs: Tensor) -> Mapping[str, Size]:
        for number, x in enumerate(inputs[1:], 1):
            if len(x.shape) != 2:
                message = f"key and value have 2 dimensions beside the batch, not {len(x.shape)}"
                raise Fault("E203", f"{message} ({x})", input=number)
        query, key, value = _three(inputs)
        widths = query.shape[1], key.shape[1], value.shape[1]
        return dict(zip(("embed_dim", "kdim", "vdim"), widths, strict=True))

    def shape(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        query, key, value = _three(inputs)
        _check_heads(self.embed_dim, self.num_heads, ("embed_dim", "num_heads"))
        if not holds(query.shape[0] >= 1):
            message = f"a query without steps, {query}, has no weights"
            note = "in eval PyTorch gives None in their place"
            raise Fault("E503", message, input=0, notes=[note])
        if not holds(equal(key.shape[0], value.shape[0])):
            message = f"key {key} and value {value} differ in length"
            raise Fault("E201", message, input=2)
        return query, query.sized(query.shape[0], self._steps(key))

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        widths = self._widths()
        width = widths[0]
        found: dict[str, tuple[int, ...]] = {}
        if self._separate:
            pairs = zip("qkv", widths, strict=True)
            found |= {f"{name}_proj_weight": (width, own) for name, own in pairs}
        else:
            found["in_proj_weight"] = (3 * width, width)
        if self.bias:
            found["in_proj_bias"] = (3 * width,)
        if self.add_bias_kv:
            found |= {"bias_k": (1, 1, width), "bias_v": (1, 1, width)}
        found["out_proj.weight"] = (width, width)
        return {**found, "out_proj.bias": (width,)} if self.bias else found

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        query, key, value = _three(inputs)
        width, kdim, vdim = self._widths()
        projections = 2 * width * query.shape[0] + kdim * key.shape[0] + vdim * value.shape[0]
        return width * (projections + 2 * query.shape[0] * self._steps(key))

    def emit(self, inputs: tuple[Tensor, ...]) -> Construct:
        plain = super().emit(inputs)
        same = () if self._separate else ("kdim", "vdim")
        query, key, value = (0, 1, 2) if len(inputs) == 3 else (0, 0, 0)
        call = f"{{self}}({{{query}}}, {{{key}}}, {{{value}}}"
        return replace(
            plain,
            kwargs={name: v for name, v in plain.kwargs.items() if name not in same},
            call=f"{call})",
            unpack="{output}, {weights}",
            first=f"{call}, need_weights=False)[0]",
        )

    @property
    def _separate(self) -> bool:
        """Whether the three projections are weights of their own, as PyTorch decides it."""
        width, kdim, vdim = self._widths()
        return not width == kdim == vdim

    def _widths(self) -> tuple[int, int, int]:
        assert self.embed_dim is not None
        width = self.embed_dim
        kdim, vdim = (width if given is None else given for given in (self.kdim, self.vdim))
        return width, kdim, vdim

    def _steps(self, key: Tensor) -> Size:
        """Steps that are attended to."""
        return key.shape[0] + self.add_bias_kv + self.add_zero_attn


def _three(inputs: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
    if len(inputs) == 2:
        message = "MultiheadAttention takes one input, or three: query, key and value"
        raise Fault("E112", message, help="give the key a second time as the value")
    return (inputs[0], inputs[-2], inputs[-1]) if len(inputs) == 3 else (inputs[0],) * 3


@register
class TransformerEncoderLayer(_Sequence):
    """Self-attention and a small network of two linear layers, each with a shortcut and a norm.

    Shapes: `[T, d_model]` → `[T, d_model]`.
    """

    result_layout = "kept"
    positional = ("d_model", "nhead")

    d_model: Int | None = Field(None, description="features of every step (inferred)")
    nhead: Int = Field(description="heads that attend side by side")
    dim_feedforward: Int = Field(2048, description="features between the two linear layers")
    dropout: Float = Field(0.1, description="probability of zeroing a value")
    activation: Annotated[Literal["relu", "gelu"], Words("relu or gelu")] = Field(
        "relu", description="between the two linear layers: relu or gelu"
    )
    layer_norm_eps: Float = Field(1e-5, description="added to the variance in the norms")
    norm_first: Bool = Field(False, description="normalise before attention, not after it")
    bias: Bool = Field(True, description="learned biases in linear layers and norms")

    def check(self) -> None:
        super().check()
        _check_heads(self.d_model, self.nhead, ("d_model", "nhead"))
        if self.dim_feedforward < 0:
            message = f"dim_feedforward must not be negative, not {self.dim_feedforward}"
            raise Fault("E208", message, field="dim_feedforward")
        if not 0 <= self.dropout <= 1:
            message = f"dropout is a probability, from 0 to 1, not {self.dropout}"
            raise Fault("E208", message, field="dropout")

    def infer(self, x: Tensor) -> Mapping[str, Size]:  # type: ignore[override]
        return {"d_model": x.shape[1]}

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        _check_heads(self.d_model, self.nhead, ("d_model", "nhead"))
        return x

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        assert self.d_model is not None
        width, hidden = self.d_model, self.dim_feedforward
        pairs = {
            "self_attn.in_proj_": (3 * width, width),
            "self_attn.out_proj.": (width, width),
            "linear1.": (hidden, width),
            "linear2.": (width, hidden),
            "norm1.": (width,),
            "norm2.": (width,),
        }
        named = ((f"{at}{kind}", s) for at, s in pairs.items() for kind in ("weight", "bias"))
        bias = {name: s[:1] if name.endswith("bias") else s for name, s in named}
        return bias if self.bias else {n: s for n, s in bias.items() if not n.endswith("bias")}

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        assert self.d_model is not None
        steps, width = inputs[0].shape[0], self.d_model
        attention = 4 * width * width * steps + 2 * width * (steps * steps)
        return attention + 2 * width * self.dim_feedforward * steps
