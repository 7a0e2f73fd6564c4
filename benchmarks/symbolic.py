"""`archspec.load` of a network with symbolic sizes, against the same network with numbers."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from benchmarks.measure import child, table

SPECS = ("benchmarks/resnet50.yaml", "specs/densenet121.yaml", "specs/unet.yaml")
AIM = 1.5


def main(path: str, rounds: int) -> None:
    """Time the two, one of each per round, as a whole and the sizes alone."""
    import archspec
    from archspec.diagnostics import Collector
    from archspec.expand import expand
    from archspec.spec import read_spec
    from archspec.syntax import read, read_file

    symbolic = archspec.load(path)
    sizes = dict.fromkeys(symbolic.sizes.symbols, 224)
    spec = read_spec(read(read_file(Path(path), Collector()), Collector()), Collector())
    kinds: dict[str, Callable[[], Any]] = {
        "concrete": lambda: expand(spec, {}, Collector(), sizes=sizes),
        "symbolic": lambda: expand(spec, {}, Collector()),
        "control": lambda: expand(spec, {}, Collector(), sizes=sizes),
        "sizes": lambda: expand(spec, {}, Collector()).sizes.words(),
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for turn in range(rounds + 3):
        for name, kind in kinds.items():
            start = process_time()
            kind()
            if turn >= 3:  # by then it is warm
                times[name].append((process_time() - start) * 1000)
    found = {name: median(each) for name, each in times.items()}
    ratios = {
        f"{name}_ratio": median(a / b for a, b in zip(times[name], times["concrete"], strict=True))
        for name in ("symbolic", "control", "sizes")
    }
    print(json.dumps({"file": path, "layers": len(symbolic.applications), **found, **ratios}))


def measure(*, rounds: int = 50) -> dict[str, Any]:
    """CPU milliseconds from the typed spec to the network, for each spec."""
    rows = [child("benchmarks.symbolic", path, str(rounds)) for path in SPECS]
    return {"aim_ratio": AIM, "rounds": rounds, "rows": rows}


def show(found: dict[str, Any]) -> str:
    """The table."""
    columns = ("file", "layers", "concrete", "symbolic", "ratio", "control", "with words")
    keys = ("file", "layers", "concrete", "symbolic", "symbolic_ratio", "control_ratio")
    rows = [[*(row[key] for key in keys), row["sizes_ratio"]] for row in found["rows"]]
    title = (
        f"expand with symbolic sizes: CPU ms in a warm process, median of {found['rounds']} "
        f"(aim: ratio {found['aim_ratio']} for ResNet-50)"
    )
    return table(title, columns, rows)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
