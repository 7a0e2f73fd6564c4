"""What the spec says of the numbers of a block: defaults, and expressions such as `3 * dim`.

Where uses of a class differ in a number that the spec writes as an expression over one parameter,
it is that expression of the argument that holds the parameter, and no argument of its own.
Parameters that all uses agree in are numbers in it.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archspec.spec.model import BlockSpec, Body, LayerSpec
from archspec.syntax import Mapping as MappingNode
from archspec.syntax import Scalar

if TYPE_CHECKING:
    from archspec.network import Network

MAX_OPERATORS = 2
"""A longer expression reads worse than an argument with a name."""
_FORM = re.compile(r"=[\w\s()*/+.-]*[*/+-][\w\s()*/+.-]*")
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
}
Column = tuple[Any, ...]
"""A number of a class: its value in each instance."""
Named = tuple[str, Column, str]
"""The argument that holds a column: its name, its own column, and the code of the column in it."""
Candidate = tuple[Column, str, str | None]
"""A column, the expression that it is written as, and the parameter that this defines."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What a block says of its parameters."""

    names: Sequence[str] = ()
    """What they are called, in order."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Their values where nothing else is said."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Expressions over others, in place of that."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a spec says of numbers."""

    names: Sequence[str]
    """The parameters of the network."""
    blocks: Mapping[str, Declared]
    arguments: Mapping[int, Mapping[str, str]]
    """By the id of a layer's node: its arguments that are expressions."""


def written(network: "Network") -> Written:
    """What the spec of a network says of numbers."""
    blocks = network.spec.blocks
    layers = [layer for each in blocks.values() for layer in _layers(each.body)]
    return Written(
        [param.name.text for param in network.spec.params],
        {name: _declared(block) for name, block in blocks.items()},
        {
            id(layer.node): _texts((key.text, value) for key, value in layer.args.items())
            for layer in layers
            if isinstance(layer.args, MappingNode)
        },
    )


def _declared(block: BlockSpec) -> Declared:
    params = [(param.name.text, param.default) for param in block.params]
    defaults = {
        name: node.value
        for name, node in params
        if isinstance(node, Scalar) and _is_constant(node.value)
    }
    return Declared([name for name, _ in params], defaults, _texts(params))


def _is_constant(value: Any) -> bool:
    if isinstance(value, str):
        return not value.startswith("=")
    return isinstance(value, bool | int | float)


def _texts(nodes: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Those nodes that are short arithmetic, as its text."""
    return {name: text for name, node in nodes if (text := _text(node))}


def _layers(body: Body | None) -> Iterator[LayerSpec]:
    for entry in body.entries if body is not None else ():
        if isinstance(entry, LayerSpec):
            yield entry
        yield from _layers(entry.body)


def _text(node: Any) -> str:
    """The expression that a value is; an empty text if it is none of this kind."""
    if not isinstance(node, Scalar) or not node.text.startswith("="):
        return ""
    return node.text[1:].strip() if _FORM.fullmatch(node.text) else ""


def with_formulas(
    own: Mapping[str, Named], params: Sequence[Mapping[str, Any]], found: Iterable[Candidate]
) -> dict[str, Named]:
    """The columns that have names, and those among `found` that are formulas of these."""
    columns = {name: tuple(each.get(name) for each in params) for name in params[0]}
    named = dict(own)
    for column, text, param in found:
        key = repr(column)
        if key in own and own[key][0] != param:
            continue  # it is another parameter itself: no formula is shorter
        made = formula(text, column, columns)
        base = own.get(repr(columns[made[0]])) if made is not None else None
        if made is not None and base is not None and base[2] == "{}":
            named[key] = (*base[:2], made[1])
    return named


def formula(text: str, column: Column, params: Mapping[str, Column]) -> tuple[str, str] | None:
    """The one parameter that an expression reads, and its code with `{}` for that; None if this is
    not what makes the column.
    """
    try:
        tree = _reduced(ast.parse(text, mode="eval").body, params)
        read = [each for each in ast.walk(tree) if isinstance(each, ast.Name)]
        operators = sum(isinstance(each, ast.BinOp) for each in ast.walk(tree))
        if len(read) != 1 or not 0 < operators <= MAX_OPERATORS:
            return None
        name = read[0].id
        made = tuple(_value(tree, value) for value in params[name])
    except (SyntaxError, LookupError, TypeError, ValueError, ArithmeticError):
        return None
    if repr(made) != repr(column):
        return None
    read[0].id = "{}"
    return name, ast.unparse(tree)


def _reduced(node: ast.expr, params: Mapping[str, Column]) -> ast.expr:
    """An expression over the parameters that differ. Raises ValueError if it is of another kind."""
    if isinstance(node, ast.Constant):
        return _number(node.value)
    if isinstance(node, ast.Name):
        column = params[node.id]
        if all(value == column[0] for value in column):
            return _number(column[0])
        if any(type(value) is not int for value in column):
            raise ValueError
        return ast.Name(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "int":
        (inside,) = node.args
        return _reduced(inside, params)
    if not isinstance(node, ast.BinOp) or type(node.op) not in _OPERATORS:
        raise ValueError
    left, right = _reduced(node.left, params), _reduced(node.right, params)
    return _joined(left, node.op, right)


def _joined(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.expr:
    """An operation, in fewer words where numbers allow: `x * 128 // 64` is `x * 2`."""
    both, number = ast.BinOp(left, op, right), _literal(right)
    if number is None:
        return both
    if _literal(left) is not None:
        return ast.Constant(_value(both, 0))
    if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
        factor = _literal(left.right)
        if factor is not None and isinstance(op, ast.Mult):
            return _joined(left.left, op, ast.Constant(factor * number))
        if factor is not None and isinstance(op, ast.FloorDiv) and factor % number == 0:
            return _joined(left.left, ast.Mult(), ast.Constant(factor // number))
    neutral = 1 if isinstance(op, ast.Mult | ast.FloorDiv) else 0
    return left if number == neutral else both


def _literal(node: ast.expr) -> int | None:
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _number(value: Any) -> ast.Constant:
    """A whole number, which may be written as 4.0."""
    if type(value) not in (int, float) or value != int(value):
        raise ValueError
    return ast.Constant(int(value))


def _value(node: ast.expr, value: int) -> int:
    """What a reduced expression is for a value of its parameter."""
    if isinstance(node, ast.BinOp):
        found: int = _OPERATORS[type(node.op)](_value(node.left, value), _value(node.right, value))
        return found
    return value if isinstance(node, ast.Name) else ast.literal_eval(node)
