"""The expression language: Python's grammar for expressions, and no more of it than this.

    expression  = conditional | comparison | arithmetic | call | fact | comprehension | atom
    conditional = expression "if" expression "else" expression
    comparison  = expression ("==" | "!=" | "<" | "<=" | ">" | ">=" | ["not"] "in") expression
    arithmetic  = expression ("+" | "-" | "*" | "/" | "//" | "%" | "**" | "and" | "or") expression
    call        = function "(" [expression ("," expression)*] ")"
    fact        = name "." ("channels" | "height" | "width" | "size" "(" expression ")")
    comprehension = "[" expression ("for" targets "in" expression ["if" expression])+ "]"
    atom        = number | text | "true" | "false" | "null" | name | list | atom "[" index "]"

Python's own parser reads it; every node is then compiled to a closure, and a node that is not
in the table below is refused. Nothing is ever evaluated by Python itself.
"""

import ast
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from archspec.expr import access, bounds, loops, operators
from archspec.expr.errors import ExpressionError
from archspec.expr.scope import Compiled, Sub


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: `run` gives its value, `names` are the names it may look up."""

    text: str
    run: Compiled
    names: frozenset[str]
    tree: ast.expr


_FOREIGN = {
    r"\|\|": "write `or`",
    "&&": "write `and`",
    r"\?": "write `a if condition else b`",
    "!(?!=)": "write `not`",
    r"[^=<>!]=(?!=)": "equality is written `==`",
}


@lru_cache(maxsize=8192)
def compile_expression(text: str) -> Expression:
    """Compile the text of an expression (without its `=`). Raises `ExpressionError`."""
    tree = parse(text)
    functions = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in functions}
    return Expression(text, _compile(tree), frozenset(used), tree)


def parse(text: str) -> ast.expr:
    """The syntax tree of an expression."""
    if len(text) > bounds.MAX_LENGTH:
        raise ExpressionError(f"longer than {bounds.MAX_LENGTH} characters", code="E109")
    if not text.isascii() and any(c.isidentifier() and not c.isascii() for c in text):
        raise ExpressionError("names are written in ASCII letters", code="E109")
    if "\\" in text or "\0" in text:
        raise ExpressionError("a backslash has no meaning here", code="E109")
    flat = text.replace("\n", " ").strip()
    if not flat:
        raise ExpressionError("there is no expression here", code="E109")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(flat, mode="eval").body
    except SyntaxError as error:
        offset = (error.offset or 1) - 1
        message, help = f"`{flat}`: {error.msg}", _in_our_words(flat)
        raise ExpressionError(message, code="E109", offset=offset, help=help) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError("nested too deeply, or not readable", code="E109") from None
    _refuse_deep(tree)
    return tree


def _in_our_words(text: str) -> str | None:
    """How to write what other languages write differently."""
    return next((help for sign, help in _FOREIGN.items() if re.search(sign, text)), None)


def _refuse_deep(tree: ast.expr) -> None:
    """Refuse what is nested deeply, before anything walks the tree by recursion."""
    level: list[ast.AST] = [tree]
    for _ in range(bounds.MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise ExpressionError(f"nested deeper than {bounds.MAX_DEPTH} levels", code="E109")


def _compile(node: ast.expr) -> Compiled:
    rule = _RULES.get(type(node))
    if rule is None:
        kind = type(node).__name__
        message = f"{kind} is not part of the expression language"
        raise ExpressionError(message, code="E109", offset=node.col_offset)
    return rule(node, _compile)


_RULES: dict[type[ast.expr], Callable[[Any, Sub], Compiled]] = {
    ast.Constant: access.constant_,
    ast.Name: access.name_,
    ast.List: access.list_,
    ast.Tuple: access.list_,
    ast.Call: access.call_,
    ast.Attribute: access.attribute_,
    ast.Subscript: access.subscript_,
    ast.BinOp: operators.binary,
    ast.UnaryOp: operators.unary,
    ast.BoolOp: operators.boolean,
    ast.Compare: operators.comparison,
    ast.IfExp: operators.conditional,
    ast.ListComp: loops.comprehension,
    ast.GeneratorExp: loops.comprehension,
}
