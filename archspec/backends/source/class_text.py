"""A generated class → its text."""

from collections.abc import Iterator, Sequence

from archspec.backends.source.classes import Class, Classes
from archspec.backends.source.expressions import Repeated
from archspec.backends.source.forward import Statement
from archspec.backends.source.free import declaration
from archspec.backends.source.groups import columns
from archspec.backends.source.initial import statements
from archspec.backends.source.layout import WIDTH, lay_out
from archspec.backends.source.literals import is_identifier, literal
from archspec.backends.source.numbers import attributes
from archspec.backends.source.plans import Plan
from archspec.backends.source.spelling import Speller

LEVEL = 4
"""Columns of a level of indentation."""


def class_text(classes: Classes, each: Class, summary: Sequence[str]) -> str:
    """The text of one class. `summary` are the lines of its docstring."""
    plan = each.plans[0]
    base = "nn.Sequential" if plan.sequential else "nn.Module"
    parts = [docstring(summary, LEVEL), _annotations(plan)]
    arguments = "".join(f", {parameter.text()}" for parameter in each.constructor.parameters)
    methods = _initialisers(plan, is_root=plan.composite is classes.scope)
    calls = [Statement(f"self.{name}()") for name in methods]
    if plan.members or each.constructor.parameters:  # else nn.Module has all that it needs
        lines = [*_makes(classes, each), *calls]
        parts.append(_method(f"__init__(self{arguments})", "None", lines))
    parts += [_method(f"{name}(self)", "None", lines) for name, lines in methods.items()]
    if plan.lines:
        arguments = "".join(f", {name}: Tensor" for name in plan.arguments)
        parts.append(_method(f"forward(self{arguments})", plan.result, plan.lines))
    return f"class {each.name}({base}):\n" + "\n".join(part for part in parts if part)


def docstring(lines: Sequence[str], indent: int) -> str:
    """A docstring; an empty text if there is nothing to say."""
    margin = " " * indent
    if not lines:
        return ""
    if len(lines) == 1 and indent + len(lines[0]) + 6 <= WIDTH:
        return f'{margin}"""{lines[0]}"""\n'
    first, *rest = lines
    body = "".join(f"{margin}{line}\n" if line else "\n" for line in rest)
    return f'{margin}"""{first}\n{body}{margin}"""\n'


def block(lines: Sequence[Statement], indent: int) -> str:
    """Statements, long ones laid out over several lines."""
    out: list[str] = []
    for line in lines:
        at = indent + LEVEL * line.depth
        laid = lay_out(line.code, at)
        remark = f"  # {line.remark}" if line.remark else ""
        fits = len(laid) == 1 and columns(laid[0]) + columns(remark) <= WIDTH
        out += [laid[0] + remark] if fits else laid
    return "\n".join(out) + "\n"


def _method(head: str, result: str, lines: Sequence[Statement]) -> str:
    start = "\n".join(lay_out(f"def {head} -> {result}:", LEVEL))
    return f"{start}\n{block(lines, 2 * LEVEL)}"


def _annotations(plan: Plan) -> str:
    """The types of buffers, which type checkers cannot see otherwise."""
    names = (
        member.name
        for member in plan.members
        if member.free is not None and member.free.init is None
    )
    return "".join(f"{' ' * LEVEL}{name}: Tensor\n" for name in names if is_identifier(name))


def _makes(classes: Classes, each: Class) -> Iterator[Statement]:
    """The statements of `__init__` that make parameters, buffers and children."""
    speller, plan = Speller(classes, each), each.plans[0]
    if plan.whole is not None:
        yield Statement(speller.code(plan.whole))
        return
    yield Statement("super().__init__()")
    for name, attribute in attributes(each.constructor, plan).items():
        yield Statement(f"self.{attribute} = {name}")
    for member in plan.members:
        if member.free is not None:
            made = speller.code(member.value)
            yield Statement(declaration(member.name, member.free, made))
        elif isinstance(member.value, Repeated):
            head, name, code = speller.named_loop(member.value)
            yield Statement(f"{head}:")
            yield Statement(f"self.add_module({name}, {code})", 1)
        elif is_identifier(member.name):
            yield Statement(f"self.{member.name} = {speller.code(member.value)}")
        else:
            code = speller.code(member.value)
            yield Statement(f"self.add_module({literal(member.name)}, {code})")


def _initialisers(plan: Plan, *, is_root: bool) -> dict[str, list[Statement]]:
    """The methods that `__init__` calls at its end, to fill what it made."""
    methods = {}
    if plan.fills:
        methods["reset_parameters"] = [Statement(line) for line in plan.fills]
    if rules := statements(plan.composite) if is_root else []:
        methods["init_weights"] = [Statement(line, depth) for depth, line in rules]
    return methods
