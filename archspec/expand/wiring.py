"""Who takes what from whom within one scope, and the order of calls that follows."""

from collections.abc import Mapping as AbstractMapping
from functools import cached_property
from typing import NoReturn

from archspec.diagnostics import Label, Refused
from archspec.expand.context import Context, Names
from archspec.expand.items import Item, Source, Value, is_reuse, takes_list
from archspec.graph import Composite, Leaf
from archspec.ops import Layer, find
from archspec.syntax import Node, Scalar, Sequence, describe


class Wiring:
    """Finds the sources of every item of a scope."""

    def __init__(
        self, context: Context, items: list[Item], inputs: AbstractMapping[str, Value]
    ) -> None:
        self.context = context
        self.items = items
        self.inputs = inputs
        present_last = sorted(items, key=lambda item: not item.absent)
        self.by_name = {item.name: item for item in present_last if item.name}

    def connect(self, *, parallel: bool) -> None:
        """Set the sources of every item. In a parallel body every arm takes the scope's input."""
        previous: Item | None = None
        for item in self.items:
            try:
                item.sources = self.sources(item, None if parallel else previous)
            except Refused:
                item.broken = True
            if not item.free:
                previous = item

    def sources(self, item: Item, previous: Item | None) -> list[Source]:
        """The sources of one item."""
        spec = item.spec
        if spec.broken:
            return []
        if item.free:
            self.refuse_inputs(item)
            return []
        args = spec.args
        if isinstance(args, Sequence) and args.items and (item.absent or takes_list(item)):
            self.refuse_second_list(item)
            return [self.refer(node, item) for node in args.items]
        if is_reuse(spec) and not item.absent:
            item.reuses = self.reused(item)
        if spec.sources is not None:
            nodes = spec.sources.items if isinstance(spec.sources, Sequence) else [spec.sources]
            return [self.refer(node, item) for node in nodes]
        return [self.implicit(item, previous)]

    def refuse_inputs(self, item: Item) -> None:
        """A free tensor takes nothing."""
        if item.spec.sources is not None:
            message = "a free tensor takes no input: leave `from:` out"
            raise self.context.report("E112", message, item.spec.sources.place)

    def refuse_second_list(self, item: Item) -> None:
        """A list of inputs and `from:` together are one too many."""
        if item.spec.sources is not None:
            message = "the inputs are given twice: as a list, and with `from:`"
            raise self.context.report("E112", message, item.spec.sources.place)

    def implicit(self, item: Item, previous: Item | None) -> Source:
        """The source of an item that names none: what comes before it."""
        if previous is not None:
            return Source(previous, None, item.spec.node)
        values = set(self.inputs.values())
        if len(values) == 1:
            return Source(values.pop(), None, item.spec.node)
        inputs = [name for name in self.inputs if name != "input"]
        if not inputs:
            message = f"`{item.name}` has no input: the scope has none, and nothing comes before it"
            help = "declare what the network takes, for example `inputs: {image: [3, 224, 224]}`"
            raise self.context.report("E112", message, item.place, help=help)
        raise self.context.report(
            "E112",
            f"there are several inputs ({', '.join(inputs)}): say which one this layer takes",
            item.place,
            help=f"for example `from: {inputs[0]}`",
        )

    def warn_of_captured_chain(self, source: Source, *, training_only: bool) -> None:
        """An output in mid-trunk is also what the next layer takes, unless that says `from:`.

        The stages of a backbone are meant so; a head, or what is there in training only, is not.
        """
        if not training_only and not (isinstance(source.item, Item) and _is_head(source.item)):
            return
        for item in self.followers.get((id(source.item), source.result), ()):
            if isinstance(source.item, Item):
                label = Label(source.item.place, "an output as well")
                message = f"`{item.name}` takes the output `{source.item.name}`: is that meant?"
                help = "say `from:` here, or write the output's layers last"
                self.context.report("W303", message, item.place, labels=(label,), help=help)

    @cached_property
    def followers(self) -> dict[tuple[int, str | None], list[Item]]:
        """By what they take: the items that do not say so, and take what stands before them."""
        found: dict[tuple[int, str | None], list[Item]] = {}
        for item in self.items:
            silent = item.spec.sources is None and not isinstance(item.spec.args, Sequence)
            if silent and len(item.sources) == 1:
                (taken,) = item.sources
                found.setdefault((id(taken.item), taken.result), []).append(item)
        return found

    def refer(self, node: Node, item: Item | None, names: Names | None = None) -> Source:
        """The source that a reference names: `x`, or `x.k` for one of several results."""
        if not isinstance(node, Scalar) or node.value is None or isinstance(node.value, bool):
            message = f"an input is the name of a layer, not {describe(node)}"
            raise self.context.report("E105", message, node.place)
        text = self.context.fill(node, item.names if item is not None else names or {})
        name, _, result = text.partition(".")
        target = self.by_name.get(name) or self.inputs.get(name)
        if target is None:
            raise self.unknown(name, node)
        if result and not isinstance(target, Item):
            message = f"`{name}` is an input of this scope: it has no result `{result}`"
            raise self.context.report("E106", message, node.place)
        if target is item:
            message = f"`{name}` takes its own output"
            raise self.context.report("E107", message, node.place)
        return Source(target, result or None, node)

    def unknown(self, name: str, node: Node, *, reusable: bool = False) -> Refused:
        """Report a reference to nothing. `reusable`: to nothing that could be used again."""
        if self.context.found.told("E106", node.place):
            return Refused()
        if any(item.broken and (not item.name or "{" in item.name) for item in self.items):
            return Refused()  # it may be what could not be read
        known = [*self.by_name, *self.inputs]
        if reusable:
            known = [key for key, item in self.by_name.items() if not is_reuse(item.spec)]
        help = self.context.did_you_mean(name, known)
        notes = []
        if help is None:
            notes = ["a reference sees the layers of its own block or group, and `input`"]
            if len(known) <= 12:
                help = f"there are {', '.join(known)}"
        message = f"there is no layer `{name}` in this scope"
        return self.context.report("E106", message, node.place, help=help, notes=tuple(notes))

    def reused(self, item: Item) -> Item:
        """The item whose module a `Reuse` applies again."""
        node = item.spec.args
        if not isinstance(node, Scalar) or not node.text:
            place = (node or item.spec.type or item.spec.node).place
            raise self.context.report("E104", "Reuse names a layer: `{Reuse: conv1}`", place)
        if item.spec.repeat is not None:
            message = "Reuse applies a layer once: it takes no `repeat:`"
            raise self.context.report("E101", message, item.spec.repeat.place)
        name = self.context.fill(node, item.names)
        target = self.by_name.get(name)
        if target is None or target is item:
            raise self.unknown(name, node, reusable=True)
        if target.reuses is not None or is_reuse(target.spec):
            message = f"`{name}` is a Reuse itself: name the layer that it uses"
            raise self.context.report("E106", message, node.place)
        return target


