"""The `forward` of one scope: statements over few variables, so that dead tensors are let go."""

from dataclasses import dataclass, field

from archspec.backends.literals import identifier, is_identifier, literal
from archspec.graph import Call, Composite, Leaf, Trace
from archspec.ops import Attribute, Construct, FreeTensor, Function
from archspec.ops.base import Emission

ROLLING = ("x", "y", "z")
"""Variables for what is read once, as a person writes them."""
INDENT = "    "


def emissions(scope: Composite, trace: Trace) -> list[Emission | None]:
    """What every call of a scope emits; None for the call of an inner scope."""
    return [_emission(trace, call) for call in scope.calls]


def _emission(trace: Trace, call: Call) -> Emission | None:
    if not isinstance(call.target, Leaf):
        return None
    return call.target.layer.emit(tuple(trace.tensors[value] for value in call.inputs))


def child(name: str) -> str:
    """How `forward` reaches a child."""
    return f"self.{name}" if is_identifier(name) else f"getattr(self, {literal(name)})"


def braced(code: str) -> str:
    """Code as a template gives it: its braces doubled."""
    return code.replace("{", "{{").replace("}", "}}")


def fill(template: str, inputs: list[str], values: dict[str, str]) -> str:
    """A template of an emission with its inputs and literals."""
    return template.format(*inputs, inputs=", ".join(inputs), **values)


