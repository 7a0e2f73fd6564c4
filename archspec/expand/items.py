"""The entries of a body, with loops spliced in, conditions decided, names and types known."""

from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from typing import Any

from archspec.diagnostics import Label, Place, Refused
from archspec.expand.context import Context, Names
from archspec.expand.types import TypeUse, type_of
from archspec.graph import Composite, Leaf, Trace
from archspec.names import refusal, renaming
from archspec.ops import Layer
from archspec.spec import BlockSpec, Body, LayerSpec, LoopSpec
from archspec.syntax import Mapping, Node, Scalar, Sequence, describe
from archspec.tensors import Tensor

Given = dict[str, tuple[Any, Node]]
"""Evaluated arguments by name, each with the node that gives it."""


@dataclass(slots=True, eq=False)
class Value:
    """A tensor in a scope: its number there, its type (None after an error), its maker."""

    number: int
    tensor: Tensor | None
    node: Node
    composite: Composite
    trace: Trace


@dataclass(slots=True, eq=False)
class Source:
    """Where an input comes from: an item or an input of the scope, and which of its results."""

    item: "Item | Value"
    result: str | None
    node: Node


@dataclass(slots=True)
class Made:
    """A module, and what its first application gives: None for a result that is not known."""

    target: Leaf | Composite
    results: dict[str, Tensor | None]
    trace: Trace | None = None


@dataclass(slots=True, eq=False)
class Item:
    """One entry of a body, in its place: what is needed to wire it and to make it."""

    name: str
    spec: LayerSpec
    names: Names
    absent: bool = False
    type: TypeUse | None = None
    reuses: "Item | None" = None
    sources: list[Source] = field(default_factory=list)
    broken: bool = False
    results: dict[str, Value] = field(default_factory=dict)
    """By name or number; empty while unknown, or after an error."""
    made: Made | None = None
    """What was made of it, for `Reuse`."""

    @property
    def place(self) -> Place:
        """Where the entry stands."""
        return self.spec.node.place

    @property
    def free(self) -> bool:
        """Whether it is a Parameter or Buffer: never the previous layer."""
        kind = self.type.name if self.type is not None else self.spec.type and self.spec.type.text
        return kind in ("Parameter", "Buffer")


@dataclass(slots=True)
class _Flattener:
    context: Context
    items: list[Item] = field(default_factory=list)
    number: int = 0

    def add(self, body: Body, names: Names) -> None:
        for entry in body.entries:
            try:
                if isinstance(entry, LoopSpec):
                    self.loop(entry, names)
                else:
                    self.layer(entry, names)
            except Refused:
                self.broken(entry, names)

    def loop(self, loop: LoopSpec, names: Names) -> None:
        if loop.clause is None or loop.body is None:
            raise Refused
        if loop.when is not None and not self.context.condition(loop.when, names):
            return
        for turn in self.context.turns(loop.clause, names):
            self.add(loop.body, {**names, **turn})

    def layer(self, spec: LayerSpec, names: Names) -> None:
        self.context.spend(5, spec.node)
        absent = spec.when is not None and not self.context.condition(spec.when, names)
        name = self.name(spec, names, absent)
        item = Item(name, spec, names, absent, broken=spec.broken)
        self.items.append(item)
        if spec.type is not None and not absent and not spec.broken and not is_reuse(spec):
            item.broken = True  # until its type is known
            item.type = type_of(self.context, spec.type, names)
            item.broken = False

    def name(self, spec: LayerSpec, names: Names, absent: bool) -> str:
        if spec.name is not None:
            return self.context.fill(spec.name, names)
        if absent:
            return ""
        self.number += 1
        return str(self.number - 1)

    def broken(self, entry: LayerSpec | LoopSpec, names: Names) -> None:
        """Keep a place for what could not be read, so that what follows is not blamed."""
        if self.items and self.items[-1].spec is entry:
            return
        if isinstance(entry, LoopSpec):
            spec = LayerSpec.model_construct(node=entry.node, name=None, broken=True)
            self.items.append(Item("", spec, names, broken=True))
            return
        if entry.name is None:
            self.number += 1
        name = entry.name.text if entry.name is not None else str(self.number - 1)
        self.items.append(Item(name, entry, names, broken=True))


def is_reuse(spec: LayerSpec) -> bool:
    """Whether an entry applies another layer's module again."""
    return spec.type is not None and spec.type.text == "Reuse"


def flatten(
    context: Context, body: Body, names: Names, inputs: AbstractMapping[str, Value]
) -> list[Item]:
    """The items of a body, in file order. `inputs` are the other names of its scope."""
    flattener = _Flattener(context)
    flattener.add(body, names)
    _check_names(context, flattener.items, inputs)
    return flattener.items


