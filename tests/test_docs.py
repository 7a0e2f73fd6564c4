"""Every example of README and docs is run; every table made from the code is up to date."""

import argparse
import difflib
import re
from importlib import import_module
from pathlib import Path

import pytest

import archspec
from archspec.cli import COMMANDS
from archspec.diagnostics import CODES
from archspec.ops import find, names
from archspec.ops.registry import FAMILIES
from tests.docs_runner import PAGES, ROOT, rendered
from tests.docs_tables import FAMILY_TITLES
from tests.test_layering import LAYERS


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run_and_give_what_the_page_shows(page: Path) -> None:
    text = page.read_text("utf-8")
    made = rendered(page)
    changes = difflib.unified_diff(text.splitlines(), made.splitlines(), "page", "now", lineterm="")
    assert made == text, "run `python -m tests.docs_runner`:\n" + "\n".join(changes)


def test_every_family_of_layer_types_is_on_the_page() -> None:
    assert set(FAMILY_TITLES) == set(FAMILIES)
    page = (ROOT / "docs" / "layers.md").read_text("utf-8")
    for name in names():
        cls = find(name)
        assert cls is not None
        if cls.__module__.startswith("archspec.ops."):
            assert f"\n### {name}\n" in page


def test_the_map_lists_the_modules_in_the_order_of_imports() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    _, _, table = page.partition("| module | what it is |")
    table, _, _ = table.partition("## The layering")
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == LAYERS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_on_the_page_of_the_command_line(command: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    parser = argparse.ArgumentParser(add_help=False)
    import_module(f"archspec.cli.{command}").add_options(parser)
    options = [word for action in parser._actions for word in action.option_strings]
    assert f"## {command}" in page
    assert [word for word in options if word not in page] == []


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_section_is_in_the_contents_of_its_page() -> None:
    for page in PAGES:
        text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        contents = re.findall(r"^- \[(.*)\]\(#", text, re.MULTILINE)
        heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert not contents or contents == heads, page.name


def test_every_public_name_is_in_the_docs() -> None:
    pages = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert [name for name in archspec.__all__ if not re.search(rf"\b{name}\b", pages)] == []


def test_every_warning_is_on_the_page_of_the_command_line() -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    _, _, table = page.partition("| code | warns of |")
    warnings = [code for code in CODES if code.startswith("W")]
    assert [code for code in warnings if code not in table.partition("```")[0]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose):
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), target
        if anchor:
            assert anchor in anchors(other.read_text("utf-8")), target
