"""Classes → the text of a Python file: what is printed is what runs."""

from typing import Any

from archspec.backends.classes import Class, Classes, Plan
from archspec.backends.expressions import Construction, Expression, Hole, Invocation, Printer
from archspec.backends.literals import fresh, identifier, is_identifier, literal
from archspec.expr import Formula, compile_expression
from archspec.graph import Graph, Trace
from archspec.ops import FreeTensor

BODY = " " * 8


def generate(graph: Graph, trace: Trace) -> tuple[str, str]:
    """The source of a network, and the name of its class in it."""
    classes = Classes(graph.root, trace)
    writer = _Writer(classes)
    text = [writer.class_text(each) for each in classes.classes.values()]
    tuples = _tuples(classes)
    small = list(classes.small.names.values())
    body = "\n\n".join([*small, *tuples, *text])
    root = classes.classes[classes.keys[id(graph.root)]]
    return f"{_imports(body, classes)}\n\n{body}", root.name


def _imports(body: str, classes: Classes) -> str:
    standard = []
    if "OrderedDict(" in body:
        standard.append("from collections import OrderedDict")
    if "(NamedTuple)" in body:
        standard.append("from typing import NamedTuple")
    lines = []
    if "torch." in body:
        lines.append("import torch")
    if "F." in body:
        lines.append("import torch.nn.functional as F")
    lines.append("from torch import Tensor, nn")
    own = sorted(classes.small.imports.values())
    blocks = ["\n".join(block) for block in (standard, lines, own) if block]
    return "\n\n".join(blocks) + "\n"


def _tuples(classes: Classes) -> list[str]:
    """The named tuples that scopes return."""
    return [
        f"class {name}(NamedTuple):\n{''.join(f'    {field}: Tensor{chr(10)}' for field in fields)}"
        for name, fields in classes.tuples.items()
    ]


class _Writer:
    def __init__(self, classes: Classes) -> None:
        self.classes = classes

    def class_text(self, each: Class) -> str:
        """The text of one class."""
        plan = each.plans[0]
        base = "nn.Sequential" if plan.sequential else "nn.Module"
        signature = "".join(
            f", {name}: {_annotation(column)}" for name, column in each.parameters.items()
        )
        lines = [f"class {each.name}({base}):", f"    def __init__(self{signature}) -> None:"]
        lines += self.init_lines(each, plan)
        text = "\n".join(lines) + "\n"
        return text + self.forward_text(plan) if plan.lines else text

    def forward_text(self, plan: Plan) -> str:
        arguments = "".join(f", {name}: Tensor" for name in plan.arguments)
        head = f"    def forward(self{arguments}) -> {plan.result}:"
        return "\n".join(["", head, *(f"{BODY}{line}" for line in plan.lines)]) + "\n"

    def init_lines(self, each: Class, plan: Plan) -> list[str]:
        printer = self.printer(each, plan)
        if plan.sequential:
            return [f"{BODY}{self.sequence(plan, printer)}"]
        lines = [f"{BODY}super().__init__()"]
        for member in plan.members:
            if isinstance(member.value, FreeTensor):
                taken = set(each.parameters)
                made = free_lines(member.name, member.value, taken)
                lines += [f"{BODY}{line}" for line in made]
                continue
            if is_identifier(member.name):
                start, end = f"{BODY}self.{member.name} = ", ""
            else:
                start, end = f"{BODY}self.add_module({literal(member.name)}, ", ")"
            code = printer.render(member.value, len(BODY), len(start) + len(end))
            lines.append(f"{start}{code}{end}")
        return lines

    def sequence(self, plan: Plan, printer: Printer) -> str:
        construction = self.classes.construction
        plan.inline = True
        whole = construction(plan.composite)
        plan.inline = False
        assert isinstance(whole, Invocation)
        call = Invocation("super().__init__", whole.arguments)
        return printer.render(call, len(BODY), len(BODY))

    def printer(self, each: Class, plan: Plan) -> Printer:
        """A printer for one class: literals that differ between instances are its arguments."""
        speller = _Speller(self.classes, each, plan)
        return Printer(speller, lambda hole: id(hole) not in speller.names)


