"""The constructor of a generated class: its arguments, under the spec's own names."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from archspec.backends.source.expressions import Hole
from archspec.backends.source.literals import fresh, identifier, literal
from archspec.backends.source.written import Candidate, Column, Declared, Named, with_formulas

MAX_LISTED = 4
"""Items of a tuple whose types are written one by one."""
SIZE: Final = "size"
"""What a size of a parameter or buffer is called, if nothing else has it."""
MAX_PLAIN = 2
"""So many arguments need no names, whatever they are."""
_NONE: Final = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a constructor."""

    name: str
    column: Column
    by_position: bool = False
    """Whether calls give it without its name."""
    default: Any = _NONE

    @property
    def has_default(self) -> bool:
        """Whether calls may leave it out."""
        return self.default is not _NONE

    def text(self) -> str:
        """The argument as the head of `__init__` has it."""
        values = (*self.column, self.default) if self.has_default else self.column
        text = f"{self.name}: {annotation(values)}"
        return f"{text} = {literal(self.default)}" if self.has_default else text


@dataclass(slots=True, eq=False)
class Constructor:
    """The arguments of a class's constructor, and the literals that stand for them."""

    columns: list[Column] = field(default_factory=list)
    """For every literal, in reading order: its value in each instance."""
    parameters: list[Parameter] = field(default_factory=list)
    codes: list[str | None] = field(default_factory=list)
    """For every literal, the code of the argument that holds it; None where there is none."""
    origins: set[str] = field(default_factory=set)
    """Arguments that are parameters of the network."""

    def choose(
        self,
        rows: Sequence[Sequence[Hole]],
        params: Sequence[Mapping[str, Any]],
        declared: Declared,
        taken: set[str],
        in_methods: int,
    ) -> None:
        """Choose the arguments.

        Args:
            rows: for every instance, its literals in reading order.
            params: for every instance, the values of the block's parameters.
            declared: what the spec says of them.
            taken: names at the top of the file.
            in_methods: how many of the literals, at the end, stand in methods. They are held by
                attributes, which are arguments as they are.
        """
        self.columns = [tuple(hole.value for hole in column) for column in zip(*rows, strict=True)]
        first = rows[0] if rows else ()
        own = _own_columns(params)
        if len(rows) > 1:
            found = self.candidates(first, params, declared.texts, in_methods)
            own = with_formulas(own, params, found)
        known: dict[str, str] = {}
        for hole, column in zip(first, self.columns, strict=True):
            code = None
            if hole.origin is not None or _varies(column):
                # By spelling: 1, 1.0 and true are three things.
                key = repr((column, hole.origin))
                named = replace(hole, hint=self.hint(first, column)) if hole.hint == SIZE else hole
                code = known.get(key) or self.argument(named, column, own, declared.defaults, taken)
                known[key] = code
            self.codes.append(code)
        self.arrange([identifier(name) for name in declared.names])

    def candidates(
        self,
        holes: Sequence[Hole],
        params: Sequence[Mapping[str, Any]],
        texts: Mapping[str, str],
        in_methods: int,
    ) -> Iterator[Candidate]:
        """The columns that the spec has an expression for."""
        held = self.columns[len(self.columns) - in_methods :]
        written = [
            (column, hole.written, None) for hole, column in zip(holes, self.columns, strict=True)
        ]
        pairs = [
            (tuple(each.get(name) for each in params), text, name) for name, text in texts.items()
        ]
        for column, text, name in [*pairs, *written]:
            if text is not None and _varies(column) and column not in held:
                yield column, text, name

    def hint(self, holes: Sequence[Hole], column: Column) -> str:
        """What a layer calls a number that is a size of a parameter too."""
        pairs = zip(holes, self.columns, strict=True)
        return next((h.hint for h, other in pairs if h.hint != SIZE and other == column), SIZE)

    def argument(
        self,
        hole: Hole,
        column: Column,
        own: Mapping[str, Named],
        defaults: Mapping[str, Any],
        taken: set[str],
    ) -> str:
        """The code of an argument for a column: a new one, unless it is an item of a known one."""
        wanted, whole, code = hole.hint, column, "{}"
        default, is_own = _NONE, False
        if hole.origin is not None:
            wanted, default = hole.origin, column[0]
            self.origins.add(wanted)
        elif is_own := (spelling := repr(column)) in own:
            wanted, whole, code = own[spelling]
            default = defaults.get(wanted, _NONE)
        for parameter in self.parameters:
            if parameter.column is whole:
                return code.format(parameter.name)
        name = fresh(identifier(wanted), {*taken, *(each.name for each in self.parameters)})
        by_position = default is _NONE and (is_own or not self.parameters)
        self.parameters.append(Parameter(name, whole, by_position, default))
        return code.format(name)

    def arrange(self, names: Sequence[str]) -> None:
        """Put the arguments into order: by position, by name, with defaults as in the spec."""
        plain = [each for each in self.parameters if not each.has_default]
        if len(plain) <= MAX_PLAIN:
            plain = [replace(each, by_position=True) for each in plain]
        plain.sort(key=lambda each: not each.by_position)
        others = [each for each in self.parameters if each.has_default]
        others.sort(key=lambda each: names.index(each.name) if each.name in names else len(names))
        self.parameters = plain + others

    def spelled(self) -> list[tuple[str, bool]]:
        """For every literal in reading order its code, and whether it is an argument."""
        return [
            (literal(column[0]), False) if code is None else (code, True)
            for column, code in zip(self.columns, self.codes, strict=True)
        ]

    def given(self, number: int, texts: Mapping[str, str]) -> list[Hole]:
        """What the instance of this number gives for each argument, written as in `texts`."""
        return [
            Hole(
                p.column[number],
                p.name,
                p.has_default,
                p.default if p.has_default else None,
                p.name if p.name in self.origins else None,
                texts.get(p.name),
            )
            for p in self.parameters
        ]


