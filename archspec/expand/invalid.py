"""Arguments that a layer type does not take: each refused one told once, at its place."""

from collections.abc import Mapping as AbstractMapping
from typing import Any

from pydantic import ValidationError

from archspec.diagnostics import Place, Refused, did_you_mean, shown
from archspec.expand.context import Context
from archspec.expand.items import Given, Item
from archspec.ops import Layer
from archspec.ops.arguments import Words
from archspec.sizes import Measured
from archspec.spec.layers import CONTROL
from archspec.spec.traps import advice
from archspec.syntax import Mapping, Node, Scalar, Sequence


def report_invalid(
    context: Context, error: ValidationError, cls: type[Layer], item: Item, given: Given
) -> Refused:
    """Report every argument that pydantic refuses, once each.

    An unknown argument may be a missing one by another name: then only the former is told.
    """
    kinds = {str(each["loc"][0]): each["type"] for each in reversed(error.errors())}
    unknown = [name for name, kind in kinds.items() if kind == "extra_forbidden"]
    refused = Refused()
    for field, kind in kinds.items():
        if field in unknown:
            refused = _unknown(context, field, cls, item, given)
        elif kind != "missing":
            refused = _wrong(context, field, cls, item, given)
        elif not unknown:
            message = f"{cls.__name__} needs `{field}`"
            help = f"{field} is {words_of(cls, field)}: {_meaning(cls, field)}"
            refused = context.report("E104", message, type_place(item), help=help)
    return refused


def _unknown(context: Context, field: str, cls: type[Layer], item: Item, given: Given) -> Refused:
    name, known = cls.__name__, argument_names(cls)
    place = key_place(field, item) or given[field][1].place
    if context.found.told("E103", place):
        return Refused()
    listing = f"it has {', '.join(known)}" if known else "it takes no arguments"
    help = did_you_mean(field, known) or listing
    if field in CONTROL:
        help = f"`{field}:` stands beside the type: `{{{name}: {{…}}, {field}: …}}`"
    return context.report("E103", f"{name} has no argument `{field}`", place, help=help)


def _wrong(context: Context, field: str, cls: type[Layer], item: Item, given: Given) -> Refused:
    value, node = given.get(field) or _default(context, field, cls, item)
    wanted = words_of(cls, field)
    size = symbolic_in(value)
    if size is not None:
        message = f"{cls.__name__}.{field} must be known when the module is built, not {size}"
        fixed = "fix the size of the input, or make this layer independent of it"
        if isinstance(node, Sequence):  # the symbolic one of several numbers
            pairs = zip(value, node.items, strict=False)
            node = next((item for each, item in pairs if each is size), node)
        return context.report("E114", message, node.place, help=fixed)
    message = f"{cls.__name__}.{field} is {wanted}, not {shown(value)}"
    value, node = _culprit(value, node)
    written = node.text if isinstance(node, Scalar) else ""
    help = advice(value, wanted, item.names, written)
    return context.report("E105", message, node.place, help=help)


def symbolic_in(value: Any) -> Measured | None:
    """A symbolic size in a value."""
    items = value if isinstance(value, list) else [value]
    return next((item for item in items if isinstance(item, Measured)), None)


def _default(context: Context, field: str, cls: type[Layer], item: Item) -> tuple[Any, Node]:
    """A value from `defaults:`, and where it is written."""
    name = cls.__name__
    _, written = context.spec.defaults.get(name, (None, None))
    node = written.get(field) if written is not None else None
    return context.defaults.get(name, {}).get(field), node or item.spec.node


def _meaning(cls: type[Layer], field: str) -> str:
    infos = {info.alias or name: info for name, info in cls.model_fields.items()}
    return infos[field].description or "see `archspec ops`"


def _culprit(value: Any, node: Node) -> tuple[Any, Node]:
    """The one text in a list of numbers: that is what is wrong with the list."""
    if isinstance(node, Sequence) and isinstance(value, list):
        pairs = list(zip(value, node.items, strict=True))
        texts = [pair for pair in pairs if isinstance(pair[0], str)]
        if len(texts) == 1 and len(pairs) > 1:
            return texts[0]
    return value, node


def type_place(item: Item) -> Place:
    """Where the type is written."""
    return item.spec.type.place if item.spec.type is not None else item.place


def key_place(field: str, item: Item) -> Place | None:
    """Where an argument's name is written."""
    args = item.spec.args
    if isinstance(args, Mapping) and field in args.entries:
        return args.entries[field][0].place
    return None


def argument_names(cls: type[Layer]) -> list[str]:
    """The names of a layer type's arguments, as a spec writes them."""
    return [info.alias or name for name, info in cls.model_fields.items()]


def words_of(cls: type[Layer], field: str) -> str:
    """What an argument must be, in words."""
    infos: AbstractMapping[str, Any] = {
        info.alias or name: info for name, info in cls.model_fields.items()
    }
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
