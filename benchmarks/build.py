"""`net.build()`, initialising or not, against the hand-written constructor. Needs torch.

Run in its own process as a program, which prints JSON.
"""

import json
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

from benchmarks.measure import child, interleaved, ratio, table

ROUNDS = 15
BASE = "hand-written"
CONTROL = "hand-written again (control)"
TWICE = "hand-written, initialised twice"
WAYS = ("build()", "build(init=False)", 'build(device="meta")')
CODE = "code generation alone"
AIMS = {"ResNet-18": (0.65, 0.05), "GoogLeNet": (1.05, 0.25), "1000-layer chain": (1.05, 0.70)}
"""Of a build that initialises, and of one that does not."""
TWICE_OVER = ("ResNet-18",)
"""Whose constructor in torchvision initialises the convolutions twice: the aim is set by that."""


def main() -> None:
    """Construct all of them, interleaved."""
    import torch

    import archspec
    from archspec.backends.source import generate
    from benchmarks.networks import PAIRS

    torch.set_num_threads(1)
    rows = []
    for name, pair in PAIRS.items():
        pair.modules()  # refuses modules that differ
        net = archspec.load(pair.path)
        normal, skipped, meta = WAYS
        runs: dict[str, Callable[[], Any]] = {
            BASE: pair.written,
            CONTROL: pair.written,
            normal: net.build,
            skipped: lambda n=net: n.build(init=False),
            meta: lambda n=net: n.build(device="meta"),
            CODE: lambda n=net: generate(n),
        }
        if name in TWICE_OVER:
            runs[TWICE] = lambda p=pair: p.written(kaiming=True)
        times = interleaved({way: lambda r=run: _seconds(r) for way, run in runs.items()}, ROUNDS)
        rows.append(
            {
                "network": name,
                "aim": AIMS[name][0],
                "aim_without_init": AIMS[name][1],
                "ms": {way: median(each) * 1000 for way, each in times.items()},
                "ratio": {way: ratio(each, times[BASE]) for way, each in times.items()},
            }
        )
    print(json.dumps(rows))


def _seconds(run: Callable[[], Any]) -> float:
    start = process_time()
    made = run()
    spent = process_time() - start
    del made
    return spent


def measure() -> dict[str, Any]:
    """CPU milliseconds of each construction, and its ratio to the hand-written one."""
    return {"rounds": ROUNDS, "rows": child("benchmarks.build")}


def show(found: dict[str, Any]) -> str:
    """The table."""
    head = ("network", "hand-written ms", "control", "twice", *WAYS, "aims", "code ms")
    rows = [
        (
            row["network"],
            row["ms"][BASE],
            row["ratio"][CONTROL],
            row["ratio"].get(TWICE),
            *(row["ratio"][way] for way in WAYS),
            f"{row['aim']:.2f}, {row['aim_without_init']:.2f}",
            row["ms"][CODE],
        )
        for row in found["rows"]
    ]
    return table("build: CPU of the constructor, ratios to hand-written", head, rows)


if __name__ == "__main__":
    main()
