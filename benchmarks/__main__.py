"""`python -m benchmarks [NAME...] [--json]`: all of them, or those that are named."""

import argparse
import json
import sys
from importlib import import_module

NAMES = {
    "check": "the process `archspec check`, against what it cannot do without",
    "inprocess": "`archspec.load` in a warm process, by stage",
    "symbolic": "symbolic sizes against numbers, in a warm process",
    "large": "10 000 and 100 000 layers",
    "build": "`net.build()`, initialising or not, against hand-written modules (needs torch)",
    "bytecodes": "bytecodes of a forward pass against hand-written modules (needs torch)",
    "activations": "peak bytes of live activations, against the same (needs torch)",
    "forward": "time of a forward pass, against the same (needs torch)",
}


def main() -> int:
    """Measure, and print tables or JSON."""
    listing = "\n".join(f"  {name:10} {what}" for name, what in NAMES.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"What archspec costs, against named baselines.\n\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="all of them, if none is named")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}: there are {', '.join(NAMES)}")
    results = {}
    for name in options.names or NAMES:
        print(f"measuring {name} ...", file=sys.stderr)
        benchmark = import_module(f"benchmarks.{name}")
        results[name] = benchmark.measure()
        if not options.json:
            print(benchmark.show(results[name]), flush=True)
    if options.json:
        print(json.dumps(results, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
