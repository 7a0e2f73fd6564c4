"""What the whole expansion shares, and how it reports and evaluates."""

from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from typing import Any

from archspec.diagnostics import Collector, Label, Place, Refused, did_you_mean, shown
from archspec.expand.caret import place_within
from archspec.expand.given import formulas_of, givers, places_of
from archspec.expr import (
    MAX_INTEGER,
    MAX_STEPS,
    ExpressionError,
    Formula,
    Scope,
    capture,
    compile_expression,
    compile_for,
    compile_template,
    truth,
)
from archspec.graph import Composite
from archspec.resolve import Application
from archspec.rows import Shape
from archspec.sizes import Condition, Domain, Measured, size_of
from archspec.spec import BlockSpec, InitRule, Spec
from archspec.spec.traps import advice, is_open, report_split
from archspec.syntax import Mapping, Node, Scalar, Sequence, describe

MAX_LAYERS = 20_000
"""Layers of an expanded network, unless the caller allows more."""
MAX_WORK = 2_000_000
"""Steps of an expansion: layers, turns and scopes, absent and empty ones included."""
MAX_COMPARED = 100_000
"""Known names that unknown ones are compared with: a file may be full of mistakes."""
MAX_NESTING = 60
"""Depth of blocks and groups within each other."""

Names = AbstractMapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ruled:
    """A scope with rules for how its parameters begin, and the names that they see."""

    scope: Composite
    rules: tuple[InitRule, ...]
    names: Names


@dataclass(frozen=True, slots=True)
class Claim:
    """A `shape:` annotation that holds for some values of symbols, and the uses that lead there."""

    written: Shape
    real: Shape
    conditions: tuple[Condition, ...]
    node: Node
    uses: tuple[Label, ...]


