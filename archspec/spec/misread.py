"""Layers in the wrong place: a type where a name belongs, named layers where a type belongs.

Newcomers write these three; each would otherwise be told as an unknown key or type.
"""

from archspec.diagnostics import Collector, Refused
from archspec.ops import Layer, find
from archspec.syntax import Mapping, Node, Scalar, Sequence

_TYPE_MARKS = frozenset("=ABCDEFGHIJKLMNOPQRSTUVWXYZ")
"""First letters of types."""


def misplaced(
    name: Scalar | None, node: Mapping, rest: list[Scalar], found: Collector
) -> Refused | None:
    """Report an entry whose keys (but for the reserved ones) show that its level is missing."""
    if not rest:
        return None
    if all(_is_entry(node.entries[key.text][1]) for key in rest):
        if any(key.text[:1] in _TYPE_MARKS for key in rest):
            return None  # a type, or a block whose parameters are called like types
        return _named_in_list(rest[0], found) if name is None else _no_layers(name, rest, found)
    if name is None or not name.text[:1].isupper() or any(k.text[:1] in _TYPE_MARKS for k in rest):
        return None
    cls = find(name.text)
    arguments = [info.alias or field for field, info in cls.model_fields.items()] if cls else []
    return _type_as_name(name, found) if any(k.text in arguments for k in rest) else None


def type_as_name(name: Scalar | None, found: Collector) -> Refused | None:
    """Report an entry without a type whose name is one: `ReLU:` with nothing behind it."""
    if name is None or not _is_type(name) or name.text[:1] == "=":
        return None
    return _type_as_name(name, found)


def _type_as_name(name: Scalar, found: Collector) -> Refused:
    kind = name.text
    message = f"`{kind}` is a layer type, and stands where the name of a layer belongs"
    help = f"write `{kind.lower()}: {{{kind}: …}}`, or `- {kind}: …` in a list"
    return found.report("E101", message, name.place, help=help)


def _no_layers(name: Scalar, keys: list[Scalar], found: Collector) -> Refused:
    message = f"`{keys[0].text}` is neither a layer type nor a key of a layer"
    inside = ", ".join(f"{key.text}: …" for key in keys[:3]) + (", …" if len(keys) > 3 else "")
    help = f"the layers of a group stand under `layers:`: `{name.text}: {{layers: {{{inside}}}}}`"
    return found.report("E101", message, keys[0].place, help=help)


def _named_in_list(key: Scalar, found: Collector) -> Refused:
    message = f"the items of a list have no names of their own: `{key.text}` stands in one"
    help = f"take `{key.text}:` out, or drop the `-` of every item: then all of them are named"
    return found.report("E101", message, key.place, help=help)


def _is_type(key: Scalar) -> bool:
    """Whether a key is a type. A small letter is not looked up: that would load every family."""
    return key.text[:1] in _TYPE_MARKS and (key.text[:1] == "=" or find(key.text) is not None)


def _is_entry(node: Node) -> bool:
    """Whether a value is a layer or a group, and can be no mapping of arguments."""
    if isinstance(node, Scalar):
        return isinstance(node.value, Layer) or (node.plain and _is_type(node))
    if isinstance(node, Sequence):
        return any(map(_is_entry, node.items))
    keys = [key for key, _ in node.items()] if isinstance(node, Mapping) else []
    return any(key.text[:1] != "=" and _is_type(key) for key in keys)
