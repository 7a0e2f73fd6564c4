"""Parameters: what a use gives, what the declaration wants, and the defaults."""

from collections.abc import Mapping as AbstractMapping
from typing import Any

from archspec.diagnostics import Label, Place, Refused, did_you_mean, shown
from archspec.expand.context import Context
from archspec.expand.items import Given
from archspec.sizes import Measured
from archspec.spec import ParamSpec
from archspec.spec.traps import advice
from archspec.syntax import Mapping, Node, Scalar, Sequence, plain

_WORDS = {
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "list": "a list",
    "layer": "a layer type",
}


def bind(
    context: Context,
    params: tuple[ParamSpec, ...],
    given: Given,
    facts: AbstractMapping[str, Any],
    owner: str,
    place: Place | None,
    args: Node | None = None,
) -> dict[str, Any]:
    """The names that a scope sees: its parameters, and facts about its inputs.

    `place` is where a missing value is told (None: at its declaration), `args` where the names
    are written. Reports what does not fit, and raises `Refused` after all of it was reported.
    """
    names: dict[str, Any] = dict(facts)
    refused = _unknown(context, params, given, owner, args)
    unknown = refused is not None  # it may be a missing one by another name
    for param in params:
        name = param.name.text
        if name in given:
            value, where = given[name]
            names[name] = value
            if (param.kind or not refused) and not _fits(context, param, value, names):
                refused = _misfit(context, param, value, where, names)
        elif param.value is not None:
            names[name] = value = context.evaluate(param.value, names)
            if (param.kind or not refused) and not _fits(context, param, value, names):
                refused = _misfit(context, param, value, param.value, names)
        elif param.default is not None:
            if refused is None:  # else it may depend on what is wrong
                names[name] = context.evaluate(param.default, names)
        else:
            refused = refused if unknown else _missing(context, param, owner, place)
            names[name] = None
    if refused:
        raise refused
    return names


def _unknown(
    context: Context, params: tuple[ParamSpec, ...], given: Given, owner: str, args: Node | None
) -> Refused | None:
    """Report values for parameters that there are not."""
    known = [p.name.text for p in params]
    refused = None
    for name, (_, where) in given.items():
        if name not in known:
            help = did_you_mean(name, known) or _listing(known)
            message = f"{owner} has no parameter `{name}`"
            entry = args.entries.get(name) if isinstance(args, Mapping) else None
            written = entry[0] if entry else where
            refused = context.report("E108", message, written.place, help=help)
    return refused


def check_variants(context: Context, names: AbstractMapping[str, Any]) -> None:
    """Report values of the wrong kind in variants that were not chosen: they cost little."""
    params = {param.name.text: param for param in context.spec.params}
    for name, variant in context.spec.variants.items():
        for word, (_, node) in variant.values.items():
            if name == context.spec.variant or word not in params or _computes(node):
                continue
            value = plain(node)
            if not _fits(context, params[word], value, names):
                _misfit(context, params[word], value, node, names)


def _computes(node: Node) -> bool:
    """Whether a value has an expression in it."""
    if isinstance(node, Scalar):
        return isinstance(node.value, str) and node.value.startswith("=")
    items = node.items if isinstance(node, Sequence) else []
    values = (value for _, value in node.items()) if isinstance(node, Mapping) else items
    return any(map(_computes, values))


def _missing(context: Context, param: ParamSpec, owner: str, place: Place | None) -> Refused:
    name = param.name.text
    variant = context.spec.variants.get(context.spec.variant or "") if place is None else None
    if variant is not None:
        message = f"variant `{variant.name.text}` has no value for the parameter `{name}`"
        labels = (Label(param.name.place, "which has no default"),)
        help = f"write `{name}: …` into the variant"
        return context.report("E104", message, variant.name.place, labels=labels, help=help)
    message = f"{owner} needs a value for its parameter `{name}`"
    if place is None:
        help = f"write a default in place of its kind, or give a value: --set {name}=…"
        return context.report("E104", message, param.name.place, help=help)
    help = f"write it among the arguments of {owner}: `{name}: …`"
    return context.report("E104", message, place, help=help)


def _misfit(
    context: Context, param: ParamSpec, value: Any, where: Node, names: AbstractMapping[str, Any]
) -> Refused:
    wanted = _wanted(context, param, names)
    message = f"parameter `{param.name.text}` is {wanted}, not {shown(value)}"
    written = where.text if isinstance(where, Scalar) else ""
    return context.report("E105", message, where.place, help=advice(value, wanted, names, written))


def _listing(known: list[str]) -> str:
    return f"it has {', '.join(known)}" if known else "it has no parameters"


def _wanted(context: Context, param: ParamSpec, names: AbstractMapping[str, Any]) -> str:
    kind = param.kind or _kind_of(_default(context, param, names))
    words = _WORDS[kind or "str"]
    if param.kind is None and kind in ("int", "float"):
        words += " or a list of them"
    return f"{words} or null" if param.nullable else words


def _default(context: Context, param: ParamSpec, names: AbstractMapping[str, Any]) -> Any:
    """The default, if it says a kind: an expression does not."""
    node = param.default
    if node is None or (isinstance(node, Scalar) and str(node.value).startswith("=")):
        return None
    return context.evaluate(node, names)


def _kind_of(value: Any) -> str | None:
    if isinstance(value, bool):
        return "bool"
    kinds: dict[type, str] = {int: "int", float: "float", str: "str", list: "list", dict: "layer"}
    return kinds.get(type(value))


def _fits(context: Context, param: ParamSpec, value: Any, names: AbstractMapping[str, Any]) -> bool:
    if value is None:
        return param.nullable or param.kind == "layer"
    if param.kind is not None:
        return _is(param.kind, value)
    kind = _kind_of(_default(context, param, names))
    if kind is None:
        return True
    if kind in ("int", "float") and isinstance(value, list):
        return all(_is(kind, item) for item in value)
    if kind in ("str", "layer"):
        return isinstance(value, str | dict)
    return _is(kind, value)


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "bool"
    if kind == "int":
        return isinstance(value, int | Measured)
    if kind == "float":
        return isinstance(value, int | float)
    if kind == "layer":
        return isinstance(value, str | dict)
    return (kind == "str" and isinstance(value, str)) or (
        kind == "list" and isinstance(value, list)
    )
