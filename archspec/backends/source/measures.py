"""Sizes in `forward`: literals where they are known, else read from tensors of the scope."""

from collections.abc import Iterator, Mapping
from typing import Any

from archspec.backends.source.literals import literal
from archspec.ops import Function
from archspec.ops.base import Emission
from archspec.sizes import Dimension, Measured


def read_by(found: Emission | None) -> set[int]:
    """The values of the scope whose sizes an emission reads."""
    if not isinstance(found, Function):
        return set()
    return {read.value for each in found.values.values() for read in _reads(each)}


def is_number(value: Any) -> bool:
    """Whether a value is a number, or a list or tuple of nothing else."""
    if isinstance(value, tuple | list):
        return bool(value) and all(map(is_number, value))
    return isinstance(value, int | float) and not isinstance(value, bool)


def spelled(value: Any, variables: Mapping[int, str]) -> str:
    """The code of a value of an emission; `variables` has the name of every value."""
    if not any(True for _ in _reads(value)):
        return literal(value)
    if isinstance(value, Measured):
        return value.code(lambda read: _dimension(read, variables))
    items = ", ".join(spelled(each, variables) for each in value)
    if isinstance(value, list):
        return f"[{items}]"
    return f"({items},)" if len(value) == 1 else f"({items})"


def _dimension(read: Dimension, variables: Mapping[int, str]) -> str:
    return f"{variables[read.value]}.shape[{read.index}]"


def _reads(value: Any) -> Iterator[Dimension]:
    if isinstance(value, Measured):
        yield from value.reads()
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _reads(each)
