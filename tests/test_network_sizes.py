"""Which sizes a network accepts: what `sizes` claims, `at` gives, and PyTorch runs."""

import pytest
import torch
from hypothesis import event, given, settings
from hypothesis import strategies as st

import archspec
from archspec import SpecError
from archspec.network import Network, at
from archspec.sizes import ValidSet
from tests.conformance import ROOT

TRIED = 300

# The claimed set is what `at` accepts, and what PyTorch accepts.

WINDOWS = st.fixed_dictionaries(
    {"kernel_size": st.integers(1, 5), "stride": st.integers(1, 3), "padding": st.integers(0, 2)}
)


@st.composite
def windows(draw: st.DrawFn) -> str:
    window = draw(WINDOWS)
    kind = draw(st.sampled_from(["Conv", "Conv", "ConvTranspose", "MaxPool", "AvgPool"]))
    if kind == "Conv":
        return f"Conv1d: {{out_channels: 2, dilation: {draw(st.integers(1, 3))}, {inline(window)}}}"
    window["padding"] = min(window["padding"], (window["kernel_size"] - 1) // 2)
    if kind == "ConvTranspose":
        return f"ConvTranspose1d: {{out_channels: 2, {inline(window)}}}"
    rounding = draw(st.sampled_from(["true", "false"]))
    return f"{kind}1d: {{ceil_mode: {rounding}, {inline(window)}}}"


def inline(arguments: dict[str, int]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in arguments.items())


OTHERS = st.one_of(
    st.sampled_from([2, 3, 0.5, 1.5]).map(lambda scale: f"Upsample: {{scale_factor: {scale}}}"),
    st.tuples(st.integers(-2, 3), st.integers(-2, 3)).map(
        lambda ends: f"ZeroPad1d: {{padding: [{ends[0]}, {ends[1]}]}}"
    ),
    st.integers(1, 3).map(lambda n: f"ReflectionPad1d: {{padding: {n}}}"),
    st.integers(1, 4).map(lambda n: f"CircularPad1d: {{padding: {n}}}"),
    st.sampled_from(["InstanceNorm1d", "ReLU"]),
    st.sampled_from([2, 4]).map(lambda n: f"Unflatten: {{dim: 2, unflattened_size: [{n}, -1]}}"),
)


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A chain of layers over a sequence, with joins of what must have the same length."""
    lines = ["archspec: 1", "inputs: {x: [2, T]}", "layers:", "  l0: ReLU"]
    for number in range(1, draw(st.integers(2, 7))):
        layer = draw(st.one_of(windows(), windows(), OTHERS))
        if number > 1 and draw(st.integers(0, 2)) == 0:
            layer = f"Concat: [l{number - 1}, l{draw(st.integers(0, number - 2))}]"
        if layer.startswith("Unflatten"):
            lines.append(f"  rows{number}: {{{layer}}}")
            layer = "Flatten: {start_dim: 2}"
        lines.append(f"  l{number}: {{{layer}}}")
    return "\n".join(lines) + "\n"


def accepts(network: Network, **sizes: int) -> bool:
    """Whether the same spec with these sizes in the place of symbols is accepted."""
    try:
        concrete = network.at(**sizes)
    except SpecError:
        return False
    found = [row.output_shape for row in concrete.layers]
    assert found == [tuple(at(size, sizes) for size in r.output_shape) for r in network.layers]
    return True


def runs(network: Network, module: torch.nn.Module, **sizes: int) -> bool:
    """Whether PyTorch takes inputs of these sizes; if so, the outputs must be as predicted."""
    inputs = [
        torch.zeros(2, *(at(size, sizes) for size in tensor.shape))
        for tensor in network.input_tensors.values()
    ]
    try:
        with torch.no_grad():
            result = module(*inputs)
    except (RuntimeError, ValueError, IndexError):
        return False
    results = tuple(result.values()) if isinstance(result, dict) else result
    results = results if isinstance(results, tuple) else (results,)
    for real, shape in zip(results, network.outputs.values(), strict=True):
        assert tuple(real.shape) == (2, *(at(size, sizes) for size in shape))
    return True


def telling(valid: ValidSet) -> set[int]:
    """Sizes near which a set changes its rule, and some others."""
    assert valid.sizes is not None
    starts = [stretch.start for stretch in valid.sizes.stretches]
    near = {size + step for size in (1, *starts) for step in (-1, 0, 1, 2)}
    near |= {33, 48, 64, *valid.first(2), *(size + 1 for size in valid.first(2))}
    return {size for size in near if 1 <= size <= TRIED}


@settings(max_examples=20)
@given(specs())
def test_law_the_set_is_what_a_network_takes(text: str) -> None:
    check_set(text)


@pytest.mark.soak
@given(specs())
def test_law_the_set_is_what_a_network_takes_soak(text: str) -> None:
    check_set(text)


def check_set(text: str) -> None:
    """Size by size, the claimed set is what the shape rules accept; PyTorch agrees on some."""
    report = archspec.check(text)
    if report.network is None:
        event("refused")
        assert not {d.code for d in report.diagnostics} - {"E116", "E202", "E204", "E209"}, text
        return
    valid = report.network.sizes.sets["T"]
    assert valid.decided
    event(str(valid))
    taken = {n for n in range(1, TRIED + 1) if accepts(report.network, T=n)}
    assert taken == {n for n in range(1, TRIED + 1) if n in valid}, text
    module = report.network.build().train()
    for size in telling(valid):
        assert runs(report.network, module, T=size) == (size in valid), (text, size)


# The specs of this project.

EXPECTED = {
    "densenet121": "H >= 29",
    "googlenet_d2l": "any H",
    "mobilenet_v2": "any H",
    "nin": "H >= 67",
    "resnet18": "any H",
    "resnet18_d2l": "any H",
    "two_stream": "any H",
    "unet": "H >= 16 and H divisible by 16",
}


def test_every_symbolic_spec_is_expected() -> None:
    files = [*ROOT.glob("specs/*.yaml"), *ROOT.glob("specs/basics/*.yaml")]
    networks = {path.stem: archspec.load(path) for path in files}
    assert {name for name, network in networks.items() if network.sizes.symbols} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_specs(name: str) -> None:
    params = {"width": 4} if name == "unet" else {}
    network = archspec.load(ROOT / f"specs/{name}.yaml", params=params)
    assert network.sizes.words() == [EXPECTED[name], EXPECTED[name].replace("H", "W")]
    module = network.build().eval()
    valid = network.sizes.sets["H"]
    least = network.sizes.smallest()
    assert least is not None
    for size in sorted({least["H"] - 1, least["H"], least["H"] + 1} - {0}):
        assert runs(network, module, H=size, W=least["W"]) == (size in valid)
        assert runs(network, module, H=least["H"], W=size) == (size in valid)
        assert accepts(network, H=size, W=least["W"]) == (size in valid)
