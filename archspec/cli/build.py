"""`archspec build FILE`"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from archspec.backends.blame import LayerError
from archspec.backends.files.artefacts import KINDS, ArtefactError, kind_of, write
from archspec.backends.source import print_file
from archspec.cli import Usage
from archspec.cli.common import (
    add_spec_options,
    compiled,
    exit_code,
    fail,
    print_diagnostics,
    print_partial,
)
from archspec.cli.part import add_size_option, selected, sized
from archspec.network import Network

if TYPE_CHECKING:
    from torch import nn

    from archspec.backends.files.weights_report import WeightsReport
    from archspec.backends.trial import Setting

STANDARD_OUTPUT = "-"


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `build`."""
    parser.add_argument("file", metavar="FILE", help="a spec; `-` is standard input")
    parser.add_argument(
        "-o",
        "--output",
        action="append",
        default=[],
        metavar="OUT",
        help=f"write a file instead of running the module: {', '.join(KINDS)}; "
        "`-` prints the source",
    )
    parser.add_argument("--weights", metavar="CHECKPOINT", help="load .pt, .pth or .safetensors")
    parser.add_argument(
        "--partial", action="store_true", help="load the weights that fit, and leave the rest"
    )
    parser.add_argument("--device", default="cpu", help="for example cuda (%(default)s)")
    parser.add_argument("--dtype", default="float32", help="for example bfloat16 (%(default)s)")
    parser.add_argument("--channels-last", action="store_true", help="memory format of the run")
    parser.add_argument("--seed", type=int, default=0, help="of weights and input (%(default)s)")
    parser.add_argument("--batch", type=int, default=2, help="samples of the run (%(default)s)")
    parser.add_argument(
        "--max-params", type=int, metavar="N", help="limit on parameters (default: what fits)"
    )
    parser.add_argument(
        "--features",
        action="append",
        default=[],
        metavar="LAYERS",
        help="only the part that gives the results of these layers, as in layer2,layer4",
    )
    add_size_option(parser)
    add_spec_options(parser)


def run(options: argparse.Namespace) -> int:
    """Build the module; run it once on random input and show what came out, or write files."""
    with_torch = _check(options)
    report = sized(compiled(options), options)
    print_partial(report)
    print_diagnostics(report, options)
    if report.network is None:
        return exit_code(report)
    network = selected(report.network, options.features)
    try:
        return _build(network, options) if with_torch else _write(network, options)
    except (ArtefactError, LayerError) as error:
        return fail(str(error))


def _check(options: argparse.Namespace) -> bool:
    """Whether PyTorch is needed. Raises `Usage` for what can be refused before any work."""
    if options.batch < 1:
        raise Usage("--batch is 1 or more")
    if options.weights == "":
        raise Usage("--weights takes a file, and its name is empty")
    if options.partial and not options.weights:
        raise Usage("--partial says how to load --weights, and there are none")
    files = [Path(name) for name in options.output if name != STANDARD_OUTPUT]
    try:
        kinds = [kind_of(path) for path in files]
    except ArtefactError as error:
        raise Usage(str(error)) from error
    if options.weights and options.output and not any(kind.with_torch for kind in kinds):
        raise Usage("--weights has no effect on source: it holds none")
    return not options.output or any(kind.with_torch for kind in kinds)


def _build(network: Network, options: argparse.Namespace) -> int:
    """Make the module with its weights, then run it or write the files."""
    try:
        from archspec.backends.files.checkpoint import WeightsError
        from archspec.backends.trial import Setting, TrialError, make
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return fail("building needs PyTorch: pip install 'archspec-nn[torch]'")
    setting = Setting(
        device=options.device,
        dtype=options.dtype,
        channels_last=options.channels_last,
        seed=options.seed,
        batch=options.batch,
        max_params=options.max_params,
        init=options.partial or not options.weights,
    )
    try:
        module = make(network, setting)
        if options.weights:
            _load(module, options)
        return (
            _write(network, options, module) if options.output else _run(network, module, setting)
        )
    except WeightsError as error:
        if error.report is None:
            return fail(str(error))
        print(f"archspec: {error}", *_ways_out(error.report, network), sep="\n  ", file=sys.stderr)
        return 1
    except TrialError as error:
        return fail(str(error))


def _ways_out(report: "WeightsReport", network: Network) -> list[str]:
    """What to do about weights that do not fit."""
    ways = ["--partial loads what fits"] if report.loaded else []
    if report.other_size is not None:
        theirs, ours = report.other_size
        names = [
            name for name, value in network.params.items() if value is not True and value == ours
        ]
        if len(names) == 1:
            ways.append(f"was the file made with --set {names[0]}={theirs}?")
    return ways


def _words(options: argparse.Namespace) -> TextIO:
    """Where words go: what stands on standard output is source alone, if that is asked for."""
    return sys.stderr if STANDARD_OUTPUT in options.output else sys.stdout


def _load(module: "nn.Module", options: argparse.Namespace) -> None:
    """Load the weights, and say what became of them."""
    from archspec.backends.files.weights import load_weights

    some = bool(options.features)  # a part of a network needs a part of its weights
    report = load_weights(module, options.weights, partial=options.partial, extra=some)
    count = f"{len(report.loaded)} of {len(report.module_shapes)} keys loaded"
    said = _words(options)
    print(f"{options.weights}: {count}", file=said)
    if text := report.text():
        print(text, file=said)


def _run(network: Network, module: "nn.Module", setting: "Setting") -> int:
    from archspec.backends.trial import try_out

    trial = try_out(network, module, setting)
    print(trial.text())
    return 0 if trial.ok else 1


def _write(network: Network, options: argparse.Namespace, module: "nn.Module | None" = None) -> int:
    said = _words(options)
    for name in options.output:
        if name == STANDARD_OUTPUT:
            print(print_file(network), end="")
        else:
            print(write(network, Path(name), module), flush=True, file=said)
    return 0
