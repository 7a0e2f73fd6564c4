"""The matrix as a table of the docs: rows by group, a column for each network, refusals below."""

from tests.matrix import ROWS
from tests.matrix.compiling import COMPILE, EXPORT, TRACE
from tests.matrix.limits import LIMITS, limit
from tests.matrix.nets import CASES
from tests.matrix.reading import CHANGE, COPY, READ
from tests.matrix.registry import Row
from tests.matrix.running import FUNC, MEMORY, QUANTISE, WHERE

GROUPS = (READ, COPY, CHANGE, COMPILE, EXPORT, TRACE, FUNC, WHERE, MEMORY, QUANTISE)
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
    for group in GROUPS:
        lines.append(_head(group))
        rows = (row for row in ROWS.values() if row.group == group)
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
