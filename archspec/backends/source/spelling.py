"""Expressions of one class → code, in the words of its constructor."""

from collections.abc import Iterator

from archspec.backends.source.classes import Class, Classes
from archspec.backends.source.expressions import (
    Construction,
    Expression,
    Hole,
    Repeated,
    Text,
)
from archspec.backends.source.literals import fresh
from archspec.backends.source.plans import stem_of

INDICES = ("i", "j", "k", "m", "n")
"""Indices of loops within each other."""
Spelled = tuple[str, bool]
"""The code of a literal, and whether it is an argument of the constructor."""


class Speller:
    """Spells the expressions of one class one after the other, in reading order."""

    def __init__(self, classes: Classes, each: Class) -> None:
        self.classes = classes
        self.codes: Iterator[Spelled] = iter(each.constructor.spelled())
        names = {parameter.name for parameter in each.constructor.parameters}
        self.taken = names | classes.taken
        self.depth = 0
        """Loops around what is spelled now."""

    def code(self, expression: Expression) -> str:
        """The code of an expression, on one line."""
        if isinstance(expression, Text):
            return expression.text
        if isinstance(expression, Hole):
            return next(self.codes)[0]
        if isinstance(expression, Construction):
            return self.construction(expression)
        if isinstance(expression, Repeated):
            return self.spread(expression)
        arguments = []
        for name, argument in expression.arguments:
            code = self.argument(name, argument)
            if code is not None:
                arguments.append(code)
        start, end = expression.brackets[0], expression.brackets[1]
        return f"{expression.function}{start}{', '.join(arguments)}{end}"

    def argument(self, name: str | None, argument: Expression) -> str | None:
        """An argument of a call; None for a literal that is usual anyway."""
        prefix = f"{name}=" if name else ""
        if isinstance(argument, Hole):
            code, is_argument = next(self.codes)
            return None if argument.is_usual and not is_argument else prefix + code
        return prefix + self.code(argument)

    def construction(self, expression: Construction) -> str:
        """A call of a generated class."""
        each = self.classes.class_of(expression.composite)
        holes = self.classes.given(expression.composite)
        arguments = []
        for parameter, hole in zip(each.constructor.parameters, holes, strict=True):
            code = self.argument(None if parameter.by_position else parameter.name, hole)
            if code is not None:
                arguments.append(code)
        return f"{each.name}({', '.join(arguments)})"

    def named_loop(self, loop: Repeated) -> tuple[str, str, str]:
        """The head of a loop over items with consecutive names, a name and an item."""
        index, head, (code,) = self.loop(loop, indexed=True)
        stem, first = stem_of(loop.first_name or "")
        number = f"{index} + {first}" if first else index
        return head, f'f"{stem}{{{number}}}"' if stem or first else f"str({index})", code

    def loop(self, loop: Repeated, *, indexed: bool = False) -> tuple[str, str, list[str]]:
        """The index of a loop, its head, and the code of each item of a turn."""
        index = fresh(INDICES[self.depth % len(INDICES)], self.taken)
        count = next(self.codes)[0]
        first, steps = self.classes.turns(loop)
        codes = [next(self.codes) for _ in first]
        for at in steps:
            codes[at] = (_grown(codes[at][0], next(self.codes)[0], index), True)
        rest, self.codes = self.codes, iter(codes)
        self.depth += 1
        turn = [self.code(each) for each in loop.turn]
        self.depth -= 1
        self.codes = rest
        return index, f"for {index if steps or indexed else '_'} in range({count})", turn

    def spread(self, loop: Repeated) -> str:
        """The items of a loop as arguments of a call."""
        if loop.first_name is not None:
            head, name, code = self.named_loop(loop)
            return f"({name}, {code}) {head}"
        _, head, turn = self.loop(loop)
        if len(turn) == 1:
            return f"*({turn[0]} {head})"
        layer = fresh("layer", self.taken)
        return f"*({layer} {head} for {layer} in ({', '.join(turn)}))"


def _grown(base: str, step: str, index: str) -> str:
    """An integer that grows with the index of a loop."""
    sign, size = ("-", step[1:]) if step.startswith("-") else ("+", step)
    growth = index if size == "1" else f"{size} * {index}"
    return growth if base == "0" and sign == "+" else f"{base} {sign} {growth}"
