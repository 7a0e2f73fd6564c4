"""What is behind a parse error: the usual accidents, told in the words of who writes YAML.

libyaml says where it stopped; the slip stands to the left of that, or at the bracket or quote that
was opened last.
"""

import re
from typing import Any, NamedTuple

from archspec.diagnostics import Label, Place, Source

_OPENERS = {"while parsing a flow mapping": "{", "while parsing a flow sequence": "["}
_TOKEN = re.compile(r"[^\s,{}\[\]:]+(?:: ?)?$")
_REST = re.compile(r"[^,\s]*")
_NO_SPACE = re.compile(r"\s*(?:- +)*([\w.]+:)(?=[{\[])")


class Mistake(NamedTuple):
    """A parse error, ready to be reported."""

    message: str
    place: Place
    labels: tuple[Label, ...] = ()
    help: str | None = None


def explain(source: Source, error: Any) -> Mistake:
    """What a parse error of libyaml means."""
    at = _place(source, getattr(error, "problem_mark", None))
    begin = _place(source, getattr(error, "context_mark", None))
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    context = getattr(error, "context", None) or ""
    if at is None:
        return Mistake(problem, Place(source, 1, 1, 2))
    before, rest = _around(source, at)
    if "\t" in before[: len(before) - len(before.lstrip())] or rest.startswith("\t"):
        return Mistake("this line is indented with a tab", at, help="indent with spaces")
    rules = (_no_space, _unclosed, _quote, _block_text, _start, _colon, _after_bracket, _column)
    for rule in rules:
        found = rule(problem, context, at, begin or at)
        if found is not None:
            return found
    labels = (Label(begin, context),) if begin is not None and context else ()
    return Mistake(problem, at, labels)


def _place(source: Source, mark: Any) -> Place | None:
    if mark is None:
        return None
    return Place(source, mark.line + 1, mark.column + 1, mark.column + 2)


def _around(source: Source, at: Place) -> tuple[str, str]:
    """The text of a line before and from a place."""
    line = source.line(at.line)
    return line[: at.column - 1], line[at.column - 1 :]


def _moved(at: Place, column: int, length: int = 1) -> Place:
    return Place(at.source, at.line, column, column + length)


def _no_space(problem: str, context: str, at: Place, begin: Place) -> Mistake | None:
    """`conv:{Conv2d: …}`: without a space, the colon belongs to the text."""
    key = _NO_SPACE.match(at.source.line(at.line))
    if key is None or context == "while scanning a quoted scalar":
        return None
    place = _moved(at, key.start(1) + 1, len(key[1]))
    message = f"no space after `{key[1]}`: the colon belongs to the text"
    return Mistake(message, place, help=f"write `{key[1]} {at.source.line(at.line)[key.end()]}`")


def _unclosed(problem: str, context: str, at: Place, begin: Place) -> Mistake | None:
    """A bracket that is not closed, or a text with a bracket in it among brackets."""
    opener = _OPENERS.get(context)
    if opener is None:
        return None
    before, rest = _around(at.source, at)
    word = _TOKEN.search(before)
    if rest[:1] and rest[0] in "{[" and word is not None:
        text = word[0] + (_REST.match(rest) or [""])[0]
        text = _balanced(text).removesuffix(":")
        message = f"`{rest[0]}` ends a text within brackets"
        place = _moved(at, word.start() + 1, len(text))
        return Mistake(message, place, help=f'quote it: `"{text}"`')
    labels = (Label(at, "this does not belong inside"),) if rest.strip() else ()
    closer = "}" if opener == "{" else "]"
    help = f"close it with `{closer}`, or put a comma between its entries"
    return Mistake(f"this `{opener}` is not closed", begin, labels, help)


def _balanced(text: str) -> str:
    """The text without the brackets at its end that were opened before it."""
    while text and text[-1] in "]})" and text.count(text[-1]) > text.count(_pair(text[-1])):
        text = text[:-1]
    return text


def _pair(closer: str) -> str:
    return {"]": "[", "}": "{", ")": "("}[closer]


def _quote(problem: str, context: str, at: Place, begin: Place) -> Mistake | None:
    if context != "while scanning a quoted scalar":
        return None
    return Mistake("this quote is not closed", begin, help="put the same quote behind the text")


def _block_text(problem: str, context: str, at: Place, begin: Place) -> Mistake | None:
    if context != "while scanning a block scalar":
        return None
    text = _around(begin.source, begin)[1].partition(" #")[0].strip()
    message = f"`{text[:1]}` begins a text of several lines in YAML"
    return Mistake(message, begin, help=f"quote it: `'{text}'`")


def _start(problem: str, context: str, at: Place, begin: Place) -> Mistake | None:
    if problem != "found character that cannot start any token":
        return None
    before, rest = _around(at.source, at)
    text = rest.partition(" #")[0].strip()
    if "{" in before or "[" in before:  # among brackets it ends with them, or at a comma
        text = _balanced(text.partition(", ")[0])
    return Mistake(f"a text cannot begin with `{text[:1]}`", at, help=f'quote it: `"{text}"`')


def _colon(problem: str, context: str, at: Place, begin: Place) -> Mistake | None:
    if problem != "mapping values are not allowed in this context":
        return None
    before = _around(at.source, at)[0]
    if ":" not in before:  # the line goes on with the text of the line before
        place = _moved(at, len(before) - len(before.lstrip()) + 1, len(before.strip()))
        help = "entries of one mapping or list begin in the same column"
        return Mistake("this is indented deeper than the line it follows", place, help=help)
    help = "quote the text if the colon belongs to it, else begin a new line"
    return Mistake("a second `:` in one line", at, help=help)


def _after_bracket(problem: str, context: str, at: Place, begin: Place) -> Mistake | None:
    """`names: {i}_block`: a text cannot begin with a bracket."""
    before, rest = _around(at.source, at)
    if not before.rstrip().endswith(("}", "]")) or not rest.strip():
        return None
    closer = before.rstrip()[-1]
    start = before.rfind(_pair(closer))
    text = (before[start:] + rest).partition(" #")[0].strip()
    if start < 0 or before.endswith(" "):
        return Mistake(f"nothing can follow this `{closer}` on its line", at)
    message = f"`{text[:1]}` begins a {'mapping' if closer == '}' else 'list'} in YAML"
    return Mistake(message, _moved(at, start + 1, len(text)), help=f'quote it: `"{text}"`')


def _column(problem: str, context: str, at: Place, begin: Place) -> Mistake | None:
    if problem not in ("did not find expected key", "did not find expected '-' indicator"):
        return None
    listed = _around(at.source, at)[1].startswith("- ")
    labels = (Label(begin, "what it would belong to begins here"),)
    if listed:
        help = "name it: a list item cannot stand among named entries"
        return Mistake("a list item among named entries", at, labels, help)
    help = "entries of one mapping or list begin in the same column"
    return Mistake("this does not line up with the lines before it", at, labels, help)