def _is_head(item: Item) -> bool:
    """Whether an item ends in a Linear: what it gives are scores, not features for a next stage."""
    target = item.made.target if item.made is not None else None
    while isinstance(target, Composite):
        last = target.outputs[0].value if target.outputs else -1
        target = next((call.target for call in target.calls if last in call.outputs), None)
    return target is not None and target.type == "Linear"


def no_result(context: Context, item: Item, source: Source) -> NoReturn:
    """Report a reference to a result that a layer does not have."""
    target = item.made.target if item.made is not None else None
    weights = [n for n in target.layer.weights() if n] if isinstance(target, Leaf) else []
    known = [*item.results, *weights]
    help = context.did_you_mean(source.result or "", known)
    help = help or f"it has {', '.join(f'`{name}`' for name in known)}"
    message = f"`{item.name}` has no result `{source.result}`"
    raise context.report("E106", message, source.node.place, help=help)


def refuse_weight(context: Context, item: Item, source: Source) -> None:
    """Refuse `fc.bias` where `fc` is absent: the input that stands for `fc` is no parameter."""
    kind = item.spec.type.text if item.spec.type is not None else ""
    cls = find(kind) if kind not in context.blocks else None
    if source.result is None or cls is None or source.result in ("0", *cls.results):
        return
    if cls.results or cls.weights is not Layer.weights:
        message = f"`{item.name}` is absent here: it has no `{source.result}`"
        help = "give this layer the same `when:`"
        raise context.report("E106", message, source.node.place, help=help)


def order(context: Context, items: list[Item]) -> list[Item]:
    """Items in call order: file order, except that what a layer needs comes before it.

    Reports a cycle and leaves its items broken. Iterative, for chains of any length.
    """
    done: set[int] = set()
    open_: dict[int, int] = {}  # item → position on the path
    result: list[Item] = []
    for root in items:
        path: list[tuple[Item, int]] = [(root, 0)] if id(root) not in done else []
        while path:
            item, step = path.pop()
            needs = [s.item for s in item.sources if isinstance(s.item, Item)]
            open_[id(item)] = len(path)
            while step < len(needs) and id(needs[step]) in done:
                step += 1
            if step >= len(needs):  # a broken cycle leaves an item without sources
                del open_[id(item)]
                done.add(id(item))
                result.append(item)
                continue
            path.append((item, step + 1))
            if id(needs[step]) in open_:
                _report_cycle(context, [each for each, _ in path[open_[id(needs[step])] :]])
                item.sources = []
                continue
            path.append((needs[step], 0))
    return result


def _report_cycle(context: Context, cycle: list[Item]) -> None:
    for item in cycle:
        item.broken = True
    names = [item.name for item in cycle]
    first = min(cycle, key=lambda item: (item.place.line, item.place.column))
    turn = names.index(first.name)
    chain = " ← ".join([*names[turn:], *names[:turn], names[turn]])
    labels = tuple(Label(i.place, f"`{i.name}`") for i in cycle if i is not first)
    context.report("E107", f"these layers need each other: {chain}", first.place, labels=labels)
