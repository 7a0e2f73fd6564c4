"""What became of a checkpoint's keys: the report, and how it reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from typing import Any, Final

from archspec.backends.files.renames import Shape, guess_renames, rename_patterns

MAX_LINES: Final = 8
"""Groups of one kind that a text shows."""
MAX_KEY: Final = 100
"""Letters of a key that it shows."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A shape or a dtype, in the file and in the module."""

    file: Any
    module: Any

    def __str__(self) -> str:
        return f"{_word(self.file)} in the file, {_word(self.module)} in the module"


@dataclass(frozen=True)
class WeightsReport:
    """What of a checkpoint went into a module, and what did not.

    Keys are those of the module: what was stripped from the file's stands in `stripped`.
    """

    file: str
    loaded: tuple[str, ...]
    """Keys whose values went, or would have gone, into the module."""
    missing: tuple[str, ...] = ()
    """Keys that only the module has."""
    unexpected: tuple[str, ...] = ()
    """Keys that only the file has."""
    shapes: Mapping[str, Difference] = field(default_factory=dict)
    """Keys that both have, in different shapes."""
    dtypes: Mapping[str, Difference] = field(default_factory=dict)
    """Keys that both have, in dtypes that cannot be converted, such as complex to real."""
    converted: Mapping[str, Difference] = field(default_factory=dict)
    """Keys whose values were converted to the module's dtype."""
    stripped: tuple[str, ...] = ()
    """What stood around the state dict or its keys, in words."""
    file_shapes: Mapping[str, Shape] = field(default_factory=dict, repr=False)
    module_shapes: Mapping[str, Shape] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """Whether everything fitted."""
        return self.complete and not self.unexpected

    @property
    def complete(self) -> bool:
        """Whether the file has all that the module needs."""
        return not (self.missing or self.shapes or self.dtypes)

    @property
    def other_size(self) -> tuple[int, int] | None:
        """If one number explains all shapes that differ: what it is in the file, and here."""
        pairs = {
            (theirs, ours)
            for shape in self.shapes.values()
            for theirs, ours in zip_longest(shape.file, shape.module)
            if theirs != ours
        }
        return pairs.pop() if len(pairs) == 1 and not any(None in pair for pair in pairs) else None

    @cached_property
    def renames(self) -> dict[str, str]:
        """Keys that only the file has: what the module probably calls them."""
        return guess_renames(
            {key: self.file_shapes[key] for key in self.unexpected if key in self.file_shapes},
            {key: self.module_shapes[key] for key in self.missing if key in self.module_shapes},
        )

    def text(self) -> str:
        """What did not fit, grouped, in a few lines; then what was stripped and converted."""
        return "\n".join(map(printable, (*self._damage(), *self.notes())))

    def summary(self) -> str:
        """How many keys went wrong, by kind: `2 keys missing, 1 of another shape`."""
        kinds = (
            (self.missing, "missing"),
            (self.unexpected, "unexpected"),
            (self.shapes, "of another shape"),
            (self.dtypes, "of another kind"),
        )
        found = [f"{len(keys)} {word}" for keys, word in kinds if keys]
        return f"of {len(self.module_shapes)} keys {', '.join(found)}" if found else "all keys fit"

    def notes(self) -> Iterator[str]:
        """What was stripped and converted, a line each."""
        if self.stripped:
            yield f"  stripped: {', '.join(self.stripped)}"
        kinds: dict[str, int] = {}
        for difference in self.converted.values():
            words = f"{_word(difference.file)} to {_word(difference.module)}"
            kinds[words] = kinds.get(words, 0) + 1
        for words, count in kinds.items():
            yield f"  converted from {words}: {_keys(count)}"

    def _damage(self) -> Iterator[str]:
        yield from _listed("missing in the file", self.missing, self.module_shapes)
        yield from _listed("unexpected in the file", self.unexpected, self.file_shapes)
        yield from _compared("of another shape", self.shapes, self.module_shapes)
        yield from _compared("of another kind", self.dtypes, self.module_shapes)
        patterns = rename_patterns(self.renames)
        for theirs, ours, count in patterns[:MAX_LINES]:
            many = f" ({_keys(count)})" if count > 1 else ""
            yield f"  does `{_cut(theirs)}` in the file mean `{_cut(ours)}`?{many}"
        yield from _more(patterns)


def printable(text: str) -> str:
    """A line that a terminal shows as it is, whatever a file calls its keys."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _cut(key: str) -> str:
    return key if len(key) <= MAX_KEY else f"{key[: MAX_KEY - 1]}…"


def _listed(title: str, keys: tuple[str, ...], universe: Mapping[str, Any]) -> Iterator[str]:
    if not keys:
        return
    groups = grouped(keys, universe)
    shown = [_group(name, members) for name, members in groups[:MAX_LINES]]
    rest = len(groups) - MAX_LINES
    yield f"  {title}: {', '.join(shown)}" + (f" and {rest} more" if rest > 0 else "")


def _group(name: str, members: list[str]) -> str:
    return f"{_cut(name)} ({_keys(len(members))})" if len(members) > 1 else _cut(name)


def _compared(
    title: str, found: Mapping[str, Difference], universe: Mapping[str, Any]
) -> Iterator[str]:
    if not found:
        return
    yield f"  {title}:"
    groups = grouped(tuple(found), universe)
    for name, members in groups[:MAX_LINES]:
        first = members[0]
        group = _group(name, members)
        many = f"{group}, such as {_cut(first)}" if len(members) > 1 else group
        yield f"    {many}: {found[first]}"
    yield from _more(groups)


def _more(groups: list[Any]) -> Iterator[str]:
    if len(groups) > MAX_LINES:
        yield f"    and {len(groups) - MAX_LINES} more"


def grouped(keys: tuple[str, ...], universe: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Keys in groups, in order: `layer4.*` where all keys of the universe below it are in."""
    wanted = set(keys)
    broken = {""} if wanted != {*universe, *wanted} else set()
    for key in universe:
        if key not in wanted:
            broken.update(_prefixes(key))
    groups: dict[str, list[str]] = {}
    for key in keys:
        whole = (
            "" if "" not in broken else next((p for p in _prefixes(key) if p not in broken), key)
        )
        groups.setdefault(whole, []).append(key)
    return [
        (members[0] if len(members) == 1 else f"{name}.*" if name else "*", members)
        for name, members in groups.items()
    ]


def _prefixes(key: str) -> Iterator[str]:
    """The modules that a key is in, outermost first."""
    parts = key.split(".")
    return (".".join(parts[:n]) for n in range(1, len(parts)))


def _keys(count: int) -> str:
    return f"{count} key{'s' * (count != 1)}"


def _word(value: Any) -> str:
    if isinstance(value, tuple):
        return "×".join(map(str, value)) or "a single number"
    return str(value).removeprefix("torch.")
