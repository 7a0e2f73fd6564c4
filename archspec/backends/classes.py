"""Composites → classes: one per topology, `nn.Sequential` for a chain.

Composites that differ in numbers only share a class; the numbers that differ become arguments of
its constructor, under the spec's own parameter names where they have them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from archspec.backends.expressions import (
    Construction,
    Expression,
    Hole,
    Invocation,
    Text,
    invocation,
    parts,
    skeleton,
)
from archspec.backends.forward import Forward, braced, emissions
from archspec.backends.literals import TAKEN as TAKEN_WORDS
from archspec.backends.literals import class_name, fresh, identifier, literal
from archspec.backends.small import SmallModules, claim
from archspec.graph import Composite, Leaf, Output, Trace
from archspec.ops import Construct, FreeTensor, Function
from archspec.ops.base import Emission

SEQUENTIAL = frozenset(
    """
    append extend insert pop _get_item_by_idx
    __add__ __delitem__ __getitem__ __iadd__ __imul__ __iter__ __len__ __mul__ __rmul__ __setitem__
    """.split()  # noqa: SIM905 - names read better as text
)
"""Attributes of `nn.Sequential` that a child cannot be called by."""


@dataclass(slots=True, eq=False)
class Member:
    """A line of `__init__`: a child, parameter or buffer of a scope."""

    name: str
    value: Expression | FreeTensor


@dataclass(slots=True, eq=False)
class Plan:
    """How one composite is written."""

    composite: Composite
    name: str
    members: list[Member]
    sequential: bool
    arguments: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    result: str = "Tensor"
    number: int = 0
    """Its position among the instances of its class."""
    inline: bool = False
    """Written where it is constructed, as `nn.Sequential(...)`."""


@dataclass(slots=True, eq=False)
class Class:
    """A generated class, with the composites that are its instances."""

    name: str
    plans: list[Plan] = field(default_factory=list)
    columns: list[tuple[Any, ...]] = field(default_factory=list)
    """For every literal, in reading order: its value in each instance."""
    parameters: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """Constructor arguments: their columns."""
    names: dict[str, str] = field(default_factory=dict)
    """Constructor arguments by the spelling of their columns: 1, 1.0 and true are three things."""

    def name_of(self, column: tuple[Any, ...]) -> str | None:
        """The constructor argument that holds these literals."""
        return self.names.get(repr(column))


class Classes:
    """All classes of a network."""

    def __init__(self, root: Composite, trace: Trace) -> None:
        self.taken = set(TAKEN_WORDS)
        """The names at the top of the file."""
        self.small = SmallModules(self.taken)
        self.plans: dict[int, Plan] = {}
        self.keys: dict[int, str] = {}
        self.classes: dict[str, Class] = {}
        self.tuples: dict[str, tuple[str, ...]] = {}
        """The named tuples that scopes return: their fields."""
        self.scope = root
        self.root = self.plan(root, trace, root.kind or "network")
        for each in self.classes.values():
            self.parametrise(each)

    # Plans, innermost first.

    def plan(self, scope: Composite, trace: Trace, name: str) -> Plan:
        """Plan a composite and all below it."""
        for number, call in enumerate(scope.calls):
            if isinstance(call.target, Composite) and id(call.target) not in self.plans:
                self.plan(call.target, trace.inner[number], call.name)
        found = emissions(scope, trace)
        chain = self.is_chain(scope, found)
        members = list(self.members(scope, found, chain))
        plan = Plan(scope, class_name(scope.kind or name.rstrip("0123456789_")), members, chain)
        plan.inline = chain and scope.kind is None
        if not chain:
            self.write_forward(plan, found)
        elif scope is self.scope and scope.inputs != ("input",):
            self.write_loop(plan)
        self.plans[id(scope)] = plan
        if not plan.inline:
            self.file(plan)
        return plan

    def is_chain(self, scope: Composite, emitted: list[Emission | None]) -> bool:
        """Whether `nn.Sequential` says it: each child called once, in order, on the one before."""
        named = scope.kind is not None and not scope.numbered
        if named or len(scope.inputs) != 1 or len(scope.outputs) != 1 or scope.as_dict:
            return False
        if [call.name for call in scope.calls] != list(scope.children):
            return False
        last = 0
        for call, found in zip(scope.calls, emitted, strict=True):
            if call.inputs != (last,) or len(call.outputs) != 1 or call.name in SEQUENTIAL:
                return False
            plain = not isinstance(found, Construct) or found.call == "{self}({inputs})"
            if isinstance(found, FreeTensor) or not plain:
                return False
            if isinstance(found, Function) and not scope.numbered:
                return False
            last = call.outputs[0]
        return scope.outputs[0].value == last

    def members(
        self, scope: Composite, emitted: list[Emission | None], chain: bool
    ) -> Iterator[Member]:
        """What `__init__` makes, in file order. A shared layer emits what its first call does."""
        first: dict[int, Emission | None] = {}
        for call, each in zip(scope.calls, emitted, strict=True):
            first.setdefault(id(call.target), each)
        for name, target in scope.children.items():
            if isinstance(target, Composite):
                yield Member(name, self.construction(target))
                continue
            found = first[id(target)]
            if isinstance(found, FreeTensor):
                yield Member(name, found)
            elif isinstance(found, Construct):
                yield Member(name, self.constructed(target, found))
            elif found is not None and chain:
                yield Member(name, self.small.use(target.type, found))

    def constructed(self, leaf: Leaf, found: Construct) -> Expression:
        """The construction of a layer's module."""
        path = found.path
        if found.definition is not None:
            path = self.small.define(path.rpartition(".")[2], found.definition)
        elif path.startswith("torch.nn."):
            path = path.removeprefix("torch.")
        else:
            path = self.small.imported(path)
        hints = [*type(leaf.layer).positional, *(f"arg{n}" for n in range(len(found.args)))]
        args = tuple(zip(hints, found.args, strict=False))
        return invocation(path, args, found.kwargs, found.usual)

    def construction(self, scope: Composite) -> Expression:
        """The construction of a scope: of its class, or of a sequence in place."""
        plan = self.plans[id(scope)]
        if not plan.inline:
            return Construction(scope)
        arguments = [member.value for member in plan.members]
        values = [value for value in arguments if not isinstance(value, FreeTensor)]
        if [member.name for member in plan.members] == [str(n) for n in range(len(values))]:
            return Invocation("nn.Sequential", tuple((None, value) for value in values))
        pairs = tuple(
            (None, Invocation("", ((None, Text(literal(m.name))), (None, value))))
            for m, value in zip(plan.members, values, strict=True)
        )
        listed = Invocation("", pairs, "[]")
        ordered = Invocation("OrderedDict", ((None, listed),))
        return Invocation("nn.Sequential", ((None, ordered),))

    def write_forward(self, plan: Plan, emitted: list[Emission | None]) -> None:
        """The statements of a scope's `forward`."""
        scope = plan.composite
        returns = {mode: self.returned(scope, plan.name, training=mode) for mode in (True, False)}
        plan.arguments, plan.lines = Forward(scope, emitted, returns, scope is self.scope).write()
        plan.result = self.result_type(scope, plan.name)

    def write_loop(self, plan: Plan) -> None:
        """The `forward` of `nn.Sequential`, whose argument can be given by the input's name."""
        (name,) = plan.arguments = list(plan.composite.inputs)
        layer = "layer" if name != "layer" else "module"
        plan.lines = [f"for {layer} in self:", f"    {name} = {layer}({name})", f"return {name}"]

    def returned(self, scope: Composite, name: str, *, training: bool) -> str:
        """The expression that `forward` returns, over `{v0}`, `{v1}`, … for values."""
        outputs = _present(scope, training=training)
        if scope.as_dict:
            pairs = (f"{braced(literal(o.name))}: {{v{o.value}}}" for o in outputs)
            return f"{{{{{', '.join(pairs)}}}}}"
        values = [f"{{v{o.value}}}" for o in outputs]
        if len(outputs) == 1:
            return values[0]
        return f"{self.tuple_name(scope, name, training=training)}({', '.join(values)})"

    def result_type(self, scope: Composite, name: str) -> str:
        """The annotation of what `forward` returns."""
        if scope.as_dict:
            return "dict[str, Tensor]"
        kinds = [
            self.tuple_name(scope, name, training=mode)
            if len(_present(scope, training=mode)) > 1
            else "Tensor"
            for mode in (False, True)
        ]
        return " | ".join(dict.fromkeys(kinds))

    def tuple_name(self, scope: Composite, name: str, *, training: bool) -> str:
        """The named tuple that a scope returns in this mode: one for each list of fields."""
        extra = training and any(o.training_only for o in scope.outputs)
        wanted = f"{name}TrainingOutput" if extra else f"{name}Output"
        fields = tuple(output.name for output in _present(scope, training=training))
        chosen, number = wanted, 2
        while self.tuples.get(chosen) != fields and chosen in self.taken:
            chosen, number = f"{wanted}{number}", number + 1
        self.tuples[chosen] = fields
        self.taken.add(chosen)
        return chosen

    # Classes.

    def file(self, plan: Plan) -> None:
        """Put a plan into the class of its topology."""
        key = repr((plan.name, plan.sequential, plan.arguments, plan.lines, self.outline(plan)))
        self.keys[id(plan.composite)] = key
        if key not in self.classes:
            self.classes[key] = Class(claim(plan.name, self.taken))
        plan.number = len(self.classes[key].plans)
        self.classes[key].plans.append(plan)

    def outline(self, plan: Plan) -> list[Any]:
        """What makes two plans the same but for literals."""
        return [
            (
                m.name,
                repr(m.value) if isinstance(m.value, FreeTensor) else skeleton(m.value, self.keys),
            )
            for m in plan.members
        ]

    def parametrise(self, each: Class) -> None:
        """Find the literals that differ between instances, and name them."""
        rows = [list(self.literals(plan)) for plan in each.plans]
        each.columns = [tuple(hole.value for hole in column) for column in zip(*rows, strict=True)]
        hints = [hole.hint for hole in rows[0]] if rows else []
        own = _parameter_columns(each.plans)
        for column, hint in zip(each.columns, hints, strict=True):
            if _varies(column) and each.name_of(column) is None:
                wanted = identifier(own.get(repr(column), hint))
                name = fresh(wanted, {*each.parameters, *self.taken})
                each.parameters[name] = column
                each.names[repr(column)] = name

    def literals(self, plan: Plan) -> Iterator[Hole]:
        """Every literal of an `__init__`, those for inner classes included."""
        for member in plan.members:
            if isinstance(member.value, FreeTensor):
                continue
            for part in parts(member.value):
                if isinstance(part, Hole):
                    yield part
                elif isinstance(part, Construction):
                    yield from self.given(part.composite)

    def given(self, scope: Composite) -> list[Hole]:
        """What the constructor of a scope's class is given for this scope."""
        owner = self.classes[self.keys[id(scope)]]
        number = self.plans[id(scope)].number
        return [Hole(column[number], name) for name, column in owner.parameters.items()]


def _present(scope: Composite, *, training: bool) -> list[Output]:
    """The outputs of a mode."""
    return [output for output in scope.outputs if training or not output.training_only]


def _varies(column: tuple[Any, ...]) -> bool:
    return any(type(v) is not type(column[0]) or v != column[0] for v in column)


def _parameter_columns(plans: list[Plan]) -> dict[str, str]:
    """The names of the spec's own parameters, by the spelling of their columns."""
    names = plans[0].composite.params
    return {
        repr(tuple(plan.composite.params.get(name) for plan in plans)): name
        for name in reversed(names)
        if all(isinstance(plan.composite.params.get(name), int | float | str) for plan in plans)
    }
