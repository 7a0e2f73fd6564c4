"""Generated specs of 10 000 and 100 000 layers: time, linearity and memory."""

import json
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from benchmarks.measure import ROOT, process, python, table

SIZES = (10_000, 100_000)
AIM = "linear; 100 000 layers in a few seconds and 500 MB"
_CONV = "{Conv2d: {out_channels: %d, kernel_size: 3, padding: 1, dilation: 1, bias: false}}"


def text(layers: int) -> str:
    """A spec of so many layers in one scope: residual pairs of convolutions, no two blocks alike.

    Every layer is written out: about 70 bytes each, nothing repeated that a cache could know
    except what real networks repeat, too (a few widths).
    """
    lines = ["archspec: 1", "name: large", "inputs:", "  image: [16, 32, 32]", "layers:"]
    lines += (f"  {line}" for line, _ in zip(_lines(), range(layers), strict=False))
    return "\n".join([*lines, ""])


def _lines() -> Iterator[str]:
    """Layer after layer. A layer may end the spec wherever it stands."""
    number = 0
    while True:
        wide = 16 + 4 * (number % 8)
        before = f"add{number - 1}" if number else "image"
        yield f"conv{number}a: {_CONV % wide}"
        yield f"norm{number}a: {{BatchNorm2d: {{eps: 1.0e-5, momentum: 0.1}}}}"
        yield f"relu{number}: {{ReLU: {{inplace: false}}}}"
        yield f"conv{number}b: {_CONV % 16}"
        yield f"add{number}: {{Add: [conv{number}b, {before}]}}"
        number += 1


def main(path: str, limit: int) -> None:
    """Check one file, by stage; prints JSON with milliseconds of CPU."""
    from archspec.diagnostics import Collector
    from archspec.expand import expand
    from archspec.pipeline import _without_gc
    from archspec.spec import read_spec
    from archspec.syntax import read, read_file

    found = Collector()
    marks = [process_time()]
    with _without_gc():
        tree = read(read_file(Path(path), found), found)
        marks.append(process_time())
        spec = read_spec(tree, found)
        marks.append(process_time())
        expand(spec, {}, found, limit)
        marks.append(process_time())
    seconds = [after - before for before, after in pairwise(marks)]
    print(json.dumps(dict(zip(("read", "spec", "expand"), seconds, strict=True))))


def measure(*, rounds: int = 3) -> dict[str, Any]:
    """CPU seconds and megabytes of the process `archspec check`, and seconds of its stages."""
    rows = []
    with tempfile.TemporaryDirectory(dir=ROOT / "benchmarks") as folder:
        for size in SIZES:
            path = Path(folder, f"large{size}.yaml")
            path.write_text(text(size))
            limit = str(size)
            checking = python("-m", "archspec", "check", "--max-layers", limit, str(path))
            costs = [process(checking)[0] for _ in range(rounds)]
            _, printed = process(python("-m", "benchmarks.large", str(path), limit))
            rows.append(
                {
                    "layers": size,
                    "megabytes_yaml": path.stat().st_size / 1e6,
                    "check_s": median(cost.cpu for cost in costs),
                    "peak_mb": max(cost.peak for cost in costs),
                    **json.loads(printed),
                }
            )
    small, large = rows
    grown = large["check_s"] / small["check_s"] / (large["layers"] / small["layers"])
    return {"aim": AIM, "rounds": rounds, "linearity": grown, "rows": rows}


def show(found: dict[str, Any]) -> str:
    """The table."""
    columns = ("layers", "megabytes_yaml", "check_s", "read", "spec", "expand", "peak_mb")
    head = ("layers", "MB of YAML", "check s", "read", "spec", "expand", "peak MB")
    rows = [[row[column] for column in columns] for row in found["rows"]]
    title = f"large specs: CPU seconds (aim: {found['aim']})"
    times = f"time per layer, {rows[1][0]:,} against {rows[0][0]:,}: {found['linearity']:.2f}"
    return f"{table(title, head, rows)}\n{times}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