_WHOLE_LOOP = (
    "a loop of the other file makes that layer: only the whole loop is replaced, by its key"
)


def _check_names(context: Context, items: list[Item], inputs: AbstractMapping[str, Value]) -> None:
    seen: dict[str, Item] = {}
    for item in items:
        if not item.name and (item.absent or item.spec.name is None):
            continue
        problem = refusal(item.name)
        if problem is None and item.name in inputs:
            problem = f"`{item.name}` is an input of this scope: a layer needs another name"
        if problem:
            context.report("E111", problem, item.place, help=renaming(item.name))
        first = seen.setdefault(item.name, item)
        if first is not item and not (first.absent or item.absent):
            _report_clash(context, first, item)
            item.broken = True


def _report_clash(context: Context, first: Item, item: Item) -> None:
    """Two layers of one name: of one loop, of two places, or of a loop in an extended file."""
    message = f"two layers of one scope are called `{item.name}`"
    if first.spec is item.spec:
        help = f"put the variable of the loop into the name, as in `{item.name}{{k}}`"
        context.report("E111", message, item.place, help=help)
        return
    advice = _WHOLE_LOOP if _is_of_another_loop(first, item) else None
    labels = (Label(first.place, "first here"),)
    context.report("E111", message, item.place, labels=labels, help=advice)


def _is_of_another_loop(first: Item, item: Item) -> bool:
    """Whether a loop of an extended file names the first, and a layer is to replace that one."""
    name = first.spec.name
    templated = name is not None and name.text != first.name
    return templated and first.place.source is not item.place.source


def arguments(context: Context, item: Item, names: Names) -> Given:
    """The arguments of an item by name, evaluated, each with the node that gives it."""
    assert item.type is not None
    given: Given = {key: (value, item.spec.node) for key, value in item.type.args.items()}
    args = item.spec.args
    if isinstance(args, Mapping):
        target = item.type.target
        special = isinstance(target, type) and bool(target.bare or target.formulas)
        for key, value in args.entries.values():
            if type(value) is Scalar and not _is_expression(value) and not special:
                given[key.text] = (context.bounded(value.value, value), value)
            elif special:
                given[key.text] = (_argument(context, item, key.text, value, names), value)
            else:
                given[key.text] = (context.evaluate(value, names), value)
    elif isinstance(args, Scalar) and isinstance(args.value, Layer):
        dumped = args.value.model_dump(exclude_unset=True, by_alias=True)
        given.update({key: (value, args) for key, value in dumped.items()})
    elif args is not None and not takes_list(item):
        message = f"the arguments of {item.type.name} are a mapping, not {describe(args)}"
        raise context.report("E105", message, args.place, help=_named(item.type, args))
    return given


def _named(use: TypeUse, args: Node) -> str | None:
    """The same arguments with their names, if they stand as in a call of the constructor."""
    if isinstance(use.target, BlockSpec):
        names = tuple(param.name.text for param in use.target.params)
    else:
        names = use.target.positional
        required = tuple(n for n, info in use.target.model_fields.items() if info.is_required())
        names = (required or tuple(use.target.model_fields)) if isinstance(args, Scalar) else names
    values = args.items if isinstance(args, Sequence) else [args]
    if not all(isinstance(value, Scalar) for value in values) or len(values) > len(names):
        return None
    texts = (value.text for value in values if isinstance(value, Scalar))
    given = ", ".join(f"{name}: {text}" for name, text in zip(names, texts, strict=False))
    return f"write `{{{use.name}: {{{given}}}}}`"


def _is_expression(node: Scalar) -> bool:
    return type(node.value) is str and node.value.startswith("=")


def _argument(context: Context, item: Item, name: str, value: Node, names: Names) -> Any:
    """One argument. Shapes take bare words; a formula is kept for when the module is built."""
    assert item.type is not None
    target, args = item.type.target, item.spec.args
    assert isinstance(target, type)
    if name in target.bare:
        return context.shape_of(value, names, f"`{name}:`")
    formula = name in target.formulas and isinstance(value, Scalar) and _is_expression(value)
    if formula and isinstance(args, Mapping):
        index = args.get("index")
        words = context.evaluate(index, names) if index is not None else []
        return context.formula(value, tuple(map(str, words)), names)
    return context.evaluate(value, names)


def takes_list(item: Item) -> bool:
    """Whether a list in place of the arguments names the inputs: for types that join tensors."""
    target = item.type.target if item.type else None
    return isinstance(target, type) and target.arity[1] != 1 and target.arity[1] != 0
