"""Bodies → composites: wiring, order, and every layer made in its turn."""

from collections.abc import Mapping as AbstractMapping
from typing import Any

from archspec.diagnostics import Fault, Label, Refused
from archspec.expand.annotations import check_annotation
from archspec.expand.context import MAX_NESTING, Context, Names, Ruled, TooLarge
from archspec.expand.items import Item, Made, Source, Value, arguments, flatten
from archspec.expand.making import LayerMaker, LayerNames
from archspec.expand.params import bind
from archspec.expand.repetition import Repetition
from archspec.expand.scope import Flow, Scope, facts_of
from archspec.expand.types import type_of
from archspec.expand.wiring import Wiring, no_result, order, refuse_weight
from archspec.graph import Composite, Output
from archspec.resolve import outputs as resolved_outputs
from archspec.spec import BlockSpec, Body, LayerSpec, Outputs


class Expander:
    """Expands scopes. One object serves a whole network."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.maker = LayerMaker(context)
        self.depth = 0

    # A body: wire its items, then make them in call order.

    def body(
        self,
        body: Body,
        names: Names,
        inputs: AbstractMapping[str, Flow],
        composite: Composite,
        *,
        outputs: Outputs | None = None,
    ) -> Made:
        """Fill a composite with what a body says, and apply it to its inputs."""
        node = composite.node
        self.depth += 1
        if self.depth > MAX_NESTING:
            message = f"blocks and groups are nested deeper than {MAX_NESTING} levels"
            # The end of it all: two recursive arms would be tried again at every level.
            help = "a block that uses itself needs a `when:` that comes to an end"
            raise TooLarge(self.context.report("E005", message, node.place, help=help))
        self.context.spend(40, node)
        try:
            scope = Scope(composite)
            known = {name: scope.value(name, *flow) for name, flow in inputs.items()}
            if len(inputs) == 1:
                known["input"] = next(iter(known.values()))
            items = flatten(self.context, body, names, known)
            wiring = Wiring(self.context, items, known)
            wiring.connect(parallel=body.merge is not None)
            for item in order(self.context, items):
                self.item(item, scope)
            self.register(items, scope)
            if body.merge is not None:
                last = self.merge(body.merge, items, names, scope, known)
            else:
                last = self.last(items, known, scope)
            return self.finish(scope, wiring, last, outputs, names)
        finally:
            self.depth -= 1

    def last(
        self, items: list[Item], known: AbstractMapping[str, Value], scope: Scope
    ) -> Value | None:
        """The value of the last layer in the file; of the input, where there is none."""
        for item in reversed(items):
            if not item.free:
                return self.follow(Source(item, None, item.spec.node), scope)
        if not known:
            message = "a scope without layers has no output"
            raise self.context.report("E115", message, scope.composite.node.place)
        return next(iter(known.values()))

    def finish(
        self,
        scope: Scope,
        wiring: Wiring,
        last: Value | None,
        outputs: Outputs | None,
        names: Names,
    ) -> Made:
        """Set the outputs of a scope, and give it as a module."""
        found: list[tuple[str, Value | None, bool]] = [("0", last, False)]
        if outputs is not None:
            scope.composite.as_dict = outputs.as_dict
            found = []
            for entry in outputs.entries:
                if entry.when is None or self.context.condition(entry.when, names):
                    source = wiring.refer(entry.source, None, names)
                    wiring.warn_of_captured_chain(source, training_only=entry.training_only)
                    value = self.follow(source, scope)
                    found.append((entry.name, value, entry.training_only))
            if all(training_only for _, _, training_only in found):
                message = "no output is left: in eval there is nothing to give"
                raise self.context.report("E115", message, outputs.node.place)
        scope.composite.outputs = tuple(
            Output(name, value.number if value else -1, only) for name, value, only in found
        )
        results = {name: value.tensor if value else None for name, value, _ in found}
        return Made(scope.composite, results, scope.trace)

    def register(self, items: list[Item], scope: Scope) -> None:
        """Children stand in file order, whatever the order of calls."""
        for item in items:
            if item.made is not None and item.reuses is None:
                scope.composite.children[item.name] = item.made.target

    def merge(
        self,
        joint: LayerSpec,
        items: list[Item],
        names: Names,
        scope: Scope,
        known: AbstractMapping[str, Value],
    ) -> Value | None:
        """Join the arms of a parallel body; absent arms are left out."""
        arms = [item for item in items if not item.absent and not item.free]
        name = "merge"
        while name in scope.composite.children:
            name += "_"
        item = Item(name, joint, names)
        item.sources = [Source(arm, None, arm.spec.node) for arm in arms]
        if joint.type is None or joint.broken:
            return None
        if not arms:
            return next(iter(known.values()), None)
        item.type = type_of(self.context, joint.type, names)
        target = item.type.target
        if len(arms) == 1 and isinstance(target, type) and target.arity[0] > 1:
            return self.follow(item.sources[0], scope)
        self.item(item, scope)
        self.register([item], scope)
        return next(iter(item.results.values()), None)

    def follow(self, source: Source, scope: Scope) -> Value | None:
        """The value that a source stands for; an absent layer stands for its first input."""
        while isinstance(source.item, Item) and source.item.absent:
            if not source.item.sources:
                self.refuse_nothing(source)
                return None
            refuse_weight(self.context, source.item, source)
            source = source.item.sources[0]
        if isinstance(source.item, Value):
            return source.item
        results = source.item.results
        if source.result is None or not results:
            return next(iter(results.values()), None)
        found = results.get(source.result) or scope.weight(source.item, source.result, source.node)
        return found or no_result(self.context, source.item, source)

    def refuse_nothing(self, source: Source) -> None:
        """An absent layer that has no input: a free tensor, unless that was told already."""
        if isinstance(source.item, Item) and source.item.free and not source.item.broken:
            message = f"`{source.item.name}` is absent here, and has no input to stand for it"
            raise self.context.report("E106", message, source.node.place)

    def item(self, item: Item, scope: Scope) -> None:
        """Make one item. What is wrong is reported, and leaves its results unknown."""
        if item.absent or item.broken:
            return
        try:
            inputs = [self.follow(source, scope) for source in item.sources]
            self.refuse_absent(item)
            known = [value for value in inputs if value is not None and value.tensor is not None]
            if len(known) < len(inputs):
                self.maker.preview(item)
                return
            self.context.path.append(item.name)
            try:
                made = self.module(item, known)
            finally:
                self.context.path.pop()
            if made is not None:
                again = item.reuses is not None and item.reuses.made is not made
                item.results = scope.call(item.name, made, known, item.spec.node, reused=again)
                if item.spec.shape is not None:
                    check_annotation(self.context, item, scope)
        except Refused:
            return

    def refuse_absent(self, item: Item) -> None:
        """A Concat over an absent layer could mean two things, unless that layer says `from:`."""
        if item.type is None or item.type.name not in ("Concat", "Stack"):
            return
        for source in item.sources:
            target = source.item
            if isinstance(target, Item) and target.absent and target.spec.sources is None:
                raise self.context.report(
                    "E112",
                    f"what {item.type.name} takes is unclear: one of its layers is absent",
                    source.node.place,
                    labels=(Label(target.place, "absent: its `when:` is false"),),
                    help="say `from:` at the absent layer: that is what takes its place",
                )

    def module(self, item: Item, inputs: list[Value]) -> Made | None:
        """The module of an item, applied: made now, or made before and applied again."""
        owner = item.reuses
        if owner is None:
            if item.made is None:
                item.made = self.make(item, inputs)
                return item.made
            return self.again(item, item.made, inputs)
        if owner.broken or owner.absent:
            if owner.absent:
                message = f"`{owner.name}` is absent here: there is nothing to reuse"
                self.context.report("E106", message, item.place)
            return None
        if owner.made is None:
            owner.made = self.make(owner, inputs)
            return owner.made
        return self.again(item, owner.made, inputs)

    def again(self, item: Item, made: Made, inputs: list[Value]) -> Made:
        """Another application of a module."""
        if None in made.results.values():
            raise Refused
        tensors = [value.tensor for value in inputs if value.tensor is not None]
        try:
            found, trace = resolved_outputs(made.target, tensors)
        except Fault as fault:
            label = Label(made.target.node.place, "the module was made here, for its first input")
            raise self.context.report(
                fault.code, fault.message, item.place, labels=(label,), notes=fault.notes
            ) from None
        return Made(made.target, dict(zip(made.results, found, strict=True)), trace)

    def make(self, item: Item, inputs: list[Value]) -> Made:
        """The module of an item, or of all its repetitions."""
        if item.spec.repeat is not None:
            return Repetition(self.context, self.maker, item).expand(inputs, self.single)
        return self.single(item, inputs, item.names)

    def single(self, item: Item, inputs: list[Value], names: Names) -> Made:
        """One module: a group, a block, or a layer."""
        if item.spec.body is not None:
            return self.group(item, _flows(inputs), names)
        assert item.type is not None
        if isinstance(item.type.target, BlockSpec):
            return self.block(item, item.type.target, inputs, names)
        return self.maker.make(item, inputs, names)

    def group(self, item: Item, flows: list[Flow], names: Names) -> Made:
        """A group: an open scope with one input."""
        assert item.spec.body is not None
        if len(flows) > 1:
            message = f"a group takes one input, not {len(flows)}"
            help = "make it a block with `inputs:`"
            raise self.context.report("E112", message, item.place, help=help)
        inputs = dict(zip(("input",), flows, strict=False))
        node, numbered = item.spec.node, item.spec.body.numbered
        composite = Composite(None, node, numbered, tuple(inputs))
        inner = {**names, **facts_of(composite, inputs)}
        return self.body(item.spec.body, inner, inputs, composite)

    def block(self, item: Item, block: BlockSpec, given: list[Value], names: Names) -> Made:
        """A use of a block: a closed scope with parameters of its own."""
        context = self.context
        if block.body is None:
            raise Refused
        declared = [name.text for name in block.inputs] or ["input"]
        if len(given) != len(declared):
            message = f"`{block.name.text}` takes {len(declared)} inputs, not {len(given)}"
            labels = (Label(block.name.place, f"it takes {', '.join(declared)}"),)
            help = f"name a layer for each: `from: [{', '.join(declared)}]`"
            raise context.report("E112", message, item.place, labels=labels, help=help)
        inputs = dict(zip(declared, _flows(given), strict=True))
        kind, node = block.name.text, item.spec.node
        composite = Composite(kind, node, block.body.numbered, tuple(inputs))
        facts: dict[str, Any] = {**facts_of(composite, inputs)}
        if len(inputs) == 1:
            facts["input"] = next(iter(facts.values()))
        args = arguments(context, item, LayerNames(names, given[0]))
        where = item.spec.type.place if item.spec.type is not None else item.place
        owner = f"`{block.name.text}`"
        context.uses.append(Label(item.place, f"in this use of {owner}, {'.'.join(context.path)}"))
        try:
            bound = bind(context, block.params, args, facts, owner, where, item.spec.args)
            composite.params = {p.name.text: bound[p.name.text] for p in block.params}
            if block.init:
                context.ruled.append(Ruled(composite, block.init, bound))
            return self.body(block.body, bound, inputs, composite, outputs=block.outputs)
        finally:
            context.uses.pop()


def _flows(inputs: list[Value]) -> list[Flow]:
    """What values are to the scope that they flow into."""
    return [(value.tensor, value.node) for value in inputs if value.tensor is not None]
