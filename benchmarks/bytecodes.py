"""Bytecodes of one forward pass: the built module against a hand-written one. Needs torch.

All Python counts, PyTorch's included: what differs is what the two modules say themselves. Run in
its own process as a program, which prints JSON.
"""

import json
import sys
from functools import partial
from types import FrameType
from typing import Any

from benchmarks.measure import child, table


def count(run: Any) -> int:
    """How many bytecodes of Python a call executes."""
    total = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal total
        frame.f_trace_opcodes = True
        total += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return total


def main() -> None:
    """Count both of every pair."""
    import torch

    from benchmarks.networks import prepared

    rows = []
    for name, written, built, fed in prepared():
        with torch.no_grad():
            if not torch.equal(written(fed), built(fed)):
                raise SystemExit("the two modules give different numbers")
            counts = [count(partial(module, fed)) for module in (written, built)]
        ratio = counts[1] / counts[0]
        rows.append({"network": name, "written": counts[0], "built": counts[1], "ratio": ratio})
    print(json.dumps(rows))


def measure() -> dict[str, Any]:
    """Bytecodes of both, for every network."""
    return {"rows": child("benchmarks.bytecodes")}


def show(found: dict[str, Any]) -> str:
    """The table."""
    rows = [
        (row["network"], row["written"], row["built"], f"{row['ratio']:.4f}")
        for row in found["rows"]
    ]
    title = "bytecodes: one forward pass in eval"
    return table(title, ("network", "hand-written", "net.build()", "ratio"), rows)


if __name__ == "__main__":
    main()
