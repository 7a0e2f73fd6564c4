"""No input can hurt: whatever the text, `check` ends in a verdict, soon, and without a trace.

`HYPOTHESIS_PROFILE=soak pytest tests/fuzz` runs for long; `python -m tests.fuzz.coverage_guided`
(which needs `pip install atheris`) follows the coverage of the core.
"""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archspec
from archspec.diagnostics import CODES
from archspec.diagnostics.formats import FORMATS
from tests.fuzz.mutations import GOOD, TOKENS, mutate

SECONDS = 5.0
"""Far more than a verdict takes: a second per 100 kB is what we promise, here is slack for CI."""


def verdict(text: str) -> archspec.Report:
    """Check a text, and that what comes back is whole: known codes, places, printable."""
    began = time.perf_counter()
    report = archspec.check(text + "\n")
    assert time.perf_counter() - began < SECONDS
    assert report.ok or any(d.severity == "error" for d in report.diagnostics)
    for diagnostic in report.diagnostics:
        assert diagnostic.code in CODES
        assert diagnostic.message
        assert diagnostic.line >= 0
    for write in FORMATS.values():
        assert isinstance(write(report.diagnostics), str)
    return report


@given(st.text())
def test_any_text(text: str) -> None:
    verdict(text)


@given(st.lists(st.sampled_from(TOKENS)).map("".join))
def test_any_tokens(text: str) -> None:
    verdict(text)


@given(st.binary())
def test_any_bytes(data: bytes) -> None:
    verdict(data.decode("utf-8", "surrogateescape"))


@given(st.sampled_from(GOOD), st.randoms(use_true_random=False))
def test_good_specs_gone_wrong(text: str, random_: random.Random) -> None:
    verdict(mutate(text, random_))


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(TOKENS),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(TOKENS), inner),
    max_leaves=20,
)
_keys = ("archspec", "name", "params", "inputs", "blocks", "layers", "outputs", "defaults", "merge")


@given(st.dictionaries(st.sampled_from(_keys), _json))
def test_any_mapping(data: dict[str, object]) -> None:
    report = archspec.check({"archspec": 1, **data})
    assert report.ok or report.diagnostics


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 50_000,
        "a: &a [x, x]\n"
        + "".join(f"a{n}: &a{n} [*a{n - 1 or ''}, *a{n - 1 or ''}]\n" for n in range(1, 40)),
        "x" * 1_000_000,
        "=" + "(" * 10_000,
        "archspec: 1\nlayers: {a: {=" + "-" * 1900 + "1: null}}",
        "archspec: 1\nname: n\ninputs: {x: [3, 8, 8]}\nlayers: [{layers: [" * 40,
        "? " * 10_000,
        "%YAML 9.9\n---\n",
        "%TAG ! tag:x,2000:\n---\n!a b",
        "\ufeffarchspec: 1",
        "archspec: 1\n...\nmore",
    ],
    ids=str.__len__,
)
def test_bombs(text: str) -> None:
    assert not verdict(text).ok


def test_expansion_is_bounded() -> None:
    text = """archspec: 1
name: bomb
inputs: {x: [3, 8, 8]}
blocks:
  A: {layers: [{ReLU, repeat: 1000}]}
  B: {layers: [{A, repeat: 1000}]}
  C: {layers: [{B, repeat: 1000}]}
layers: [{C, repeat: 1000}]
"""
    report = verdict(text)
    assert [d.code for d in report.diagnostics] == ["E005"]


def test_recursion_is_bounded() -> None:
    text = """archspec: 1
name: bomb
inputs: {x: [3, 8, 8]}
blocks:
  A: {layers: [ReLU, A]}
layers: [A]
"""
    report = verdict(text)
    assert [d.code for d in report.diagnostics] == ["E005"]