@dataclass(slots=True)
class Forward:
    """Writes the statements of one scope's `forward`."""

    scope: Composite
    emissions: list[Emission | None]
    """By call."""
    returns: dict[bool, str]
    """By mode (training or not): the expression returned, with `{name}` for every output."""
    is_root: bool = False
    lines: list[str] = field(default_factory=list)
    variables: dict[int, str] = field(default_factory=dict)
    last_read: dict[int, int] = field(default_factory=dict)
    """By value: the position of the last call that reads it; outputs are read at the end."""
    holder: dict[str, int] = field(default_factory=dict)
    """By variable: the value that it holds now."""
    readers: list[int] = field(default_factory=list)
    """By value: how many calls and outputs read it."""
    taken: frozenset[str] = frozenset()
    """Names that no value but an argument may have."""
    schedule: list[tuple[int, bool]] = field(default_factory=list)
    """Numbers of calls in order, and whether they run in training only."""

    def write(self) -> tuple[list[str], list[str]]:
        """The names of the arguments, and the statements."""
        self.plan()
        arguments = self.arguments()
        self.readers = self.scope.readers()
        self.taken = frozenset({*ROLLING, *arguments, *self.reserved()})
        for position, (number, training_only) in enumerate(self.schedule):
            self.call(position, number, training_only)
        self.finish()
        return arguments, self.lines

    def plan(self) -> None:
        """Order the calls, with those for training right behind what they need."""
        scope = self.scope
        always, ever = scope.needed(training=False), scope.needed(training=True)
        order = [number for number in range(len(scope.calls)) if always[number]]
        maker = {value: n for n, call in enumerate(scope.calls) for value in call.outputs}
        for number, call in enumerate(scope.calls):
            if ever[number] and not always[number]:
                before = [order.index(maker[v]) for v in call.inputs if v in maker]
                order.insert(max(before, default=-1) + 1, number)
        self.schedule = [(number, not always[number]) for number in order]
        for position, number in enumerate(order):
            for value in scope.calls[number].inputs:
                self.last_read[value] = position
        for output in scope.outputs:
            self.last_read[output.value] = len(order)

    def arguments(self) -> list[str]:
        """The names of the inputs, as variables."""
        names = []
        for value, name in enumerate(self.scope.inputs):
            # Callers may give an input of the network by name: it keeps that name.
            chosen = name if self.is_root else "x" if name == "input" else identifier(name)
            while chosen in names or chosen in self.reserved():
                chosen += "_"
            names.append(chosen)
            self.variables[value] = chosen
            self.holder[chosen] = value
        return names

    def reserved(self) -> set[str]:
        """What `forward` names beside its variables: the named tuples that it returns."""
        return {text.partition("(")[0] for text in self.returns.values()}

    def call(self, position: int, number: int, training_only: bool) -> None:
        """The statement of one call."""
        call, found = self.scope.calls[number], self.emissions[number]
        if isinstance(found, FreeTensor):
            self.variables[call.outputs[0]] = child(call.name)
            return
        if isinstance(found, Attribute):
            self.variables[call.outputs[0]] = f"{child(found.owner)}.{found.name}"
            return
        inputs = [self.variables[value] for value in call.inputs]
        read = [value in self.last_read for value in call.outputs]
        dying = [v for v in call.inputs if self.last_read[v] == position]
        code, targets, after = self.expression(call, found, inputs, read)
        names = [
            self.variable(value, position, dying) if used else "_"
            for value, used in zip(call.outputs, read, strict=True)
        ]
        if targets is None:
            targets = ", ".join(names) if len(names) > 1 else names[0]
        else:
            targets = targets.format(**dict(zip(self.result_names(call), names, strict=True)))
        prefix = INDENT if training_only else ""
        if training_only:
            self.lines.append("if self.training:")
        self.lines.append(f"{prefix}{targets} = {code}")
        for name, template in after.items():
            variable = dict(zip(self.result_names(call), names, strict=True))[name]
            if variable != "_":
                self.lines.append(f"{prefix}{variable} = {template.format(**{name: variable})}")
        self.let_go(position, dying, names, prefix)

    def expression(
        self, call: Call, found: Emission | None, inputs: list[str], read: list[bool]
    ) -> tuple[str, str | None, dict[str, str]]:
        """The code of a call, how its results are taken apart, and what is done to them then."""
        if isinstance(found, Function):
            values = {name: literal(value) for name, value in found.values.items()}
            return fill(found.template, inputs, values), None, {}
        module = child(self.module_name(call))
        if isinstance(found, Construct):
            first = found.first is not None and not any(read[1:])
            template = found.first if first and found.first else found.call
            code = fill(template, inputs, {"self": module})
            if first:
                return code, "{" + self.result_names(call)[0] + "}", {}
            return code, found.unpack, dict(found.adjust)
        return f"{module}({', '.join(inputs)})", None, {}

    def module_name(self, call: Call) -> str:
        """The child that a call applies: for a `Reuse`, another one than its own name says."""
        if self.scope.children.get(call.name) is call.target:
            return call.name
        return next(name for name, each in self.scope.children.items() if each is call.target)

    def result_names(self, call: Call) -> list[str]:
        """How the emission of a call names its results."""
        target = call.target
        if isinstance(target, Leaf) and target.layer.results:
            return list(target.layer.results)
        return [f"r{number}" for number in range(len(call.outputs))]

    def variable(self, value: int, position: int, dying: list[int]) -> str:
        """A variable for a new value: a rolling one for what is read soon, else its own name."""
        soon = self.last_read[value] <= position + 1
        freed = [self.variables[v] for v in dying if self.variables[v] in ROLLING]
        rolling = (name for name in (*freed, *ROLLING) if not self.is_live(name, position))
        chosen = next(rolling, None)
        if not soon and (self.readers[value] > 1 or not freed):
            chosen = None
        if chosen is None:
            chosen = identifier(self.scope.names[value])
            while self.is_live(chosen, position) or chosen in self.taken:
                chosen += "_"
        self.variables[value] = chosen
        self.holder[chosen] = value
        return chosen

    def is_live(self, name: str, position: int) -> bool:
        """Whether a variable holds what a later call still reads."""
        held = self.holder.get(name)
        return held is not None and self.last_read.get(held, -1) > position

    def let_go(self, position: int, dying: list[int], names: list[str], prefix: str) -> None:
        """Delete variables that died here, where several calls follow."""
        if position + 2 >= len(self.schedule) or prefix:
            return
        inputs = range(len(self.scope.inputs))
        dead = [
            name
            for value in dict.fromkeys(dying)
            if (name := self.variables[value]) not in names
            and value not in inputs
            and name not in ROLLING
            and not name.startswith(("self.", "getattr("))
        ]
        if dead:
            self.lines.append(f"del {', '.join(dead)}")

    def finish(self) -> None:
        """The return statement, or one per mode."""
        names = {f"v{o.value}": self.variables.get(o.value, "") for o in self.scope.outputs}
        training, evaluation = (self.returns[mode].format(**names) for mode in (True, False))
        if training != evaluation:
            self.lines += ["if self.training:", f"{INDENT}return {training}"]
        last = self.lines[-1] if self.lines else ""
        if last.startswith(f"{evaluation} = "):
            self.lines[-1] = f"return {last.removeprefix(f'{evaluation} = ')}"
        else:
            self.lines.append(f"return {evaluation}")
        self.lines = _joined(self.lines)


def _joined(lines: list[str]) -> list[str]:
    """Neighbouring `if self.training:` statements as one."""
    result: list[str] = []
    inside = False
    for line in lines:
        if line == "if self.training:" and inside:
            continue
        inside = line == "if self.training:" or (inside and line.startswith(INDENT))
        result.append(line)
    return result
