"""`expect:`, facts about the network that are checked.

expect = "{parameters: n, macs: n, outputs: {name: [n, ...]}, at: {symbol: size}}", any of them
size = n | "=" expression

`at` says at which sizes of a symbolic input the other facts hold; they may follow from parameters.
"""

from archspec.diagnostics import Collector, Refused
from archspec.spec.model import Expectation
from archspec.spec.parts import as_mapping, refuse_unknown_keys
from archspec.syntax import Mapping, Node, Scalar, Sequence, describe

KEYS = ("parameters", "macs", "outputs", "at")


def read_expect(node: Node, found: Collector) -> Expectation:
    """The facts under `expect:`."""
    top = as_mapping(node, "`expect:`", found, "for example `expect: {parameters: 61_100_840}`")
    refuse_unknown_keys(top, KEYS, "`expect:`", found)
    outputs, at = top.get("outputs"), top.get("at")
    shapes = () if outputs is None else as_mapping(outputs, "`outputs:`", found, _SHAPES).items()
    sizes = () if at is None else as_mapping(at, "`at:`", found, _SIZES).items()
    return Expectation.model_construct(
        node=top,
        parameters=_count(top, "parameters", found),
        macs=_count(top, "macs", found),
        outputs={name.text: (name, _shape(shape, found)) for name, shape in shapes},
        at={name.text: (name, _size(size, found)) for name, size in sizes},
    )


_SHAPES = "for example `outputs: {output: [1000]}`"
_SIZES = "for example `at: {H: 224, W: 224}`"


def _count(top: Mapping, key: str, found: Collector) -> Scalar | None:
    node = top.get(key)
    return None if node is None else _number(node, f"`{key}:`", found)


def _shape(node: Node, found: Collector) -> tuple[Scalar, ...]:
    if not isinstance(node, Sequence):
        message = f"the shape of an output is a list such as [1000], not {describe(node)}"
        raise found.report("E105", message, node.place)
    return tuple(_number(item, "a size", found) for item in node.items)


def _size(node: Node, found: Collector) -> Scalar:
    """A number, or an expression that the parameters of the network will fill."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(node, Scalar) and isinstance(value, str) and value.startswith("="):
        return node
    return _number(node, "a size", found)


def _number(node: Node, what: str, found: Collector) -> Scalar:
    if isinstance(node, Scalar) and type(node.value) is int and node.value >= 0:
        return node
    raise _no_number(node, what, found)


def _no_number(node: Node, what: str, found: Collector) -> Refused:
    help = None
    if isinstance(node, Scalar) and isinstance(node.value, str) and "," in node.text:
        help = f"write {node.text.replace(',', '_')}: digits are grouped with `_`"
    return found.report(
        "E105", f"{what} is a whole number, not {describe(node)}", node.place, help=help
    )
