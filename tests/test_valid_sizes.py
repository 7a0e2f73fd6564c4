"""Which sizes a network accepts: sets in words, and the same sizes one by one."""

import itertools
import json
from pathlib import Path

import pytest
import torch
from hypothesis import event, given, settings
from hypothesis import strategies as st

import archspec
from archspec import SpecError
from archspec.cli import main
from archspec.network import Network, at
from archspec.sizes import (
    Condition,
    Domain,
    Size,
    ValidSet,
    divisible,
    equal,
    maximum,
    minimum,
    solving,
    unequal,
)
from archspec.sizes.periodic import SizeSet, Stretch, intersection, tidy
from archspec.sizes.words import words
from tests.conformance import ROOT

DOMAIN = Domain()
H, W = DOMAIN.symbol("H"), DOMAIN.symbol("W")
TRIED = 300


def needed(*conditions: bool | Condition) -> tuple[Condition, ...]:
    """What is left to need, of comparisons none of which is false."""
    assert False not in conditions
    return tuple(each for each in conditions if isinstance(each, Condition))


def of_h(*conditions: bool | Condition) -> ValidSet:
    return ValidSet("H", needed(*conditions))


def brute(conditions: tuple[Condition, ...], limit: int = TRIED) -> set[int]:
    return {h for h in range(1, limit) if all(c.at({"H": h}) for c in conditions)}


