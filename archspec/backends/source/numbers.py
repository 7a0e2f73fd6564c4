"""The numbers in methods of generated classes: literals, or what the constructor was given.

Where the uses of a class differ in a number of its `forward`, the constructor takes it, and the
method reads it: `self.heads`. A method is written twice: once for its numbers, which decide with
those of `__init__` what is an argument, and once in these words.
"""

from collections.abc import Hashable, Sequence
from typing import Any

from archspec.backends.source.constructors import Constructor
from archspec.backends.source.expressions import Hole, Spell
from archspec.backends.source.literals import fresh
from archspec.backends.source.plans import Plan

ANY = "_"
"""What stands for a number while it is not known how it will be spelled."""


def kind(value: Any) -> Hashable:
    """What numbers have in common that may stand for each other in one method.

    The constructor takes an integer where it takes a float.
    """
    if isinstance(value, tuple | list):
        return type(value).__name__, *map(kind, value)
    return "float" if isinstance(value, int) else type(value).__name__


def recording(found: list[Hole]) -> Spell:
    """Writes no number, and takes down all."""

    def spell(hole: Hole) -> str:
        found.append(hole)
        return ANY

    return spell


def attributes(constructor: Constructor, plan: Plan) -> dict[str, str]:
    """For every argument that a method reads: the attribute that holds it."""
    members = {member.name for member in plan.members}
    read = {code.partition("[")[0] for code in _codes(constructor, plan) if code is not None}
    names = (each.name for each in constructor.parameters if each.name in read)
    return {name: fresh(name, members) for name in names}


def methods(constructor: Constructor, plan: Plan) -> None:
    """Write the methods of a class in the words of its constructor."""
    if plan.write is None:
        return
    held = attributes(constructor, plan)
    codes = iter([_read(code, held) for code in _codes(constructor, plan)])
    plan.write(lambda hole: next(codes))


def _codes(constructor: Constructor, plan: Plan) -> Sequence[str | None]:
    """For every number in the methods, the code of the argument that holds it."""
    codes = constructor.codes
    return codes[len(codes) - len(plan.numbers) :]


def _read(code: str | None, held: dict[str, str]) -> str | None:
    if code is None:
        return None
    name, bracket, rest = code.partition("[")
    return f"self.{held[name]}{bracket}{rest}"
