"""Composites → classes: one per topology, `nn.Sequential` for a chain.

Composites that differ in numbers only share a class; the numbers that differ become arguments of
its constructor, under the spec's own parameter names where they have them.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from archspec.backends.source.constructors import Constructor
from archspec.backends.source.descriptions import Descriptions
from archspec.backends.source.expressions import (
    Construction,
    Expression,
    Hole,
    Invocation,
    Repeated,
    Spell,
    Text,
    invocation,
    parts,
    skeleton,
)
from archspec.backends.source.folding import MIN_TURNS, fold, growing
from archspec.backends.source.forward import Forward, emissions
from archspec.backends.source.free import empty, filling
from archspec.backends.source.literals import TAKEN as TAKEN_WORDS
from archspec.backends.source.literals import class_name, literal
from archspec.backends.source.numbers import kind, methods, recording
from archspec.backends.source.plans import (
    MAX_DEPTH,
    Member,
    Plan,
    are_counted,
    dense_dim,
    dense_forward,
    is_chain,
    loop_forward,
    part_name,
)
from archspec.backends.source.results import Results
from archspec.backends.source.shapes import remark
from archspec.backends.source.small import SmallModules, claim
from archspec.backends.source.variants import distinguished
from archspec.backends.source.written import Declared, Written
from archspec.graph import Composite, Leaf, Trace
from archspec.ops import Construct, FreeTensor, Function
from archspec.ops.base import Emission
from archspec.sizes.within import Within


@dataclass(slots=True, eq=False)
class Class:
    """A generated class, with the composites that are its instances."""

    name: str
    plans: list[Plan] = field(default_factory=list)
    constructor: Constructor = field(default_factory=Constructor)


class Classes:
    """All classes of a network.

    `origins` says which fields of leaves are parameters of the network, `written` what the blocks
    of the spec say of their numbers; `within` words symbolic sizes for those that work.
    """

    def __init__(
        self,
        root: Composite,
        trace: Trace,
        origins: Mapping[int, Mapping[str, str]],
        written: Written,
        within: Within,
    ) -> None:
        self.origins = origins
        self.written = written.arguments
        self.within = within
        self.taken = set(TAKEN_WORDS)
        """The names at the top of the file."""
        self.small = SmallModules(self.taken)
        self.results = Results(self.taken)
        self.plans: dict[int, Plan] = {}
        self.classes: list[Class] = []
        self.numbers: dict[int, int] = {}
        """By composite: the number of its class."""
        self.topologies: dict[Hashable, int] = {}
        """The number of the class with this structure."""
        self.describe = Descriptions(self.plans, self.numbers).describe
        self.scope = root
        self.root = self.plan(root, trace, root.kind or "network")
        self.name_classes()
        for each in self.classes:
            rows = [list(self.literals(plan)) for plan in each.plans]
            params = [plan.composite.params for plan in each.plans]
            plan = each.plans[0]
            declared = written.blocks.get(plan.composite.kind or "", Declared())
            if plan.composite is root:
                declared = Declared(written.names)
            each.constructor.choose(rows, params, declared, self.taken, len(plan.numbers))
            methods(each.constructor, plan)

    def class_of(self, scope: Composite) -> Class:
        """The class whose instance a composite is."""
        return self.classes[self.numbers[id(scope)]]

    # Plans, innermost first.

    def plan(self, scope: Composite, trace: Trace, name: str) -> Plan:
        """Plan a composite and all below it."""
        for number, call in enumerate(scope.calls):
            if isinstance(call.target, Composite) and id(call.target) not in self.plans:
                self.plan(call.target, trace.inner[number], part_name(call.name, scope, name))
        found = emissions(scope, trace)
        chain = is_chain(scope, found)
        members = list(self.members(scope, found, chain))
        plan = Plan(scope, class_name(scope.kind or name.rstrip("0123456789_")), members, chain)
        plan.depth = 1 + max(map(self.inline_depth, scope.children.values()), default=0)
        plan.inline = chain and scope.kind is None and plan.depth <= MAX_DEPTH
        self.plans[id(scope)] = plan
        if not chain:
            self.write_methods(plan, found, trace)
        elif scope is self.scope and scope.inputs != ("input",):
            plan.arguments, plan.lines = loop_forward(scope.inputs[0])
        if not plan.inline:
            self.file(plan)
        return plan

    def inline_depth(self, child: Composite | Leaf) -> int:
        """How many sequences are written within each other where a child is made."""
        plan = self.plans.get(id(child))
        return plan.depth if plan is not None and plan.inline else 0

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
                yield Member(name, empty(found), found)
            elif isinstance(found, Construct):
                yield Member(name, self.constructed(target, found))
            elif isinstance(found, Function) and chain:
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
        texts = self.written.get(id(leaf.node))
        return invocation(path, args, found.kwargs, found.usual, self.origins.get(id(leaf)), texts)

    def construction(self, scope: Composite) -> Expression:
        """The construction of a scope: of its class, or of a sequence in place."""
        plan = self.plans[id(scope)]
        return self.sequence(plan, "nn.Sequential") if plan.inline else Construction(scope)

    def sequence(self, plan: Plan, function: str) -> Invocation:
        """A call that makes a sequence of the members of a plan."""
        values = [member.value for member in plan.members]
        names = [member.name for member in plan.members]
        if names == [str(n) for n in range(len(values))]:
            return Invocation(function, tuple((None, v) for v in fold(values, self.describe)))
        pairs: Expression | None = self.counted(names, values)
        if pairs is None:
            each = (
                (None, Invocation("", ((None, Text(literal(name))), (None, value))))
                for name, value in zip(names, values, strict=True)
            )
            pairs = Invocation("", tuple(each), "[]")
        return Invocation(function, ((None, Invocation("OrderedDict", ((None, pairs),))),))

    def write_methods(self, plan: Plan, emitted: list[Emission | None], trace: Trace) -> None:
        """The statements of a scope's `reset_parameters` and `forward`."""
        scope = plan.composite
        dim = dense_dim(scope, emitted)
        if dim is not None:
            plan.arguments, plan.lines = dense_forward(dim)
            run = self.counted([member.name for member in plan.members], plan.values(), few=2)
            plan.members = plan.members if run is None else [Member(plan.members[0].name, run)]
            return
        returned, name = self.results.returned, plan.name
        returns = {mode: returned(scope, name, training=mode) for mode in (True, False)}
        plan.result = self.results.result_type(scope, name)
        free = [(member.name, member.free) for member in plan.members if member.free is not None]

        def write(spell: Spell) -> None:
            plan.fills = [line for each in free for line in filling(*each, spell)]
            writer = Forward(scope, emitted, returns, spell, scope is self.scope)
            if writer.is_root:
                writer.remark = lambda call: remark(scope, call, trace, self.within)
            plan.arguments, plan.lines = writer.write()

        write(recording(plan.numbers))
        plan.write = write if plan.numbers else None

    # Loops.

    def counted(
        self, names: Sequence[str], values: Sequence[Expression], few: int = MIN_TURNS
    ) -> Repeated | None:
        """Expressions with consecutive names as a loop; None if they are few or not alike."""
        if len(names) < few or not are_counted(names):
            return None
        run = growing(values, [self.describe(value) for value in values])
        return run and replace(run, first_name=names[0])

    # Classes.

    def file(self, plan: Plan) -> None:
        """Put a plan into the class of its topology."""
        scope = plan.composite
        plan.whole = self.sequence(plan, "super().__init__") if plan.sequential else None
        lines = tuple((line.code, line.depth) for line in plan.lines)
        numbers = tuple((hole.hint, kind(hole.value)) for hole in plan.numbers)
        methods = (*plan.arguments, *plan.fills, lines, numbers)
        topology = (plan.name, plan.sequential, *methods, *self.outline(plan))
        number = self.numbers[id(scope)] = self.topologies.setdefault(topology, len(self.classes))
        if number == len(self.classes):
            self.classes.append(Class(plan.name))
        each = self.classes[number]
        plan.number = len(each.plans)
        each.plans.append(plan)

    def outline(self, plan: Plan) -> list[Hashable]:
        """What makes two plans the same but for literals."""
        if plan.whole is not None:
            return [skeleton(plan.whole, self.numbers)]
        return [
            (member.name, skeleton(member.value, self.numbers), member.free is None)
            for member in plan.members
        ]

    def name_classes(self) -> None:
        """Give every class a name of its own: topologies of one block say how they differ."""
        groups: dict[str, list[Class]] = {}
        for each in self.classes:
            groups.setdefault(each.name, []).append(each)
        for group in groups.values():
            composites = [[plan.composite for plan in each.plans] for each in group]
            for each, suffix in zip(group, distinguished(composites), strict=True):
                each.name += suffix
        for each in self.classes:
            each.name = claim(each.name, self.taken)

    def literals(self, plan: Plan) -> Iterator[Hole]:
        """Every literal of a class: of `__init__`, those for inner classes included, and numbers
        of its methods.
        """
        for value in plan.values():
            yield from self.visible(value)
        yield from plan.numbers

    def visible(self, expression: Expression) -> Iterator[Hole]:
        """The literals that stand in the code of an expression."""
        for part in parts(expression):
            if isinstance(part, Hole):
                yield part
            elif isinstance(part, Construction):
                yield from self.given(part.composite)
            elif isinstance(part, Repeated):
                first, steps = self.turns(part)
                yield from (part.count, *first, *steps.values())

    def turns(self, loop: Repeated) -> tuple[list[Hole], dict[int, Hole]]:
        """The visible literals of a loop's first turn, and the steps of those that grow."""
        first, second = (
            [hole for each in turn for hole in self.visible(each)]
            for turn in (loop.turn, loop.second)
        )
        steps = {
            at: Hole(b.value - a.value, "step")
            for at, (a, b) in enumerate(zip(first, second, strict=True))
            if type(a.value) is not type(b.value) or a.value != b.value
        }
        return first, steps

    def given(self, scope: Composite) -> list[Hole]:
        """What the constructor of a scope's class is given for this scope."""
        texts = self.written.get(id(scope.node), {})
        return self.class_of(scope).constructor.given(self.plans[id(scope)].number, texts)
