"""The corpus of bad specs: every mistake gets one error, at its place.

What is expected stands beside the mistake, as a comment in the spec itself:

    - Conv2d: {out_channels: 16, kernal_size: 3}  #! E103 32

is a diagnostic of code E103 on that line at column 32. Where no comment can stand on the line,
`#! E002 3:1` on any other line means line 3, column 1; line 0 is outside of the file. A case
without such a comment is clean. A first line `#! set name=value` gives parameters.

The full renderings of the most telling cases are in `cases/golden`. To write them anew:

    python -m tests.test_cases
"""

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import archspec
from archspec.diagnostics import CODES, Collector, Diagnostic
from archspec.diagnostics.render import render
from archspec.diagnostics.suggest import OURS
from archspec.lint import audible, lint
from archspec.ops import Layer, find
from archspec.ops import names as type_names
from archspec.spec.layers import CONTROL
from archspec.spec.reader import KEYS
from archspec.syntax.scalars import resolve
from archspec.tensors import DTYPES

CASES = Path(__file__).parent / "cases"
GOLDEN = CASES / "golden"
NAMES = sorted(path.stem for path in CASES.glob("*.yaml"))
TELLING = sorted(path.stem for path in GOLDEN.glob("*.txt"))

EXPECTED = re.compile(r"#! ([EWN]\d{3}) (?:(\d+):)?(\d+)")
SETTINGS = re.compile(r"#! set (.+)")

ELSEWHERE = {
    "E001": "a file that cannot be opened: tests/test_cli.py",
    "E126": "a user's own layer, which a spec cannot bring along",
    "E212": "a user's own layer, which a spec cannot bring along",
    "N402": "a user's own layer, which a spec cannot bring along",
}
"""Codes that no file of the corpus can show."""

Found = tuple[str, int, int]
"""Code, line and column of a diagnostic."""


def text_of(name: str) -> str:
    """The text of a case; one of them is no UTF-8."""
    return (CASES / f"{name}.yaml").read_text(encoding="utf-8", errors="replace")


def expected(name: str) -> list[Found]:
    """What the comments of a case say, in file order."""
    lines = enumerate(text_of(name).splitlines(), 1)
    found = [
        (code, int(line or number), int(column))
        for number, text in lines
        for code, line, column in EXPECTED.findall(text)
    ]
    return sorted(found, key=_position)


def parameters(name: str) -> dict[str, Any]:
    """The parameters that the first line of a case sets."""
    match = SETTINGS.match(text_of(name))
    pairs = (pair.partition("=") for pair in match[1].split()) if match else ()
    return {key: resolve(value) for key, _, value in pairs}


@cache
def diagnostics(name: str) -> list[Diagnostic]:
    """All that is said about a case, in file order, lints included."""
    report = archspec.check(f"{name}.yaml", params=parameters(name))
    found = Collector()
    for diagnostic in report.diagnostics:
        found.add(diagnostic)
    if report.network is not None:
        lint(report.network, found)
    return list(audible(tuple(found)))


def _position(found: Found) -> tuple[int, int, str]:
    code, line, column = found
    return line, column, code


@pytest.fixture(autouse=True)
def _among_the_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages name the file: without folders, on every machine the same."""
    monkeypatch.chdir(CASES)


@pytest.mark.parametrize("name", NAMES)
def test_a_case_says_what_is_wrong_with_it(name: str) -> None:
    wanted = expected(name)
    found = [(each.code, each.line, each.column) for each in diagnostics(name)]
    notes = {each for each in found if each[0].startswith("N") and each not in wanted}
    shown = sorted((each for each in found if each not in notes), key=_position)
    assert shown == wanted, render(diagnostics(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_case_says_where(name: str) -> None:
    for diagnostic in diagnostics(name):
        line = diagnostic.place.source.line(diagnostic.line)
        assert diagnostic.message
        assert diagnostic.column <= len(line) + 1


@pytest.mark.parametrize("name", TELLING)
def test_a_telling_case_reads_as_agreed(name: str) -> None:
    assert render(diagnostics(name)) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_every_code_has_a_case() -> None:
    shown = {code for name in NAMES for code, _, _ in expected(name)}
    assert set(CODES) - shown == set(ELSEWHERE)


def test_foreign_spellings_lead_to_words_that_exist() -> None:
    arguments = {
        info.alias or field
        for name in type_names()
        for field, info in _layer(name).model_fields.items()
    }
    known = {*type_names(), *arguments, *KEYS, *CONTROL, *DTYPES, "out"}
    assert {word for words in OURS.values() for word in words} <= known


def _layer(name: str) -> type[Layer]:
    cls = find(name)
    assert cls is not None
    return cls


def test_the_corpus_is_large_enough() -> None:
    bad = [name for name in NAMES if expected(name)]
    assert len(bad) >= 150
    assert len(NAMES) - len(bad) >= 15


def write_golden() -> None:
    """Write the renderings of the telling cases anew."""
    os.chdir(CASES)
    for name in TELLING:
        (GOLDEN / f"{name}.txt").write_text(render(diagnostics(name)), encoding="utf-8")


if __name__ == "__main__":
    write_golden()
