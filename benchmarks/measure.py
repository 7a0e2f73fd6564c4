"""Processes and medians: what every benchmark measures with. Needs no package."""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "",  # a first run may write its bytecode: the others read it
    "PYTHONHASHSEED": "0",  # instruction counts repeat only if dicts do
    "PYTHONPATH": str(ROOT),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process cost."""

    cpu: float
    """Seconds of CPU, system time included."""
    peak: float
    """Megabytes of memory at most."""


def process(command: Sequence[str]) -> tuple[Cost, str]:
    """Run a command to its end: its cost, and what it printed. Raises if it fails."""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdout=out, cwd=ROOT, env=_ENVIRONMENT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        printed = out.read().decode()
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} gave {child.returncode}: {printed}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit), printed


def python(*arguments: str) -> list[str]:
    """The command that runs this Python with arguments."""
    return [sys.executable, *arguments]


def child(module: str, *arguments: str) -> Any:
    """What a module of ours prints as JSON, in a process of its own."""
    _, printed = process(python("-m", module, *arguments))
    return json.loads(printed)


def interleaved(runs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Every run once a round, in turn: what disturbs the machine disturbs all of them alike."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            found[name].append(run())
    return found


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """The median over the pairs of one round."""
    return statistics.median(a / b for a, b in zip(numerators, denominators, strict=True))


def instructions(command: Sequence[str]) -> int | None:
    """Instructions of a process, by valgrind; None where there is no valgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null", "--trace-children=no"]
    found = subprocess.run(
        [valgrind, *tool, *command], capture_output=True, text=True, cwd=ROOT, env=_ENVIRONMENT
    )
    collected = re.search(r"Collected : (\d+)", found.stderr)
    if found.returncode or collected is None:
        raise RuntimeError(f"valgrind failed: {found.stderr[-500:]}")
    return int(collected[1])


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in plain text: the first column to the left, numbers to the right."""
    cells = [list(head), *([_shown(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = []
    for row in cells:
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        lines.append("  ".join([row[0].ljust(widths[0]), *rest]))
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(["", title, *lines])


def _shown(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.1f}" if cell >= 10 else f"{cell:.2f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
