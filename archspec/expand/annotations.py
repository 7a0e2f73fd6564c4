"""`shape:` beside a layer: a claim that is checked, like a type annotation."""

from archspec.expand.context import Context, Names
from archspec.expand.items import Item
from archspec.expand.scope import Scope
from archspec.expr import Facts
from archspec.sizes import Size, Term, always, equal, simplified, size_of
from archspec.syntax import Node, Scalar, Sequence, describe
from archspec.tensors import Tensor, show_shape


def check_annotation(context: Context, item: Item, scope: Scope) -> None:
    """Check the `shape:` of an item. A new bare word stands for the size that it meets."""
    node = item.spec.shape
    tensor = next(iter(item.results.values())).tensor
    if tensor is None or node is None:
        return
    if not isinstance(node, Sequence):
        message = f"`shape:` is a list, not {describe(node)}"
        raise context.report("E105", message, node.place)
    if len(node.items) != len(tensor.shape):
        message = f"`shape:` has {len(node.items)} sizes, but the output is {tensor}"
        help = "a shape leaves the batch out"
        raise context.report("E113", message, node.place, help=help)
    written = tuple(
        _size(context, each, fact, item.names, scope)
        for each, fact in zip(node.items, _facts(item, tensor), strict=True)
    )
    if not all(_are_equal(a, b) for a, b in zip(written, tensor.shape, strict=True)):
        message = f"`shape:` says {show_shape(written)}, but the output is {tensor}"
        context.report("E113", message, node.place)


def _are_equal(a: Size, b: Size) -> bool:
    """Whether two sizes are the same for every input that the layers so far take."""
    return always(equal(simplified(a), simplified(b)))


def _facts(item: Item, tensor: Tensor) -> list[Term]:
    """The sizes of what an item gives, as expressions see them."""
    value = next(iter(item.results.values()))
    facts = Facts(item.name, tensor, value.composite, value.number)
    return [facts.size(dim) for dim in range(tensor.batched, tensor.ndim)]


def _size(context: Context, node: Node, fact: Term, names: Names, scope: Scope) -> Size:
    word = node.value if isinstance(node, Scalar) else None
    if isinstance(word, str) and word.isidentifier() and word not in names:
        bound: Term = scope.bound.setdefault(word, fact)
        return size_of(bound)
    size: Size = context.size(node, {**names, **scope.bound})
    return size
