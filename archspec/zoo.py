"""The specs of the library folders, one entry a network: what `archspec zoo` lists."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from archspec import library
from archspec.configurations import configure, has_defaults
from archspec.diagnostics import Collector, Refused
from archspec.expand import MAX_LAYERS
from archspec.expectations import expected_sizes
from archspec.network import Network, at
from archspec.rows import Shape
from archspec.spec import Spec
from archspec.spec.including import is_block_file
from archspec.spec.opening import open_spec

COMMON_SIZE = 224
"""Height and width at which a network is counted that takes them and does not say otherwise."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A spec of a library, or one of its variants, before it is made."""

    name: str
    """As commands and `archspec.load` take it: `torchvision/resnet`."""
    spec: Spec
    variant: str | None

    def network(self) -> Network | None:
        """The network; None if it is refused: `archspec check` says why."""
        return configure(self.spec.with_variant(self.variant), {}, MAX_LAYERS, Collector()).network


@dataclass(frozen=True, slots=True)
class Facts:
    """What a network costs, at the sizes for which its spec is known."""

    sizes: dict[str, int]
    """Of its symbols."""
    inputs: dict[str, Shape]
    parameters: int
    macs: int


def entries(libraries: Iterable[Path], words: Iterable[str] = ()) -> Iterator[Entry]:
    """The networks of library folders whose names hold all words, in order."""
    libraries, words = tuple(libraries), [word.lower() for word in words]
    for name, file in _files(libraries).items():
        try:
            spec = open_spec(file, Collector(), libraries)
        except Refused:
            continue
        if is_block_file(spec.node):
            continue
        variants: list[str | None] = [*spec.variants]
        for variant in variants or ([None] if has_defaults(spec, {}) else []):
            if all(word in f"{name} {variant or ''}".lower() for word in words):
                yield Entry(name, spec, variant)


def _files(libraries: tuple[Path, ...]) -> dict[str, Path]:
    """The files by name: of two that are called the same, the first library's counts."""
    found: dict[str, Path] = {}
    for folder in libraries:
        for name in library.names(folder):
            found.setdefault(name.rpartition(".")[0], folder / name)
    return found


def facts(network: Network) -> Facts:
    """The figures of a network."""
    sizes = _sizes(network)
    return Facts(
        sizes,
        {name: tuple(at(size, sizes) for size in shape) for name, shape in network.inputs.items()},
        network.parameter_count,
        at(network.macs, sizes),
    )


def _sizes(network: Network) -> dict[str, int]:
    """The sizes that the spec says under `expect:`, the common ones, or the ones that work."""
    symbols = network.sizes.symbols
    expectation = network.spec.expectation or network.spec.expect
    if expectation is not None and set(expectation.at) == set(symbols):
        with suppress(Refused):  # facts about the defaults: a variant may not take their sizes
            return expected_sizes(network, expectation, Collector())
    common = dict.fromkeys(symbols, COMMON_SIZE)
    return common if network.sizes.valid(**common) else dict(network.example_sizes)
