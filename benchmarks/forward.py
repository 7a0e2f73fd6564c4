"""CPU time of a forward pass: the built module against a hand-written one. Needs torch.

Run in its own process as a program, which prints JSON.
"""

import json
from copy import deepcopy
from statistics import median
from time import process_time
from typing import Any

from benchmarks.measure import child, interleaved, ratio, table

ROUNDS = 25
WRITTEN = "hand-written"
CONTROL = "hand-written again (control)"
BUILT = "net.build()"


def main() -> None:
    """Run both of every pair, interleaved."""
    import torch

    from benchmarks.networks import prepared

    rows = []
    for name, written, built, fed in prepared():

        def seconds(module: Any, fed: Any = fed) -> float:
            start = process_time()
            module(fed)
            return process_time() - start

        # The control is another instance: the same one would find its objects in the caches.
        modules = {WRITTEN: written, CONTROL: deepcopy(written), BUILT: built}
        with torch.no_grad():
            for module in modules.values():
                module(fed)
            runs = {key: lambda m=module: seconds(m) for key, module in modules.items()}
            found = interleaved(runs, ROUNDS)
        rows += [
            {
                "network": name,
                "module": key,
                "ms": median(times) * 1000,
                "ratio": ratio(times, found[WRITTEN]),
            }
            for key, times in found.items()
        ]
    print(json.dumps(rows))


def measure() -> dict[str, Any]:
    """CPU milliseconds of each forward pass."""
    return {"rounds": ROUNDS, "rows": child("benchmarks.forward")}


def show(found: dict[str, Any]) -> str:
    """The table."""
    rows = [
        (f"{row['network']}: {row['module']}", row["ms"], row["ratio"]) for row in found["rows"]
    ]
    title = "forward: one sample in eval, small images"
    return table(title, ("module", "CPU ms", "ratio"), rows)


if __name__ == "__main__":
    main()
