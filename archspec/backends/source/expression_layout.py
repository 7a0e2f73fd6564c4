"""Python expressions as trees of groups, which break as `ruff format` breaks them."""

import ast
from collections.abc import Sequence

from archspec.backends.source.groups import SOFT, SPACE, Doc, Group, IfBroken, Indent, flat
from archspec.backends.source.literals import literal

_BINARY: dict[type[ast.AST], tuple[str, int]] = {
    ast.Or: ("or", 1),
    ast.And: ("and", 2),
    ast.BitOr: ("|", 5),
    ast.BitXor: ("^", 6),
    ast.BitAnd: ("&", 7),
    ast.Add: ("+", 9),
    ast.Sub: ("-", 9),
    ast.Mult: ("*", 10),
    ast.Div: ("/", 10),
    ast.FloorDiv: ("//", 10),
    ast.Mod: ("%", 10),
    ast.MatMult: ("@", 10),
    ast.Pow: ("**", 12),
}
_COMPARISONS: dict[type[ast.AST], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
MIN_LINKS = 2
"""Methods of what another method gave that make a chain."""
_CONDITION, _COMPARISON, _SIGN, _POWER, _ATOM = 0, 4, 11, 12, 14


def call(arguments: Sequence[Doc]) -> Group:
    """Arguments in parentheses."""
    if not arguments:
        return Group(("()",))
    return _within("(", (Group((*_separated(arguments), IfBroken(","))),), ")")


def _within(start: str, parts: Sequence[Doc], end: str) -> Group:
    """Parts between brackets, on lines of their own where they do not fit beside them."""
    return Group((start, Indent((SOFT, *parts)), SOFT, end))


def _separated(items: Sequence[Doc]) -> list[Doc]:
    parts: list[Doc] = []
    for number, item in enumerate(items):
        if number:
            parts += [",", SPACE]
        parts.append(item)
    return parts


class Tree:
    """Expressions as trees of groups."""

    def right_side(self, node: ast.expr) -> Doc:
        """What stands behind `=` or `return`: in parentheses where it has no brackets to break."""
        if _links(node) >= MIN_LINKS:
            doc: Doc = Group(tuple(self.links(node)))
            return Group((IfBroken("("), Indent((SOFT, doc)), SOFT, IfBroken(")")))
        doc = self.expression(node)
        if isinstance(node, ast.BinOp | ast.BoolOp | ast.Compare | ast.IfExp):
            return Group((IfBroken("("), Indent((SOFT, doc)), SOFT, IfBroken(")")))
        return doc

    def links(self, node: ast.expr) -> list[Doc]:
        """A chain of methods, with a break before those of what a method gave."""
        if isinstance(node, ast.Call):
            return [*self.links(node.func), self.called(node)]
        if isinstance(node, ast.Attribute):
            soft = [SOFT] if isinstance(node.value, ast.Call | ast.Subscript) else []
            return [*self.links(node.value), *soft, f".{node.attr}"]
        return [self.expression(node, _ATOM)]

    def bare(self, node: ast.expr) -> Doc:
        """A target: a tuple has no parentheses there."""
        if isinstance(node, ast.Tuple):
            return ", ".join(flat(self.target(each)) for each in node.elts)
        return self.expression(node)

    def target(self, node: ast.expr) -> Doc:
        """A part of a target."""
        return f"({flat(self.bare(node))})" if isinstance(node, ast.Tuple) else self.bare(node)

    def expression(self, node: ast.expr, power: int = 0) -> Doc:
        """An expression that stands where operators of precedence `power` bind it."""
        own, doc = self.bound(node)
        if own >= power:
            return doc
        return _within("(", (doc,), ")")

    def bound(self, node: ast.expr) -> tuple[int, Doc]:
        """The precedence of an expression, and its tree."""
        if isinstance(node, ast.Call | ast.Constant | ast.Name):
            return _ATOM, self.atom(node)
        if isinstance(node, ast.BinOp | ast.BoolOp):
            return self.operation(node)
        if isinstance(node, ast.Compare):
            parts: list[Doc] = [self.expression(node.left, _COMPARISON + 1)]
            for sign, side in zip(node.ops, node.comparators, strict=True):
                words = f"{_COMPARISONS[type(sign)]} "
                parts += [SPACE, words, self.expression(side, _COMPARISON + 1)]
            return _COMPARISON, Group(tuple(parts))
        if isinstance(node, ast.UnaryOp):
            sign_text = {ast.USub: "-", ast.Invert: "~", ast.UAdd: "+", ast.Not: "not "}
            operand = self.expression(node.operand, _SIGN)
            return _SIGN, Group((sign_text[type(node.op)], operand))
        if isinstance(node, ast.IfExp):
            test, other = self.expression(node.test, 1), self.expression(node.orelse)
            body = self.expression(node.body, 1)
            return _CONDITION, Group((body, SPACE, "if ", test, SPACE, "else ", other))
        return _ATOM, self.atom(node)

    def operation(self, node: ast.BinOp | ast.BoolOp) -> tuple[int, Doc]:
        """A chain of operators of one precedence, each at the start of its line."""
        sign, power = _BINARY[type(node.op)]
        if isinstance(node, ast.BoolOp):
            first, *others = node.values
            pairs = [(sign, each) for each in others]
        elif power == _POWER:
            left = self.expression(node.left, power + 1)
            right = self.expression(node.right, _SIGN)
            simple = _simple(node.left) and _simple(_unsigned(node.right))
            space = "" if simple else " "
            return power, Group((left, f"{space}**{space}", right))
        else:
            first, pairs = _chain(node, power)
        parts: list[Doc] = [self.expression(first, power + 1)]
        for each, operand in pairs:
            parts += [SPACE, f"{each} ", self.expression(operand, power + 1)]
        return power, Group(tuple(parts))

    def atom(self, node: ast.expr) -> Doc:
        """An expression that no operator can part."""
        if isinstance(node, ast.Constant):
            return literal(node.value)
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute):
            return Group((self.expression(node.value, _ATOM), f".{node.attr}"))
        if isinstance(node, ast.Call):
            return Group((self.expression(node.func, _ATOM), self.called(node)))
        if isinstance(node, ast.Subscript):
            return Group((self.expression(node.value, _ATOM), "[", self.index(node.slice), "]"))
        if isinstance(node, ast.GeneratorExp):
            return self.generator(node)
        return self.collection(node)

    def called(self, node: ast.Call) -> Doc:
        """The arguments of a call, in parentheses; a generator alone needs none of its own."""
        if len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp):
            return self.generator(node.args[0])
        return call(self.arguments(node))

    def arguments(self, node: ast.Call) -> list[Doc]:
        """The arguments of a call."""
        given = [self.argument(each) for each in node.args]
        return given + [
            Group((f"{each.arg}=", self.expression(each.value))) for each in node.keywords
        ]

    def argument(self, node: ast.expr) -> Doc:
        """An argument, with its star."""
        if isinstance(node, ast.Starred):
            return Group(("*", self.expression(node.value)))
        return self.expression(node)

    def index(self, node: ast.expr) -> Doc:
        """What stands in the brackets of a subscript."""
        if isinstance(node, ast.Slice):
            return self.range(node)
        if isinstance(node, ast.Tuple):
            return ", ".join(flat(self.index(each)) for each in node.elts)
        return self.expression(node)

    def range(self, node: ast.Slice) -> str:
        """A slice: with blanks where an end of it is more than a name or number."""
        ends = (node.lower, node.upper, node.step)
        low, high, step = ("" if e is None else flat(self.expression(e)) for e in ends)
        blank = "" if all(e is None or _is_plain(e) for e in ends) else " "
        code = f"{low}{blank if low else ''}:{blank if high else ''}{high}"
        return f"{code}{blank if high else ''}:{blank}{step}" if step else code

    def generator(self, node: ast.GeneratorExp) -> Doc:
        """A generator, every `for` on its line."""
        parts: list[Doc] = [self.expression(node.elt)]
        for each in node.generators:
            head = f"for {flat(self.bare(each.target))} in "
            parts += [SPACE, head, self.expression(each.iter, 1)]
        return _within("(", parts, ")")

    def collection(self, node: ast.expr) -> Doc:
        """A list, a tuple, a dict, or text with fields."""
        if isinstance(node, ast.List):
            return _items("[", [self.argument(each) for each in node.elts], "]")
        if isinstance(node, ast.Tuple):
            items = [self.argument(each) for each in node.elts]
            if len(items) == 1:
                return _within("(", (items[0], ","), ")")
            return _items("(", items, ")")
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            items = [
                Group((self.expression(key), ": ", self.expression(value)))
                for key, value in pairs
                if key is not None
            ]
            return _items("{", items, "}")
        return ast.unparse(node).replace("'", '"')


