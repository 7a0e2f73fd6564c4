"""Keys that were renamed: which key of a file is probably which key of the module."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Final

Shape = tuple[int, ...]
Pair = tuple[str, str]

MAX_PAIRS: Final = 10_000
"""Pairs of keys that are compared by name: beyond, nobody reads the answer."""
ALIKE: Final = 0.6
"""Names that are as similar as this may be the same."""


def guess_renames(file: Mapping[str, Shape], module: Mapping[str, Shape]) -> dict[str, str]:
    """For keys of the file that the module lacks: the key that the module has for it.

    Args:
        file: shapes by key, of what only the file has, in its order.
        module: shapes by key, of what only the module has, in its order.
    """
    pairs = list(zip(file, module, strict=False))
    if len(file) == len(module) and all(_could_be(file, module, *pair) for pair in pairs):
        return dict(pairs)
    found: dict[str, str] = {}
    for theirs, ours in _buckets(file, module):
        if len(theirs) * len(ours) <= MAX_PAIRS:
            found.update(_matched(theirs, ours))
    return {key: found[key] for key in file if key in found}


def _could_be(file: Mapping[str, Shape], module: Mapping[str, Shape], a: str, b: str) -> bool:
    return file[a] == module[b] and _last(a) == _last(b)


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _buckets(
    file: Mapping[str, Shape], module: Mapping[str, Shape]
) -> Iterator[tuple[list[str], list[str]]]:
    """Keys of both sides with the same shape and last name."""
    groups: dict[tuple[Shape, str], tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for side, shapes in enumerate((file, module)):
        for key, shape in shapes.items():
            groups[shape, _last(key)][side].append(key)
    return iter(groups.values())


def _matched(theirs: list[str], ours: list[str]) -> dict[str, str]:
    """The most similar pairs, each key at most once."""
    ranked = sorted(
        ((_similarity(a, b), a, b) for a in theirs for b in ours), key=lambda each: -each[0]
    )
    found: dict[str, str] = {}
    taken: set[str] = set()
    alone = len(theirs) == len(ours) == 1
    for score, a, b in ranked:
        if a not in found and b not in taken and (alone or score >= ALIKE):
            found[a] = b
            taken.add(b)
    return found


def _similarity(a: str, b: str) -> float:
    """Common last names beyond the very last count whole; then likeness of spelling."""
    return _common_end(a.split("."), b.split(".")) - 1 + SequenceMatcher(None, a, b).ratio()


def _common_end(a: list[str], b: list[str]) -> int:
    count = 0
    while count < min(len(a), len(b)) and a[-1 - count] == b[-1 - count]:
        count += 1
    return count


def rename_patterns(renames: Mapping[str, str]) -> list[tuple[str, str, int]]:
    """Renames in few words: pattern in the file, pattern in the module, and for how many keys.

    `backbone.conv1.weight` for `conv1.weight`, sixty times, is `backbone.*` for `*`.
    """
    patterns = [(_pattern(*pair), pair) for pair in renames.items()]
    counts = Counter(pattern for pattern, _ in patterns)
    shown: dict[Pair, tuple[str, str, int]] = {}
    for pattern, pair in patterns:
        a, b = pattern if counts[pattern] > 1 else pair
        shown.setdefault(pattern, (a, b, counts[pattern]))
    return list(shown.values())


def _pattern(file: str, module: str) -> Pair:
    """What differs between two keys, with `*` for what is equal before and behind it."""
    a, b = file.split("."), module.split(".")
    end = _common_end(a, b)
    a, b = a[: len(a) - end], b[: len(b) - end]
    start = _common_end(a[::-1], b[::-1])
    before = ["*"] if start else []
    behind = ["*"] if end else []
    return (
        ".".join((*before, *a[start:], *behind)),
        ".".join((*before, *b[start:], *behind)),
    )
