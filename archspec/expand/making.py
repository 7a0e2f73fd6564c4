"""Items → modules: one layer at a time, with what is wrong told at its place."""

from collections.abc import Iterator, Mapping as AbstractMapping, Sequence as AbstractSequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from archspec.diagnostics import Fault, Label, Place, Refused, did_you_mean
from archspec.expand.context import Context, Names
from archspec.expand.items import Item, Value, arguments
from archspec.graph import Composite, Leaf, Trace
from archspec.ops import Layer, accept, outputs_of
from archspec.ops.arguments import Words
from archspec.syntax import Mapping
from archspec.tensors import Tensor


@dataclass(slots=True)
class Made:
    """A module, and what its first application gives: None for a result that is not known."""

    target: Leaf | Composite
    results: dict[str, Tensor | None]
    trace: Trace | None = None


class LayerNames(AbstractMapping[str, Any]):
    """The names of a scope, and `in_channels` and `in_features` of one layer's own input."""

    __slots__ = ("names", "tensor")

    def __init__(self, names: Names, tensor: Tensor | None) -> None:
        self.names = names
        self.tensor = tensor

    def __getitem__(self, name: str) -> Any:
        tensor = self.tensor
        if tensor is not None and tensor.shape:
            if name == "in_channels":
                return tensor.shape[0]
            if name == "in_features":
                return tensor.shape[-1]
        return self.names[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.names
        if self.tensor is not None and self.tensor.shape:
            yield from ("in_channels", "in_features")

    def __len__(self) -> int:
        return sum(1 for _ in self)


class LayerMaker:
    """Makes leaves. Layers with equal arguments are validated once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.known: dict[Any, Layer | Fault | ValidationError] = {}

    def make(self, item: Item, inputs: AbstractSequence[Value], names: Names) -> Made:
        """The leaf of an item, applied to its inputs."""
        assert item.type is not None
        self.context.count_layer(item.spec.node)
        cls = item.type.target
        assert isinstance(cls, type)
        tensors = [value.tensor for value in inputs]
        assert None not in tensors
        known = [tensor for tensor in tensors if tensor is not None]
        given = arguments(self.context, item, LayerNames(names, known[0] if known else None))
        layer = self.validated(cls, given, item)
        try:
            layer = accept(layer, *known)
            found = outputs_of(layer, tuple(known))
        except Fault as fault:
            raise self.report(fault, item, given, inputs) from None
        for remark in layer.remarks(*known):
            self.report(remark, item, given, inputs)
        leaf = Leaf(layer, item.spec.node)
        return Made(leaf, dict(zip(result_names(layer, len(found)), found, strict=True)))

    def validated(
        self, cls: type[Layer], given: dict[str, tuple[Any, Place]], item: Item
    ) -> Layer:
        """A layer with these arguments, checked as far as they go without inputs."""
        args = {**self.context.defaults.get(cls.__name__, {})}
        args.update((name, value) for name, (value, _) in given.items())
        key = (cls, _frozen(args))
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = _validate(cls, args)
        if isinstance(known, ValidationError):
            raise self.invalid(known, cls, item, given)
        if isinstance(known, Fault):
            raise self.report(known, item, given, ())
        return known

    def invalid(
        self,
        error: ValidationError,
        cls: type[Layer],
        item: Item,
        given: dict[str, tuple[Any, Place]],
    ) -> Refused:
        """Report every argument that pydantic refuses, once each."""
        refused = None
        for field in dict.fromkeys(str(each["loc"][0]) for each in error.errors()):
            kind = next(e["type"] for e in error.errors() if str(e["loc"][0]) == field)
            refused = self.invalid_field(field, kind, cls, item, given)
        assert refused is not None
        return refused

    def invalid_field(
        self,
        field: str,
        kind: str,
        cls: type[Layer],
        item: Item,
        given: dict[str, tuple[Any, Place]],
    ) -> Refused:
        name, report = cls.__name__, self.context.report
        if kind == "extra_forbidden":
            known = argument_names(cls)
            help = did_you_mean(field, known) or (
                f"it has {', '.join(known)}" if known else "it takes no arguments"
            )
            place = self.key_place(field, item) or given[field][1]
            return report("E103", f"{name} has no argument `{field}`", place, help=help)
        if kind == "missing":
            return report("E104", f"{name} needs `{field}`", self.type_place(item))
        value, place = given.get(field, (self.context.defaults.get(name, {}).get(field), item.place))
        wanted = words_of(cls, field)
        shown = "null" if value is None else repr(value)
        message = f"{name}.{field} is {wanted}, not {shown}"
        return report("E105", message, place)

    def report(
        self,
        fault: Fault,
        item: Item,
        given: AbstractMapping[str, tuple[Any, Place]],
        inputs: AbstractSequence[Value],
    ) -> Refused:
        """A rule's fault, at the place of the field or layer that it names."""
        place = self.type_place(item)
        if fault.field is not None and fault.field in given:
            place = given[fault.field][1]
        labels = []
        if fault.input is not None and fault.code not in ("E117",):
            shown = inputs if len(inputs) <= 3 else [inputs[0], inputs[fault.input]]
            labels = [
                Label(value.node.place, f"{value.tensor} comes from here")
                for value in dict.fromkeys(shown)
            ]
        return self.context.report(
            fault.code,
            fault.message,
            place,
            labels=tuple(label for label in labels if label.place != place),
            notes=fault.notes,
            help=fault.help,
        )

    def type_place(self, item: Item) -> Place:
        """Where the type is written."""
        return item.spec.type.place if item.spec.type is not None else item.place

    def key_place(self, field: str, item: Item) -> Place | None:
        """Where an argument's name is written."""
        args = item.spec.args
        if isinstance(args, Mapping) and field in args.entries:
            return args.entries[field][0].place
        return None


def result_names(layer: Layer, count: int) -> list[str]:
    """How the results of a layer are called by those who refer to them."""
    return list(layer.results) if layer.results else [str(number) for number in range(count)]


def argument_names(cls: type[Layer]) -> list[str]:
    """The names of a layer type's arguments, as a spec writes them."""
    return [info.alias or name for name, info in cls.model_fields.items()]


def words_of(cls: type[Layer], field: str) -> str:
    """What an argument must be, in words."""
    infos = {info.alias or name: info for name, info in cls.model_fields.items()}
    info = infos.get(field)
    words = [m for m in info.metadata if isinstance(m, Words)] if info else []
    if not words and info is not None:
        words = _nested_words(info.annotation)
    return words[0] if words else "something else"


def _nested_words(annotation: Any) -> list[Words]:
    parts = getattr(annotation, "__args__", ())
    found = [m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, Words)]
    for part in parts:
        found.extend(_nested_words(part))
    return found


def _validate(cls: type[Layer], args: dict[str, Any]) -> Layer | Fault | ValidationError:
    try:
        layer = cls.model_validate(args)
        layer.check()
    except ValidationError as error:
        return error
    except Fault as fault:
        return fault
    return layer


def _frozen(value: Any) -> Any:
    """A hashable stand-in: equal for equal arguments of equal types."""
    if isinstance(value, dict):
        return tuple((key, _frozen(each)) for key, each in value.items())
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    return (type(value), value)
