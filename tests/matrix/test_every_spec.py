"""The matrix for every spec that comes with archspec: it takes hours."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import archspec
from archspec.graph import Composite
from tests.matrix import ROWS
from tests.matrix.nets import Case
from tests.matrix.registry import Row
from tests.matrix.test_matrix import holds

SPECS = Path(__file__).parent.parent.parent / "specs"
FILES = sorted(file for file in SPECS.rglob("*.yaml") if file.parent.name != "blocks")
BLOCKS = 4
"""Blocks of a network that are asked."""


@pytest.mark.soak
@pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if not row.only], ids=lambda r: r.name
)
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_property_of_a_shipped_spec(row: Row, file: Path) -> None:
    case = shipped(file)
    if not row.asks(case):
        pytest.skip("it has no blocks")
    holds(row, case)


@cache
def shipped(file: Path) -> Case:
    """A spec, its first variant if it has several, at small sizes where they are symbolic."""
    variants = re.search(
        r"^variants:\n(?:\s*#.*\n)*\s+(\w+):", file.read_text("utf-8"), re.MULTILINE
    )
    network = archspec.load(file, variant=variants and variants[1])
    blocks = tuple(_blocks(network.graph.root, ""))[:BLOCKS]
    samples = dict(network.export_plan().example)
    return Case(file.stem, "", blocks=blocks, samples=samples, loaded=network)


def _blocks(scope: Composite, path: str) -> Iterator[str]:
    """The paths of the outermost blocks."""
    for name, child in scope.children.items():
        if isinstance(child, Composite):
            inner = f"{path}.{name}" if path else name
            yield from [inner] if child.kind is not None else _blocks(child, inner)
