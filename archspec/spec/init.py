"""Tree → typed spec: `init:`, how the parameters of layers begin.

init = "{" (type | pattern) ":" beginning, ... "}"
beginning = initialiser | "{" parameter ":" initialiser, ... "}" | "{" beginning "when:" ... "}"
initialiser = function | "{" function ":" arguments "}" | null

A function is one of `torch.nn.init`, whose names end in an underscore; so does no parameter's.
"""

from archspec.diagnostics import Collector, Fault, Place, Refused, Remedy
from archspec.ops import initialisers
from archspec.spec.model import Beginning, InitRule
from archspec.spec.parts import as_mapping, attempt
from archspec.syntax import Mapping, Node, Scalar, Sequence, describe, plain

MAX_PATTERN = 1000
_EXAMPLE = "a function of torch.nn.init such as zeros_ or {normal_: {std: 0.02}}"


def read_init(node: Node, found: Collector) -> tuple[InitRule, ...]:
    """`init: {Conv2d: {kaiming_normal_: {mode: fan_out}}, "*.bn3.weight": zeros_}`."""
    help = "it names layers: `init: {Linear: {weight: {normal_: {std: 0.02}}, bias: zeros_}}`"
    rules = as_mapping(node, "`init:`", found, help)
    read = (attempt(lambda k=k, v=v: _read_rule(k, v, found)) for k, v in rules.items())  # type: ignore[misc]
    return tuple(rule for rule in read if rule is not None)


def _read_rule(key: Scalar, value: Node, found: Collector) -> InitRule:
    if len(key.text) > MAX_PATTERN:
        message = f"a pattern of more than {MAX_PATTERN} characters"
        raise found.report("E005", message, key.place)
    when = value.get("when") if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        value = _without_when(value)
        parameters = [name for name, _ in value.items() if not _is_function(name, found)]
        if not value.entries:
            message = f"`{key.text}` says nothing of how it begins"
            raise found.report("E104", message, key.place, help=f"give {_EXAMPLE}")
        if parameters and len(parameters) < len(value.entries):
            message = "this names a function and a parameter side by side"
            help = "say for which parameter: `{weight: zeros_, bias: zeros_}`"
            raise found.report("E101", message, parameters[0].place, help=help)
        if parameters:
            begins = tuple(_beginning(name, each, found) for name, each in value.items())
            return InitRule.model_construct(key=key, when=when, beginnings=begins)
    return InitRule.model_construct(
        key=key, when=when, beginnings=(_beginning(None, value, found),)
    )


def _is_function(name: Scalar, found: Collector) -> bool:
    if f"{name.text}_" in initialisers.INITIALISERS:
        message = f"there is no initialiser `{name.text}`"
        help = Remedy.of(f"did you mean `{name.text}_`?", name.text, f"{name.text}_", certain=True)
        raise found.report("E105", message, name.place, help=help)
    return name.text.endswith("_")


def _without_when(mapping: Mapping) -> Mapping:
    rest = Mapping(mapping.source, mapping.mark)
    rest.entries = {key: entry for key, entry in mapping.entries.items() if key != "when"}
    return rest


def _beginning(parameter: Scalar | None, node: Node, found: Collector) -> Beginning:
    """What one parameter begins with. What holds no expression is checked here, once."""
    is_text = isinstance(node, Scalar) and isinstance(node.value, str | None)
    if not is_text and not isinstance(node, Mapping):
        message = f"this is {_EXAMPLE}, not {describe(node)}"
        raise found.report("E105", message, node.place)
    if isinstance(node, Mapping) and len(node.entries) == 1 and "when" in node.entries:
        message = "`when:` stands beside the parameters, for all of them"
        raise found.report("E101", message, node.entries["when"][0].place)
    constant = not _has_expression(node)
    if constant and plain(node) is not None:
        try:
            initialisers.check_call(plain(node))
        except Fault as fault:
            raise report_fault(fault, node, found) from None
    return Beginning.model_construct(parameter=parameter, node=node, constant=constant)


def _has_expression(node: Node) -> bool:
    if isinstance(node, Mapping):
        return any(_has_expression(value) for _, value in node.items())
    if isinstance(node, Sequence):
        return any(map(_has_expression, node.items))
    assert isinstance(node, Scalar)
    return isinstance(node.value, str) and node.value.startswith("=")


def report_fault(fault: Fault, node: Node, found: Collector) -> Refused:
    """Report what is wrong with an initialiser, where it stands."""
    place = place_of(fault, node)
    return found.report(fault.code, fault.message, place, notes=fault.notes, help=fault.help)


def place_of(fault: Fault, node: Node) -> Place:
    """The place of what a fault of an initialiser names: an argument, or all of it."""
    _, _, argument = (fault.field or "").partition(".")
    if isinstance(node, Mapping) and len(node.entries) == 1:
        ((name, args),) = node.items()
        if isinstance(args, Mapping) and argument in args.entries:
            key, value = args.entries[argument]
            return key.place if fault.code == "E103" else value.place
        return args.place if argument else name.place
    return node.place
