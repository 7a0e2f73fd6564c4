"""The table of layer types: name → class. Built-in families load when a name asks for them."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from archspec.ops.base import Layer

# Families in the order in which a lookup tries them: what nearly every network uses comes first.
FAMILIES = (
    "convolution",
    "normalisation",
    "activation",
    "rectifier",
    "softmax",
    "layer_norm",
    "pooling",
    "adaptive",
    "transposed",
    "linear",
    "merge",
    "matmul",
    "reshape",
    "dropout",
    "free",
    "arithmetic",
    "rearrange",
    "select",
    "pad",
    "padding",
    "border",
    "resize",
    "shuffle",
    "embedding",
    "attention",
    "dot_product",
    "recurrent",
)

_types: dict[str, type[Layer]] = {}
_loaded: set[str] = set()

C = TypeVar("C", bound=type)


def register(cls: C) -> C:
    """Add a layer type under its class name. Serves as a decorator; built-ins use it too.

    A subclass of `Layer` brings its own shape rule. A plain `torch.nn.Module` needs none: its
    arguments are those of `__init__`, and shapes are found by running it on the meta device.

    Raises `ValueError` when another class has that name, `TypeError` for other classes.
    """
    layer: type[Layer]
    if not isinstance(cls, type):
        raise TypeError(f"register takes a class, not {type(cls).__name__}")
    if issubclass(cls, Layer):
        layer = cls
    else:
        from archspec.ops.foreign import adopt  # needs torch

        layer = adopt(cls)
    if not cls.__module__.startswith("archspec.ops."):
        find(cls.__name__)  # the built-ins come first, whether they were used before or not
    known = _types.setdefault(cls.__name__, layer)
    if (known.__module__, known.path) != (layer.__module__, layer.path):
        raise ValueError(f"there is a layer type {cls.__name__} already: {known.__module__}")
    return cls


def find(name: str) -> type[Layer] | None:
    """The layer type with this name, or None."""
    for family in FAMILIES:
        if name in _types:
            break
        if defines(family, name):
            _load(family)
    return _types.get(name)


def defines(family: str, name: str) -> bool:
    """Whether a family's file has a class of this name: reading it is cheaper than importing it.

    Where the file cannot be read (a package in an archive), any family may.
    """
    classes = _classes(family)
    return classes is None or name in classes


@cache
def _classes(family: str) -> frozenset[str] | None:
    try:
        text = Path(__file__).with_name(f"{family}.py").read_text(encoding="utf-8")
    except OSError:
        return None
    return frozenset(part.partition("(")[0] for part in text.split("\nclass ")[1:])


def names() -> Iterator[str]:
    """The names of all layer types, in alphabetical order."""
    for family in FAMILIES:
        _load(family)
    return iter(sorted(_types))


def _load(family: str) -> None:
    if family not in _loaded:
        import_module(f"archspec.ops.{family}")
        _loaded.add(family)
