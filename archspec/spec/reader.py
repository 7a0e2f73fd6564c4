"""Tree → typed spec: the file's own keys, parameters, inputs, outputs and blocks."""

from collections.abc import Callable
from collections.abc import Mapping as AbstractMapping
from keyword import iskeyword
from typing import Any, TypeVar

from archspec.diagnostics import Collector, Refused, did_you_mean, nearest
from archspec.spec.layers import BODY, read_body
from archspec.spec.model import BlockSpec, Body, InputSpec, Outputs, OutputSpec, ParamSpec
from archspec.spec.parts import as_mapping, as_name, as_text, items_of, refuse_unknown_keys
from archspec.spec.traps import refuse_split
from archspec.syntax import Mapping, Node, Scalar, Sequence, describe
from archspec.tensors import DTYPES

VERSION = 1
KEYS = ("archspec", "name", "params", "inputs", "defaults", "blocks", *BODY, "outputs")
BLOCK_KEYS = ("params", "inputs", *BODY, "outputs")
_NAMING = ("params", "inputs", "blocks", "outputs")
"""Sections that give names to others."""
_FILES = ("extends", "include")
"""Keys that bring such sections from elsewhere."""
_WORDS = ("input", "true", "false", "null")
_FORWARD = frozenset({"self", "torch", "nn", "F", "getattr", "float"})
"""Words with a meaning in expressions."""
KINDS = ("int", "float", "bool", "str", "list", "layer")

T = TypeVar("T")


def read_fields(tree: Node, found: Collector) -> dict[str, Any]:
    """The fields of a `Spec`. Reports what is wrong and leaves that part out."""
    top = as_mapping(tree, "a spec", found, help="it has `archspec: 1`, `inputs:` and `layers:`")
    stray = refuse_unknown_keys(top, KEYS, "a spec", found)
    _check_version(top, found)
    name = top.get("name")
    fields: dict[str, Any] = {
        "params": _section(top, "params", found, read_params),
        "inputs": _section(top, "inputs", found, _read_inputs),
        "defaults": _section(top, "defaults", found, _read_defaults),
        "blocks": _section(top, "blocks", found, _read_blocks),
    }
    sound = _is_sound(top, {**fields, "outputs": ()}, KEYS)  # its outputs, nobody names
    empty: dict[str, Any] = {"params": (), "inputs": (), "defaults": {}, "blocks": {}}
    body = _body(top, found, "the network", stray)
    return {
        **{key: value or empty[key] for key, value in fields.items()},
        "name": as_text(name, "`name:`", found).text if name is not None else "network",
        "node": top,
        "body": body if sound else None,
        "outputs": _section(top, "outputs", found, read_outputs),
    }


def _is_sound(scope: Mapping, fields: AbstractMapping[str, Any], known: tuple[str, ...]) -> bool:
    """Whether every section is there that gives names; if not, who uses them is not to blame."""
    stray = [key for key in scope.entries if key not in known]
    if any(key in _FILES or nearest(key, _NAMING) for key in stray):
        return False
    return not any(key in scope.entries and fields.get(key) is None for key in _NAMING)


