"""`extends:`: a spec that is another one with changes.

What the file writes takes the place of what the other has, but for these: `params:` gives values
and may add parameters, `defaults:`, `init:`, `blocks:` and `variants:` add, and `layers:` replaces
the layers of these names, each in its place, and puts new ones after the last.
"""

from collections.abc import Iterable
from typing import Any

from archspec.diagnostics import Collector, Label
from archspec.spec.including import join_blocks
from archspec.spec.layers import read_entries
from archspec.spec.model import Body, LayerSpec, LoopSpec, ParamSpec, VariantSpec
from archspec.syntax import Mapping, Scalar, Sequence

Fields = dict[str, Any]
_JOINED = ("params", "defaults", "init", "blocks", "variants", "body")
"""Sections that are not simply the one or the other."""


def read_layers(top: Mapping, found: Collector) -> Body | None:
    """The layers that a file puts in place of those of the same name; None if it has none."""
    for word in ("merge", "branches"):
        if word in top.entries:
            message = f"a file that extends another has no `{word}:` of its own"
            help = "replace layers under `layers:`, by their names"
            found.report("E101", message, top.entries[word][0].place, help=help)
    layers = top.get("layers")
    if layers is None:
        return None
    if isinstance(layers, Sequence):
        message = "the layers of a file that extends another are named: they replace others"
        help = "write `layers: {fc: {Linear: {out_features: 10}}}`, for example"
        raise found.report("E105", message, layers.place, help=help)
    return read_entries(layers, found)


def extend(base: Fields, own: Fields, top: Mapping, found: Collector) -> Fields:
    """The fields of a spec that extends another: `own` is what it writes itself."""
    written = {key: value for key, value in own.items() if key in top.entries}
    return {
        **base,
        **{key: value for key, value in written.items() if key not in _JOINED},
        "node": top,
        "expect": own["expect"],  # of the other network, other facts hold
        "params": _values(base["params"], own["params"], found),
        "defaults": _joined_defaults(base["defaults"], own["defaults"]),
        "init": (*base["init"], *own["init"]),  # the later win
        "blocks": join_blocks([own["blocks"], base["blocks"]], found),
        "body": _replaced(base["body"], own["body"], found),
        "variants": {
            name: variant.model_copy(update={"expect": None})
            for name, variant in base["variants"].items()
        },
    }


def _values(
    base: tuple[ParamSpec, ...], own: tuple[ParamSpec, ...], found: Collector
) -> tuple[ParamSpec, ...]:
    """The parameters of both: those of the other file, with new values, come first."""
    given = {param.name.text: param for param in own}
    names = {param.name.text for param in base}
    for param in base:
        written = given.get(param.name.text)
        if written is not None and written.default is None:
            message = f"`{param.name.text}` is a parameter already: here belongs a value for it"
            labels = [Label(param.name.place, "declared here")]
            found.report("E105", message, written.name.place, labels=labels)
    known = (
        param.model_copy(update={"value": given[param.name.text].default})
        if param.name.text in given
        else param
        for param in base
    )
    return (*known, *(param for param in own if param.name.text not in names))


def _joined_defaults(
    base: dict[str, tuple[Scalar, Mapping]], own: dict[str, tuple[Scalar, Mapping]]
) -> dict[str, tuple[Scalar, Mapping]]:
    """The defaults of both, argument by argument."""
    joined = {**base, **own}
    for name in base.keys() & own.keys():
        key, args = own[name]
        both = Mapping(args.source, args.mark)
        both.entries = {**base[name][1].entries, **args.entries}
        joined[name] = key, both
    return joined


def _replaced(base: Body | None, own: Body | None, found: Collector) -> Body | None:
    """The layers of the other file, with those of this one in their places or after them."""
    if base is None or own is None:
        return base
    if base.numbered or base.merge is not None:
        kind = "branches" if base.merge is not None else "numbered"
        message = f"the layers of the extended file are {kind}: they cannot be replaced by name"
        labels = [Label(base.node.place, "its layers")]
        found.report("E101", message, own.node.place, labels=labels)
        return None
    node = Mapping(own.node.source, own.node.mark)
    node.entries = {**_mapping(base).entries, **_mapping(own).entries}
    entries = {**_by_key(base), **_by_key(own)}
    return base.model_copy(update={"node": node, "entries": tuple(entries.values())})


def _mapping(body: Body) -> Mapping:
    assert isinstance(body.node, Mapping)
    return body.node


def _by_key(body: Body) -> dict[str, LayerSpec | LoopSpec]:
    """The entries of a body by their keys; a loop has one too."""
    return dict(zip(_mapping(body).entries, body.entries, strict=True))


def join_variants(
    base: dict[str, VariantSpec], own: Iterable[VariantSpec], found: Collector
) -> dict[str, VariantSpec]:
    """The variants of both files: of one name, there is one."""
    joined = dict(base)
    for variant in own:
        first = joined.setdefault(variant.name.text, variant)
        if first is not variant:
            message = f"two variants are called `{variant.name.text}`"
            labels = [Label(first.name.place, "the other one")]
            found.report("E111", message, variant.name.place, labels=labels)
    return joined
