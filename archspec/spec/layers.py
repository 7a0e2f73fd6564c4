"""Tree → layers: entries, groups, loops and parallel bodies.

entry  = type | "{" type [":" args] [control]* "}" | group | loop
group  = list | "{layers: ...}" | "{merge: ..., branches: ...}"
loop   = "{for: names in list, layers: ...}"
control = from | when | repeat | names | connect | shape
"""

from typing import Any

from archspec.diagnostics import Collector, Refused
from archspec.ops import Layer, find
from archspec.spec.misread import misplaced, type_as_name
from archspec.spec.model import Body, LayerSpec, LoopSpec
from archspec.spec.parts import as_text, refuse_unindented, refuse_unknown_keys, unknown_key
from archspec.spec.traps import refuse_split
from archspec.syntax import Mapping, Node, Scalar, Sequence, describe

CONTROL = ("from", "when", "repeat", "names", "connect", "shape")
BODY = ("layers", "merge", "branches")
_LOOP = ("for", "when", "layers")
_UNTRACKED: set[str] = set()
"""Pydantic's record of which fields were given, for every layer: it would be larger than those."""
_RESERVED = (*CONTROL, *BODY, "for")
_TYPE_FIELDS = ("type", "op", "class", "class_name", "kind", "layer_type", "_target_")
_WRITE_TYPE = "write the type as the key: `{Conv2d: {out_channels: 8, kernel_size: 3}}`"


def read_body(mapping: Mapping, found: Collector, what: str) -> Body:
    """The body under `layers:`, or under `merge:` and `branches:`, of a scope."""
    layers, merge, branches = (mapping.get(key) for key in BODY)
    if layers is not None:
        for extra in ("merge", "branches"):
            if extra in mapping.entries:
                key = mapping.entries[extra][0]
                found.report(
                    "E101", f"{what} has `layers:`, so it cannot have `{extra}:`", key.place
                )
        return read_entries(layers, found)
    if branches is None or merge is None:
        missing = (
            "layers"
            if merge is None and branches is None
            else "merge"
            if merge is None
            else "branches"
        )
        raise found.report("E104", f"{what} has no `{missing}:`", mapping.place)
    body = read_entries(branches, found)
    joint = _read_joint(merge, found)
    return Body.model_construct(
        node=body.node, entries=body.entries, numbered=body.numbered, merge=joint
    )


def _read_joint(node: Node, found: Collector) -> LayerSpec:
    """What joins the arms: a layer whose inputs are these arms, and nothing else."""
    joint = read_layer(None, node, found)
    if joint.body is not None:
        message = "`merge:` is a layer such as Concat, not a group"
        raise found.report("E105", message, node.place)
    if isinstance(node, Mapping):
        extra = [
            key for key in ("from", "when", "repeat", "names", "connect") if key in node.entries
        ]
        for word in extra:
            message = f"`merge:` takes what the arms give: it has no `{word}:`"
            raise found.report("E101", message, node.entries[word][0].place)
    if isinstance(joint.args, Sequence):
        message = "`merge:` takes what the arms give: it has no list of inputs"
        raise found.report("E112", message, joint.args.place)
    return joint


def read_entries(node: Node, found: Collector) -> Body:
    """A mapping of named entries, or a list of numbered ones."""
    if isinstance(node, Mapping):
        pairs: list[tuple[Scalar | None, Node]] = list(node.items())
    elif isinstance(node, Sequence):
        pairs = [(None, item) for item in node.items]
    else:
        raise found.report(
            "E105", f"layers are a mapping or a list, not {describe(node)}", node.place
        )
    entries = tuple(read_entry(name, value, found) for name, value in pairs)
    return Body.model_construct(
        node=node, entries=entries, numbered=isinstance(node, Sequence), merge=None
    )


def read_entry(name: Scalar | None, node: Node, found: Collector) -> LayerSpec | LoopSpec:
    """One entry of a body. What cannot be read is reported, and comes back as a broken layer."""
    try:
        if isinstance(node, Mapping) and "for" in node.entries:
            return _read_loop(node, found)
        return read_layer(name, node, found)
    except Refused:
        if isinstance(node, Mapping) and "for" in node.entries:
            return LoopSpec.model_construct(node=node, clause=None, body=None)
        return LayerSpec.model_construct(node=name or node, name=name, broken=True)


def _read_loop(node: Mapping, found: Collector) -> LoopSpec:
    refuse_unknown_keys(node, _LOOP, "a loop", found)
    clause = as_text(node.entries["for"][1], "`for:`", found)
    layers = node.get("layers")
    if layers is None:
        raise found.report("E104", "a loop has no `layers:`", node.entries["for"][0].place)
    return LoopSpec.model_construct(
        node=node, clause=clause, when=node.get("when"), body=read_entries(layers, found)
    )


