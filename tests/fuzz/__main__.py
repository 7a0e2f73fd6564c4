"""A long soak: `python -m tests.fuzz [MINUTES]` mutates good specs, and reports findings."""

import random
import resource
import sys
import time
import traceback

import archspec
from tests.fuzz.mutations import GOOD, mutate

SECONDS_PER_100_KB = 1.0


def main() -> int:
    """Run, and print every finding: an exception, or a verdict that took too long."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    end = time.monotonic() + minutes * 60
    seed = time.time_ns()
    runs = accepted = findings = 0
    slowest = 0.0
    while time.monotonic() < end:
        random_ = random.Random(seed + runs)
        text = mutate(random_.choice(GOOD), random_, steps=6)
        began = time.process_time()
        try:
            accepted += archspec.check(text + "\n").ok
        except Exception:
            findings += 1
            print(f"--- seed {seed + runs}\n{text}\n---")
            traceback.print_exc()
        took = time.process_time() - began
        slowest = max(slowest, took)
        if took > SECONDS_PER_100_KB * max(1.0, len(text) / 100_000):
            findings += 1
            print(f"--- seed {seed + runs}: {took:.1f} s\n{text}\n---")
        runs += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(
        f"{runs} specs, {accepted} accepted, {findings} findings; "
        f"slowest {slowest:.2f} s, peak memory {peak:.0f} MB"
    )
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
