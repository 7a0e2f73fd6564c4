"""Every row of the matrix, for every network; and every refusal of PyTorch's, by hand."""

import re

import pytest
import torch

from tests.matrix import ROWS
from tests.matrix.limits import LIMITS, Limit, limit
from tests.matrix.nets import CASES, Case
from tests.matrix.registry import Row
from tests.matrix.table import table

MARKS = [pytest.mark.soak]
PAIRS = [
    pytest.param(row, case, id=f"{row.name}-{case.name}", marks=MARKS * row.soak)
    for row in ROWS.values()
    for case in CASES.values()
    if row.asks(case)
]


@pytest.mark.parametrize(("row", "case"), PAIRS)
def test_property(row: Row, case: Case) -> None:
    holds(row, case)


def holds(row: Row, case: Case) -> None:
    """Assert that the module has the property, or that PyTorch refuses as the page says."""
    if row.cuda and not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    refused = limit(row.name, case)
    if refused is None or not refused.here():
        row.check(case)
        return
    with pytest.raises(Exception, match=re.escape(refused.says)):
        row.check(case)


@pytest.mark.parametrize(
    ("row", "refused"),
    [
        pytest.param(ROWS[name], each, id=name, marks=MARKS * ROWS[name].soak)
        for each in LIMITS
        for name in each.rows
    ],
)
def test_a_module_written_by_hand_is_refused_too(row: Row, refused: Limit) -> None:
    if not refused.here():
        pytest.skip("PyTorch runs it on this machine")
    with pytest.raises(Exception, match=re.escape(refused.says)):
        row.check(refused.twin)


def test_every_limit_is_of_a_row_and_met_by_a_network() -> None:
    for each in LIMITS:
        assert set(each.rows) <= set(ROWS)
        assert any(each.applies(case) for case in CASES.values())


def test_the_page_shows_every_row() -> None:
    page = table()
    assert all(f"| {row.title} |" in page for row in ROWS.values())
