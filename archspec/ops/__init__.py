"""The layer types. One class each, one file a family; see `archspec.ops.base`."""

from archspec.ops.base import (
    Attribute,
    Construct,
    FreeTensor,
    Function,
    Layer,
    accept,
    apply,
    outputs_of,
)
from archspec.ops.registry import find, names, register

__all__ = [
    "Attribute",
    "Construct",
    "FreeTensor",
    "Function",
    "Layer",
    "accept",
    "apply",
    "find",
    "names",
    "outputs_of",
    "register",
]


def __getattr__(name: str) -> type[Layer]:
    """Every layer type is an attribute: `archspec.ops.Conv2d`."""
    cls = find(name)
    if cls is None:
        raise AttributeError(f"there is no layer type {name!r}")
    return cls
