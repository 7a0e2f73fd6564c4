"""`shape:` beside a layer: a claim that is checked, like a type annotation.

Of symbolic sizes, it must hold wherever the network works and is declared to.
"""

from collections.abc import Mapping

from archspec.expand.context import Claim, Context, Names
from archspec.expand.items import Item
from archspec.expand.scope import Scope
from archspec.expr import Facts
from archspec.network import Network, at
from archspec.sizes import (
    Condition,
    Size,
    Term,
    ValidSizes,
    equal,
    show_values,
    simplified,
    size_of,
)
from archspec.sizes.declaration import as_entries, shortfall
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
    pairs = zip(written, tensor.shape, strict=True)
    found = [equal(simplified(a), simplified(b)) for a, b in pairs]  # by what layers so far require
    conditions = tuple(each for each in found if isinstance(each, Condition))
    claim = Claim(written, tensor.shape, conditions, node, tuple(context.uses))
    if False not in found:
        context.claims += [claim] if conditions else []
    elif context.sized:
        context.broken.append(claim)
    else:
        _refuse(context, claim)


def check_claims(network: Network, context: Context) -> None:
    """Refuse annotations that do not hold for some sizes with which the network works.

    Requires that some do.
    """
    for claim in context.broken:
        context.uses[:] = claim.uses
        _refuse(context, claim)
    works = set(network.sizes.conditions)
    told = set()  # nodes: a block that is used often says the same each time
    for claim in context.claims:
        still_open = tuple(each for each in claim.conditions if each not in works)
        if id(claim.node) in told or not still_open:
            continue
        holds = ValidSizes(network.sizes.symbols, still_open)
        found = shortfall(network.sizes, holds, holds.symbols)
        context.uses[:] = claim.uses
        if found.sizes is not None:
            note = _example(claim, found.sizes)
            _refuse(context, claim, (note,), _narrower(network, claim))
        elif found.undecided:
            message = "whether `shape:` holds at all sizes is not decided: it does at those tried"
            context.report("N404", message, claim.node.place)
        else:
            continue
        told.add(id(claim.node))
    context.uses.clear()


def _refuse(
    context: Context, claim: Claim, notes: tuple[str, ...] = (), help: str | None = None
) -> None:
    said, real = show_shape(claim.written), show_shape(claim.real)
    message = f"`shape:` says {said}, but the output is {real}"
    context.report("E113", message, claim.node.place, notes=notes, help=help)


def _example(claim: Claim, sizes: Mapping[str, int]) -> str:
    """What a claim says, and what is, at some sizes."""
    shapes = (claim.written, claim.real)
    said, real = (show_shape(tuple(at(size, sizes) for size in each)) for each in shapes)
    return f"at {show_values(sizes)} it is {real}, not {said}"


def _narrower(network: Network, claim: Claim) -> str | None:
    """What to declare so that an annotation holds, where that can be said."""
    works = network.sizes
    both = ValidSizes(works.symbols, (*works.conditions, *claim.conditions))
    sets = {name: each.sizes for name, each in both.sets.items()}
    names = [name for name, each in sets.items() if each != works.sets[name].sizes]
    entries = as_entries({name: sets[name] for name in names})
    if both.ties != works.ties or entries is None:
        return None
    return f"where only such sizes are meant, declare them: `requires: {entries}`"


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
