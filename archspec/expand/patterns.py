"""The layers of a network by dotted name, and what a type or a pattern over names picks of them."""

import re
from collections.abc import Mapping as AbstractMapping
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import translate
from typing import NamedTuple

from archspec.diagnostics import Fault
from archspec.graph import Composite, Leaf
from archspec.ops import Layer
from archspec.ops.free import Parameter

MAX_LISTED = 2000
"""Names that a mistyped one is compared with."""


class Place(NamedTuple):
    """Where a scope stands among all layers: its first, the one behind its last, its path."""

    start: int
    end: int
    prefix: str


@dataclass(frozen=True, slots=True)
class Target:
    """A layer that a rule names; with `parameters`, only these of it."""

    path: str
    leaf: Leaf
    parameters: tuple[str, ...] = ()


class Tree:
    """All layers below a scope, in file order, by their dotted names."""

    def __init__(self, root: Composite) -> None:
        self.leaves: list[tuple[str, Leaf]] = []
        self.places: dict[int, Place] = {}
        self.types: dict[type[Layer], list[int]] = {}
        self._weights: dict[int, AbstractMapping[str, tuple[int, ...]]] = {}
        self._possible: dict[int, frozenset[str]] = {}
        self._inside: dict[Place, list[tuple[str, Leaf, tuple[str, ...]]]] = {}
        self._add(root, "")
        self.whole = self.places[id(root)]

    def _add(self, scope: Composite, prefix: str) -> None:
        start = len(self.leaves)
        for name, child in scope.children.items():
            if isinstance(child, Composite):
                self._add(child, f"{prefix}{name}.")
            else:
                self.types.setdefault(type(child.layer), []).append(len(self.leaves))
                self.leaves.append((f"{prefix}{name}", child))
        self.places[id(scope)] = Place(start, len(self.leaves), prefix)

    def place(self, scope: Composite) -> Place | None:
        """Where a scope stands; None if it is not registered."""
        return self.places.get(id(scope))

    def weights(self, layer: Layer) -> AbstractMapping[str, tuple[int, ...]]:
        """The parameters of a layer that rules may name: a Parameter has its own `init:`."""
        if id(layer) not in self._weights:
            self._weights[id(layer)] = {} if isinstance(layer, Parameter) else layer.weights()
        return self._weights[id(layer)]

    def possible(self, layer: Layer) -> frozenset[str]:
        """The parameters that a layer has, or would have with its switches (`bias`) on."""
        if id(layer) not in self._possible:
            names = frozenset(self.weights(layer))
            switches = {name: True for name, value in layer if isinstance(value, bool)}
            if switches and not isinstance(layer, Parameter):
                with suppress(Fault):  # of a user's layer that takes no such thing
                    names |= layer.model_copy(update=switches).weights().keys()
            self._possible[id(layer)] = names
        return self._possible[id(layer)]

    def of_type(self, cls: type[Layer], scope: Place) -> list[Target]:
        """The layers of a type in a scope."""
        numbers = (n for n in self.types.get(cls, ()) if scope.start <= n < scope.end)
        return [Target(*self.leaves[n]) for n in numbers if cls is not Parameter]

    def matching(self, pattern: str, scope: Place) -> list[Target]:
        """The layers with parameters whose names match; if there are none, the parameters.

        `*` stands for any text, dots included, `?` for a letter, `[12]` for one of these. Names
        begin in the scope.
        """
        matches, cut = re.compile(translate(pattern)).match, len(scope.prefix)
        inside = self._with_weights(scope)
        whole = [Target(path, leaf) for path, leaf, _ in inside if matches(path, cut)]
        if whole:
            return whole
        parts = []
        for path, leaf, weights in inside:
            names = tuple(name for name in weights if matches(f"{path}.{name}", cut))
            if names:
                parts.append(Target(path, leaf, names))
        return parts

    def _with_weights(self, scope: Place) -> list[tuple[str, Leaf, tuple[str, ...]]]:
        """The layers of a scope that have parameters, with the names of these."""
        if scope not in self._inside:
            self._inside[scope] = [
                (path, leaf, tuple(names))
                for path, leaf in self.leaves[scope.start : scope.end]
                if (names := self.weights(leaf.layer))
            ]
        return self._inside[scope]

    def names(self, scope: Place) -> list[str]:
        """The names of layers with parameters, and of these, as far as they are compared."""
        found: list[str] = []
        for path, _, weights in self._with_weights(scope):
            name = path[len(scope.prefix) :]
            found += [name, *(f"{name}.{each}" for each in weights)]
            if len(found) > MAX_LISTED:
                break
        return found

    def hint(self, pattern: str, scope: Place) -> str | None:
        """Why a pattern picks nothing though something is called so."""
        matches = re.compile(translate(pattern)).match
        for path, leaf in self.leaves[scope.start : scope.end]:
            name = path[len(scope.prefix) :]
            if not matches(name):
                if name.startswith(f"{pattern}."):
                    return f"to name what is in it, write `{pattern}.*`"
            elif isinstance(leaf.layer, Parameter):
                return f"`{name}` is a Parameter: it has an `init:` of its own"
            else:
                return f"`{name}` has no parameters"
        return None
