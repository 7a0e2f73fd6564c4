"""Names for the classes of one block that differ in more than numbers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archspec.backends.source.literals import class_name
from archspec.graph import Composite

MAX_LENGTH = 24
"""Characters of an ending."""


def distinguished(group: Sequence[Sequence[Composite]]) -> list[str]:
    """For every class of a block, given as its instances, an ending of its name.

    It is called after the first layer that not all of them have: `BasicBlockDownsample`. Where
    their layers have the same names, a parameter may tell them apart: `BlockShift3`.
    """
    if len(group) == 1:
        return [""]
    layers = [[call.name for call in instances[0].calls] for instances in group]
    common = set(layers[0]).intersection(*layers)
    extra = [[name for name in names if name not in common] for names in layers]
    endings = [_ending(names[0]) if names else "" for names in extra]
    for at, ending in enumerate(endings):
        first = endings.index(ending)
        if first < at:
            endings[at] += _by_parameter(group[first], group[at])
    return endings


def _ending(name: str) -> str:
    """A layer's name as an ending; nothing for one that is a number or too long."""
    word = class_name(name) if re.search("[A-Za-z]", name) else ""
    return word if len(word) <= MAX_LENGTH else ""


def _by_parameter(others: Sequence[Composite], own: Sequence[Composite]) -> str:
    """A parameter that all of one class set alike, and the other class differently."""
    for name, value in own[0].params.items():
        simple = isinstance(value, str) or (isinstance(value, int) and value >= 0)
        if not simple or not _all_have(own, name, value):
            continue
        if not any(_same(each.params, name, value) for each in others):
            return _ending(f"{name} {'' if value is True else value}")
    return ""


def _all_have(instances: Sequence[Composite], name: str, value: Any) -> bool:
    return all(_same(each.params, name, value) for each in instances)


def _same(params: Mapping[str, Any], name: str, value: Any) -> bool:
    return type(params.get(name)) is type(value) and params[name] == value
