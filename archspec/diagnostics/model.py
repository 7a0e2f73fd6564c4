"""Places in a spec, diagnostics, and the one exception that users see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from archspec.diagnostics.codes import CODES

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A text that is being read: its name in messages, and the text where there is one."""

    name: str
    text: str | None = None

    def line(self, number: int) -> str:
        """The text of line `number` (1-based); empty where there is none."""
        lines = _lines(self)
        return lines[number - 1] if 0 < number <= len(lines) else ""


@lru_cache(maxsize=16)
def _lines(source: Source) -> list[str]:
    """The lines of a source: split once, and not again for each of its diagnostics."""
    return (source.text or "").splitlines()


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line of a source; `path` are the keys that lead there.

    Lines and columns count from 1. A source without text (a mapping made in Python) has line 0
    and is known by its path alone.
    """

    source: Source
    line: int
    column: int
    end_column: int
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.line:
            return f"{self.source.name}:{self.line}:{self.column}"
        return f"{self.source.name}:{'.'.join(self.path)}" if self.path else self.source.name


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains a diagnostic, with what there is to see."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to say about a spec. The code must stand in `CODES`."""

    code: str
    message: str
    place: Place
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    strict: bool = False
    """Whether a warning counts as an error."""

    @property
    def severity(self) -> Severity:
        """How bad it is: only an error refuses the spec."""
        cls = CODES[self.code].cls
        if cls == "lint" and self.strict:
            return "error"
        return "warning" if cls == "lint" else "note" if cls == "note" else "error"

    @property
    def file(self) -> str:
        """The name of the file, or of what stands for one."""
        return self.place.source.name

    @property
    def line(self) -> int:
        """Line, from 1; 0 for a spec without text."""
        return self.place.line

    @property
    def column(self) -> int:
        """Column, from 1; 0 for a spec without text."""
        return self.place.column

    def __str__(self) -> str:
        return f"{self.place}: {self.severity}[{self.code}]: {self.message}"


class Fault(Exception):
    """What is wrong with a layer, told without places: they name a field or an input.

    Shape rules raise it; the pass that called the rule knows where the field was written and
    where the input came from, and makes a `Diagnostic` of it.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        field: str | None = None,
        input: int | None = None,
        notes: Sequence[str] = (),
        help: str | None = None,
    ) -> None:
        super().__init__(message)
        assert code in CODES, code
        self.code = code
        self.message = message
        self.field = field
        self.input = input
        self.notes = tuple(notes)
        self.help = help


class SpecError(Exception):
    """A spec was refused. `diagnostics` holds everything there is to say, errors and others."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        errors = [d for d in self.diagnostics if d.severity == "error"]
        super().__init__("\n".join(map(str, errors)))

    def __reduce__(self) -> tuple[type["SpecError"], tuple[tuple[Diagnostic, ...]]]:
        return type(self), (self.diagnostics,)


class Refused(Exception):
    """Internal: what follows cannot be read or computed; its diagnostic is collected."""


@dataclass(slots=True)
class Collector:
    """Gathers diagnostics while a spec passes through the stages; the same fault counts once."""

    found: list[Diagnostic] = field(default_factory=list)
    _seen: set[tuple[str, Place]] = field(default_factory=set)

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic, unless the same code stands at the same place already."""
        key = (diagnostic.code, diagnostic.place)
        if key not in self._seen:
            self._seen.add(key)
            self.found.append(diagnostic)

    def told(self, code: str, place: Place) -> bool:
        """Whether this was said already: then computing help for it again is wasted."""
        return (code, place) in self._seen

    def report(
        self,
        code: str,
        message: str,
        place: Place,
        *,
        labels: Sequence[Label] = (),
        notes: Sequence[str] = (),
        help: str | None = None,
    ) -> Refused:
        """Keep a diagnostic made from its parts, and give what a caller may raise to stop."""
        self.add(Diagnostic(code, message, place, tuple(labels), tuple(notes), help))
        return Refused(message)

    @property
    def failed(self) -> bool:
        """Whether there is an error among what was found."""
        return any(d.severity == "error" for d in self.found)

    def __iter__(self) -> Iterator[Diagnostic]:
        """In file order: by line and column, as a person reads."""
        return iter(sorted(self.found, key=lambda d: (d.file, d.line, d.column)))

    def check(self) -> None:
        """Raise `SpecError` if there is an error."""
        if self.failed:
            raise SpecError(tuple(self))


def at(place: Place, column: int, end_column: int) -> Place:
    """The same line, another stretch of it."""
    return replace(place, column=column, end_column=end_column)
