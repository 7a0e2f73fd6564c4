"""`expect:`: the facts that a spec claims, held against its network."""

from collections.abc import Iterator

from archspec.diagnostics import Collector, Refused, Remedy, did_you_mean, shown
from archspec.expr import ExpressionError, Scope, compile_expression
from archspec.network import Network, at
from archspec.sizes import Size
from archspec.spec import Expectation
from archspec.syntax import Scalar


def check_expectation(network: Network, found: Collector) -> None:
    """Report every fact that does not hold, with the figure that does."""
    expectation = network.spec.expectation
    if expectation is None:
        return
    try:
        sizes = expected_sizes(network, expectation, found)
        for claim, size, what in _claims(network, expectation, found):
            _check(claim, size, what, sizes, found)
    except Refused:
        pass  # what was claimed is not known, and that was said


def expected_sizes(network: Network, expectation: Expectation, found: Collector) -> dict[str, int]:
    """The sizes at which the facts hold. Reports and raises `Refused` where there are none."""
    symbols = network.sizes.symbols
    for name, _ in expectation.at.values():
        if name.text not in symbols:
            message = f"no input of the network has a size `{name.text}`"
            listing = f"there are {', '.join(symbols)}" if symbols else "all sizes are fixed"
            help = did_you_mean(name.text, symbols) or listing
            raise found.report("E108", message, name.place, help=help)
    sizes = {name: _number(size, network, found) for name, (_, size) in expectation.at.items()}
    if sizes.keys() == set(symbols) and symbols and not network.sizes.valid(**sizes):
        name, _ = next(iter(expectation.at.values()))
        shown = ", ".join(f"{symbol} = {number}" for symbol, number in sizes.items())
        message = f"the network does not take {shown}"
        raise found.report("E123", message, name.place, help="`archspec sizes` says what it takes")
    return sizes


def _number(node: Scalar, network: Network, found: Collector) -> int:
    """A size as it is written, or as the parameters of the network make it."""
    value = node.value
    if isinstance(value, str):
        try:
            value = compile_expression(value.removeprefix("=")).run(Scope(network.params))
        except ExpressionError as error:
            raise found.report(error.code, error.message, node.place, help=error.help) from None
    if type(value) is not int or value < 0:
        raise found.report("E105", f"a size is a whole number, not {shown(value)}", node.place)
    return value


def _claims(
    network: Network, expectation: Expectation, found: Collector
) -> Iterator[tuple[Scalar, Size, str]]:
    """Every claimed number, what it is in truth, and what it counts."""
    if expectation.parameters is not None:
        yield expectation.parameters, network.parameter_count, "parameters"
    if expectation.macs is not None:
        yield expectation.macs, network.macs, "MACs"
    outputs = network.outputs
    for name, (key, shape) in expectation.outputs.items():
        if name not in outputs:
            message = f"the network has no output `{name}`"
            help = did_you_mean(name, outputs) or f"there are {', '.join(outputs)}"
            raise found.report("E106", message, key.place, help=help)
        real = outputs[name]
        if len(shape) != len(real):
            message = f"`{name}` has a shape of {len(real)}, not of {len(shape)}"
            help = "a shape leaves the batch out"
            raise found.report("E123", message, key.place, help=help)
        for number, (claim, size) in enumerate(zip(shape, real, strict=True), 1):
            yield claim, size, f"in dimension {number} of `{name}`"


def _check(claim: Scalar, size: Size, what: str, sizes: dict[str, int], found: Collector) -> None:
    missing = () if isinstance(size, int) else sorted(size.symbols - sizes.keys())
    if missing:
        message = f"the number depends on {', '.join(missing)}: it holds at some sizes only"
        wanted = ", ".join(f"{name}: 224" for name in missing)
        help = f"say at which, for example `at: {{{wanted}}}`"
        raise found.report("E123", message, claim.place, help=help)
    real = at(size, sizes)
    if real != claim.value:
        message = f"expected {int(claim.value):,} {what}, but there are {real:,}"
        written = f"{real:_}"
        help = Remedy.of(f"write {written} if that is right", claim.text, written, certain=False)
        found.report("E123", message, claim.place, help=help)
