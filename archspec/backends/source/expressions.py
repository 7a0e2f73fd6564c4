"""Expressions of generated code, as trees whose literals can become constructor arguments."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archspec.graph import Composite


@dataclass(frozen=True, slots=True)
class Hole:
    """A literal; `hint` is what a constructor argument for it would be called."""

    value: Any
    hint: str
    optional: bool = False
    """Whether the function has a default for it; `usual` is that default."""
    usual: Any = None
    origin: str | None = None
    """The parameter of the spec that it is the value of, whatever that is."""
    written: str | None = None
    """The expression that stands for it in the spec, if it is short arithmetic."""

    @property
    def is_usual(self) -> bool:
        """Whether code may leave it out."""
        return self.optional and type(self.value) is type(self.usual) and self.value == self.usual


Spell = Callable[[Hole], str | None]
"""The code of a literal in a method; None where it is written as it is."""


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


@dataclass(frozen=True, slots=True)
class Repeated:
    """Expressions in turns: all turns are the same, but for integers that grow by equal steps.

    `growing` are the positions of those integers among all literals of a turn. Where the second
    turn has other literals than the first, they grow by the difference.
    """

    count: Hole
    turn: tuple["Expression", ...]
    second: tuple["Expression", ...]
    growing: tuple[int, ...] = ()
    first_name: str | None = None
    """Where the turns have consecutive names, the first: each is a pair of name and expression."""


Expression = Hole | Text | Construction | Invocation | Repeated


def parts(expression: Expression) -> Iterator[Expression]:
    """The parts of an expression that are no invocation, in reading order."""
    if isinstance(expression, Invocation):
        for _, argument in expression.arguments:
            yield from parts(argument)
    else:
        yield expression


def skeleton(expression: Expression, classes: Mapping[int, int]) -> Hashable:
    """What makes two expressions the same but for literals. `classes` has the number of the
    class of every composite.
    """
    if isinstance(expression, Hole):
        return ("hole", expression.hint, expression.origin)
    if isinstance(expression, Text):
        return expression.text
    if isinstance(expression, Construction):
        return ("class", classes[id(expression.composite)])
    if isinstance(expression, Repeated):
        turn = tuple(skeleton(each, classes) for each in expression.turn)
        return ("repeated", turn, expression.growing, expression.first_name)
    inside = tuple((name, skeleton(each, classes)) for name, each in expression.arguments)
    return (expression.function, expression.brackets, inside)


def invocation(
    function: str,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    usual: Mapping[str, Any] | None = None,
    origins: Mapping[str, str] | None = None,
    written: Mapping[str, str] | None = None,
) -> Invocation:
    """A call with literals only; `args` are pairs of hint and value, `usual` defaults."""
    known, from_spec, texts = usual or {}, origins or {}, written or {}
    positional = [
        (None, Hole(value, hint, origin=from_spec.get(hint), written=texts.get(hint)))
        for hint, value in args
    ]
    named = [
        (n, Hole(value, n, n in known, known.get(n), from_spec.get(n), texts.get(n)))
        for n, value in kwargs.items()
    ]
    return Invocation(function, (*positional, *named))