def annotation(values: Sequence[Any]) -> str:
    """The type of an argument that may have these values."""
    kinds = dict.fromkeys(_kind(value) for value in values)
    if "float" in kinds:
        kinds.pop("int", None)  # type checkers take an integer for a float
    return " | ".join(kinds)


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, tuple):
        if 0 < len(value) <= MAX_LISTED:
            return f"tuple[{', '.join(_kind(each) for each in value)}]"
        return f"tuple[{annotation(value) or 'int'}, ...]"
    return type(value).__name__


def _varies(column: Column) -> bool:
    return any(type(v) is not type(column[0]) or v != column[0] for v in column)


def _own_columns(params: Sequence[Mapping[str, Any]]) -> dict[str, Named]:
    """The block's own parameters by the spelling of their columns: name, column, code.

    A list is a tuple here. An item of it is a column too: the argument is then the whole list.
    """
    found: dict[str, Named] = {}
    for name in params[0] if params else ():
        values = [each.get(name) for each in params]
        if all(isinstance(value, int | float | str) for value in values):
            column = tuple(values)
            found.setdefault(repr(column), (name, column, "{}"))
    for name in params[0] if params else ():
        lists = [_numbers(each.get(name)) for each in params]
        if lists[0] and all(len(value) == len(lists[0]) for value in lists):
            whole = tuple(lists)
            found.setdefault(repr(whole), (name, whole, "{}"))
            for at in range(len(lists[0])):
                column = tuple(value[at] for value in lists)
                found.setdefault(repr(column), (name, whole, f"{{}}[{at}]"))
    return found


def _numbers(value: Any) -> tuple[int | float, ...]:
    """The items of a list of numbers; none for anything else."""
    numbers = isinstance(value, list) and all(isinstance(each, int | float) for each in value)
    return tuple(value) if numbers else ()