def read_layer(name: Scalar | None, node: Node, found: Collector) -> LayerSpec:
    """One layer or group."""
    if isinstance(node, Sequence):
        body = read_entries(node, found)
        return LayerSpec.model_construct(node=name or node, name=name, body=body)
    if isinstance(node, Scalar):
        return LayerSpec.model_construct(
            node=name or node, name=name, type=_type(name, node, found)
        )
    assert isinstance(node, Mapping)
    if refuse_split(node, found):
        raise Refused
    fields: dict[str, Any] = {"node": name or node, "name": name}
    rest = [key for key, _ in node.items() if key.text not in _RESERVED]
    _read_controls(node, fields, found)
    if any(key in node.entries for key in BODY):
        for key in rest:
            unknown_key(key, _RESERVED, "a group", found)
            fields["broken"] = True
        fields["body"] = read_body(node, found, "a group")
    else:
        _read_type(node, rest, fields, found)
    return LayerSpec.model_construct(_UNTRACKED, **fields)


def _read_controls(node: Mapping, fields: dict[str, Any], found: Collector) -> None:
    fields["sources"] = node.get("from")
    for key in ("when", "repeat", "names", "shape"):
        fields[key] = node.get(key)
    connect = node.get("connect")
    if connect is not None:
        word = connect.value if isinstance(connect, Scalar) else None
        if word not in ("chain", "dense"):
            found.report(
                "E105", f"`connect:` is chain or dense, not {describe(connect)}", connect.place
            )
            fields["broken"] = True
        fields["dense"] = word == "dense"
    for key in ("names", "connect"):
        if key in node.entries and "repeat" not in node.entries:
            place = node.entries[key][0].place
            found.report("E104", f"`{key}:` goes with `repeat:`", place)


def _read_type(node: Mapping, rest: list[Scalar], fields: dict[str, Any], found: Collector) -> None:
    if not rest:
        raise found.report(
            "E104",
            "this layer has no type",
            node.place,
            help=_WRITE_TYPE,
        )
    if rest[0].text in _TYPE_FIELDS and len(rest) == len(node.entries):
        raise _type_as_field(rest, node, found)
    if (refused := misplaced(fields["name"], node, rest, found)) is not None:
        raise refused
    chosen = rest[0] if len(rest) == 1 else _likeliest_type(rest)
    arguments = _arguments_of(chosen.text)
    beside = [key for key in node.entries if key not in arguments]
    refuse_unindented(node, [chosen.text], beside, found)
    for key in rest:
        if key is not chosen:
            _second_type(key, chosen, node, found)
            fields["broken"] = True
    args = _arguments(node.entries[chosen.text][1])
    if isinstance(args, Mapping) and refuse_split(args, found):
        fields["broken"] = True
    fields["type"] = chosen
    fields["args"] = args


def _type_as_field(keys: list[Scalar], node: Mapping, found: Collector) -> Refused:
    """`{type: Conv2d, out_channels: 8}`, as other tools write it."""
    value = node.entries[keys[0].text][1]
    kind = value.text if isinstance(value, Scalar) else "Conv2d"
    args = ", ".join(f"{key.text}: {_spelled(node.entries[key.text][1])}" for key in keys[1:])
    help = f"write `{{{kind}: {{{args}}}}}`" if args else f"write `{kind}`"
    message = f"the type of a layer is its key, not a field `{keys[0].text}`"
    return found.report("E101", message, keys[0].place, help=help)


def _spelled(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else "…"


def _arguments(node: Node) -> Node | None:
    return None if isinstance(node, Scalar) and node.value is None else node


def _likeliest_type(keys: list[Scalar]) -> Scalar:
    known = [k for k in keys if k.text.startswith("=") or find(k.text) is not None]
    capital = [k for k in keys if k.text[:1].isupper()]
    return (known or capital or keys)[0]


def _second_type(key: Scalar, chosen: Scalar, node: Mapping, found: Collector) -> None:
    value = node.entries[key.text][1]
    sources = node.get("from")
    message, help = f"a layer has no key `{key.text}`", None
    if isinstance(value, Scalar) and value.value is None and isinstance(sources, Scalar):
        message = f"`{key.text}` stands alone in this layer"
        help = f"several inputs are a list: `from: [{sources.text}, {key.text}]`"
    elif key.text in _arguments_of(chosen.text):
        written = f"{key.text}: {_spelled(value)}"
        help = f"arguments stand inside the type: `{{{chosen.text}: {{…, {written}}}}}`"
    if help is None:
        unknown_key(key, _RESERVED, "a layer", found)
    else:
        found.report("E101", message, key.place, help=help)


def _arguments_of(name: str) -> list[str]:
    cls = None if name.startswith("=") else find(name)
    return [info.alias or field for field, info in cls.model_fields.items()] if cls else []


def _type(name: Scalar | None, node: Scalar, found: Collector) -> Scalar:
    if (isinstance(node.value, str) and node.value) or isinstance(node.value, Layer):
        return node
    what = describe(node)
    if node.value is None and (refused := type_as_name(name, found)) is not None:
        raise refused
    if node.value is None:
        raise found.report("E104", "this layer has no type", node.place, help=_WRITE_TYPE)
    raise found.report(
        "E105", f"a layer is a type such as ReLU, or a mapping, not {what}", node.place
    )
