"""Every code has a page whose wrong example gives it, and whose right one is accepted and runs."""

from importlib.resources import files
from pathlib import Path

import pytest
import torch

import archspec
from archspec.diagnostics import CODES
from archspec.explain import examples, explanation, written
from tests.conformance import value
from tests.errors_page import PAGE, made, registered, said

MARK = "<!-- made in the test -->"
"""Stands in an explanation whose wrong example needs more than a spec; it is not shown."""
CONSOLE = {"E001", "E122"}
"""Codes of what no single text can show: their pages show commands."""
BESIDE = {"E211": ["W304"]}
"""Codes that come with another: elements are missing where an earlier layer lost them."""
NOTED = {"E212": ["N402"]}
"""Notes that a right example still gets: a layer without a shape rule always gets this one."""


def page_of(code: str) -> str:
    page = explanation(code)
    assert page is not None
    return page


@pytest.fixture(params=CODES)
def code(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_every_page_has_a_code() -> None:
    pages = {Path(each.name) for each in files("archspec.explain").iterdir()}
    assert {page.stem for page in pages if page.suffix == ".md"} == set(CODES)


def test_pages_have_their_shape(code: str) -> None:
    page = page_of(code)
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert [h for h in headings if h.startswith("##")] == ["## Wrong", "## Right"]
    intro, _, rest = page.partition("## Wrong")
    assert len(intro.strip().splitlines()) > 2, "says what it means before it shows it"
    wrong, right = examples(code)
    shown = "```console" if code in CONSOLE else "```yaml"
    assert all(shown in half for half in rest.split("## Right"))
    assert len(wrong) + len(right) == (0 if code in CONSOLE else 2)
    assert max(map(len, page.splitlines())) <= 100


def test_wrong_gives_this_code_and_no_other(code: str) -> None:
    page = page_of(code)
    wrong, _ = examples(code)
    with registered(page):
        for spec in wrong:
            found = sorted(diagnostic.code for diagnostic in said(spec))
            assert found == sorted([code, *BESIDE.get(code, [])])
            assert archspec.check(spec).ok is (code[0] != "E")


def test_right_is_clean_and_runs(code: str) -> None:
    page = page_of(code)
    _, right = examples(code)
    with registered(page):
        for spec in right:
            assert [diagnostic.code for diagnostic in said(spec)] == NOTED.get(code, [])
            run(archspec.loads(spec))


def run(network: archspec.Network) -> None:
    """Apply the module once, and compare the shapes with what was predicted."""
    sizes = network.example_sizes
    inputs = [
        torch.zeros((2, *(value(s, sizes) for s in x.shape)), dtype=getattr(torch, x.dtype))
        for x in network.input_tensors.values()
    ]
    with torch.no_grad():
        result = network.build().eval()(*inputs)
    results = result if isinstance(result, tuple) else (result,)
    predicted = network.output_tensors().values()
    for real, tensor in zip(results, predicted, strict=True):
        assert tuple(real.shape) == (2, *(value(s, sizes) for s in tensor.shape))


def test_marked_pages_need_more_than_a_spec(code: str) -> None:
    """The mark stands where the wrong spec alone would not give the code."""
    wrong, _ = examples(code)
    alone = [diagnostic.code for spec in wrong for diagnostic in said(spec)]
    assert (MARK in written(code)) is (code not in alone)


def test_a_missing_file(tmp_path: Path) -> None:
    report = archspec.check(tmp_path / "resnet_18.yaml")
    assert [diagnostic.code for diagnostic in report.diagnostics] == ["E001"]


def test_the_page_is_up_to_date() -> None:
    """Otherwise run `python -m tests.errors_page`."""
    assert PAGE.read_text("utf-8") == made()
