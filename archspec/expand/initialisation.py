"""`init:` → how every parameter begins: rules of the network and of its blocks, layer by layer.

Of rules that name the same parameter the later one wins, and those of a block win over those
around it: they are closer to the layer.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from archspec.diagnostics import Fault, Label, Refused, did_you_mean, nearest, shown
from archspec.expand.context import Context, Names, Ruled
from archspec.expand.patterns import Place, Target, Tree
from archspec.expr.attributes import over_attributes
from archspec.graph import Composite
from archspec.ops import Layer, find
from archspec.ops import names as type_names
from archspec.ops.initialisers import Initialiser, check, fans, split
from archspec.ops.window import Spatial
from archspec.spec import Beginning, InitRule
from archspec.spec.init import place_of
from archspec.syntax import Mapping, Node, Scalar, plain

MAX_LISTED = 12
"""Parameters that a message lists."""
_WINDOWS = ("kernel_size", "stride", "padding", "dilation", "output_padding")
"""Arguments with one number for each dimension; expressions see them as lists."""

_ATTRIBUTES = (
    *("in_features", "out_features", "in_channels", "out_channels", "kernel_size", "groups"),
    *("num_features", "num_embeddings", "embedding_dim", "input_size", "hidden_size"),
)
"""Arguments that modules of PyTorch keep under the same name, with the value that we see."""


def initialise(context: Context, root: Composite) -> None:
    """Give every leaf what the rules say. Reports rules that name nothing, or ask too much."""
    work = _Initialisation(context, Tree(root))
    for ruled in context.ruled:  # outermost first
        work.apply(ruled)
    work.report_misses()


class LayerArguments(AbstractMapping[str, Any]):
    """The names that an initialiser sees: the arguments of its layer, then those of the scope."""

    def __init__(self, names: Names, layer: Layer, sizes: tuple[int, ...]) -> None:
        fields = type(layer).model_fields
        own = {info.alias or name: getattr(layer, name) for name, info in fields.items()}
        if isinstance(layer, Spatial):
            own |= {name: layer.each(name) for name in _WINDOWS if isinstance(own.get(name), int)}
        self.own = {
            **{name: list(v) if isinstance(v, tuple) else v for name, v in own.items()},
            **fans(sizes),
        }
        self.names = names

    def __getitem__(self, name: str) -> Any:
        return self.own[name] if name in self.own else self.names[name]

    def __iter__(self) -> Iterator[str]:
        yield from {**self.own, **self.names}

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def formulas(self, node: Node) -> dict[str, str]:
        """The arguments of an initialiser that can be asked of the module, as code."""
        given = next(iter(node.items()))[1] if isinstance(node, Mapping) else None
        if not isinstance(given, Mapping):
            return {}
        attributes = [name for name in _ATTRIBUTES if name in self.own]
        around = {name: value for name, value in self.names.items() if name not in self.own}
        texts = {key.text: value.text for key, value in given.items() if isinstance(value, Scalar)}
        found = {
            name: over_attributes(text[1:], "module", attributes, around)
            for name, text in texts.items()
            if text.startswith("=")
        }
        return {name: code for name, code in found.items() if code is not None}


def _said(beginning: Beginning) -> str:
    """The parameter, or the pattern over parameters, that a beginning is for."""
    return beginning.parameter.text if beginning.parameter is not None else "weight"


def _matching(names: Iterable[str], pattern: str) -> list[str]:
    return [name for name in names if fnmatchcase(name, pattern)]


@dataclass(slots=True)
class _Initialisation:
    context: Context
    tree: Tree
    met: set[int] = field(default_factory=set)
    """Rules (by id) that name something, or were not asked."""
    known: dict[int, set[str]] = field(default_factory=dict)
    """By the id of a rule: the parameters of what it names."""
    checked: dict[tuple[int, int, str], Initialiser | None] = field(default_factory=dict)
    """Constants that were checked: by beginning, layer and parameter."""
    failed: set[int] = field(default_factory=set)
    """Beginnings (by id) that were refused: told once is enough."""

    def apply(self, ruled: Ruled) -> None:
        """Apply the rules of one scope to what is in it."""
        scope = self.tree.place(ruled.scope)
        if scope is None:  # a block that joins arms is not registered
            return
        for rule in ruled.rules:
            try:
                self.rule(rule, scope, ruled.names)
            except Refused:
                self.met.add(id(rule))

    def rule(self, rule: InitRule, scope: Place, names: Names) -> None:
        """Apply one rule."""
        self.context.spend(1 + 2 * (scope.end - scope.start), rule.key)
        if rule.when is not None and not self.context.condition(rule.when, names):
            self.met.add(id(rule))
            return
        for target in self.targets(rule, scope):
            self.context.spend(5, rule.key)
            self.met.add(id(rule))
            known = self.known.setdefault(id(rule), set())
            known |= self.tree.possible(target.leaf.layer)
            for beginning in rule.beginnings:
                self.begin(beginning, target, names)

    def targets(self, rule: InitRule, scope: Place) -> Iterator[Target]:
        """The layers that a rule names, or the parameters."""
        key = rule.key.text
        cls = find(key)
        if cls is None:
            return iter(self.tree.matching(key, scope))
        self.met.add(id(rule))  # a type that is not there, in this configuration, is no mistake
        return iter(self.tree.of_type(cls, scope))

    def begin(self, beginning: Beginning, target: Target, names: Names) -> None:
        """Set how a parameter of a layer begins, if it has that parameter."""
        if id(beginning) in self.failed:
            return
        if target.parameters and beginning.parameter is not None:
            self.failed.add(id(beginning))
            message = "the name stands for parameters: it takes one initialiser"
            raise self.context.report("E101", message, beginning.parameter.place)
        weights = self.tree.weights(target.leaf.layer)
        for name in target.parameters or _matching(weights, _said(beginning)):
            try:
                found = self.initialiser(beginning, target, name, weights[name], names)
            except Refused:
                self.failed.add(id(beginning))
                raise
            if found is None:
                target.leaf.initialisers.pop(name, None)
            else:
                target.leaf.initialisers[name] = found

    def initialiser(
        self,
        beginning: Beginning,
        target: Target,
        name: str,
        sizes: tuple[int, ...],
        names: Names,
    ) -> Initialiser | None:
        """The initialiser of one parameter, its expressions computed, and checked."""
        layer = target.leaf.layer
        key = (id(beginning), id(layer), name)
        if beginning.constant and key in self.checked:
            return self.checked[key]
        formulas: dict[str, str] = {}
        if beginning.constant:
            value = plain(beginning.node)
        else:
            seen = LayerArguments(names, layer, sizes)
            value = self.context.evaluate(beginning.node, seen)
            formulas = seen.formulas(beginning.node)
        found = self.accepted(beginning, target, name, sizes, value, formulas)
        if beginning.constant:
            self.checked[key] = found
        return found

    def accepted(
        self,
        beginning: Beginning,
        target: Target,
        name: str,
        sizes: tuple[int, ...],
        value: Any,
        formulas: dict[str, str],
    ) -> Initialiser | None:
        """A value as an initialiser of this parameter."""
        if value is None:
            return None
        label = Label(target.leaf.node.place, f"`{target.path}.{name}` is {list(sizes)}")
        if not isinstance(value, str | dict):
            message = f"`{name}` begins as a function of torch.nn.init says, not as {shown(value)}"
            raise self.context.report("E105", message, beginning.node.place, labels=(label,))
        try:
            check(value, sizes, "float32")
        except Fault as fault:
            place = place_of(fault, beginning.node)
            raise self.context.report(
                fault.code, fault.message, place, labels=(label,), help=fault.help
            ) from None
        function, args = split(value)
        return Initialiser(function, args, formulas, computed=not beginning.constant)

    # What names nothing is told last: another use of a block may have it.

    def report_misses(self) -> None:
        """Report rules that name nothing, and parameters that nothing named has."""
        for ruled in self.context.ruled:
            for rule in ruled.rules:
                if id(rule) not in self.met:
                    self.unmatched(rule, ruled)
                elif id(rule) in self.known:
                    self.unknown(rule, self.known[id(rule)])

    def unmatched(self, rule: InitRule, ruled: Ruled) -> None:
        """Report a rule that names nothing: a misspelt type, or a name that is not there."""
        key, place = rule.key.text, rule.key.place
        scope = self.tree.place(ruled.scope)
        if scope is None or self.context.found.told("W314", place):
            return
        help = self.tree.hint(key, scope)
        if key in self.context.blocks:
            help = f"`{key}` is a block: it may have an `init:` of its own"
        near = nearest(key, type_names()) if key[:1].isupper() and key.isalnum() else None
        if help is None and near is not None:
            message = f"there is no layer type and no layer `{key}`"
            self.context.report("E102", message, place, help=did_you_mean(key, [near]))
            return
        help = help or self.context.did_you_mean(key, self.tree.names(scope))
        where = "the network" if scope == self.tree.whole else f"`{ruled.scope.kind}`"
        message = f"no layer and no parameter of {where} is called `{key}`"
        self.context.report("W314", message, place, help=help)

    def unknown(self, rule: InitRule, known: set[str]) -> None:
        """Report parameters that none of the layers that a rule names has."""
        for beginning in rule.beginnings:
            said = _said(beginning)
            if _matching(known, said) or id(beginning) in self.failed:
                continue
            place = (beginning.parameter or rule.key).place
            if self.context.found.told("E103", place):
                continue
            listing = f"there are {', '.join(sorted(known)[:MAX_LISTED])}" if known else None
            message = f"nothing that `{rule.key.text}` names has a parameter `{said}`"
            help = did_you_mean(said, known) or listing
            self.context.report("E103", message, place, help=help)
