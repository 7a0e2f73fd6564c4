"""Typed spec → resolved network: blocks, repetitions and expressions expanded, sizes inferred.

A block may ask what flows into it (`input.channels`), so expansion and shape inference go hand in
hand, in the order in which data flows.
"""

from collections.abc import Mapping as AbstractMapping
from typing import Any

from archspec.diagnostics import Collector, Refused, Source, SpecError, did_you_mean
from archspec.expand.annotations import check_claims
from archspec.expand.breaking import check_layers
from archspec.expand.context import MAX_LAYERS, Context, Ruled, TooLarge, Unfinished
from archspec.expand.expander import Expander
from archspec.expand.invalid import argument_names
from archspec.expand.params import bind, check_variants
from archspec.expand.requires import declare
from archspec.expand.scope import facts_of
from archspec.expand.sizing import find_sizes
from archspec.expand.writing import check_writes
from archspec.graph import Composite, Graph
from archspec.network import Network
from archspec.ops import find
from archspec.ops import names as type_names
from archspec.select import part_at
from archspec.sizes import Dimension, Measured, Term, holds, size_of
from archspec.sizes.valid import check_names
from archspec.spec import InputSpec, Spec
from archspec.syntax import Mapping, Node, Scalar, Sequence, lift, plain
from archspec.tensors import Tensor

__all__ = ["MAX_LAYERS", "Unfinished", "at_sizes", "expand"]

NO_SIZES: AbstractMapping[str, int] = {}


def expand(
    spec: Spec,
    params: AbstractMapping[str, Any],
    found: Collector,
    max_layers: int = MAX_LAYERS,
    sizes: AbstractMapping[str, int] = NO_SIZES,
) -> Network:
    """The network of a spec for these parameters, and for these sizes of symbols.

    Reports what is wrong; raises `Unfinished` when there is no network to give.
    """
    context = Context(spec, found, max_layers, sized=bool(sizes))
    try:
        network = _network(context, params, sizes)
        if not found.failed:
            network.given, network.max_layers = params, max_layers
            network.work = context.work
            find_sizes(network, context)
            check_claims(network, context)
            check_writes(network, context)
        if not found.failed:
            return network
    except (TooLarge, Refused):
        pass
    raise Unfinished(context.rows, context.work)


def at_sizes(network: Network, sizes: AbstractMapping[str, int]) -> Network:
    """The same network for sizes of its symbols. Raises `SpecError` where it does not work."""
    check_names(sizes, network.sizes.symbols)
    if (
        network.selected
        and set(sizes) == set(network.sizes.symbols)
        and network.sizes.valid(**sizes)
    ):
        return part_at(network, sizes)  # what was left out need not work at these sizes
    found = Collector()
    limit = MAX_LAYERS if network.max_layers is None else network.max_layers
    fixed = {**network.fixed, **sizes}
    try:
        whole = expand(network.spec, network.given, found, limit, fixed)
    except Unfinished:
        raise SpecError(tuple(found)) from None
    check_layers(network, sizes)
    return whole.select(*network.selected) if network.selected else whole


def _network(
    context: Context, params: AbstractMapping[str, Any], sizes: AbstractMapping[str, int]
) -> Network:
    spec = context.spec
    if spec.body is None or _lacks_inputs(context):
        raise Refused
    names = _parameters(context, params)
    known = tuple(each.name.text for each in spec.inputs)
    composite = Composite(spec.title, spec.node, spec.body.numbered, known)
    symbols: dict[str, Term] = {**_symbols(context, names, composite), **sizes}
    names = {**names, **symbols}
    flows = {each.name.text: (_input(context, each, names), each.name) for each in spec.inputs}
    facts = facts_of(composite, flows)
    names = {**names, **facts}
    if len(facts) == 1:
        names["input"] = next(iter(facts.values()))
    _defaults(context, names)
    expander = Expander(context)
    if spec.init:
        context.ruled.append(Ruled(composite, spec.init, names))
    made = expander.body(spec.body, names, flows, composite, outputs=spec.outputs)
    assert made.trace is not None
    if not composite.calls and not context.found.failed:
        context.report("E115", "the network has no layers", spec.body.node.place)
    if context.ruled and not context.found.failed:
        from archspec.expand.initialisation import initialise  # needed for `init:` only

        initialise(context, composite)
    declaration = declare(context, {name: size_of(each) for name, each in symbols.items()}, names)
    return Network(
        spec=spec,
        params={p.name.text: names[p.name.text] for p in spec.params},
        graph=Graph(spec.title, composite),
        trace=made.trace,
        domain=context.domain,
        declaration=declaration,
        fixed=sizes,
    )


def _parameters(context: Context, params: AbstractMapping[str, Any]) -> dict[str, Any]:
    """The spec's parameters, with the values that were given."""
    spec = context.spec
    tree = lift({**spec.given, **params}, Source("--set"), context.found)
    assert isinstance(tree, Mapping)
    given = {name.text: (plain(value), value) for name, value in tree.items()}
    context.given = {name: value.place for name, (_, value) in given.items()}
    names = bind(context, spec.chosen, given, {}, "the network", None)
    check_variants(context, names)
    return names


def _lacks_inputs(context: Context) -> bool:
    """Whether an input could not be read: what takes it is not to blame."""
    sections = (tree.get("inputs") for tree in context.spec.trees)
    written = next((node for node in sections if node is not None), None)
    count = len(written.entries) if isinstance(written, Mapping) else 0
    return context.found.failed and (count == 0 or len(context.spec.inputs) < count)


def _symbols(
    context: Context, names: AbstractMapping[str, Any], composite: Composite
) -> dict[str, Measured]:
    """A symbol for every bare word in the inputs that is no parameter, read where it first is."""
    symbols: dict[str, Measured] = {}
    for number, each in enumerate(context.spec.inputs):
        for index, item in enumerate(_items(each.shape), 1):
            word = item.value if isinstance(item, Scalar) else None
            if not isinstance(word, str) or word in names or word in symbols:
                continue
            if word.isascii() and word.isidentifier():
                place = Dimension(composite, number, index, each.name.text)
                symbols[word] = Measured(context.domain.symbol(word), place)
    return symbols


def _input(context: Context, spec: InputSpec, names: AbstractMapping[str, Any]) -> Tensor:
    sizes = context.shape_of(spec.shape, names, "the shape of an input")
    for size, node in zip(sizes, _items(spec.shape), strict=True):
        if not holds(size >= 1):
            raise context.report(
                "E105", f"the size of an input is positive, not {size}", node.place
            )
    return Tensor(tuple(sizes), spec.dtype)


def _items(node: Node) -> list[Node]:
    return node.items if isinstance(node, Sequence) else []


def _defaults(context: Context, names: AbstractMapping[str, Any]) -> None:
    for name, (key, args) in context.spec.defaults.items():
        cls = find(name)
        if cls is None:
            help = did_you_mean(name, type_names())
            context.report("E102", f"there is no layer type `{name}`", key.place, help=help)
            continue
        known = argument_names(cls)
        values = {}
        for argument, value in args.items():
            if argument.text in known:
                values[argument.text] = context.evaluate(value, names)
            else:
                message = f"{name} has no argument `{argument.text}`"
                help = did_you_mean(argument.text, known) or f"it has {', '.join(known)}"
                context.report("E103", message, argument.place, help=help)
        context.defaults[name] = values
