"""The `forward` of one scope, as statements."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.backends.source.expressions import Hole, Spell
from archspec.backends.source.literals import identifier, is_identifier, literal
from archspec.backends.source.measures import is_number, spelled
from archspec.backends.source.schedule import Schedule, scheduled
from archspec.backends.source.variables import INPUT, RESULT, Namer, chains
from archspec.graph import Call, Composite, Leaf, Trace
from archspec.ops import Attribute, Construct, FreeTensor, Function
from archspec.ops.base import Emission


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


@dataclass(frozen=True, slots=True)
class Statement:
    """A line of code, `depth` levels deep in its function, and a remark behind it."""

    code: str
    depth: int = 0
    remark: str = ""


@dataclass(slots=True)
class Forward:
    """Writes the statements of one scope's `forward`."""

    scope: Composite
    emissions: list[Emission | None]
    """By call."""
    returns: dict[bool, str]
    """By mode (training or not): the expression returned, with `{name}` for every output."""
    spell: Spell
    is_root: bool = False
    remark: Callable[[Call], str] = field(default=lambda call: "")
    """What to say behind the statement of a call."""
    lines: list[Statement] = field(default_factory=list)
    variables: dict[int, str] = field(default_factory=dict)
    typed: dict[str, bool] = field(default_factory=dict)
    """By variable: whether type checkers know that it is a tensor now."""
    unused: str = "_"
    """The variable of what nobody reads."""
    declared: set[str] = field(default_factory=set)
    """Variables that are tensors whatever they are given."""
    schedule: Schedule = field(init=False)

    def write(self) -> tuple[list[str], list[Statement]]:
        """The names of the arguments, and the statements."""
        self.schedule = scheduled(self.scope, self.emissions)
        arguments = self.arguments()
        self.name_values(arguments)
        self.declared = set(arguments)
        while self.unused in self.declared:
            self.unused += "_"
        for position, (number, training_only) in enumerate(self.schedule.calls):
            self.call(position, number, int(training_only))
        self.finish()
        return arguments, self.lines

    def arguments(self) -> list[str]:
        """The names of the inputs, as variables."""
        names: list[str] = []
        for name in self.scope.inputs:
            # Callers may give an input of the network by name: it keeps that name.
            chosen = name if self.is_root else INPUT if name == "input" else identifier(name)
            while chosen in names or chosen in self.reserved():
                chosen += "_"
            names.append(chosen)
        return names

    def reserved(self) -> set[str]:
        """What `forward` names beside its variables: the named tuples that it returns."""
        return {text.partition("(")[0] for text in self.returns.values()}

    def name_values(self, arguments: list[str]) -> None:
        """A variable for every value, or for a free tensor the code that reaches it."""
        steps = self.schedule.steps()
        readers: dict[int, int] = {}
        for step in steps:
            for value in () if step.training_only else step.reads:
                readers[value] = readers.get(value, 0) + 1
        for output in self.scope.outputs:
            readers[output.value] = readers.get(output.value, 0) + 1
        free = self.free_tensors()
        stay = {n for n, name in enumerate(arguments) if name != INPUT} | set(free)
        stay.update(value for step in steps if len(step.gives) > 1 for value in step.gives)
        before = chains(steps, readers, lambda value: value not in stay)
        namer = Namer(self.scope, arguments, frozenset(self.reserved()))
        values = [v for step in steps for v in step.gives if v not in free]
        self.variables = {**namer.names(before, values), **free}

    def free_tensors(self) -> dict[int, str]:
        """Code for parameters and buffers: they are no variables."""
        found = {}
        for call, each in zip(self.scope.calls, self.emissions, strict=True):
            if isinstance(each, FreeTensor):
                found[call.outputs[0]] = child(call.name)
            elif isinstance(each, Attribute):
                found[call.outputs[0]] = f"{child(each.owner)}.{each.name}"
        return found

    def call(self, position: int, number: int, depth: int) -> None:
        """The statement of one call."""
        call, found = self.scope.calls[number], self.emissions[number]
        if isinstance(found, FreeTensor | Attribute):
            return
        inputs = [self.variables[value] for value in call.inputs]
        read = [value in self.schedule.last_read for value in call.outputs]
        code, targets, after = self.expression(call, found, inputs, read)
        names = [
            self.variables[value] if used else self.unused
            for value, used in zip(call.outputs, read, strict=True)
        ]
        by_result = dict(zip(self.result_names(call), names, strict=True))
        left = ", ".join(names) if targets is None else targets.format(**by_result)
        if depth:
            self.lines.append(Statement("if self.training:"))
        known = isinstance(found, Function) and self.is_typed(found.template, inputs)
        self.typed.update((name, known and left == name) for name in names)
        if code != left:  # a Rearrange may have nothing to do
            self.lines.append(Statement(f"{left} = {code}", depth, self.remark(call)))
        for result, template in after.items():
            if (name := by_result[result]) != self.unused:
                again = template.format(**{result: name})
                self.lines.append(Statement(f"{name} = {again}", depth))
        if not depth:
            self.let_go(position, number, names)

    def is_typed(self, template: str, inputs: list[str]) -> bool:
        """Whether type checkers know that an expression gives a tensor."""
        if template.startswith(("torch.", "F.")):
            return True
        asked = inputs if template.startswith("{0} ") else inputs[:1]
        known = all(self.is_tensor(name) for name in asked)
        return known and template.startswith(("{0} ", "{0}."))

    def is_tensor(self, name: str) -> bool:
        """Whether type checkers know a variable, or what `self` has, to be a tensor."""
        return name in self.declared or self.typed.get(name, name.startswith("self."))

    def expression(
        self, call: Call, found: Emission | None, inputs: list[str], read: list[bool]
    ) -> tuple[str, str | None, dict[str, str]]:
        """The code of a call, how its results are taken apart, and what is done to them then."""
        if isinstance(found, Function):
            values = {name: self.spelled(name, value) for name, value in found.values.items()}
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

    def spelled(self, name: str, value: Any) -> str:
        """The code of a value of an emission: it may be held by the module if it is a number."""
        code = self.spell(Hole(value, name)) if is_number(value) else None
        return spelled(value, self.variables) if code is None else code

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

    def let_go(self, position: int, number: int, names: list[str]) -> None:
        """Delete variables that died here, where several calls follow."""
        if position + 2 >= len(self.schedule.calls):
            return
        inputs = range(len(self.scope.inputs))  # whoever called holds those
        dead = [
            name
            for value in self.schedule.dying(position, number)
            if (name := self.variables[value]) not in names
            and value not in inputs
            and not name.startswith(("self.", "getattr("))
        ]
        if dead:
            self.lines.append(Statement(f"del {', '.join(dead)}"))

    def finish(self) -> None:
        """The return statement, or one per mode."""
        names = {f"v{o.value}": self.variables.get(o.value, "") for o in self.scope.outputs}
        for mode in (True, False):
            returned = self.returns[mode].format(**names)
            chosen = self.declare(returned)
            names = {key: chosen if name == returned else name for key, name in names.items()}
        training, evaluation = (self.returns[mode].format(**names) for mode in (True, False))
        if training != evaluation:
            self.lines += [Statement("if self.training:"), Statement(f"return {training}", 1)]
            self.lines.append(Statement(f"return {evaluation}"))
        else:
            self.give(evaluation)
        self.lines = _joined(self.lines)

    def declare(self, name: str) -> str:
        """Say that a variable is a tensor: what a module gives could be anything.

        Gives the variable of which this is known.
        """
        if name not in self.typed or self.is_tensor(name):
            return name
        for number, line in enumerate(self.lines):
            targets, _, value = line.code.partition(" = ")
            if targets == name:
                self.declared.add(name)
                self.lines[number] = replace(line, code=f"{name}: Tensor = {value}")
                return name
            if name in targets.replace("(", "").replace(")", "").split(", "):
                break
        return self.renamed(name)

    def renamed(self, name: str) -> str:
        """Another variable for what is returned, as a tensor. (TorchScript knows no `x: Tensor`
        without a value, which would do before `x, _ = …`.)
        """
        other = RESULT
        while other in self.reserved() or other in self.variables.values():
            other += "_"
        targets, _, value = self.lines[-1].code.partition(" = ")
        if targets == name and not self.lines[-1].depth:
            self.lines[-1] = replace(self.lines[-1], code=f"{other}: Tensor = {value}")
        else:
            self.lines.append(Statement(f"{other}: Tensor = {name}"))
        return other

    def give(self, result: str) -> None:
        """Return a result, at once where type checkers know that it is a tensor."""
        calls = self.schedule.calls
        number = calls[-1][0] if calls else 0
        found = self.emissions[number] if calls else None
        last = self.lines[-1] if self.lines else Statement("")
        if isinstance(found, Function) and last.code.startswith(f"{result} = "):
            inputs = [self.variables[value] for value in self.scope.calls[number].inputs]
            if self.is_typed(found.template, inputs):
                self.lines[-1] = replace(last, code=f"return {last.code[len(result) + 3 :]}")
                return
        self.lines.append(Statement(f"return {result}"))


def _joined(lines: list[Statement]) -> list[Statement]:
    """Neighbouring `if self.training:` statements as one."""
    result: list[Statement] = []
    inside = False
    for line in lines:
        head = line.code == "if self.training:"
        if head and inside:
            continue
        inside = head or (inside and line.depth > 0)
        result.append(line)
    return result
