"""The specs of this project with their sizes left open: what they claim to take, PyTorch takes.

Around every edge of the claimed sets in CI; every size up to 300 and a grid of pairs in the soak.
Where a spec has fixed sizes they are replaced by symbols, and literal widths are made smaller.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest
import torch

import archspec
from archspec.network import Network, at
from tests.conformance import ROOT
from tests.test_network_sizes import runs, telling

FOLDERS = ("specs", "specs/basics", "specs/torchvision", "specs/segmentation")
FILES = {
    f"{path.parent.name}/{path.stem}": path
    for each in FOLDERS
    for path in sorted((ROOT / each).glob("*.yaml"))
}
LARGEST = 12_000_000
"""Parameters from which on a network is tried in the soak only."""
NEEDS_ITS_SIZE = {"vit", "swin", "swin_v2"}
"""Networks with tables of positions: an input of another size needs other parameters."""


def symbolic(path: Path) -> str:
    """A spec with symbols in the place of all sizes of its inputs but the first of each."""
    text = path.read_text()
    head, found, rest = text.partition("\ninputs:\n")
    section, _, body = rest.partition("\n\n") if "\n\n" in rest else (rest, "", "")
    lines = [
        _opened(line) if re.match(r"  \w+: \[", line) else line for line in section.splitlines()
    ]
    joined = "\n".join(lines)
    return f"{head}{found}{joined}\n\n{_narrow(body)}" if found else text


def _opened(line: str) -> str:
    name, _, sizes = line.partition("[")
    first, *others = sizes.partition("]")[0].split(",")
    opened = [size if size.strip().isalpha() else f" S{n}" for n, size in enumerate(others)]
    return f"{name}[{','.join([first, *opened])}]"


def _narrow(body: str) -> str:
    pattern = r"((?:out_channels|out_features|num_features): )(\d+)"
    return re.sub(pattern, lambda m: f"{m[1]}{max(2, int(m[2]) // 16)}", body)


@cache
def load(name: str) -> Network | None:
    """The network with open sizes; None if it cannot have them."""
    path = FILES[name]
    opened = symbolic(path)
    for text in (opened, pinned(path, opened), path.read_text()):
        network = _accepted(text, path)
        if network is not None and network.sizes.symbols:
            return network
    return None


def _accepted(text: str, path: Path) -> Network | None:
    try:
        return archspec.loads(text, filename=str(path))
    except archspec.SpecError:
        return None


def pinned(path: Path, opened: str) -> str:
    """With the features of the first Linear written down: they say what sizes may be."""
    closed = _accepted(path.read_text(), path)
    if closed is None:
        return opened
    narrow = opened
    for each in closed.input_tensors.values():
        for number, size in enumerate(each.shape[1:]):
            narrow = narrow.replace(f" S{number}", f" {size}", 1)
    network = _accepted(narrow, path)
    rows = () if network is None else network.layers
    features = next((row.args["in_features"] for row in rows if row.type == "Linear"), None)
    return opened.replace("Linear: {", f"Linear: {{in_features: {features}, ", 1)


def every_formula_is_true(network: Network, module: torch.nn.Module, sizes: dict[str, int]) -> None:
    """Every child gives the shape that its formula says."""
    rows = {row.path: row for row in reversed(network.layers)}
    seen: dict[str, tuple[int, ...]] = {}

    def keep(name: str, result: object) -> None:
        first = result[0] if isinstance(result, tuple) else result
        assert isinstance(first, torch.Tensor)
        seen.setdefault(name, tuple(first.shape[1:]))

    hooks = [
        child.register_forward_hook(lambda _, __, result, name=name: keep(name, result))
        for name, child in module.named_modules()
        if name in rows and not rows[name].reused
    ]
    assert runs(network, module, **sizes)
    for hook in hooks:
        hook.remove()
    assert seen
    for name, shape in seen.items():
        assert shape == tuple(at(size, sizes) for size in rows[name].output_shape), name


def moved(least: Mapping[str, int], name: str, size: int) -> dict[str, int]:
    return {**least, name: size}


def edges(network: Network) -> Iterator[dict[str, int]]:
    """The smallest sizes, each of which is then put near every edge of its set."""
    least = network.sizes.smallest()
    assert least is not None
    yield least
    for name, valid in network.sizes.sets.items():
        for size in sorted(telling(valid))[:7]:
            yield moved(least, name, size)


def test_most_specs_take_open_sizes() -> None:
    found = {name: load(name) for name in FILES}
    networks = {name: network for name, network in found.items() if network is not None}
    assert len(networks) >= 40, sorted(set(FILES) - set(networks))
    assert not NEEDS_ITS_SIZE & {name.partition("/")[2] for name in networks}
    assert all(valid.decided for net in networks.values() for valid in net.sizes.sets.values())


@pytest.mark.parametrize("name", FILES)
def test_edges_are_those_of_torch(name: str) -> None:
    network = load(name)
    if network is None:
        pytest.skip("its sizes are part of what it is")
    if network.parameter_count > LARGEST:
        pytest.skip("large: see the soak")
    module = network.build().eval()
    for number, sizes in enumerate(edges(network)):
        assert runs(network, module, **sizes) == network.sizes.valid(**sizes), sizes
        if number == 0:
            every_formula_is_true(network, module, sizes)


@pytest.mark.soak
@pytest.mark.parametrize("name", FILES)
def test_every_size_is_as_torch_says(name: str) -> None:
    network = load(name)
    if network is None:
        pytest.skip("its sizes are part of what it is")
    module = network.build().eval()
    least = network.sizes.smallest()
    assert least is not None
    axes = [moved(least, each, size) for each in least for size in range(1, 301)]
    names = list(least)[:2]
    grid = [
        {**least, names[0]: a, names[-1]: b} for a in range(1, 100, 7) for b in range(1, 100, 9)
    ]
    for sizes in (*axes, *grid):
        works = network.sizes.valid(**sizes)
        assert runs(network, module, **sizes) == works, sizes
        if works and sum(sizes.values()) % 16 == 0:
            every_formula_is_true(network, module, sizes)
