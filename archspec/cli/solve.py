"""`archspec solve conv --in 32 --out 32 --kernel 5`"""

import argparse

from archspec.cli.common import fail
from archspec.solve import KINDS, Solution, solve

_NAMES = {"kernel_size": "kernel", "in": "in", "out": "out"}
MAX_SHOWN = 12


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `solve`."""
    parser.add_argument("kind", choices=sorted(KINDS), help="which formula")
    parser.add_argument("--in", type=int, dest="size", metavar="N", help="input size")
    parser.add_argument("--out", type=int, dest="wanted", metavar="N", help="output size")
    parser.add_argument("--kernel", type=int, dest="kernel_size", metavar="N")
    parser.add_argument("--stride", type=int, metavar="N")
    parser.add_argument("--padding", type=int, metavar="N")
    parser.add_argument("--dilation", type=int, metavar="N")


def run(options: argparse.Namespace) -> int:
    """Print what solves the question; exit 1 if nothing does."""
    names = ("kernel_size", "stride", "padding", "dilation")
    known = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.kernel_size is None and (options.wanted is None or options.size is None):
        return fail("give --kernel, or both --in and --out to solve for it")
    try:
        solution = solve(options.kind, size=options.size, wanted=options.wanted, arguments=known)
    except ValueError as error:
        return fail(str(error))
    print(text(solution))
    return 0 if solution.values else 1


def text(solution: Solution) -> str:
    """The answer in words."""
    name = _NAMES.get(solution.unknown, solution.unknown)
    if not solution.values:
        near = [f"{name} {value} gives {result}" for value, result in solution.nearest]
        same = "; `padding: same` does it" if solution.same else ""
        return f"no {name} does it" + (f": {', '.join(near)}" if near else "") + same
    return f"{name} {_listed(solution.values)}\n{solution.formula}"


def _listed(values: tuple[int, ...]) -> str:
    if len(values) > 2 and values == tuple(range(values[0], values[-1] + 1)):
        return f"{values[0]} to {values[-1]}"
    shown = ", ".join(map(str, values[:MAX_SHOWN]))
    return shown + (", …" if len(values) > MAX_SHOWN else "")
