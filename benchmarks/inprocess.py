"""`archspec.load` in a warm process, whole and by stage. Prints JSON; run in its own process."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from benchmarks.measure import child, table

SPECS = ("specs/resnet18.yaml", "benchmarks/resnet50.yaml")
AIM = 3.0


def main(path: str, rounds: int) -> None:
    """Time the stages of one spec."""
    import archspec
    from archspec.diagnostics import Collector
    from archspec.expand import expand
    from archspec.spec import read_spec
    from archspec.syntax import read, read_file

    source = read_file(Path(path), Collector())
    tree = read(source, Collector())
    spec = read_spec(tree, Collector())
    stages: dict[str, Callable[[], Any]] = {
        "load": lambda: archspec.load(path),
        "read": lambda: read(read_file(Path(path), Collector()), Collector()),
        "spec": lambda: read_spec(tree, Collector()),
        "expand": lambda: expand(spec, {}, Collector()),
        "table": lambda: archspec.load(path).layers,
    }
    times: dict[str, list[float]] = {name: [] for name in stages}
    for turn in range(rounds + 3):
        for name, stage in stages.items():
            start = process_time()
            stage()
            if turn >= 3:  # by then it is warm
                times[name].append((process_time() - start) * 1000)
    found = {name: median(each) for name, each in times.items()}
    found["table"] -= found["load"]
    layers = len(archspec.load(path).layers)
    print(json.dumps({"file": path, "layers": layers, **found}))


def measure(*, rounds: int = 50) -> dict[str, Any]:
    """CPU milliseconds of `load` and of its stages, for each spec."""
    rows = [child("benchmarks.inprocess", path, str(rounds)) for path in SPECS]
    return {"aim_ms": AIM, "rounds": rounds, "rows": rows}


def show(found: dict[str, Any]) -> str:
    """The table."""
    columns = ("file", "layers", "load", "read", "spec", "expand", "table")
    rows = [[row[column] for column in columns] for row in found["rows"]]
    title = (
        f"load: CPU ms in a warm process, median of {found['rounds']} "
        f"(aim: {found['aim_ms']} for ResNet-18)"
    )
    return table(title, columns, rows)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
