"""The matrix as a table of the docs: rows by group, a column for each network, refusals below."""

from itertools import groupby

from tests.matrix import ROWS
from tests.matrix.limits import LIMITS, limit
from tests.matrix.nets import CASES
from tests.matrix.registry import Row

RANKS = (
    "Several processes",
    (
        "`DistributedDataParallel` in two processes on gloo: the losses of one process",
        "FSDP2 `fully_shard` on every block and the whole: the losses of one process",
    ),
)
"""Rows that `test_ranks` holds for every network."""
HOLDS, ASKED_NOT, ON_GPU = "✓", "", "GPU"


def table() -> str:
    """The whole table, and under it what PyTorch refuses."""
    lines = ["", f"| | {' | '.join(CASES)} |", f"|---|{':-:|' * len(CASES)}"]
    for group, rows in groupby(ROWS.values(), key=lambda row: row.group):
        lines.append(_head(group))
        lines += [f"| {row.title} | {' | '.join(_cells(row))} |" for row in rows]
    group, titles = RANKS
    lines.append(_head(group))
    lines += [f"| {title} | {' | '.join([HOLDS] * len(CASES))} |" for title in titles]
    return "\n".join([*lines, "", *_refusals(), ""])


def _head(group: str) -> str:
    return f"| **{group}** |{' |' * len(CASES)}"


def _cells(row: Row) -> list[str]:
    cells = []
    for case in CASES.values():
        refused = limit(row.name, case)
        if not row.asks(case):
            cells.append(ASKED_NOT)
        elif refused is not None:
            cells.append(f"[{LIMITS.index(refused) + 1}]")
        else:
            cells.append(ON_GPU if row.cuda else HOLDS)
    return cells


def _refusals() -> list[str]:
    """What PyTorch cannot do, with its error."""
    return [f"{n}. {each.words}: “{each.says}”" for n, each in enumerate(LIMITS, 1)]
