"""Loops: comprehensions, and the targets that `for` binds."""

import ast
from typing import Any

from archspec.diagnostics import shown
from archspec.expr import bounds
from archspec.expr.errors import ExpressionError
from archspec.expr.operators import truth
from archspec.expr.scope import Compiled, Scope, Sub


def bind(target: ast.expr, value: Any, names: dict[str, Any]) -> None:
    """Bind the targets of a `for` to a value: a name, or a tuple of targets for a list."""
    if isinstance(target, ast.Name):
        names[target.id] = value
        return
    assert isinstance(target, ast.Tuple)
    if not isinstance(value, list) or len(value) != len(target.elts):
        count = len(target.elts)
        whole = ast.unparse(target)
        raise ExpressionError(f"`{whole}` takes a list of {count}, not {shown(value)}")
    for each, item in zip(target.elts, value, strict=True):
        bind(each, item, names)


def check_target(target: ast.expr) -> None:
    """Refuse a `for` target that is not made of names."""
    if isinstance(target, ast.Tuple):
        for each in target.elts:
            check_target(each)
    elif not isinstance(target, ast.Name):
        raise ExpressionError("`for` binds names", code="E109", offset=target.col_offset)


def comprehension(node: ast.ListComp | ast.GeneratorExp, sub: Sub) -> Compiled:
    """A list made by `for`."""
    inner = sub(node.elt)
    for generator in reversed(node.generators):
        inner = _loop(generator, inner, sub, last=generator is node.generators[-1])
    return lambda scope: bounds.bounded(inner(scope))


def _loop(generator: ast.comprehension, inner: Compiled, sub: Sub, *, last: bool) -> Compiled:
    if generator.is_async:
        raise ExpressionError("`async` is not part of the expression language", code="E109")
    check_target(generator.target)
    items = sub(generator.iter)
    tests = [sub(test) for test in generator.ifs]

    def run(scope: Scope) -> list[Any]:
        result: list[Any] = []
        values = items(scope)
        if not isinstance(values, list):
            raise ExpressionError(f"`for` goes over a list, not {shown(values)}")
        for value in values:
            scope.spend()
            names = dict(scope.names)
            bind(generator.target, value, names)
            within = Scope(names, scope.steps)
            if all(truth(test(within)) for test in tests):
                found = inner(within)
                result.append(found) if last else result.extend(found)
            scope.steps = within.steps
        return result

    return run
