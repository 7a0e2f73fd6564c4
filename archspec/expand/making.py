"""Items → modules: one layer at a time, with what is wrong told at its place."""

from collections.abc import Iterator
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence as AbstractSequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from archspec.diagnostics import Fault, Label, Place, Refused, did_you_mean
from archspec.expand.advice import advise
from archspec.expand.context import Context, Names
from archspec.expand.items import Given, Item, Made, Value, arguments
from archspec.graph import Leaf
from archspec.ops import Layer, accept, outputs_of
from archspec.ops.arguments import Words
from archspec.resolve import Application
from archspec.syntax import Mapping
from archspec.tensors import Tensor


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


@dataclass(frozen=True, slots=True)
class _Applied:
    """What a layer makes of inputs: itself completed, its results, and what there is to remark."""

    layer: Layer
    results: dict[str, Tensor | None]
    remarks: tuple[Fault, ...]


class LayerMaker:
    """Makes leaves. Equal arguments are validated once, equal uses applied once."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.known: dict[Any, Layer | Fault | ValidationError] = {}
        self.applied: dict[tuple[int, tuple[Tensor, ...]], _Applied | Fault] = {}

    def make(self, item: Item, inputs: AbstractSequence[Value], names: Names) -> Made:
        """The leaf of an item, applied to its inputs."""
        assert item.type is not None
        self.context.count_layer(item.spec.node)
        cls = item.type.target
        assert isinstance(cls, type)
        known = tuple(value.tensor for value in inputs if value.tensor is not None)
        assert len(known) == len(inputs)
        given = arguments(self.context, item, LayerNames(names, known[0] if known else None))
        layer = self.validated(cls, given, item)
        key = (id(layer), known)  # `self.known` keeps the layer, so its id stays its own
        found = self.applied.get(key)
        if found is None:
            found = self.applied[key] = _apply(layer, known)
        if isinstance(found, Fault):
            help = found.help or advise(found, layer, inputs)
            raise self.report(found, item, given, inputs, help)
        for remark in found.remarks:
            self.report(remark, item, given, inputs)
        leaf = Leaf(found.layer, item.spec.node)
        if not self.context.found.failed:
            results = tuple(t for t in found.results.values() if t is not None)
            path = tuple(self.context.path)
            self.context.rows.append(Application(path, leaf, known, results))
        return Made(leaf, found.results)

    def validated(self, cls: type[Layer], given: Given, item: Item) -> Layer:
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
        given: Given,
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
        given: Given,
    ) -> Refused:
        """Report one argument that pydantic refuses."""
        name, report = cls.__name__, self.context.report
        if kind == "extra_forbidden":
            known = argument_names(cls)
            help = did_you_mean(field, known) or (
                f"it has {', '.join(known)}" if known else "it takes no arguments"
            )
            place = self.key_place(field, item) or given[field][1].place
            return report("E103", f"{name} has no argument `{field}`", place, help=help)
        if kind == "missing":
            return report("E104", f"{name} needs `{field}`", self.type_place(item))
        default = self.context.defaults.get(name, {}).get(field)
        value, node = given.get(field, (default, item.spec.node))
        wanted = words_of(cls, field)
        shown = "null" if value is None else repr(value)
        message = f"{name}.{field} is {wanted}, not {shown}"
        return report("E105", message, node.place)

    def report(
        self,
        fault: Fault,
        item: Item,
        given: Given,
        inputs: AbstractSequence[Value],
        help: str | None = None,
    ) -> Refused:
        """A rule's fault, at the place of the field or layer that it names."""
        place = self.type_place(item)
        if fault.field is not None and fault.field in given:
            place = given[fault.field][1].place
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
            help=help or fault.help,
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


def _apply(layer: Layer, inputs: tuple[Tensor, ...]) -> _Applied | Fault:
    try:
        complete = accept(layer, *inputs)
        found = outputs_of(complete, inputs)
    except Fault as fault:
        return fault
    remarks = (*complete.remarks(*inputs), *_empty(complete, found))
    names = result_names(complete, len(found))
    return _Applied(complete, dict(zip(names, found, strict=True)), remarks)


def _empty(layer: Layer, found: tuple[Tensor, ...]) -> list[Fault]:
    """A warning for a result without elements, which PyTorch accepts."""
    if any(0 in tensor.shape for tensor in found):
        message = f"{type(layer).__name__} gives {found[0]}: there is nothing in it"
        return [Fault("W304", message)]
    return []


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