def _links(node: ast.expr) -> int:
    """Methods of what another method gave, in a chain."""
    if isinstance(node, ast.Call):
        return _links(node.func)
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Call | ast.Subscript) + _links(node.value)
    return 0


def _chain(node: ast.BinOp, power: int) -> tuple[ast.expr, list[tuple[str, ast.expr]]]:
    """The operands of a left-associative chain: the first, and the others with their operators."""
    pairs: list[tuple[str, ast.expr]] = []
    first: ast.expr = node
    while isinstance(first, ast.BinOp) and _BINARY[type(first.op)][1] == power:
        pairs.append((_BINARY[type(first.op)][0], first.right))
        first = first.left
    return first, pairs[::-1]


def _unsigned(node: ast.expr) -> ast.expr:
    return node.operand if isinstance(node, ast.UnaryOp) else node


def _is_plain(node: ast.expr) -> bool:
    """Whether a colon stands beside an end of a slice without a blank."""
    return isinstance(_unsigned(node), ast.Name | ast.Constant)


def _simple(node: ast.expr) -> bool:
    """Whether `**` stands beside an operand without blanks."""
    number = isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    return number or isinstance(node, ast.Name)


def _items(start: str, items: Sequence[Doc], end: str) -> Group:
    if not items:
        return Group((start, end))
    return _within(start, (*_separated(items), IfBroken(",")), end)
