"""YAML text → tree with places."""

from archspec.syntax.reader import read, read_file
from archspec.syntax.tree import Mapping, Node, Scalar, Sequence, describe, lift

__all__ = ["Mapping", "Node", "Scalar", "Sequence", "describe", "lift", "read", "read_file"]
