"""Items → modules: one layer at a time, with what is wrong told at its place."""

from collections.abc import Iterator
from collections.abc import Mapping as AbstractMapping
from collections.abc import Sequence as AbstractSequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from archspec.diagnostics import Fault, Label, Refused
from archspec.expand.advice import advise, reasons
from archspec.expand.at_hand import at_hand
from archspec.expand.context import Context, Names
from archspec.expand.invalid import report_invalid, type_place
from archspec.expand.items import Given, Item, Made, Value, arguments
from archspec.expand.ranks import rank_help
from archspec.expr import Facts
from archspec.graph import Leaf
from archspec.ops import Layer, accept, outputs_of
from archspec.ops.own import failure, is_own, rehearse
from archspec.resolve import Application
from archspec.spec.init import place_of
from archspec.syntax import Mapping, Node, Scalar, Sequence
from archspec.tensors import Tensor

MAX_ADVISED = 200
"""Faults of one check for which help is computed: the search takes time."""


class LayerNames(AbstractMapping[str, Any]):
    """The names of a scope, and `in_channels` and `in_features` of one layer's own input."""

    __slots__ = ("names", "own")

    def __init__(self, names: Names, own: Value | None) -> None:
        self.names = names
        self.own = own

    def __getitem__(self, name: str) -> Any:
        own = self.own
        if own is not None and name in ("in_channels", "in_features"):
            tensor = own.tensor
            if tensor is not None and tensor.shape:
                facts = Facts("input", tensor, own.composite, own.number)
                return facts.size(int(tensor.batched) if name == "in_channels" else -1)
        return self.names[name]

    def __iter__(self) -> Iterator[str]:
        yield from self.names
        if self.own is not None and self.own.tensor is not None and self.own.tensor.shape:
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
        self.advised = 0
        self.known: dict[Any, Layer | Fault | ValidationError] = {}
        self.applied: dict[tuple[int, tuple[Tensor, ...]], _Applied | Fault] = {}

    def make(self, item: Item, inputs: AbstractSequence[Value], names: Names) -> Made:
        """The leaf of an item, applied to its inputs."""
        assert item.type is not None
        self.context.count_layer(item.spec.node)
        self.context.spend(15 * len(inputs), item.spec.node)  # dense connections grow by squares
        cls = item.type.target
        assert isinstance(cls, type)
        known = tuple(value.tensor for value in inputs if value.tensor is not None)
        assert len(known) == len(inputs)
        given = arguments(self.context, item, LayerNames(names, inputs[0] if inputs else None))
        given = at_hand(self.context, given, inputs)
        layer = self.validated(cls, given, item, known)
        key = (id(layer), known)  # `self.known` keeps the layer, so its id stays its own
        found = self.applied.get(key)
        if found is None:
            found = self.applied[key] = _apply(layer, known)
        if isinstance(found, Fault):
            help = self.help_for(found, layer, item, inputs)
            raise self.report(found, item, given, inputs, help)
        for remark in found.remarks:
            self.report(remark, item, given, inputs)
        leaf = Leaf(found.layer, item.spec.node)
        if not self.context.found.failed:
            results = tuple(t for t in found.results.values() if t is not None)
            path = tuple(self.context.path)
            self.context.rows.append(Application(path, leaf, known, results))
        return Made(leaf, found.results)

    def help_for(
        self, fault: Fault, layer: Layer, item: Item, inputs: AbstractSequence[Value]
    ) -> str | None:
        """Computed help, unless this fault was told already (in a loop, say)."""
        if self.context.found.told(fault.code, type_place(item)):
            return None
        self.advised += 1
        if self.advised > MAX_ADVISED:
            return None
        return rank_help(fault, layer, inputs) or fault.help or advise(fault, layer, inputs)

    def preview(self, item: Item) -> None:
        """Report what is wrong with a layer's arguments, whatever its input would have been."""
        cls = item.type.target if item.type is not None else None
        if not isinstance(cls, type) or _asks_input(item.spec.args):
            return
        if item.spec.repeat is not None:
            return  # its arguments may ask for `i`, and it may repeat no times
        with suppress(Refused):
            self.validated(cls, arguments(self.context, item, item.names), item)

    def validated(
        self, cls: type[Layer], given: Given, item: Item, inputs: tuple[Tensor, ...] = ()
    ) -> Layer:
        """A layer with these arguments, checked as far as they go; inputs only make help exact."""
        args = {**self.context.defaults.get(cls.__name__, {})}
        args.update((name, value) for name, (value, _) in given.items())
        key = (cls, _frozen(args))
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = _validate(cls, args)
        if isinstance(known, ValidationError):
            raise report_invalid(self.context, known, cls, item, given)
        if isinstance(known, Fault):
            raise self.report(_exact(known, cls, args, inputs), item, given, ())
        return known

    def report(
        self,
        fault: Fault,
        item: Item,
        given: Given,
        inputs: AbstractSequence[Value],
        help: str | None = None,
    ) -> Refused:
        """A rule's fault, at the place of the field or layer that it names."""
        place = type_place(item)
        field, _, part = (fault.field or "").partition(".")
        if field in given:
            node = given[field][1]
            place = place_of(fault, node) if part else node.place
        labels = []
        if fault.input is not None and fault.code not in ("E117",):
            shown = inputs if len(inputs) <= 3 else [inputs[0], inputs[fault.input]]
            labels = [
                Label(value.node.place, f"{value.tensor} comes from here")
                for value in dict.fromkeys(shown)
            ]
            if fault.code in ("E201", "E202") and self.advised <= MAX_ADVISED:
                labels += reasons(shown)
        return self.context.report(
            fault.code,
            fault.message,
            place,
            labels=tuple(label for label in labels if label.place != place),
            notes=fault.notes,
            help=help or fault.help,
        )


