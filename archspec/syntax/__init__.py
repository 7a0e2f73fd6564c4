"""YAML text → tree with places."""

from archspec.syntax.data import lift, plain
from archspec.syntax.reader import read, read_file
from archspec.syntax.tree import Mapping, Node, Scalar, Sequence, describe

__all__ = [
    "Mapping",
    "Node",
    "Scalar",
    "Sequence",
    "describe",
    "lift",
    "plain",
    "read",
    "read_file",
]