def _attempt(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Refused:
        return None


def _body(scope: Mapping, found: Collector, what: str, stray: bool) -> Body | None:
    """The body of a scope. A stray key may be what it is missing: then that was told."""
    if stray and not any(key in scope.entries for key in BODY):
        return None
    return _attempt(lambda: read_body(scope, found, what))


def _section(
    top: Mapping, key: str, found: Collector, read: Callable[[Node, Collector], T]
) -> T | None:
    node = top.get(key)
    return None if node is None else _attempt(lambda: read(node, found))


def _check_version(top: Mapping, found: Collector) -> None:
    version = top.get("archspec")
    if version is None:
        place = top.place
        found.report(
            "E104",
            "the spec does not say its language version",
            place,
            help="begin with `archspec: 1`",
        )
    elif not isinstance(version, Scalar) or version.value != VERSION or version.value is True:
        message = f"language version {describe(version)} is not known: this archspec reads 1"
        found.report("E105", message, version.place)


def read_params(node: Node, found: Collector) -> tuple[ParamSpec, ...]:
    """`params: {planes: int, stride: 1, eps: float?}`."""
    params = as_mapping(node, "`params:`", found)
    if not refuse_split(params, found):
        for name, _ in params.items():
            _check_word(name, "a parameter", found)
    return tuple(_read_param(name, value) for name, value in params.items())


def _read_param(name: Scalar, value: Node) -> ParamSpec:
    if isinstance(value, Scalar) and isinstance(value.value, str):
        word = value.value.removesuffix("?")
        if word in KINDS:
            nullable = value.value.endswith("?")
            return ParamSpec.model_construct(name=name, kind=word, nullable=nullable, default=None)
    return ParamSpec.model_construct(name=name, kind=None, nullable=True, default=value)


def _check_word(name: Scalar, what: str, found: Collector) -> None:
    """Expressions must be able to say the name."""
    word = name.text
    if not word.isascii() or not word.isidentifier() or iskeyword(word) or word in _WORDS:
        message = f"{what} cannot be called `{word}`: expressions could not name it"
        found.report("E111", message, name.place)


def _read_inputs(node: Node, found: Collector) -> tuple[InputSpec, ...]:
    help = "inputs have names: `inputs: {image: [3, 224, 224]}`"
    inputs = as_mapping(node, "`inputs:`", found, help)
    for name, _ in inputs.items():
        if name.text != "input":
            _check_word(name, "an input", found)
    read = (_attempt(lambda n=n, v=v: _read_input(n, v, found)) for n, v in inputs.items())  # type: ignore[misc]
    return tuple(each for each in read if each is not None)


def _check_argument(name: Scalar, found: Collector) -> None:
    """An input is an argument of `forward`, which may be given by its name."""
    if name.text in _FORWARD:
        message = f"an input cannot be called `{name.text}`: `forward` needs that name itself"
        found.report("E111", message, name.place)


def _read_input(name: Scalar, value: Node, found: Collector) -> InputSpec:
    _check_argument(name, found)
    shape, dtype = value, "float32"
    if isinstance(value, Mapping):
        stray = refuse_unknown_keys(value, ("shape", "dtype"), "an input", found)
        given = value.get("shape")
        if given is None and stray:
            raise Refused
        if given is None:
            raise found.report("E104", f"input `{name.text}` has no `shape:`", name.place)
        shape = given
        word = value.get("dtype")
        if word is not None:
            dtype = read_dtype(word, found)
    if not isinstance(shape, Sequence):
        message = f"the shape of an input is a list such as [3, 224, 224], not {describe(shape)}"
        raise found.report("E105", message, shape.place)
    return InputSpec.model_construct(name=name, shape=shape, dtype=dtype)


def read_dtype(node: Node, found: Collector) -> str:
    """A dtype, by PyTorch's name."""
    text = as_text(node, "`dtype:`", found).text
    if text not in DTYPES:
        help = did_you_mean(text, DTYPES) or f"there are {', '.join(DTYPES)}"
        raise found.report("E105", f"there is no dtype `{text}`", node.place, help=help)
    return text


def _read_defaults(node: Node, found: Collector) -> dict[str, tuple[Scalar, Mapping]]:
    defaults = as_mapping(node, "`defaults:`", found)
    return {
        key.text: (key, as_mapping(value, f"the arguments of {key.text}", found))
        for key, value in defaults.items()
    }


def _read_blocks(node: Node, found: Collector) -> dict[str, BlockSpec]:
    blocks = as_mapping(node, "`blocks:`", found)
    read = {
        key.text: _attempt(lambda k=key, v=value: _read_block(k, v, found))  # type: ignore[misc]
        for key, value in blocks.items()
    }
    return {
        name: block or BlockSpec.model_construct(name=blocks.entries[name][0])
        for name, block in read.items()
    }


def _read_block(name: Scalar, node: Node, found: Collector) -> BlockSpec:
    what = f"block `{name.text}`"
    mapping = as_mapping(node, what, found)
    stray = refuse_unknown_keys(mapping, BLOCK_KEYS, what, found)
    fields: dict[str, Any] = {
        "params": _section(mapping, "params", found, read_params),
        "inputs": _section(mapping, "inputs", found, _read_block_inputs),
        "outputs": _section(mapping, "outputs", found, _read_results),
    }
    sound = _is_sound(mapping, fields, BLOCK_KEYS)
    body = _body(mapping, found, what, stray)
    return BlockSpec.model_construct(
        name=name,
        params=fields["params"] or (),
        inputs=fields["inputs"] or (),
        body=body if sound else None,
        outputs=fields["outputs"],
    )


def _read_block_inputs(node: Node, found: Collector) -> tuple[Scalar, ...]:
    inputs = tuple(as_text(each, "the name of an input", found) for each in items_of(node))
    names = [each.text for each in inputs]
    for number, each in enumerate(inputs):
        if each.text in names[:number]:
            raise found.report("E111", f"two inputs are called `{each.text}`", each.place)
        if each.text != "input":
            _check_word(each, "an input", found)
    return inputs


def _read_results(node: Node, found: Collector) -> Outputs:
    """The outputs of a block: they are there in every mode, for the scope that uses it."""
    outputs = read_outputs(node, found)
    if outputs.as_dict or any(entry.training_only for entry in outputs.entries):
        message = "`as:` and `only:` are for the outputs of the network, not of a block"
        found.report("E101", message, node.place)
    return outputs


def read_outputs(node: Node, found: Collector) -> Outputs:
    """A name, a list of names, or a mapping of names to sources."""
    as_dict = False
    if isinstance(node, Mapping):
        entries = []
        for key, value in node.items():
            if key.text == "as":
                as_dict = _read_as(value, found)
            else:
                entries.append(_read_output(key, value, found))
    else:
        names = [as_name(each, "an output", found) for each in items_of(node)]
        entries = [OutputSpec.model_construct(name=n.text, source=n) for n in names]
    if not entries:
        raise found.report("E115", "`outputs:` is empty", node.place)
    if len(entries) > 1 and not as_dict:
        _check_output_names(entries, found)
    return Outputs.model_construct(node=node, entries=tuple(entries), as_dict=as_dict)


def _check_output_names(entries: list[OutputSpec], found: Collector) -> None:
    """Several outputs are a named tuple: its fields are identifiers, each once."""
    seen: set[str] = set()
    for name, place in ((entry.name, entry.source.place) for entry in entries):
        if name in seen:
            found.report("E111", f"two outputs are called `{name}`", place)
        elif not name.isidentifier() or iskeyword(name) or name.startswith("_"):
            message = f"an output cannot be called `{name}`: several are a named tuple"
            help = f"give it a name, as in `outputs: {{y: {name}}}`, or write `as: dict`"
            found.report("E111", message, place, help=help)
        seen.add(name)


def _read_as(value: Node, found: Collector) -> bool:
    word = value.value if isinstance(value, Scalar) else None
    if word not in ("dict", "tuple"):
        found.report("E105", f"`as:` is dict or tuple, not {describe(value)}", value.place)
    return word == "dict"


def _read_output(key: Scalar, value: Node, found: Collector) -> OutputSpec:
    if not isinstance(value, Mapping):
        source = as_name(value, f"output `{key.text}`", found)
        return OutputSpec.model_construct(name=key.text, source=source)
    if refuse_unknown_keys(value, ("from", "only", "when"), "an output", found):
        raise Refused
    only = value.get("only")
    if only is not None and (not isinstance(only, Scalar) or only.value != "training"):
        raise found.report("E105", f"`only:` is training, not {describe(only)}", only.place)
    given = value.get("from")
    return OutputSpec.model_construct(
        name=key.text,
        source=as_name(given, "`from:`", found) if given is not None else key,
        training_only=only is not None,
        when=value.get("when"),
    )