@dataclass(slots=True)
class Context:
    """The state of one expansion."""

    spec: Spec
    found: Collector
    max_layers: int = MAX_LAYERS
    domain: Domain = field(default_factory=Domain)
    defaults: dict[str, dict[str, Any]] = field(default_factory=dict)
    layers: int = 0
    work: int = 0
    compared: int = 0
    path: list[str] = field(default_factory=list)
    """The names that lead to what is being expanded."""
    rows: list[Application] = field(default_factory=list)
    """The layers made so far, up to the first mistake: what a refused spec can still show."""
    ruled: list[Ruled] = field(default_factory=list)
    """Scopes with an `init:`, outer ones first."""
    claims: list[Claim] = field(default_factory=list)
    """Annotations that are left to check once it is known which sizes work."""
    sized: bool = False
    """Whether symbols have sizes: then `requires:` may be what is broken, and is told first."""
    broken: list[Claim] = field(default_factory=list)
    """Annotations that do not hold for these sizes."""
    uses: list[Label] = field(default_factory=list)
    """The blocks around what is being expanded, innermost last."""
    given: AbstractMapping[str, Place] = field(default_factory=dict)
    """The values that the caller gave, as with `--set`."""
    _given: dict[str, Place] | None = None
    """Where values come from: see `givers`."""

    @property
    def blocks(self) -> AbstractMapping[str, BlockSpec]:
        """The blocks of the file."""
        return self.spec.blocks

    def count_layer(self, node: Node) -> None:
        """One more layer; too many end the expansion."""
        self.layers += 1
        self.foresee_layers(0, node)

    def foresee_layers(self, count: int, node: Node) -> None:
        """So many more repetitions, of a layer or more each: too many end before the first."""
        if self.layers + count > self.max_layers:
            message = f"the network has more than {self.max_layers} layers"
            help = "allow more with --max-layers"
            raise TooLarge(self.report("E005", message, node.place, help=help))

    def spend(self, steps: int, node: Node) -> None:
        """Steps of work. What never becomes a layer costs time too, and must end as well."""
        self.work += steps
        limit = max(MAX_WORK, 100 * self.max_layers)
        if self.work > limit:
            message = f"the spec takes more than {limit} steps to expand"
            raise TooLarge(self.report("E005", message, node.place))

    def did_you_mean(self, name: str, known: list[str]) -> str | None:
        """The help for a mistyped name, as long as there are not too many of them."""
        self.compared += len(known)
        return did_you_mean(name, known) if self.compared <= MAX_COMPARED else None

    def report(
        self,
        code: str,
        message: str,
        place: Place,
        *,
        labels: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,
    ) -> Refused:
        """Keep a diagnostic, with the uses that lead to it."""
        stack = tuple(use for use in reversed(self.uses) if use.place.line != place.line)
        return self.found.report(
            code, message, place, labels=(*labels, *stack), notes=notes, help=help
        )

    def givers(self, node: Node) -> tuple[Label, ...]:
        """Who gave the values that an expression of the network itself uses."""
        if self.uses:  # a block has parameters of its own
            return ()
        if self._given is None:
            self._given = {**places_of(self.spec.chosen), **self.given}
        return givers(node, self._given, formulas_of(self.spec.chosen))

    def evaluate(self, node: Node, names: Names) -> Any:
        """The plain value of a node: expressions computed, lists and mappings as such."""
        if isinstance(node, Scalar):
            value = node.value
            if isinstance(value, str) and value.startswith("="):
                return self.compute(node, value[1:], names)
            return self.bounded(value, node)
        if isinstance(node, Sequence):
            return [self.evaluate(item, names) for item in node.items]
        assert isinstance(node, Mapping)
        return {key.text: self.evaluate(value, names) for key, value in node.items()}

    def bounded(self, value: Any, node: Node) -> Any:
        """A value as it is written, if it is no integer that PyTorch could not hold."""
        if type(value) is int and not -MAX_INTEGER < value < MAX_INTEGER:
            raise self.report("E105", f"{shown(value)} is a number beyond 64 bits", node.place)
        return value

    def compute(self, node: Scalar, text: str, names: Names) -> Any:
        """The value of an expression that stands at a node."""
        try:
            scope = Scope(names)
            value = compile_expression(text).run(scope)
        except ExpressionError as error:
            place = place_within(node, text, error.offset)
            raise self.expression_error(error, node, place) from None
        self.spend((MAX_STEPS - scope.steps) // 10, node)
        return value

    def formula(self, node: Node, index: tuple[str, ...], names: Names) -> Formula:
        """A formula over indices, with the values of the other names in it."""
        assert isinstance(node, Scalar)
        try:
            return capture(node.text.removeprefix("="), index, names)
        except ExpressionError as error:
            raise self.expression_error(error, node) from None

    def condition(self, node: Node, names: Names) -> bool:
        """The truth of a `when:`."""
        value = self.evaluate(node, names)
        try:
            result = truth(value)
        except ExpressionError as error:
            raise self.expression_error(error, node) from None
        if not isinstance(value, bool):
            message = f"`when:` is true or false, not {shown(value)}"
            help = advice(value, "true or false", names)
            help = help or "compare: for example `when: =depth > 0`"
            raise self.report("E105", message, node.place, help=help)
        return result

    def number(self, node: Node, names: Names, what: str) -> int:
        """A whole number, not negative."""
        value = self.evaluate(node, names)
        if isinstance(value, Measured):
            raise self.report("E114", f"{what} must be known, not {value}", node.place)
        if type(value) is not int or value < 0:
            written = node.text if isinstance(node, Scalar) else ""
            help = advice(value, "an integer", names, written)
            message = f"{what} is a whole number, not {shown(value)}"
            raise self.report("E105", message, node.place, help=help)
        return value

    def fill(self, node: Scalar, names: Names) -> str:
        """The text of a key, of `names:` or of a reference: with `{expression}` filled in."""
        text = node.text
        if text.startswith("="):
            return str(self.compute(node, text[1:], names))
        if "{" not in text:
            return text
        try:
            return compile_template(text).fill(Scope(names))
        except ExpressionError as error:
            raise self.expression_error(error, node) from None

    def turns(self, clause: Scalar, names: Names) -> list[dict[str, Any]]:
        """What every turn of a `for:` binds."""
        try:
            turns = list(compile_for(clause.text).turns(Scope(names)))
        except ExpressionError as error:
            raise self.expression_error(error, clause) from None
        self.spend(len(turns), clause)
        return turns

    def shape_of(self, node: Node, names: Names, what: str) -> list[Any]:
        """A shape as it is written in `inputs:`, `shape:` and free tensors: bare words count."""
        if not isinstance(node, Sequence):
            raise self.report("E105", f"{what} is a list, not {describe(node)}", node.place)
        return [self.size(item, names) for item in node.items]

    def size(self, item: Node, names: Names) -> Any:
        """One entry of a shape: a number, or an expression with or without `=`."""
        value = item.value if isinstance(item, Scalar) else None
        if isinstance(item, Scalar) and isinstance(value, str):
            value = self.compute(item, value.removeprefix("="), names)
        if type(value) is not int and not isinstance(value, Measured):
            raise self.report("E105", f"a size is a whole number, not {shown(value)}", item.place)
        return size_of(self.bounded(value, item))

    def expression_error(
        self, error: ExpressionError, node: Node, place: Place | None = None
    ) -> Refused:
        """The diagnostic for an expression that failed, at a place within the node if known."""
        if error.code == "E109" and isinstance(node, Scalar) and is_open(node):
            return report_split(None, node, self.found)
        outer = [p.name.text for p in self.spec.params if f"`{p.name.text}`" in error.message]
        notes = ["a block sees its own parameters only: declare it there, and pass it on"]
        shown = tuple(notes if self.uses and outer and error.code == "E108" else ())
        return self.report(
            error.code,
            error.message,
            place or node.place,
            labels=self.givers(node),
            notes=shown,
            help=error.help,
        )


class Unfinished(Refused):
    """There is no network; `rows` are its layers up to the first mistake, found in `work` steps."""

    def __init__(self, rows: list[Application], work: int) -> None:
        super().__init__()
        self.rows = tuple(rows)
        self.work = work


class TooLarge(Exception):
    """The network grew beyond the limit; the diagnostic is collected."""
