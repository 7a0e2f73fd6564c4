"""Layers, parameters and blocks that nothing uses."""

from collections.abc import Iterator

from archspec.diagnostics import Diagnostic, did_you_mean
from archspec.expr import ExpressionError, compile_expression
from archspec.expr.clauses import compile_for
from archspec.graph import Composite
from archspec.network import Network
from archspec.spec import ParamSpec, Requirement
from archspec.syntax import Mapping, Node, Scalar, Sequence


def inputs(network: Network) -> Iterator[Diagnostic]:
    """W301: an input of the network that no layer reads."""
    readers = network.graph.root.readers()
    for number, spec in enumerate(network.spec.inputs):
        if not readers[number]:
            message = f"nothing uses the input `{spec.name.text}`"
            yield Diagnostic("W301", message, spec.name.place)


def layers(network: Network) -> Iterator[Diagnostic]:
    """W301: a layer that nothing reads is registered, but never runs."""
    yield from _unread(network.graph.root)


def _unread(scope: Composite) -> Iterator[Diagnostic]:
    readers = scope.readers()
    owners = {call.owner for call in scope.calls}
    for call in scope.calls:
        if call.name not in owners and not any(readers[value] for value in call.outputs):
            message = f"nothing uses `{call.name}`: it is registered, but never runs"
            help = "name it in `outputs:` or in another layer's `from:`, or take it out"
            yield Diagnostic("W301", message, call.target.node.place, help=help)
        if isinstance(call.target, Composite) and not call.reused:
            yield from _unread(call.target)


def parameters(network: Network) -> Iterator[Diagnostic]:
    """W302: a parameter that no expression reads."""
    spec = network.spec
    if not (spec.params or spec.blocks):
        return
    sections = [pair for tree in spec.trees for pair in tree.items()]
    own = {name for key, node in sections if key.text != "blocks" for name in _names(node)}
    own.update(name for requirement in spec.requires for name in _required(requirement))
    yield from _unread_parameters(spec.params, own)
    if any(map(_has_type_parameters, spec.trees)):
        return  # blocks that can stand for each other take the same arguments
    blocks = spec.node.get("blocks")
    for block in spec.blocks.values():
        node = blocks.get(block.name.text) if isinstance(blocks, Mapping) else None
        if node is not None:
            yield from _unread_parameters(block.params, set(_names(node)))


def _unread_parameters(params: tuple[ParamSpec, ...], used: set[str]) -> Iterator[Diagnostic]:
    for param in params:
        name = param.name.text
        if name not in used:
            message = f"nothing uses the parameter `{name}`"
            others = (
                each.name.text for each in params if each.name.source is not param.name.source
            )
            near = did_you_mean(name, others)  # of the file that this one extends
            help = near or f"take it out, or say `={name}` where it is meant"
            yield Diagnostic("W302", message, param.name.place, help=help)


def blocks(network: Network) -> Iterator[Diagnostic]:
    """W302: a block that no layer and no parameter names."""
    if not network.spec.blocks:
        return
    trees = network.spec.trees
    words = {word for tree in trees for word in _words(tree, at_top=True)}
    if any(map(_has_type_parameters, trees)):
        return  # a type is a parameter: any block may be asked for
    for name, block in network.spec.blocks.items():
        if name not in words:
            yield Diagnostic("W302", f"nothing uses the block `{name}`", block.name.place)


def _names(node: Node) -> Iterator[str]:
    """Every name that an expression below a node may read."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _in_text(key.text, template=True)
            if key.text == "for" and isinstance(value, Scalar):
                yield from _in_loop(value.text)
            yield from _names(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _names(item)
            if isinstance(item, Scalar):  # a bare word of a shape
                yield from _in_expression(item.text)
    elif isinstance(node, Scalar):
        yield from _in_text(node.text, template=True)


def _required(requirement: Requirement) -> Iterator[str]:
    """The names that `requires:` compares a symbol with."""
    for comparison in requirement.comparisons:
        for part in (comparison.divisor, comparison.bound):
            if part is not None:
                yield from _in_expression(part.text)


def _in_text(text: str, *, template: bool) -> Iterator[str]:
    if text.startswith("="):
        yield from _in_expression(text[1:])
    elif template and "{" in text:
        for part in text.split("{")[1:]:
            yield from _in_expression(part.partition("}")[0])


def _in_loop(text: str) -> Iterator[str]:
    try:
        compile_for(text)
    except ExpressionError:
        return
    yield from _in_expression(text.partition(" in ")[2])


def _in_expression(text: str) -> frozenset[str]:
    try:
        return compile_expression(text.removeprefix("=")).names
    except ExpressionError:
        return frozenset()


def _has_type_parameters(node: Node) -> bool:
    return any(word.startswith("=") for word in _types(node))


def _types(node: Node) -> Iterator[str]:
    """Every key, and every text that stands as a whole layer."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield key.text
            yield from _types(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _types(item)


def _words(node: Node, *, at_top: bool = False, are_names: bool = False) -> Iterator[str]:
    """Every text that may name a block: keys and values, but not the blocks' own names."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if not are_names:
                yield key.text
            yield from _words(value, are_names=at_top and key.text == "blocks")
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _words(item)
    elif isinstance(node, Scalar):
        yield node.text
