"""YAML text → tree with places."""

from archspec.syntax.data import lift, plain
from archspec.syntax.reader import MAX_BYTES, read, read_file
from archspec.syntax.tree import Mapping, Node, Scalar, Sequence, describe, part_of

__all__ = [
    "MAX_BYTES",
    "Mapping",
    "Node",
    "Scalar",
    "Sequence",
    "describe",
    "lift",
    "part_of",
    "plain",
    "read",
    "read_file",
]
