"""Expressions of generated code, as trees whose literals can become constructor arguments."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archspec.graph import Composite

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Hole:
    """A literal; `hint` is what a constructor argument for it would be called."""

    value: Any
    hint: str
    optional: bool = False
    """Whether the function has a default for it; `usual` is that default."""
    usual: Any = None

    @property
    def is_usual(self) -> bool:
        """Whether code may leave it out."""
        return self.optional and type(self.value) is type(self.usual) and self.value == self.usual


@dataclass(frozen=True, slots=True)
class Text:
    """Code as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Construction:
    """The construction of a generated class, for one composite."""

    composite: Composite


@dataclass(frozen=True, slots=True)
class Invocation:
    """`function(arguments)`; brackets other than parentheses make lists. Keywords may be None."""

    function: str
    arguments: tuple[tuple[str | None, "Expression"], ...]
    brackets: str = "()"


Expression = Hole | Text | Construction | Invocation


def parts(expression: Expression) -> Iterator[Expression]:
    """The parts of an expression that are no invocation, in reading order."""
    if isinstance(expression, Invocation):
        for _, argument in expression.arguments:
            yield from parts(argument)
    else:
        yield expression


def skeleton(expression: Expression, classes: Mapping[int, str]) -> Any:
    """What makes two expressions the same but for literals. `classes`: key of each composite."""
    if isinstance(expression, Hole):
        return ("hole", expression.hint)
    if isinstance(expression, Text):
        return expression.text
    if isinstance(expression, Construction):
        return ("class", classes[id(expression.composite)])
    inside = tuple((name, skeleton(each, classes)) for name, each in expression.arguments)
    return (expression.function, expression.brackets, inside)


class Printer:
    """Prints expressions: on one line where it fits, else one argument a line."""

    def __init__(self, spell: Any, is_fixed: Callable[[Hole], bool]) -> None:
        self.spell = spell
        """Gives the code of a `Hole` or the `Invocation` of a `Construction`."""
        self.is_fixed = is_fixed
        """Whether a `Hole` is the same in every instance."""

    def render(self, expression: Expression, indent: int, before: int) -> str:
        """Code of an expression that starts behind `before` characters of its line."""
        line = self.line(expression)
        if before + len(line) <= WIDTH:
            return line
        expression = self.opened(expression)
        if not isinstance(expression, Invocation) or not expression.arguments:
            return line
        start, end = expression.brackets[0], expression.brackets[1]
        inner = indent + 4
        rows = []
        for name, argument in self.shown(expression):
            prefix = f"{name}=" if name else ""
            code = self.render(argument, inner, inner + len(prefix) + 1)
            rows.append(f"{' ' * inner}{prefix}{code},\n")
        return f"{expression.function}{start}\n{''.join(rows)}{' ' * indent}{end}"

    def line(self, expression: Expression) -> str:
        """Code of an expression on one line."""
        expression = self.opened(expression)
        if isinstance(expression, Text):
            return expression.text
        if isinstance(expression, Hole):
            return str(self.spell(expression))
        assert isinstance(expression, Invocation)
        start, end = expression.brackets[0], expression.brackets[1]
        inside = ", ".join(
            (f"{name}=" if name else "") + self.line(argument)
            for name, argument in self.shown(expression)
        )
        return f"{expression.function}{start}{inside}{end}"

    def shown(self, expression: Invocation) -> list[tuple[str | None, Expression]]:
        """The arguments that say something: not those at their defaults."""
        return [
            (name, argument)
            for name, argument in expression.arguments
            if not (isinstance(argument, Hole) and argument.is_usual and self.is_fixed(argument))
        ]

    def opened(self, expression: Expression) -> Expression:
        """A construction as the invocation that it is."""
        if isinstance(expression, Construction):
            found: Expression = self.spell(expression)
            return found
        return expression


def invocation(
    function: str,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    usual: Mapping[str, Any] | None = None,
) -> Invocation:
    """A call with literals only; `args` are pairs of hint and value, `usual` defaults."""
    known = usual or {}
    positional = [(None, Hole(value, hint)) for hint, value in args]
    named = [
        (name, Hole(value, name, name in known, known.get(name))) for name, value in kwargs.items()
    ]
    return Invocation(function, (*positional, *named))
