"""Shapes for docstrings: `(N, in_channels, H, W) -> (N, planes, H // 2, W // 2)`."""

from archspec.backends.classes import Class, Classes
from archspec.backends.literals import prose
from archspec.network import Network
from archspec.tensors import Tensor


def shown(network: Network) -> str:
    """The name of a network, with the shapes of its inputs and outputs."""
    return prose(network.name)


class Signatures:
    """The shapes of all classes of a network."""

    def __init__(self, network: Network, classes: Classes) -> None:
        self.network = network
        self.classes = classes

    def summary(self, each: Class) -> list[str]:
        """The docstring of a class."""
        return []
