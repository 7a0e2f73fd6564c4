"""`archspec build FILE`"""

import argparse

from archspec.cli.common import (
    add_spec_options,
    compiled,
    exit_code,
    fail,
    print_diagnostics,
    print_partial,
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `build`."""
    parser.add_argument("file", metavar="FILE", help="a spec; `-` is standard input")
    parser.add_argument("--device", default="cpu", help="for example cuda (%(default)s)")
    parser.add_argument("--dtype", default="float32", help="for example bfloat16 (%(default)s)")
    parser.add_argument("--channels-last", action="store_true", help="memory format of the run")
    parser.add_argument("--seed", type=int, default=0, help="of weights and input (%(default)s)")
    parser.add_argument("--batch", type=int, default=2, help="samples of the run (%(default)s)")
    parser.add_argument(
        "--max-params", type=int, metavar="N", help="limit on parameters (default: what fits)"
    )
    add_spec_options(parser)


def run(options: argparse.Namespace) -> int:
    """Build the module, run it once on random input, and show what came out."""
    report = compiled(options)
    print_partial(report)
    print_diagnostics(report, options)
    if report.network is None:
        return exit_code(report)
    if options.batch < 1:
        return fail("--batch is 1 or more")
    try:
        from archspec.backends.trial import TrialError, try_out
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return fail("building needs PyTorch: pip install 'archspec-nn[torch]'")
    try:
        trial = try_out(
            report.network,
            device=options.device,
            dtype=options.dtype,
            channels_last=options.channels_last,
            seed=options.seed,
            batch=options.batch,
            max_params=options.max_params,
        )
    except TrialError as error:
        return fail(str(error))
    print(trial.text())
    return 0 if trial.ok else 1
