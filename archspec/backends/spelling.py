"""Expressions of one class → code, in the words of its constructor."""

from collections.abc import Iterator

from archspec.backends.classes import Class, Classes
from archspec.backends.expressions import (
    Construction,
    Expression,
    Hole,
    Invocation,
    Repeated,
    Text,
)
from archspec.backends.literals import fresh

Spelled = tuple[str, bool]
"""The code of a literal, and whether it is an argument of the constructor."""


class Speller:
    """Spells the expressions of one class one after the other, in reading order."""

    def __init__(self, classes: Classes, each: Class) -> None:
        self.classes = classes
        self.codes: Iterator[Spelled] = iter(each.constructor.spelled())
        names = {parameter.name for parameter in each.constructor.parameters}
        self.index = fresh("i", names | classes.taken)
        self.layer = fresh("layer", names | classes.taken)

    def code(self, expression: Expression) -> str:
        """The code of an expression, on one line."""
        if isinstance(expression, Text):
            return expression.text
        if isinstance(expression, Hole):
            return next(self.codes)[0]
        if isinstance(expression, Construction):
            return self.construction(expression)
        if isinstance(expression, Repeated):
            count, turn = self.loop(expression)
            return self.spread(turn, count)
        arguments = []
        for name, argument in expression.arguments:
            code = self.argument(name, argument)
            if code is not None:
                arguments.append(code)
        start, end = expression.brackets
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

    def loop(self, loop: Repeated) -> tuple[str, list[str]]:
        """The code for the number of turns, and for each item of a turn."""
        count = next(self.codes)[0]
        first, steps = self.classes.turns(loop)
        codes = [next(self.codes) for _ in first]
        for at in steps:
            codes[at] = (self.grown(codes[at][0], next(self.codes)[0]), True)
        rest, self.codes = self.codes, iter(codes)
        turn = [self.code(each) for each in loop.turn]
        self.codes = rest
        return count, turn

    def grown(self, base: str, step: str) -> str:
        """An integer that grows with the index of a loop."""
        sign, size = ("-", step[1:]) if step.startswith("-") else ("+", step)
        growth = self.index if size == "1" else f"{size} * {self.index}"
        return growth if base == "0" and sign == "+" else f"{base} {sign} {growth}"

    def spread(self, turn: list[str], count: str) -> str:
        """The items of a loop as arguments of a call."""
        index = self.index if any(self.index in code for code in turn) else "_"
        turns = f"for {index} in range({count})"
        if len(turn) == 1:
            return f"*({turn[0]} {turns})"
        return f"*({self.layer} {turns} for {self.layer} in ({', '.join(turn)}))"