# Named sets: what they say.


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ((), "any H"),
        ((H >= 1,), "any H"),
        ((H >= 15,), "H >= 15"),
        ((H >= 16, divisible(H, 16)), "H >= 16 and H divisible by 16"),
        ((divisible(H, 2),), "H >= 2 and H even"),
        ((divisible(H + 1, 2),), "H odd"),
        ((equal(H // 2, 2 * (H // 4)),), "H mod 4 in {0, 1}"),
        ((divisible(H, 2), H <= 9), "H in {2, 4, 6, 8}"),
        ((divisible(H, 2), divisible(H + 1, 2)), "no H"),
        ((H <= 4, unequal(H, 3)), "H in {1, 2, 4}"),
        ((equal(H, 7),), "H = 7"),
        ((equal(64 * H, 64 * 480_000),), "H = 480000"),
        ((equal((H + 399) // 320, 1500),), "H from 479601 to 479920"),
        ((H >= 3, H <= 1000, divisible(H, 3)), "H from 3 to 999 and H divisible by 3"),
        ((unequal(H, 1),), "H >= 2"),
        ((unequal(H, 5),), "any H, except 5"),
        ((unequal(H // 4, 2), H >= 3), "H >= 3, except 8..11"),
        ((unequal(H % 3, 0),), "H not divisible by 3"),
        ((equal(H % 8, 3),), "H >= 3 and H mod 8 = 3"),
        ((equal((H * H) % 3, 1),), "H not divisible by 3"),
        ((equal(H * H, 196),), "H = 14"),
        ((equal(H * H, 195),), "no H"),
        ((H * H - 20 * H >= -75,), "H in {1..5}, or H >= 15"),
        ((equal(minimum(H // 2, 7), 7),), "H >= 14"),
        ((minimum(H, 12 - H) >= 7,), "no H"),
        ((minimum(H, 12 - H) >= 4,), "H in {4..8}"),
        ((maximum(H // 2, 7) >= 8,), "H >= 16"),
        ((unequal(H % 7, 2),), "H mod 7 not in {2}"),
        ((equal(H // 16, 2 * (H // 32)),), "H mod 32 in {0..15}"),
    ],
)
def test_words(conditions: tuple[bool | Condition, ...], text: str) -> None:
    assert str(of_h(*conditions)) == text


def test_many_remainders_are_cut_short() -> None:
    primes = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79}
    text = words("H", SizeSet((Stretch(1, 200, frozenset(primes)),)))
    assert text == (
        "H >= 2 and H mod 200 in "
        "{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, … (22 remainders)}"
    )


# Sets that are not worked out.


def test_a_long_period_is_not_decided() -> None:
    rare = of_h(divisible(H, 317), divisible(H + 1, 331))
    assert not rare.decided
    assert not rare.empty
    assert "not decided" in str(rare)
    assert "H % 317 == 0" in str(rare)
    assert rare.contains(317 * 330) == (317 * 330 % 331 == 330)
    assert rare.smallest is None


def test_one_long_period_is_not_decided() -> None:
    assert not of_h(equal(H // 200_003, 2 * (H // 400_006))).decided
    assert of_h(equal(H // 40_000, 2 * (H // 80_000))).decided


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    conditions = [divisible(H + n, 4096) for n in range(40)]
    assert of_h(conditions[0]).decided
    monkeypatch.setattr(solving, "WORK", 4000)
    assert not of_h(conditions[0]).decided


# Laws.


def sizes_of_h() -> st.SearchStrategy[Size]:
    """Sizes as layers make them, and products, minima and maxima of them."""
    small = st.integers(1, 6)

    def deeper(inner: st.SearchStrategy[Size]) -> st.SearchStrategy[Size]:
        pairs = st.tuples(inner, inner)
        return st.one_of(
            st.builds(lambda x, a, d: (x + a) // d, inner, st.integers(-5, 7), small),
            st.builds(lambda x, k, c: x * k + c, inner, st.integers(-2, 4), st.integers(-9, 9)),
            pairs.map(lambda pair: pair[0] + pair[1]),
            pairs.map(lambda pair: pair[0] * pair[1]),
            pairs.map(lambda pair: minimum(*pair)),
            pairs.map(lambda pair: maximum(*pair)),
        )

    return st.recursive(st.just(H), deeper, max_leaves=5)


@st.composite
def conditions_on_h(draw: st.DrawFn) -> Condition | bool:
    left, right = draw(sizes_of_h()), draw(st.one_of(sizes_of_h(), st.integers(-20, 60)))
    kind = draw(st.sampled_from(["==", "!=", ">=", ">", "%"]))
    if isinstance(left, int):
        left = H + left
    if kind == "%":
        return divisible(left, draw(st.integers(2, 12)))
    made = {
        "==": lambda: equal(left, right),
        "!=": lambda: unequal(left, right),
        ">=": lambda: left >= right,
        ">": lambda: left > right,
    }
    return made[kind]()


@given(st.lists(conditions_on_h(), min_size=1, max_size=3))
def test_law_sets_are_exact(drawn: list[Condition | bool]) -> None:
    conditions = tuple(each for each in drawn if isinstance(each, Condition))
    valid = ValidSet("H", conditions)
    members = brute(conditions, 2000)
    assert {h for h in range(1, 2000) if valid.contains(h)} == members
    far = [*range(99_900, 100_100), 10**6 + 7, 10**9, 10**12 + 1]
    assert all(valid.contains(h) == all(c.at({"H": h}) for c in conditions) for h in far)
    if members:
        assert valid.smallest == min(members)
        assert valid.first(5) == sorted(members)[:5] or len(members) < 5
    if valid.empty:
        assert not members
    assert not valid.contains(0)
    assert not valid.contains(-32)
    assert str(valid)


STRETCHES = st.lists(
    st.tuples(st.integers(1, 12), st.integers(1, 12), st.frozensets(st.integers(0, 11))),
    min_size=1,
    max_size=5,
)


def set_of(drawn: list[tuple[int, int, frozenset[int]]]) -> SizeSet:
    starts = itertools.accumulate((length for length, _, _ in drawn), initial=1)
    return SizeSet(
        tuple(
            Stretch(start, period, frozenset(r for r in residues if r < period))
            for start, (_, period, residues) in zip(starts, drawn, strict=False)
        )
    )


@given(STRETCHES, STRETCHES)
def test_law_sets_meet_and_are_tidied(first: object, second: object) -> None:
    a, b = set_of(first), set_of(second)  # type: ignore[arg-type]
    both = intersection(a, b)
    assert both is not None
    for size in range(400):
        assert both.contains(size) == (a.contains(size) and b.contains(size))
        assert tidy(a.stretches).contains(size) == a.contains(size)
    assert tidy(both.stretches) == both
    assert (
        list(itertools.takewhile(lambda s: s < 400, both.members()))
        == [size for size in range(400) if both.contains(size)]
        or not both.last.residues
    )


# Networks: the claimed set is what `at` accepts, and what PyTorch accepts.

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
    except (RuntimeError, ValueError):
        return False
    results = result if isinstance(result, tuple) else (result,)
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
        assert not {d.code for d in report.diagnostics} - {"E116", "E202", "E204"}, text
        return
    valid = report.network.sizes.sets["T"]
    assert valid.decided
    event(str(valid))
    taken = {n for n in range(1, TRIED + 1) if accepts(report.network, T=n)}
    assert taken == {n for n in range(1, TRIED + 1) if n in valid}, text
    module = report.network.build().train()
    for size in telling(valid):
        assert runs(report.network, module, T=size) == (size in valid), (text, size)


# Several symbols, and what ties them.

FRAME = """archspec: 1
name: frame
inputs: {image: [3, H, W]}
layers:
"""


def made(*layers: str, head: str = FRAME) -> Network:
    return archspec.loads(head + "".join(f"  {layer}\n" for layer in layers))


def test_a_tie_is_an_equation() -> None:
    network = made("flat: Flatten", "head: {Linear: {in_features: 147, out_features: 2}}")
    sizes = network.sizes
    assert sizes.words() == ["any H", "any W", "H*W == 49"]
    assert sizes.needs() == ["H*W == 49"]
    assert sizes.smallest() == {"H": 7, "W": 7}
    assert sizes.valid(H=1, W=49)
    assert not sizes.valid(H=48, W=1)
    assert accepts(network, H=49, W=1)
    assert not accepts(network, H=49, W=2)


def test_a_tie_that_the_sets_imply_is_not_told() -> None:
    network = made("norm: InstanceNorm2d")
    assert network.sizes.words() == ["any H", "any W", "H*W != 1"]
    network = made("conv: {Conv2d: {out_channels: 1, kernel_size: 3}}", "pool: InstanceNorm2d")
    assert network.sizes.words() == ["H >= 3", "W >= 3", "H*W - 2*H - 2*W + 4 != 1"]
    network = made("norm: InstanceNorm2d", "conv: {Conv2d: {out_channels: 1, kernel_size: 3}}")
    assert network.sizes.words() == ["H >= 3", "W >= 3"]


def test_equal_sides() -> None:
    network = made("turned: {Transpose: {dim0: 2, dim1: 3}}", "join: {Concat: [input, turned]}")
    assert network.sizes.words() == ["any H", "any W", "H == W"]
    assert network.sizes.smallest() == {"H": 1, "W": 1}


def test_inputs_share_a_symbol() -> None:
    head = "archspec: 1\ninputs: {left: [3, H, W], right: [3, H, 8]}\nlayers:\n"
    network = made("join: {Concat: [left, right]}", head=head)
    assert network.sizes.words() == ["any H", "W = 8"]
    assert network.sizes.symbols == ("H", "W")


def test_sizes_far_away_are_found() -> None:
    head = "archspec: 1\ninputs: {audio: [1, T]}\nlayers:\n"
    network = made(
        "flat: Flatten", "fc: {Linear: {in_features: 480000, out_features: 1}}", head=head
    )
    assert network.sizes.words() == ["T = 480000"]
    assert network.example_sizes == {"T": 480_000}


def test_a_network_without_symbols() -> None:
    network = made("relu: ReLU", head="archspec: 1\ninputs: {x: [3, 8, 8]}\nlayers:\n")
    assert network.sizes.words() == []
    assert network.sizes.symbols == ()
    assert network.sizes.valid()
    assert network.sizes.smallest() == {}
    assert network.at().inputs == network.inputs
    with pytest.raises(TypeError, match="no symbol `H`: it has none"):
        network.at(H=3)


def test_valid_wants_every_symbol() -> None:
    sizes = made("relu: ReLU").sizes
    assert sizes.valid(H=1, W=10**9)
    assert not sizes.valid(H=0, W=3)
    with pytest.raises(TypeError, match="a size is missing: W"):
        sizes.valid(H=3)
    with pytest.raises(TypeError, match="no symbol `D`: it has H, W"):
        sizes.valid(H=3, W=3, D=3)
    with pytest.raises(TypeError, match="whole number, not 3.0"):
        sizes.valid(H=3.0, W=3)  # type: ignore[arg-type]


# `at`.


def test_at_gives_the_concrete_network() -> None:
    network = archspec.load(ROOT / "specs/unet.yaml", params={"width": 8})
    small = network.at(H=32, W=48)
    assert small.inputs == {"image": (1, 32, 48)}
    assert small.outputs == {"output": (2, 32, 48)}
    assert small.conditions == []
    assert small.params["width"] == 8
    assert small.parameter_count == network.parameter_count


def test_at_says_what_is_wrong_and_where() -> None:
    network = archspec.load(ROOT / "specs/unet.yaml")
    with pytest.raises(SpecError) as refused:
        network.at(H=224, W=225)
    (diagnostic,) = refused.value.diagnostics[:1]
    assert diagnostic.code == "E202"
    assert "225 and 224" in diagnostic.message
    assert diagnostic.line > 0
    with pytest.raises(SpecError, match="positive"):
        network.at(H=0, W=32)


def test_at_may_leave_symbols_open() -> None:
    network = archspec.load(ROOT / "specs/unet.yaml")
    half = network.at(H=32)
    assert half.sizes.words() == ["W >= 16 and W divisible by 16"]
    assert half.at(W=16).inputs == {"image": (1, 32, 16)}
    with pytest.raises(TypeError):
        half.at(H=16)


def test_at_binds_symbols_in_expressions_and_shapes() -> None:
    network = made(
        "pool: {AdaptiveAvgPool2d: {output_size: 4}, shape: [3, 4, 4]}",
        "same: {Identity, from: input, shape: [3, H, W]}",
    )
    assert network.at(H=5, W=6).outputs == {"output": (3, 5, 6)}


def test_a_symbol_may_be_called_self() -> None:
    network = made("relu: ReLU", head="archspec: 1\ninputs: {x: [self]}\nlayers:\n")
    assert network.at(self=4).outputs == {"output": (4,)}
    assert network.sizes.valid(self=4)


# Specs that no size fits.

ODD_AND_EVEN = ROOT / "tests/cases/symbolic_contradiction.yaml"


def test_nothing_fits() -> None:
    (error,) = archspec.check(ODD_AND_EVEN).diagnostics
    assert error.code == "E116"
    assert error.message == "no H works: `odd` needs H odd, and `even` needs H >= 2 and H even"
    assert [(label.message, label.place.line) for label in error.labels] == [
        ("needs H >= 2 and H even", 8),
        ("needs H odd", 12),
    ]
    assert error.help == "without what `odd` needs, H = 224 would do"


def refusal(*layers: str, head: str = FRAME) -> str:
    with pytest.raises(SpecError) as refused:
        made(*layers, head=head)
    (error,) = refused.value.diagnostics
    assert error.code == "E116"
    return error.message


LINE = "archspec: 1\ninputs: {x: [1, T]}\nlayers:\n"


def test_one_layer_alone_excludes_everything() -> None:
    layer = "{MaxPool1d: {kernel_size: 3, ceil_mode: true, stride: 4, padding: 1}}"
    flat = "flat: Flatten", "fc: {Linear: {in_features: 8, out_features: 1}}"
    rows = "rows: {Unflatten: {dim: 1, unflattened_size: [1, -1]}}"
    text = refusal("twice: {Concat: {dim: 2}, from: [x, x]}", flat[0], f"odd: {layer}", head=LINE)
    assert text, rows


def test_three_layers_exclude_everything_together() -> None:
    text = refusal(
        "even: {Unflatten: {dim: 2, unflattened_size: [-1, 2]}}",
        "threes: {Unflatten: {dim: 2, unflattened_size: [-1, 3]}, from: x}",
        "flat: {Flatten, from: x}",
        "six: {Linear: {in_features: 9, out_features: 1}}",
        head=LINE,
    )
    assert text == "no T works: `six` needs T = 9, and `even` needs T >= 2 and T even"


def test_what_is_not_proved_is_not_claimed() -> None:
    flat = "flat: Flatten", "fc: {Linear: {in_features: 3000001, out_features: 1}}"
    head = FRAME.replace("[3, H, W]", "[1, H, W]")
    text = refusal("even: {Unflatten: {dim: 2, unflattened_size: [-1, 2]}}", *flat, head=head)
    assert text == (
        "no input sizes were found, up to 2048 of each symbol, for which "
        "H >= 2 and H even and H*W == 3000001"
    )


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
    networks = {path.stem: archspec.load(path) for path in ROOT.glob("specs/**/*.yaml")}
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


# The command.


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main(["sizes", *arguments])
    except SystemExit as left:
        assert isinstance(left.code, int)
        code = left.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


UNET = str(ROOT / "specs/unet.yaml")


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = command(capsys, UNET, "--set", "width=4")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "unet: image 1×H×W → output 2×H×W",
        "takes H >= 16 and H divisible by 16",
        "takes W >= 16 and W divisible by 16",
        "smallest: H = 16, W = 16",
    ]


def test_command_tries(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = command(capsys, UNET, "--try", "32,225", "--try", "W=48,H=16")
    assert code == 1
    works, fails, mixed = out.splitlines()[-3:]
    assert works == "H = 32, W = 32 works: output 2×32×32"
    assert fails.startswith("H = 225, W = 225 does not work: Concat")
    assert "E202" in fails
    assert mixed == "H = 16, W = 48 works: output 2×16×48"
    assert command(capsys, UNET, "--try", "32")[0] == 0


@pytest.mark.parametrize(
    "text", ["a", "", "0", "-3", "H=32", "H=3,W=4,D=5", "3,H=4", "²", "1" * 19]
)
def test_command_usage(capsys: pytest.CaptureFixture[str], text: str) -> None:
    code, out, err = command(capsys, UNET, f"--try={text}")
    assert (code, out) == (2, "")
    assert err.startswith("archspec: --try")


def test_command_without_symbols(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(ROOT / "specs/lenet.yaml")
    code, out, _ = command(capsys, file)
    assert code == 0
    assert "no symbolic sizes" in out
    assert command(capsys, file, "--try", "3")[0] == 2
    data = json.loads(command(capsys, file, "--json")[1])
    assert (data["sizes"], data["smallest"]) == ({}, None)


def test_command_errors(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command(capsys, str(tmp_path / "missing.yaml"))[0] == 2
    code, out, err = command(capsys, str(ODD_AND_EVEN))
    assert code == 1
    assert "E116" in err
    code, out, _ = command(capsys, str(ODD_AND_EVEN), "--json")
    assert (code, out) == (1, "")


def test_command_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = command(capsys, UNET, "--json", "--table", "--try", "16,17")
    assert code == 1
    data = json.loads(out)
    assert data["sizes"]["H"] == {
        "words": "H >= 16 and H divisible by 16",
        "smallest": 16,
        "stretches": [{"from": 1, "period": 16, "remainders": [0]}],
    }
    assert data["outputs"] == {"output": [2, "H", "W"]}
    assert data["smallest"] == {"H": 16, "W": 16}
    assert data["ties"] == []
    assert len(data["layers"]) == len(archspec.load(UNET).layers)
    good, bad = data["tried"]
    assert good == {"sizes": {"H": 16, "W": 16}, "works": True, "outputs": {"output": [2, 16, 16]}}
    assert bad["error"]["code"] == "E202"


def test_command_table(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = command(capsys, str(ROOT / "specs/nin.yaml"), "--table")
    assert "8    AdaptiveAvgPool2d  10×1×1" in out
    assert "5    MaxPool2d          384×((H + 29) // 32 - 2)×((W + 29) // 32 - 2)" in out


def test_command_says_what_is_not_decided(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "rare.yaml"
    rows = [
        f"a{n}: {{Unflatten: {{dim: 2, unflattened_size: [-1, {n}]}}, from: x}}" for n in (317, 331)
    ]
    file.write_text(LINE + "".join(f"  {row}\n" for row in rows) + "outputs: [a317, a331]\n")
    code, out, err = command(capsys, str(file))
    assert code == 0, err
    assert "not decided" in out
