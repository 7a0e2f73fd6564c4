"""Literals and identifiers of generated code: no text of a spec can end up as code.

A value becomes code only through `literal`, a name only through `identifier`.
"""

import builtins
import keyword
import re
from typing import Any

from archspec.names import TAKEN as ATTRIBUTES
from archspec.names import as_read, is_word

TAKEN = frozenset({"self", "torch", "nn", "F", "NamedTuple", "OrderedDict", "Tensor", "math"})
UNCLEAR = frozenset("lOI")
"""Names that look like digits: linters refuse them."""


def literal(value: Any) -> str:
    """Python source of a plain value: numbers, texts, None, and tuples, lists and dicts of them."""
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | int):
        return repr(value)
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else f'float("{value}")'
    if isinstance(value, tuple):
        inside = ", ".join(map(literal, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        pairs = ", ".join(f"{literal(key)}: {literal(each)}" for key, each in value.items())
        return f"{{{pairs}}}"
    raise TypeError(f"{value!r} has no literal")


def _text(value: str) -> str:
    """A text in double quotes, or in single ones where it has more double ones itself."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    if value.isprintable() and quote not in value and "\\" not in value:
        return f"{quote}{value}{quote}"
    escaped = (each if each in "'\"" else repr(each)[1:-1] for each in value)
    return quote + "".join(escaped).replace(quote, f"\\{quote}") + quote


def prose(text: str) -> str:
    """Any text as a part of a docstring or a comment: printable, and on one line."""
    return _text(text.replace('"', "'"))[1:-1]


def is_identifier(name: str) -> bool:
    """Whether a name may stand behind a dot, or be a variable, as it is.

    One that begins with two underscores may not: Python renames it within a class. Nor may one
    that Python reads as another.
    """
    return is_word(name) and not name.startswith("__") and name == as_read(name)


def identifier(name: str) -> str:
    """A variable name made from any name."""
    word = re.sub(r"[^0-9A-Za-z_]", "_", name)
    # Python mangles `__x` in a class; `_` takes what nobody reads.
    if not word.strip("_") or word[0].isdigit() or word.startswith("__"):
        word = f"x{word}"
    if keyword.iskeyword(word) or word in TAKEN or word in UNCLEAR or hasattr(builtins, word):
        word += "_"
    return word


def class_name(name: str) -> str:
    """A class name made from any name: `dense_block` → `DenseBlock`; `BasicBlock` stays.

    Numbers do not run together: `net_1_6` → `Net1_6`, which is not `Net16`.
    """
    parts = [part[0].upper() + part[1:] for part in re.split(r"[^0-9A-Za-z]+", name) if part]
    word = re.sub(r"(?<=\d) (?=\d)", "_", " ".join(parts)).replace(" ", "") or "Network"
    word = f"Network{word}" if word[0].isdigit() else word
    return (
        f"{word}_" if keyword.iskeyword(word) or word in TAKEN or hasattr(builtins, word) else word
    )


def fresh(wanted: str, taken: set[str]) -> str:
    """The name, or one like it that is not taken."""
    chosen, number = wanted, 2
    while chosen in taken or chosen in ATTRIBUTES:
        chosen, number = f"{wanted}{number}", number + 1
    return chosen
