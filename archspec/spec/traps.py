"""Accidents that YAML lets pass: one value became several keys, or a text became no number."""

import re
from collections.abc import Container
from typing import Any

from archspec.diagnostics import Collector, Refused, did_you_mean
from archspec.expr import ExpressionError, compile_expression
from archspec.syntax import Mapping, Scalar
from archspec.syntax.scalars import resolve

_WORDS = {
    **dict.fromkeys(("none", "nil", "undefined"), "null"),
    **dict.fromkeys(("yes", "on", "y", "t"), "true"),
    **dict.fromkeys(("no", "off", "n", "f"), "false"),
}
_CHOICE = re.compile(r"[a-z][a-z-]+(?=,| or |$)|(?<= or )[a-z][a-z-]+")
"""The words of "one of zeros, reflect or circular"."""
_KINDS = ("integer", "integers", "number", "numbers", "text", "mapping", "list", "null")
_PRODUCT = re.compile(r"\d+(?:\s*[x×,]\s*\d+)+")
_FOREIGN_EXPRESSION = re.compile(r"\$\{(.+)\}|\$\((.+)\)|\{\{(.+)\}\}|\$(\w+)")


def refuse_split(mapping: Mapping, found: Collector) -> bool:
    """Report every value that YAML cut at a comma; True if there was one."""
    if not any(")" in key for key in mapping.entries):
        return False
    bad = False
    for key, value in mapping.items():
        if isinstance(value, Scalar) and is_open(value):
            report_split(key, value, found)
            bad = True
    return bad


def is_open(value: Scalar) -> bool:
    """Whether a value opens a bracket that it does not close."""
    text = value.text
    return value.plain and text[:1] in ("=", "(") and text.count("(") > text.count(")")


def report_split(key: Scalar | None, value: Scalar, found: Collector) -> Refused:
    """Report a value that YAML cut at a comma; `key` is None in a list."""
    before = f"{key.text}: " if key is not None else ""
    whole = whole_value(value) or f"{value.text}, …)"
    if value.text.startswith("="):
        message = f"YAML cuts `{whole}` at its comma"
        help = f'quote the expression: `{before}"{whole}"`'
        return found.report("E109", message, value.place, help=help)
    message = f"YAML knows no tuples: it cuts `{whole}` at its comma"
    help = f"write a list: `{before}{_listed(whole)}`"
    return found.report("E105", message, value.place, help=help)


def whole_value(value: Scalar) -> str | None:
    """The text of a value up to where its brackets close, beyond the comma that ended it."""
    place = value.place
    rest = place.source.line(place.line)[place.column - 1 :]
    depth = 0
    for at, letter in enumerate(rest):
        depth += (letter in "([") - (letter in ")]")
        if letter == ")" and depth <= 0:
            tail = re.match(r"[^,}\]#]*", rest[at + 1 :])
            return (rest[: at + 1] + (tail[0] if tail else "")).strip()
    return None


def advice(value: Any, wanted: str, names: Container[str], written: str = "") -> str | None:
    """What was probably meant by a value that is not what is wanted; `written` is its source."""
    if isinstance(value, float) and value.is_integer() and "integer" in wanted:
        if re.search(r"[^/]/[^/]", written):
            return "`/` gives a fraction: `//` divides integers"
        return f"write {value:.0f}"
    if type(value) is int and value in (0, 1) and wanted.startswith("true or false"):
        return f"write {'true' if value else 'false'}"
    return _advice_on_text(value.strip(), wanted, names) if isinstance(value, str) else None


def _advice_on_text(text: str, wanted: str, names: Container[str]) -> str | None:
    word = _WORDS.get(text.lower())
    fits = word == "null" or wanted.startswith("true or false")
    if word is not None and fits and text not in names:
        return f"write {word}"
    if text.startswith("(") and text.endswith(")"):
        return f"write a list: {_listed(text)}"
    foreign = _FOREIGN_EXPRESSION.fullmatch(text)
    if foreign:
        return f"write `={next(filter(None, foreign.groups())).strip()}`"
    if _PRODUCT.fullmatch(text):
        return f"write a list: [{', '.join(re.findall(r'[0-9]+', text))}]"
    if text and isinstance(resolve(text), int | float):
        return f"write {text} without quotes"
    words = [word for word in _CHOICE.findall(wanted) if word not in _KINDS]
    near = did_you_mean(text, words) if text else None
    if near is not None:
        return near
    return f"an expression begins with `=`: write `={text}`" if _is_known(text, names) else None


def _is_known(text: str, names: Container[str]) -> bool:
    """Whether the text is an expression over names that are known."""
    try:
        used = compile_expression(text).names
    except ExpressionError:
        return False
    return bool(used) and all(name in names for name in used)


def _listed(text: str) -> str:
    return f"[{text.strip('() ').rstrip(', ')}]"
