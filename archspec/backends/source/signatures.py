"""Shapes for docstrings: `(N, in_channels, H, W) -> (N, planes, H // 2, W // 2)`.

A class is described over all its uses: what is the same everywhere is a number, what is an
argument of the constructor has its name, what stays as it is keeps its letter, and other sizes
are formulas of those where there is a simple one that holds for every use.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archspec.backends.source.classes import Class, Classes
from archspec.backends.source.layout import WIDTH
from archspec.backends.source.literals import prose
from archspec.backends.source.shapes import batch_word, shape_text
from archspec.graph import Composite, Trace
from archspec.network import Network
from archspec.sizes import Size
from archspec.tensors import Tensor

LETTERS = {1: "C", 2: "CL", 3: "CHW", 4: "CDHW"}
"""Names for sizes by rank, batch left out."""
FEATURES_LAST = frozenset({"in_features", "normalized_shape", "embed_dim", "input_size", "d_model"})
"""Arguments of layers that read features from the last dimension."""
FACTORS = (2, 4, 8, 3)
"""What sizes are multiplied with, or divided by, in formulas."""
Column = tuple[Size, ...]
"""A size, in each use."""


@dataclass(frozen=True, slots=True)
class _Use:
    """One use of a class: which instance it is, and what goes in and out."""

    number: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class Signatures:
    """The shapes of all classes of a network."""

    def __init__(self, network: Network, classes: Classes, open_sizes: Mapping[int, str]) -> None:
        self.network = network
        self.open_sizes = open_sizes
        self.classes = classes
        self.batch = batch_word(classes.within.symbols)
        self.uses: dict[int, list[_Use]] = {}
        self.tokens: set[int] = set()
        """Ranks of what is read with its features last."""
        self.collect(network.graph.root, network.trace)

    def collect(self, scope: Composite, trace: Trace) -> None:
        """Note the use of a scope, and of all scopes in it."""
        kind = self.classes.numbers.get(id(scope))
        if kind is not None:
            outputs = (o.value for o in scope.outputs if not o.training_only)
            given = tuple(trace.tensors[: len(scope.inputs)])
            number = self.classes.plans[id(scope)].number
            use = _Use(number, given, tuple(trace.tensors[value] for value in outputs))
            self.uses.setdefault(kind, []).append(use)
        for number, call in enumerate(scope.calls):
            if isinstance(call.target, Composite):
                self.collect(call.target, trace.inner[number])
            elif not FEATURES_LAST.isdisjoint(type(call.target.layer).positional):
                self.tokens.update(len(trace.tensors[value].shape) for value in call.inputs)

    def summary(self, each: Class) -> list[str]:
        """The docstring of a class, line by line."""
        scope = each.plans[0].composite
        if scope is self.network.graph.root:
            return arrow(*self.whole(), 4)
        uses = self.uses[self.classes.numbers[id(scope)]]
        ranks = {tuple(x.ndim for x in (*use.inputs, *use.outputs)) for use in uses}
        if len(ranks) > 1:
            return []
        parameters = {
            p.name: tuple(p.column[use.number] for use in uses)
            for p in each.constructor.parameters
            if all(type(value) is int for value in p.column)
        }
        inputs, outputs = _Words(parameters, self.batch, self.tokens).described(uses)
        if each.constructor.origins & set(self.open_sizes.values()):
            outputs = self.whole()[1]  # it is the last of all
        return arrow(inputs, outputs, 4)

    def whole(self) -> tuple[list[str], list[str]]:
        """The inputs and outputs of the network in words."""
        inputs, outputs = self.network.input_tensors, self.network.output_tensors()
        fed = [shape_text(tensor, map(str, tensor.shape), self.batch) for tensor in inputs.values()]
        given = [shape_text(tensor, self.sizes(tensor), self.batch) for tensor in outputs.values()]
        return _named(list(inputs), fed), _named(list(outputs), given)

    def sizes(self, output: Tensor) -> Iterator[str]:
        """The sizes of an output of the network in words."""
        for position, size in enumerate(self.classes.within.shape(output.shape)):
            yield self.open_sizes.get(position, str(size))


def _named(names: Sequence[str], shapes: list[str]) -> list[str]:
    """Shapes with names, where there are several."""
    if len(shapes) == 1:
        return shapes
    return [f"{prose(name)} {shape}" for name, shape in zip(names, shapes, strict=True)]


def arrow(inputs: Sequence[str], outputs: Sequence[str], indent: int) -> list[str]:
    """`inputs -> outputs` as lines of a docstring."""
    left, right = ", ".join(inputs), ", ".join(outputs)
    if indent + len(left) + len(right) + 10 <= WIDTH:
        return [f"{left} -> {right}"]
    return [left, f"-> {right}"]


@dataclass(slots=True)
class _Words:
    """Names for the sizes of one class."""

    parameters: Mapping[str, Column]
    batch: str
    tokens: Container[int] = ()
    """Ranks whose channels may be the last size."""
    letters: dict[str, Column] = field(default_factory=dict)

    def described(self, uses: Sequence[_Use]) -> tuple[list[str], list[str]]:
        """The inputs and outputs of a class over all its uses."""
        pairs = zip(*((*use.inputs, *use.outputs) for use in uses), strict=True)
        shapes = [(each[0], list(zip(*(x.shape for x in each), strict=True))) for each in pairs]
        last = {len(columns) for _, columns in shapes if self.are_last(columns)}
        shown = [
            shape_text(tensor, self.sizes(columns, last), self.batch) for tensor, columns in shapes
        ]
        count = len(uses[0].inputs)
        return shown[:count], shown[count:]

    def are_last(self, columns: Sequence[Column]) -> bool:
        """Whether the channels of a tensor are its last size, as far as this can be told: it is an
        argument or a number and the first is not, or the others are as those of a square map.
        """
        rank = len(columns)
        if rank < 2 or rank not in self.tokens:
            return False
        if rank > 2 and columns[0] == columns[1] != columns[-1]:
            return True
        first, behind = (
            each in self.parameters.values() or _is_number(each)
            for each in (columns[0], columns[-1])
        )
        return behind and not first

    def sizes(self, columns: Sequence[Column], last: Container[int]) -> Iterator[str]:
        """The sizes of one tensor, in each use. `last` are the ranks that have channels behind."""
        letters = LETTERS.get(len(columns), "")
        if len(columns) in last:
            letters = letters[1:] + letters[:1]
        for at, column in enumerate(columns):
            yield self.size(column, letters[at : at + 1] or f"D{at + 1}")

    def size(self, column: Column, letter: str) -> str:
        """A size: a number, a name, a formula, or a new letter."""
        if _is_number(column):
            return str(column[0])
        found = self.known(column, letter)
        if found is None:
            found = letter
            while found in self.letters or found in self.parameters or found == self.batch:
                found += "'"
            self.letters[found] = column
        return found

    def known(self, column: Column, letter: str) -> str | None:
        """A name or formula for a size, if there is one."""
        if self.parameters.get(letter) == column:
            return letter
        own = {letter: self.letters[letter]} if letter in self.letters else {}
        names = {**own, **self.parameters} if letter == "C" else own
        for name, other in names.items():
            if other == column:
                return name
        for name, other in names.items():
            formula = _formula(name, other, column)
            if formula is not None:
                return formula
        return None


def _is_number(column: Column) -> bool:
    """Whether a size is the same number in each use."""
    return isinstance(column[0], int) and all(size == column[0] for size in column)


def _formula(name: str, base: Column, column: Column) -> str | None:
    """A formula that makes the second column of the first."""
    pairs = list(zip(base, column, strict=True))
    for factor in FACTORS:
        if all(one * factor == other for one, other in pairs):
            return f"{factor} * {name}"
        if all(one // factor == other for one, other in pairs):
            return f"{name} // {factor}"
        if all((one + factor - 1) // factor == other for one, other in pairs):
            return f"({name} + {factor - 1}) // {factor}"
    return None
