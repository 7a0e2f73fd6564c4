"""Atoms and access: numbers, names, lists, calls, facts, indices."""

import ast
from collections.abc import Collection
from functools import lru_cache
from typing import Any

from archspec.diagnostics import did_you_mean, shown
from archspec.expr import bounds
from archspec.expr.errors import ExpressionError
from archspec.expr.facts import Facts
from archspec.expr.functions import FUNCTIONS
from archspec.expr.functions import call as call_function
from archspec.expr.scope import CONSTANTS, Compiled, Scope, Sub


def constant_(node: ast.Constant, sub: Sub) -> Compiled:
    """A number or a text."""
    value = node.value
    if value is None or isinstance(value, bool):
        word = {None: "null", True: "true", False: "false"}[value]
        message = f"write `{word}`, as in YAML, not `{value}`"
        raise ExpressionError(message, code="E109", offset=node.col_offset)
    if not isinstance(value, int | float | str):
        raise ExpressionError("numbers and texts only", code="E109", offset=node.col_offset)
    bounds.bounded(value)
    return lambda scope: value


def name_(node: ast.Name, sub: Sub) -> Compiled:
    """A parameter, a loop variable, or a constant. An input is no value by itself."""
    name = node.id
    if name in CONSTANTS:
        constant = CONSTANTS[name]
        return lambda scope: constant
    find = _finder(node)

    def run(scope: Scope) -> Any:
        value = find(scope)
        if isinstance(value, Facts):
            message = f"`{name}` is a tensor, not a value"
            help = f"ask for a fact, such as `{name}.channels`"
            raise ExpressionError(message, code="E105", offset=node.col_offset, help=help)
        return value

    return run


def _owner(node: ast.expr, sub: Sub) -> Compiled:
    """What stands before a dot: an input, mostly."""
    return _finder(node) if isinstance(node, ast.Name) and node.id not in CONSTANTS else sub(node)


def _finder(node: ast.Name) -> Compiled:
    """What a name stands for, which may be an input."""
    name = node.id

    def look_up(scope: Scope) -> Any:
        try:
            return scope.names[name]
        except KeyError:
            help = _help_for(name, tuple(scope.names))
            message = f"there is no parameter or name `{name}` here"
            offset = node.col_offset
            raise ExpressionError(message, code="E108", offset=offset, help=help) from None

    return look_up


@lru_cache(maxsize=256)
def _help_for(name: str, names: tuple[str, ...]) -> str | None:
    """What a name may stand for. Kept: a loop may look for the same name many times."""
    return did_you_mean(name, [*names, *FUNCTIONS]) or _known_names(names)


def _known_names(names: Collection[str]) -> str | None:
    known = ", ".join(f"`{name}`" for name in sorted(names))
    return f"known here: {known}" if known and len(names) <= 12 else None


def list_(node: ast.List | ast.Tuple, sub: Sub) -> Compiled:
    """A list; a tuple is one too."""
    items = [sub(item) for item in node.elts]

    def run(scope: Scope) -> list[Any]:
        made = [item(scope) for item in items]
        scope.spend(bounds.weight(made))
        return made

    return run


def call_(node: ast.Call, sub: Sub) -> Compiled:
    """A call of one of `FUNCTIONS`, or of `size`."""
    if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
        raise ExpressionError("functions take plain arguments", code="E109", offset=node.col_offset)
    arguments = [sub(each) for each in node.args]
    if isinstance(node.func, ast.Attribute):
        return _size(node.func, arguments, sub)
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        written = ast.unparse(node.func)
        help = did_you_mean(written, FUNCTIONS) or f"there are {', '.join(sorted(FUNCTIONS))}"
        message = f"there is no function `{written}`"
        raise ExpressionError(message, code="E108", offset=node.col_offset, help=help)
    name = node.func.id

    def run(scope: Scope) -> Any:
        values = [each(scope) for each in arguments]
        if name != "len":
            scope.spend(sum(map(bounds.weight, values)))
        result = bounds.bounded(call_function(name, values))
        scope.spend(bounds.weight(result))
        return result

    return run


def _size(node: ast.Attribute, arguments: list[Compiled], sub: Sub) -> Compiled:
    owner = _owner(node.value, sub)
    if node.attr != "size" or len(arguments) != 1:
        message = f"`{ast.unparse(node)}(...)`: a tensor has size(k)"
        raise ExpressionError(message, code="E109", offset=node.col_offset)

    def run(scope: Scope) -> Any:
        facts = owner(scope)
        if not isinstance(facts, Facts):
            raise ExpressionError(f"`{ast.unparse(node.value)}` is not an input: it has no size")
        return facts.size(arguments[0](scope))

    return run


def attribute_(node: ast.Attribute, sub: Sub) -> Compiled:
    """A fact about an input."""
    owner = _owner(node.value, sub)

    def run(scope: Scope) -> Any:
        facts = owner(scope)
        if not isinstance(facts, Facts):
            owned = ast.unparse(node.value)
            message = f"`{ast.unparse(node)}`: only an input has facts"
            help = f"`{owned}` alone is {shown(facts)}"
            raise ExpressionError(message, code="E108", offset=node.col_offset, help=help)
        return facts.get(node.attr)

    return run


def subscript_(node: ast.Subscript, sub: Sub) -> Compiled:
    """An item or a slice of a list."""
    owner = sub(node.value)
    index = _slice(node.slice, sub) if isinstance(node.slice, ast.Slice) else sub(node.slice)

    def run(scope: Scope) -> Any:
        values, key = owner(scope), index(scope)
        if not isinstance(values, list | str):
            message = f"`{ast.unparse(node.value)}` is not a list: {shown(values)}"
            raise ExpressionError(message)
        try:
            found = values[key]
        except IndexError:
            message = f"`{ast.unparse(node)}`: there are {len(values)}, counted from 0"
            last = f"`{ast.unparse(node.value)}[{len(values) - 1}]` is the last one"
            raise ExpressionError(message, help=last if values else None) from None
        except TypeError:
            message = f"`{ast.unparse(node)}`: an index is a whole number, not {shown(key)}"
            raise ExpressionError(message) from None
        if isinstance(key, slice):
            scope.spend(len(found))
        return found

    return run


def _slice(node: ast.Slice, sub: Sub) -> Compiled:
    ends = [sub(e) if e else (lambda scope: None) for e in (node.lower, node.upper, node.step)]

    def run(scope: Scope) -> Any:
        values = [end(scope) for end in ends]
        if any(v is not None and type(v) is not int for v in values) or values[2] == 0:
            raise ExpressionError("a slice takes integers, and a step other than 0")
        return slice(*values)

    return run
