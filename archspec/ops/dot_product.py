"""Attention without weights: queries, keys and values that other layers made."""

from typing import TypeAlias

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Float, Number
from archspec.ops.base import Function, Layer
from archspec.ops.registry import register
from archspec.ops.window import divisors
from archspec.sizes import Size, always, equal, holds, product
from archspec.tensors import Tensor

Extent: TypeAlias = "Size | None"
"""A dimension as PyTorch sees it; None is the batch."""
Full: TypeAlias = tuple[Extent, ...]

NAMES = ("query", "key", "value", "mask")
EMPTY = "where one of the three is empty, PyTorch compares nothing and gives the query's shape"


@register
class ScaledDotProductAttention(Layer):
    """Weighs values by how well their keys match a query: `softmax(Q Kᵀ scale + mask) V`.

    Shapes: query `[*, T, E]`, key `[*, S, E]`, value `[*, S, V]` → `[*, T, V]`; the dimensions
    before (heads) broadcast. A fourth input is the mask, `[T, S]` or what broadcasts to
    `[*, T, S]`: booleans (true takes part) or numbers that are added.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
    """

    arity = (3, 4)
    dtypes = None
    free = True

    dropout_p: Float = Field(0.0, description="probability of zeroing a weight, in training")
    is_causal: Bool = Field(False, description="a query sees only the keys up to its own place")
    scale: Number | None = Field(None, description="factor of the products (default: 1 / sqrt(E))")
    enable_gqa: Bool = Field(False, description="groups of query heads share a key and value head")

    def check(self) -> None:
        if not self.dropout_p >= 0:
            message = f"PyTorch would ignore dropout_p {self.dropout_p}: it is a probability"
            raise Fault("E503", message, field="dropout_p")

    def shape(self, *inputs: Tensor) -> Tensor:
        query, key, value = inputs[:3]
        _check_dtypes(*inputs)
        for number, x in enumerate(inputs[:3]):
            _check_rank(x, number, heads=self.enable_gqa)
        try:
            leading = self._checked(*inputs)
        except Fault as fault:
            if _may_be_empty(query, key, value):
                raise Fault("E503", fault.message, input=fault.input, notes=[EMPTY]) from None
            raise
        if leading != _full(query)[:-2] and _may_be_empty(query, key, value):
            message = f"the query {query} would not broadcast to {key} and {value}"
            raise Fault("E503", message, input=0, notes=[EMPTY])
        sizes = *_sizes(leading), query.shape[-2], value.shape[-1]
        return Tensor(sizes, query.dtype, leading[:1] == (None,))

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        query, key, value = inputs[:3]
        pairs = product(outputs[0].shape[:-1]) * key.shape[-2]
        return pairs * (query.shape[-1] + value.shape[-1])

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        mask = ", attn_mask={3}" if len(inputs) == 4 else ""
        # The function itself would drop in eval too.
        dropout = ", dropout_p={dropout_p} if self.training else 0.0" if self.dropout_p else ""
        given = {"is_causal": self.is_causal, "scale": self.scale, "enable_gqa": self.enable_gqa}
        values = {name: v for name, v in given.items() if v is not False and v is not None}
        others = "".join(f", {name}={{{name}}}" for name in values)
        template = f"F.scaled_dot_product_attention({{0}}, {{1}}, {{2}}{mask}{dropout}{others})"
        return Function(template, {**values, **({"dropout_p": self.dropout_p} if dropout else {})})

    def _checked(self, *inputs: Tensor) -> Full:
        """The dimensions before the last two of the result, after all sizes were compared."""
        query, key, value = inputs[:3]
        if not query.is_float:
            message = f"query, key and value are floating-point numbers, not {query.dtype}"
            raise Fault("E207", message, input=0)
        if self.dropout_p > 1:
            message = f"dropout_p is a probability, from 0 to 1, not {self.dropout_p}"
            raise Fault("E208", message, field="dropout_p")
        if self.is_causal and len(inputs) == 4:
            message = (
                "a mask beside is_causal: PyTorch takes one of the two, or both, by the shapes"
            )
            help = "put what is_causal says into the mask"
            raise Fault("E503", message, field="is_causal", input=3, help=help)
        if self.enable_gqa:
            _check_groups(query, key, value)
        if not holds(equal(query.shape[-1], key.shape[-1])):
            message = f"query {query} and key {key} differ in their features"
            raise Fault("E201", message, input=1)
        if not holds(equal(key.shape[-2], value.shape[-2])):
            note = "PyTorch may run and read past the shorter one"
            message = f"key {key} and value {value} differ in length"
            raise Fault("E503", message, input=2, notes=[note])
        if len(inputs) == 4:
            products = *self._leading(query, key), query.shape[-2], key.shape[-2]
            _check_mask(inputs[3], products)
        return self._leading(query, key, value)

    def _leading(self, *inputs: Tensor) -> Full:
        """What the dimensions before the last two broadcast to."""
        heads = inputs[0].shape[-3] if self.enable_gqa else None
        leading: Full = ()
        for number, x in enumerate(inputs):
            own = _full(x)[:-2]
            if heads is not None:
                own = (*own[:-1], heads)  # keys and values are repeated, a group each
            leading = _broadcast(leading, own, x, number)
        if None in leading[1:]:
            shapes = " and ".join(map(str, inputs))
            raise Fault("E502", f"{shapes} differ in rank: the batch would meet another dimension")
        return leading


