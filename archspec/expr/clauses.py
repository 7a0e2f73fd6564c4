"""The two places where expressions stand inside other text: `for` clauses and templates."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from archspec.diagnostics import shown
from archspec.expr.compiler import compile_expression, parse
from archspec.expr.errors import ExpressionError
from archspec.expr.loops import bind, check_target
from archspec.expr.scope import Compiled, Scope


@dataclass(frozen=True, slots=True)
class ForClause:
    """`k, out in enumerate([32, 64])`: targets, and the list they go over."""

    target: ast.expr
    items: Compiled

    def turns(self, scope: Scope) -> Iterator[dict[str, Any]]:
        """The names that each turn binds."""
        values = self.items(scope)
        if not isinstance(values, list):
            counts = type(values) is int and values > 0
            help = f"to count from 0 to {values - 1}, write `range({values})`" if counts else None
            raise ExpressionError(f"`for` goes over a list, not {shown(values)}", help=help)
        for value in values:
            names: dict[str, Any] = {}
            bind(self.target, value, names)
            yield names


@lru_cache(maxsize=1024)
def compile_for(text: str) -> ForClause:
    """Compile `TARGET in EXPRESSION`."""
    tree = parse(f"[0 for {text}]") if " in " in text else None
    if not isinstance(tree, ast.ListComp) or len(tree.generators) != 1 or tree.generators[0].ifs:
        help = "for example: `for: k, out in enumerate([32, 64])`"
        raise ExpressionError(f"`{text}` is not `names in list`", code="E109", help=help)
    generator = tree.generators[0]
    check_target(generator.target)
    return ForClause(generator.target, compile_expression(ast.unparse(generator.iter)).run)


@dataclass(frozen=True, slots=True)
class Template:
    """Text with expressions in braces: `denselayer{i + 1}`."""

    parts: tuple[str | Callable[[Scope], Any], ...]

    def fill(self, scope: Scope) -> str:
        """The text for these names."""
        return "".join(p if isinstance(p, str) else _text(p(scope)) for p in self.parts)


def _text(value: Any) -> str:
    if isinstance(value, str) or type(value) is int:
        return str(value)
    raise ExpressionError(f"a name is made of texts and integers, not {shown(value)}")


@lru_cache(maxsize=8192)
def compile_template(text: str) -> Template:
    """Compile a text with `{expression}` in it."""
    parts: list[str | Callable[[Scope], Any]] = []
    rest = text
    while rest:
        before, brace, rest = rest.partition("{")
        if before:
            parts.append(before)
        if brace:
            inside, closed, rest = rest.partition("}")
            if not closed:
                message = f"`{text}`: a `{{` without its `}}`"
                raise ExpressionError(message, code="E109", help=f"write `{text}}}`")
            parts.append(compile_expression(inside.strip()).run)
    return Template(tuple(parts))