def _asks_input(node: Node | None) -> bool:
    """Whether arguments ask for facts about the layer's own input."""
    if isinstance(node, Mapping):
        return any(_asks_input(value) for _, value in node.items())
    if isinstance(node, Sequence):
        return any(map(_asks_input, node.items))
    return isinstance(node, Scalar) and ("in_channels" in node.text or "in_features" in node.text)


def _apply(layer: Layer, inputs: tuple[Tensor, ...]) -> _Applied | Fault:
    try:
        complete = accept(layer, *inputs)
        found = outputs_of(complete, inputs)
        if is_own(type(layer)):
            rehearse(complete, inputs, found)
        remarks = (*complete.remarks(*inputs), *_empty(complete, found))
        names = result_names(complete, len(found))
    except Fault as fault:
        return fault
    except Exception as error:
        return failure(type(layer), error)
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


def _validate(cls: type[Layer], args: dict[str, Any]) -> Layer | Fault | ValidationError:
    try:
        layer = cls.model_validate(args)
        layer.check()
    except ValidationError as error:
        return error
    except Fault as fault:
        return fault
    except Exception as error:
        return failure(cls, error)
    return layer


def _exact(
    fault: Fault, cls: type[Layer], args: dict[str, Any], inputs: tuple[Tensor, ...]
) -> Fault:
    """The same fault, told with all that follows from the inputs."""
    if fault.code == "E126":
        return fault
    try:
        accept(cls.model_validate(args), *inputs).check()
    except Fault as exact:
        return exact if (exact.code, exact.field) == (fault.code, fault.field) else fault
    return fault


def _frozen(value: Any) -> Any:
    """A hashable stand-in: equal for equal arguments of equal types."""
    if isinstance(value, dict):
        return tuple((key, _frozen(each)) for key, each in value.items())
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    try:
        hash(value)
    except TypeError:  # an object of Python data that no layer takes
        value = repr(value)
    return (type(value), value)
