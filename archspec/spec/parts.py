"""Helpers to read typed parts out of mappings: known keys, kinds of values, names."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import TypeVar

from archspec.diagnostics import Collector, Label, Refused, did_you_mean, nearest
from archspec.syntax import Mapping, Node, Scalar, Sequence, describe

T = TypeVar("T")


def attempt(read: Callable[[], T]) -> T | None:
    """What can be read, or None: that it cannot was reported."""
    try:
        return read()
    except Refused:
        return None


def section(
    top: Mapping, key: str, found: Collector, read: Callable[[Node, Collector], T]
) -> T | None:
    """The section under a key; None where there is none, and where it cannot be read."""
    node = top.get(key)
    return None if node is None else attempt(lambda: read(node, found))


def as_mapping(node: Node, what: str, found: Collector, help: str | None = None) -> Mapping:
    """The node as a mapping, or a diagnostic."""
    if isinstance(node, Mapping):
        return node
    message = f"{what} must be a mapping, not {describe(node)}"
    raise found.report("E105", message, node.place, help=help)


def as_text(node: Node, what: str, found: Collector) -> Scalar:
    """The node as a scalar that is text, or a diagnostic."""
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value:
        return node
    raise found.report("E105", f"{what} must be a text, not {describe(node)}", node.place)


def as_name(node: Node, what: str, found: Collector) -> Scalar:
    """A reference to a layer: a text, or a number of a list."""
    if isinstance(node, Scalar) and not isinstance(node.value, bool | None | float) and node.text:
        return node
    raise found.report("E105", f"{what} must be a name, not {describe(node)}", node.place)


def items_of(node: Node) -> list[Node]:
    """The items of a list; a single value counts as a list of one."""
    return node.items if isinstance(node, Sequence) else [node]


def refuse_unindented(
    mapping: Mapping, owners: Iterable[str], known: Iterable[str], found: Collector
) -> None:
    """Report the keys that stand beside an empty one of `owners`, and should stand under it.

    Raises `Refused` then: every one of them would be told as unknown, and the empty one too.
    """
    keys = [key for key, _ in mapping.items()]
    owners, known = tuple(owners), tuple(known)
    for owner, below in pairwise(keys):
        _, value = mapping.entries[owner.text]
        empty = isinstance(value, Scalar) and value.value is None and not value.text
        stray = below.text not in known and nearest(below.text, known) is None
        if empty and stray and owner.text in owners:
            message = f"`{below.text}` stands beside `{owner.text}:`, which is empty, not under it"
            help = f"indent all that belongs to `{owner.text}:`"
            if owner.place.line == below.place.line:  # within braces
                help = f"braces hold what belongs to it: `{owner.text}: {{{below.text}: …}}`"
            labels = [Label(owner.place, "there is nothing under this")]
            raise found.report("E101", message, below.place, labels=labels, help=help)


def refuse_unknown_keys(
    mapping: Mapping, known: Iterable[str], what: str, found: Collector
) -> bool:
    """Report every key that is not known here; True if there was one."""
    known = tuple(known)
    bad = False
    for key, _ in mapping.items():
        if key.text not in known:
            bad = True
            unknown_key(key, known, what, found)
    return bad


def unknown_key(key: Scalar, known: Iterable[str], what: str, found: Collector) -> Refused:
    """Report one key that is not known here."""
    known = tuple(known)
    help = did_you_mean(key.text, known) or f"there are {', '.join(known)}"
    return found.report("E101", f"{what} has no key `{key.text}`", key.place, help=help)
