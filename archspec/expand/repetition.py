"""`repeat:` nests: numbered or so named children, in a chain or densely connected."""

from collections.abc import Callable

from archspec.diagnostics import Refused
from archspec.expand.context import Context, Names
from archspec.expand.items import Item, Made, Value
from archspec.expand.making import LayerMaker
from archspec.expand.scope import Scope
from archspec.expand.types import TypeUse
from archspec.graph import Composite, Output
from archspec.names import refusal
from archspec.ops import find
from archspec.spec import LayerSpec
from archspec.syntax import Scalar, describe

Make = Callable[[Item, list[Value], Names], Made]
"""Makes one repetition of an item."""


class Repetition:
    """One `repeat:` while it is expanded."""

    def __init__(self, context: Context, maker: LayerMaker, item: Item) -> None:
        self.context = context
        self.maker = maker
        self.item = item

    def expand(self, inputs: list[Value], make: Make) -> Made:
        """All repetitions, as one module."""
        item, spec = self.item, self.item.spec
        assert spec.repeat is not None
        count = self.context.number(spec.repeat, item.names, "`repeat:`")
        if not inputs:
            raise self.context.report("E112", "what repeats needs an input", item.place)
        self.context.foresee_layers(count, spec.node)
        scope = Scope(Composite(None, spec.node, spec.names is None, tuple(_input_names(inputs))))
        current = [
            scope.value(name, value.tensor, value.node)
            for name, value in zip(scope.composite.inputs, inputs, strict=True)
        ]
        features = [current[0]]
        for turn in range(count):
            self.context.spend(10, spec.node)
            names = {**item.names, "i": turn}
            name = self.name(names, scope)
            if spec.dense:
                current[0] = self.joined(features, scope)
            self.context.path.append(name)
            try:
                made = make(item, current, names)
            finally:
                self.context.path.pop()
            scope.composite.children[name] = made.target
            results = scope.call(name, made, current, spec.node)
            current[0] = next(iter(results.values()))
            features.append(current[0])
            if current[0].tensor is None:
                raise Refused
        if spec.dense or not count:
            results = {"0": self.joined(features, scope)}
        scope.composite.outputs = tuple(Output(key, v.number) for key, v in results.items())
        tensors = {key: value.tensor for key, value in results.items()}
        return Made(scope.composite, tensors, scope.trace)

    def name(self, names: Names, scope: Scope) -> str:
        """The name of one repetition."""
        node = self.item.spec.names
        if node is None:
            return str(names["i"])
        if not isinstance(node, Scalar):
            help = 'quote a template that begins with a brace: `names: "{i}"`'
            message = f"`names:` is a text, not {describe(node)}"
            raise self.context.report("E105", message, node.place, help=help)
        name = self.context.fill(node, names)
        problem = refusal(name)
        if problem or name in scope.composite.children:
            message = problem or f"`names:` gives `{name}` twice"
            raise self.context.report("E111", message, node.place)
        return name

    def joined(self, features: list[Value], scope: Scope) -> Value:
        """The concatenation over the channels, of one feature or more."""
        if len(features) == 1:
            return features[0]
        concat = find("Concat")
        assert concat is not None
        item = self.item
        spec = LayerSpec.model_construct(node=item.spec.node, name=item.spec.name)
        joint = Item("concat", spec, item.names, type=TypeUse("Concat", concat, {}))
        made = self.maker.make(joint, features, item.names)
        results = scope.call("concat", made, features, item.spec.node)
        return next(iter(results.values()))


def _input_names(inputs: list[Value]) -> list[str]:
    return ["input"] if len(inputs) == 1 else [f"input{number}" for number in range(len(inputs))]
