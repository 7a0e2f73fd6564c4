"""Classes → the text of a Python file: what is printed is what runs."""

from typing import Any

from archspec.backends.classes import Class, Classes, Plan
from archspec.backends.expressions import Construction, Expression, Hole, Invocation, Printer
from archspec.backends.free import declaration, filling
from archspec.backends.initial import statements
from archspec.backends.literals import is_identifier, literal
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
        text = "\n".join(lines) + "\n" + self.initial_text(plan)
        return text + self.forward_text(plan) if plan.lines else text

    def initial_text(self, plan: Plan) -> str:
        """What the end of `__init__` calls to initialise, and these methods."""
        methods = {}
        free = [m for m in plan.members if isinstance(m.value, FreeTensor)]
        if free:
            own = [line for m in free for line in filling(m.name, m.value)]  # type: ignore[arg-type]
            methods["reset_parameters"] = [(0, line) for line in own]
        rules = statements(plan.composite) if plan.composite is self.classes.scope else []
        if rules:
            methods["init_weights"] = rules
        text = "".join(f"{BODY}self.{name}()\n" for name in methods)
        for name, lines in methods.items():
            body = "".join(f"{BODY}{'    ' * depth}{line}\n" for depth, line in lines)
            text += f"\n    def {name}(self) -> None:\n{body}"
        return text

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
                lines.append(f"{BODY}{declaration(member.name, member.value)}")
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