class _Speller:
    """Spells literals and constructions of one class in the words of its constructor."""

    def __init__(self, classes: Classes, each: Class, plan: Plan) -> None:
        self.classes = classes
        self.names: dict[int, str] = {}
        self.constructions: dict[int, Invocation] = {}
        columns = iter(each.columns)
        for member in plan.members:
            if not isinstance(member.value, FreeTensor):
                self.walk(member.value, columns, each)

    def walk(self, expression: Expression, columns: Any, each: Class) -> None:
        if isinstance(expression, Hole):
            name = each.name_of(next(columns))
            if name is not None:
                self.names[id(expression)] = name
        elif isinstance(expression, Construction):
            given = []
            for hole in self.classes.given(expression.composite):
                own = Hole(hole.value, hole.hint)
                name = each.name_of(next(columns))
                if name is not None:
                    self.names[id(own)] = name
                given.append((hole.hint, own))
            key = self.classes.keys[id(expression.composite)]
            function = self.classes.classes[key].name
            self.constructions[id(expression)] = Invocation(function, tuple(given))
        elif isinstance(expression, Invocation):
            for _, argument in expression.arguments:
                self.walk(argument, columns, each)

    def __call__(self, expression: Expression) -> Any:
        if isinstance(expression, Construction):
            return self.constructions[id(expression)]
        assert isinstance(expression, Hole)
        return self.names.get(id(expression)) or literal(expression.value)


def _annotation(column: tuple[Any, ...]) -> str:
    kinds = dict.fromkeys(_kind(value) for value in column)
    return " | ".join(kinds)


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, tuple):
        inner = dict.fromkeys(_kind(each) for each in value)
        return f"tuple[{' | '.join(inner) or 'int'}, ...]"
    return type(value).__name__


def free_lines(name: str, tensor: FreeTensor, taken: set[str]) -> list[str]:
    """The statements that make a parameter or buffer of a scope; `taken` are variables in use."""
    if tensor.init is not None:
        return _parameter_lines(name, tensor, *tensor.init)
    return _buffer_lines(name, tensor, taken)


def _dtype(tensor: FreeTensor) -> str:
    return "" if tensor.dtype == "float32" else f", dtype=torch.{tensor.dtype}"


def _exact(tensor: FreeTensor) -> str:
    """Indices of a float64 buffer count in float64, or a division would round to float32."""
    return ", dtype=torch.float64" if tensor.dtype == "float64" else ""


def _parameter_lines(name: str, tensor: FreeTensor, init: str, args: Any) -> list[str]:
    made = f"nn.Parameter(torch.empty({literal(tensor.sizes)}{_dtype(tensor)}))"
    extra = "".join(f", {key}={literal(value)}" for key, value in args.items())
    if is_identifier(name):
        return [f"self.{name} = {made}", f"nn.init.{init}(self.{name}{extra})"]
    key = literal(name)
    return [
        f"self.register_parameter({key}, {made})",
        f"nn.init.{init}(self.get_parameter({key}){extra})",
    ]


def _buffer_lines(name: str, tensor: FreeTensor, taken: set[str]) -> list[str]:
    end = "" if tensor.persistent else ", persistent=False"
    sizes = literal(tensor.sizes)
    if not isinstance(tensor.value, Formula):
        value = f"torch.full({sizes}, {literal(tensor.value)}, dtype=torch.{tensor.dtype})"
        return [f"self.register_buffer({literal(name)}, {value}{end})"]
    lines = []
    variables: dict[str, str] = {}
    for index in tensor.index:
        variables[index] = fresh(identifier(index), {*taken, *variables.values()})
    code = tensor.value.code(variables)
    used = compile_expression(tensor.value.text).names
    for position, index in enumerate(tensor.index):
        if index in used:
            view = ["1"] * len(tensor.sizes)
            view[position] = "-1"
            shaped = f".view({', '.join(view)})" if len(view) > 1 else ""
            count = f"{tensor.sizes[position]}{_exact(tensor)}"
            lines.append(f"{variables[index]} = torch.arange({count}){shaped}")
    value = f"torch.as_tensor({code}, dtype=torch.{tensor.dtype}).expand({sizes}).contiguous()"
    return [*lines, f"self.register_buffer({literal(name)}, {value}{end})"]
