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
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from archspec.diagnostics import did_you_mean
from archspec.expr import bounds
from archspec.expr.errors import ExpressionError
from archspec.expr.facts import Facts
from archspec.expr.functions import FUNCTIONS, call
from archspec.sizes import Condition, Expr, equal, unequal


@dataclass(slots=True)
class Scope:
    """The names that an expression sees, and how many steps it may still take."""

    names: Mapping[str, Any]
    steps: int = bounds.MAX_STEPS

    def spend(self) -> None:
        """One turn of a comprehension."""
        self.steps -= 1
        if self.steps < 0:
            raise ExpressionError(f"more than {bounds.MAX_STEPS} steps")


Compiled = Callable[[Scope], Any]
CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: `run` gives its value, `names` are the names it may look up."""

    text: str
    run: Compiled
    names: frozenset[str]
    tree: ast.expr


@lru_cache(maxsize=8192)
def compile_expression(text: str) -> Expression:
    """Compile the text of an expression (without its `=`). Raises `ExpressionError`."""
    tree = parse(text)
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    return Expression(text, _compile(tree, 0), frozenset(used), tree)


def parse(text: str) -> ast.expr:
    """The syntax tree of an expression."""
    if len(text) > bounds.MAX_LENGTH:
        raise ExpressionError(f"longer than {bounds.MAX_LENGTH} characters", code="E109")
    if not text.isascii() and any(c.isidentifier() and not c.isascii() for c in text):
        raise ExpressionError("names are written in ASCII letters", code="E109")
    if "\\" in text or "\0" in text:
        raise ExpressionError("a backslash has no meaning here", code="E109")
    flat = text.replace("\n", " ").strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(flat, mode="eval").body
    except SyntaxError as error:
        offset = (error.offset or 1) - 1
        raise ExpressionError(f"`{flat}`: {error.msg}", code="E109", offset=offset) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError("nested too deeply, or not readable", code="E109") from None


def bind(target: ast.expr, value: Any, names: dict[str, Any]) -> None:
    """Bind the targets of a `for` to a value: a name, or a tuple of targets for a list."""
    if isinstance(target, ast.Name):
        names[target.id] = value
        return
    assert isinstance(target, ast.Tuple)
    if not isinstance(value, list) or len(value) != len(target.elts):
        count = len(target.elts)
        raise ExpressionError(f"`{ast.unparse(target)}` takes a list of {count}, not {value!r}")
    for each, item in zip(target.elts, value, strict=True):
        bind(each, item, names)


def check_target(target: ast.expr) -> None:
    """Refuse a `for` target that is not made of names."""
    if isinstance(target, ast.Tuple):
        for each in target.elts:
            check_target(each)
    elif not isinstance(target, ast.Name):
        raise ExpressionError("`for` binds names", code="E109", offset=target.col_offset)


def _compile(node: ast.expr, depth: int) -> Compiled:
    if depth > bounds.MAX_DEPTH:
        raise ExpressionError(f"nested deeper than {bounds.MAX_DEPTH} levels", code="E109")
    rule = _RULES.get(type(node))
    if rule is None:
        kind = type(node).__name__
        message = f"{kind} is not part of the expression language"
        raise ExpressionError(message, code="E109", offset=node.col_offset)
    return rule(node, depth + 1)


def _constant(node: ast.Constant, depth: int) -> Compiled:
    value = node.value
    if value is None or isinstance(value, bool):
        word = {None: "null", True: "true", False: "false"}[value]
        message = f"write `{word}`, as in YAML, not `{value}`"
        raise ExpressionError(message, code="E109", offset=node.col_offset)
    if not isinstance(value, int | float | str):
        raise ExpressionError("numbers and texts only", code="E109", offset=node.col_offset)
    bounds.bounded(value)
    return lambda scope: value


def _name(node: ast.Name, depth: int) -> Compiled:
    name = node.id
    if name in CONSTANTS:
        constant = CONSTANTS[name]
        return lambda scope: constant

    def look_up(scope: Scope) -> Any:
        try:
            return scope.names[name]
        except KeyError:
            known = [*scope.names, *FUNCTIONS]
            help = did_you_mean(name, known) or _known_names(scope.names)
            message = f"there is no parameter or name `{name}` here"
            offset = node.col_offset
            raise ExpressionError(message, code="E108", offset=offset, help=help) from None

    return look_up


def _known_names(names: Mapping[str, Any]) -> str | None:
    known = ", ".join(f"`{name}`" for name in sorted(names))
    return f"known here: {known}" if known and len(names) <= 12 else None


def _list(node: ast.List | ast.Tuple, depth: int) -> Compiled:
    items = [_compile(item, depth) for item in node.elts]
    return lambda scope: [item(scope) for item in items]


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: bounds.multiply,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: bounds.power,
}
_ALLOWED = (int, float, bool, Expr)


def _binary(node: ast.BinOp, depth: int) -> Compiled:
    left, right = _compile(node.left, depth), _compile(node.right, depth)
    action = _BINARY.get(type(node.op))
    if action is None:
        raise ExpressionError("an unknown operator", code="E109", offset=node.col_offset)
    joins = isinstance(node.op, ast.Add | ast.Mult)

    def run(scope: Scope) -> Any:
        a, b = left(scope), right(scope)
        if not joins and not (isinstance(a, _ALLOWED) and isinstance(b, _ALLOWED)):
            raise ExpressionError(f"`{ast.unparse(node)}` works on numbers, not {a!r} and {b!r}")
        try:
            return bounds.bounded(action(a, b))
        except (TypeError, ValueError, ArithmeticError) as error:
            raise ExpressionError(f"`{ast.unparse(node)}`: {error}") from None

    return run


def _unary(node: ast.UnaryOp, depth: int) -> Compiled:
    operand = _compile(node.operand, depth)
    if isinstance(node.op, ast.Not):
        return lambda scope: not truth(operand(scope))
    sign = -1 if isinstance(node.op, ast.USub) else 1
    if isinstance(node.op, ast.Invert):
        raise ExpressionError("an unknown operator", code="E109", offset=node.col_offset)

    def run(scope: Scope) -> Any:
        value = operand(scope)
        if not isinstance(value, _ALLOWED):
            raise ExpressionError(f"`{ast.unparse(node)}` works on numbers, not {value!r}")
        return sign * value

    return run


def _boolean(node: ast.BoolOp, depth: int) -> Compiled:
    values = [_compile(value, depth) for value in node.values]
    stop = isinstance(node.op, ast.Or)

    def run(scope: Scope) -> Any:
        result: Any = None
        for value in values:
            result = value(scope)
            if truth(result) is stop:
                break
        return result

    return run


def truth(value: Any) -> bool:
    """The truth of a value; a symbolic one has none."""
    if isinstance(value, Expr | Condition):
        raise ExpressionError(f"whether {value} holds depends on a symbolic size", code="E114")
    return bool(value)


_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def _comparison(node: ast.Compare, depth: int) -> Compiled:
    first = _compile(node.left, depth)
    rest = [_compile(each, depth) for each in node.comparators]
    actions = [_comparator(op, node) for op in node.ops]

    def run(scope: Scope) -> Any:
        left = first(scope)
        for action, each in zip(actions, rest, strict=True):
            right = each(scope)
            try:
                if not truth(action(left, right)):
                    return False
            except TypeError as error:
                raise ExpressionError(f"`{ast.unparse(node)}`: {error}") from None
            left = right
        return True

    return run


def _comparator(op: ast.cmpop, node: ast.Compare) -> Callable[[Any, Any], Any]:
    if isinstance(op, ast.Eq | ast.NotEq):
        symbolic, plain = (equal, operator.eq) if isinstance(op, ast.Eq) else (unequal, operator.ne)

        def compare(a: Any, b: Any) -> Any:
            sizes = isinstance(a, Expr | int) and isinstance(b, Expr | int)
            return symbolic(a, b) if sizes and (isinstance(a, Expr) or isinstance(b, Expr)) else plain(a, b)

        return compare
    if type(op) not in _COMPARE:
        help = "compare with `== null`"
        raise ExpressionError("`is` is not used here", code="E109", offset=node.col_offset, help=help)
    return _COMPARE[type(op)]


def _conditional(node: ast.IfExp, depth: int) -> Compiled:
    test, yes, no = (_compile(each, depth) for each in (node.test, node.body, node.orelse))
    return lambda scope: yes(scope) if truth(test(scope)) else no(scope)


def _call(node: ast.Call, depth: int) -> Compiled:
    if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
        raise ExpressionError("functions take plain arguments", code="E109", offset=node.col_offset)
    arguments = [_compile(each, depth) for each in node.args]
    if isinstance(node.func, ast.Attribute):
        return _size(node.func, arguments, depth)
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        written = ast.unparse(node.func)
        help = did_you_mean(written, FUNCTIONS) or f"there are {', '.join(sorted(FUNCTIONS))}"
        message = f"there is no function `{written}`"
        raise ExpressionError(message, code="E108", offset=node.col_offset, help=help)
    name = node.func.id
    return lambda scope: bounds.bounded(call(name, [each(scope) for each in arguments]))


def _size(node: ast.Attribute, arguments: list[Compiled], depth: int) -> Compiled:
    owner = _compile(node.value, depth)
    if node.attr != "size" or len(arguments) != 1:
        message = f"`{ast.unparse(node)}(...)`: a tensor has size(k)"
        raise ExpressionError(message, code="E109", offset=node.col_offset)

    def run(scope: Scope) -> Any:
        facts = owner(scope)
        if not isinstance(facts, Facts):
            raise ExpressionError(f"`{ast.unparse(node.value)}` is not an input: it has no size")
        return facts.size(arguments[0](scope))

    return run


def _attribute(node: ast.Attribute, depth: int) -> Compiled:
    owner = _compile(node.value, depth)

    def run(scope: Scope) -> Any:
        facts = owner(scope)
        if not isinstance(facts, Facts):
            message = f"`{ast.unparse(node)}`: only an input has facts"
            raise ExpressionError(message, code="E108", offset=node.col_offset)
        return facts.get(node.attr)

    return run


def _subscript(node: ast.Subscript, depth: int) -> Compiled:
    owner = _compile(node.value, depth)
    index = _slice(node.slice, depth) if isinstance(node.slice, ast.Slice) else _compile(node.slice, depth)

    def run(scope: Scope) -> Any:
        values, key = owner(scope), index(scope)
        if not isinstance(values, list | str):
            raise ExpressionError(f"`{ast.unparse(node.value)}` is not a list: {values!r}")
        try:
            return values[key]
        except (IndexError, TypeError) as error:
            size = len(values)
            raise ExpressionError(f"`{ast.unparse(node)}`: {error} (it has {size})") from None

    return run


def _slice(node: ast.Slice, depth: int) -> Compiled:
    ends = [_compile(e, depth) if e else (lambda scope: None) for e in (node.lower, node.upper, node.step)]

    def run(scope: Scope) -> Any:
        values = [end(scope) for end in ends]
        if any(v is not None and type(v) is not int for v in values) or values[2] == 0:
            raise ExpressionError("a slice takes integers, and a step other than 0")
        return slice(*values)

    return run


def _comprehension(node: ast.ListComp | ast.GeneratorExp, depth: int) -> Compiled:
    inner = _compile(node.elt, depth)
    for generator in reversed(node.generators):
        inner = _loop(generator, inner, depth, last=generator is node.generators[-1])
    return lambda scope: bounds.bounded(inner(scope))


def _loop(generator: ast.comprehension, inner: Compiled, depth: int, *, last: bool) -> Compiled:
    if generator.is_async:
        raise ExpressionError("`async` is not part of the expression language", code="E109")
    check_target(generator.target)
    items = _compile(generator.iter, depth)
    tests = [_compile(test, depth) for test in generator.ifs]

    def run(scope: Scope) -> list[Any]:
        result: list[Any] = []
        values = items(scope)
        if not isinstance(values, list):
            raise ExpressionError(f"`for` goes over a list, not {values!r}")
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


_RULES: dict[type[ast.expr], Callable[[Any, int], Compiled]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.List: _list,
    ast.Tuple: _list,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _comparison,
    ast.IfExp: _conditional,
    ast.Call: _call,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
}
