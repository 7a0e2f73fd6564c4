"""Long lines laid out as `ruff format` does it, for the kinds of expressions that we generate.

A statement that fits into `WIDTH` columns stays as it is. A longer one becomes a tree of groups.
Arguments of a call are a group of their own within its parentheses: they may stand on one line
together, without a trailing comma. The items of a list or tuple stand on a line each, with one.
"""

import ast
import re

from archspec.backends.source.expression_layout import Tree, call
from archspec.backends.source.groups import Doc, Group, broken, columns, flat

WIDTH = 88
"""Columns of a line: ruff's default."""
_SLICE = re.compile(r"\[.*:")
"""What may be a slice: blanks beside its colon depend on what stands there."""


def normal(code: str) -> str:
    """An expression on one line, with the parentheses and blanks that it needs and no others."""
    return flat(Tree().expression(ast.parse(code, mode="eval").body))


def lay_out(statement: str, indent: int) -> list[str]:
    """The lines of a simple statement that stands `indent` columns to the right.

    A statement is an assignment, an expression, a `return`, or the head of a `def`, `if` or `for`.
    """
    if indent + columns(statement) <= WIDTH and not _SLICE.search(statement):
        return [" " * indent + statement]
    whole = f"{statement} ..." if statement.endswith(":") else statement
    (function,) = ast.parse(f"def f():\n for _ in f():\n  {whole.removeprefix('el')}").body
    assert isinstance(function, ast.FunctionDef)
    assert isinstance(function.body[0], ast.For)
    tree = function.body[0].body[0]
    doc = _head(tree, statement.partition(" ")[0]) if whole != statement else _statement(tree)
    return (" " * indent + broken(doc, indent, WIDTH)).split("\n")


def _statement(node: ast.stmt) -> Doc:
    """A statement within a function."""
    tree = Tree()
    if isinstance(node, ast.Return):
        assert node.value is not None
        return Group(("return ", tree.right_side(node.value)))
    if isinstance(node, ast.Expr):
        return tree.expression(node.value)
    if isinstance(node, ast.AnnAssign):
        assert node.value is not None
        target = f"{flat(tree.expression(node.target))}: {ast.unparse(node.annotation)}"
        return Group((f"{target} = ", tree.right_side(node.value)))
    assert isinstance(node, ast.Assign)
    targets = ", ".join(flat(tree.bare(target)) for target in node.targets)
    return Group((f"{targets} = ", tree.right_side(node.value)))


def _head(node: ast.stmt, word: str) -> Doc:
    """The head of a function, a condition or a loop, which begins with a word."""
    tree = Tree()
    if isinstance(node, ast.If):
        return Group((f"{word} ", tree.right_side(node.test), ":"))
    if isinstance(node, ast.For):
        target = flat(tree.bare(node.target))
        return Group((f"for {target} in ", tree.right_side(node.iter), ":"))
    assert isinstance(node, ast.FunctionDef)
    return _function_head(node)


def _function_head(node: ast.FunctionDef) -> Doc:
    """The head of a function."""
    arguments: list[Doc] = []
    given = node.args.args
    defaults = [None] * (len(given) - len(node.args.defaults)) + list(node.args.defaults)
    for argument, default in zip(given, defaults, strict=True):
        text = argument.arg
        if argument.annotation is not None:
            text += f": {ast.unparse(argument.annotation)}"
        if default is not None:
            sign = " = " if argument.annotation is not None else "="
            text += f"{sign}{flat(Tree().expression(default))}"
        arguments.append(text)
    assert node.returns is not None
    return Group((f"def {node.name}", call(arguments), f" -> {ast.unparse(node.returns)}:"))
