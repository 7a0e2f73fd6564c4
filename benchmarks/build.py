"""`net.build()` of ResNet-18 against a hand-written module. Needs torch.

Run in its own process as a program, which prints JSON.
"""

import json
from statistics import median
from time import process_time
from typing import Any

from benchmarks.measure import child, interleaved, ratio, table

SPEC = "specs/resnet18.yaml"
ROUNDS = 15
BASE = "hand-written"


def main() -> None:
    """Construct all of them, interleaved."""
    import torch

    import archspec
    from archspec.backends.source import generate
    from benchmarks.handwritten import ResNet18

    torch.set_num_threads(1)
    net = archspec.load(SPEC)
    _compare(net.build(), ResNet18())
    runs = {
        BASE: ResNet18,
        "hand-written again (control)": ResNet18,
        "hand-written, initialised twice as torchvision's": lambda: ResNet18(kaiming=True),
        "net.build()": net.build,
        "net.build(): the code generation alone": lambda: generate(net),
    }
    found = interleaved({name: lambda r=run: _seconds(r) for name, run in runs.items()}, ROUNDS)
    rows = [
        {"module": name, "ms": median(times) * 1000, "ratio": ratio(times, found[BASE])}
        for name, times in found.items()
    ]
    print(json.dumps(rows))


def _seconds(run: Any) -> float:
    start = process_time()
    made = run()
    spent = process_time() - start
    del made
    return spent


def _compare(built: Any, written: Any) -> None:
    """Refuse to compare modules that differ."""
    shapes = [
        [(name, tuple(tensor.shape)) for name, tensor in module.state_dict().items()]
        for module in (built, written)
    ]
    if shapes[0] != shapes[1]:
        raise SystemExit("the built module and the hand-written one differ")


def measure() -> dict[str, Any]:
    """CPU milliseconds of each construction."""
    return {"rounds": ROUNDS, "rows": child("benchmarks.build")}


def show(found: dict[str, Any]) -> str:
    """The table."""
    rows = [(row["module"], row["ms"], row["ratio"]) for row in found["rows"]]
    title = "build: constructing ResNet-18, initialisation included"
    return table(title, ("module", "CPU ms", "ratio"), rows)


if __name__ == "__main__":
    main()