def _check_mask(mask: Tensor, products: Full) -> None:
    if mask.ndim < 2:
        message = f"a mask has two dimensions at least, queries and keys, not {mask}"
        raise Fault("E503", message, input=3, help="for a mask over the keys: [1, S]")
    if not _fits(_full(mask), products):
        wanted = "×".join("batch" if size is None else str(size) for size in products)
        message = f"the mask {mask} does not broadcast to query × key, {wanted}"
        raise Fault("E201", message, input=3)


def _may_be_empty(*inputs: Tensor) -> bool:
    return not all(holds(size >= 1) for x in inputs for size in x.shape)


def _check_dtypes(query: Tensor, *others: Tensor) -> None:
    for number, x in enumerate(others[:2], 1):
        if x.dtype != query.dtype:
            message = f"the {NAMES[number]} is {x.dtype}, but the query is {query.dtype}"
            raise Fault("E207", message, input=number)
    for mask in others[2:]:
        if mask.dtype not in ("bool", "float32", query.dtype):
            message = f"a mask is bool or of the query's dtype {query.dtype}, not {mask.dtype}"
            raise Fault("E207", message, input=3)


def _check_rank(x: Tensor, number: int, heads: bool) -> None:
    rank, kind = len(x.shape), NAMES[number]
    message = f"the {kind} has a length and features beside the batch, not only {x}"
    if x.ndim < 2:
        raise Fault("E203", message, input=number)
    if rank < 2:
        note = "PyTorch would take the batch for the length"
        raise Fault("E501", message, input=number, notes=[note])
    if heads and rank < 3:
        message = f"with enable_gqa the {kind} has heads, a length and features, not only {x}"
        raise Fault("E502", message, input=number)


def _check_groups(query: Tensor, key: Tensor, value: Tensor) -> None:
    heads, shared, others = (x.shape[-3] for x in (query, key, value))
    if not (isinstance(heads, int) and isinstance(shared, int) and isinstance(others, int)):
        raise Fault("E114", "enable_gqa needs fixed numbers of heads", field="enable_gqa")
    for number, own in ((1, shared), (2, others)):
        if not own:
            raise Fault("E503", f"the {NAMES[number]} has no heads", input=number, notes=[EMPTY])
        if heads % own:
            message = f"the {own} heads of the {NAMES[number]} do not divide the query's {heads}"
            raise Fault("E206", message, input=number, help=f"divisors: {divisors(heads)}")


def _full(x: Tensor) -> Full:
    return (None, *x.shape) if x.batched else x.shape


def _sizes(shape: Full) -> tuple[Size, ...]:
    return tuple(size for size in shape if size is not None)


def _broadcast(left: Full, right: Full, x: Tensor, number: int) -> Full:
    rank = max(len(left), len(right))
    padded = ((1,) * (rank - len(shape)) + shape for shape in (left, right))
    return tuple(_common(a, b, x, number) for a, b in zip(*padded, strict=True))


def _common(a: Extent, b: Extent, x: Tensor, number: int) -> Extent:
    if a == b or _is_one(b):
        return a
    if _is_one(a):
        return b
    if a is None or b is None or not holds(equal(a, b)):
        words = ["the batch" if size is None else str(size) for size in (a, b)]
        message = f"the {NAMES[number]} {x} does not go with what is before it"
        raise Fault("E201", f"{message}: {words[0]} meets {words[1]}", input=number)
    return a if isinstance(a, int) else b


def _is_one(size: Extent) -> bool:
    return size is not None and always(equal(size, 1))


def _fits(mask: Full, target: Full) -> bool:
    """Whether the mask broadcasts to the target, which does not grow for it."""
    if len(mask) > len(target):
        return False
    pairs = zip(reversed(mask), reversed(target), strict=False)
    return all(_is_one(m) or _same(m, t) for m, t in pairs)


def _same(a: Extent, b: Extent) -> bool:
    if a is None or b is None:
        return a is b
    return holds(equal(a, b))
