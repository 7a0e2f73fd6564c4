"""Tree → typed spec: what comes out of a block or of the network."""

from archspec.diagnostics import Collector, Refused
from archspec.names import as_read, is_field
from archspec.spec.model import Outputs, OutputSpec
from archspec.spec.parts import as_name, items_of, refuse_unknown_keys
from archspec.syntax import Mapping, Node, Scalar, describe


def read_results(node: Node, found: Collector) -> Outputs:
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
        if as_read(name) in seen:
            found.report("E111", f"two outputs are called `{name}`", place)
        elif not is_field(name):
            message = f"an output cannot be called `{name}`: several are a named tuple"
            help = f"give it a name, as in `outputs: {{y: {name}}}`, or write `as: dict`"
            found.report("E111", message, place, help=help)
        seen.add(as_read(name))


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
