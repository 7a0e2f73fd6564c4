"""`network.sizes` and `network.at`: several symbols, ties, and specs that no size fits."""

import pytest
import torch

import archspec
from archspec import SpecError
from archspec.network import Network
from tests.conformance import ROOT
from tests.test_network_sizes import accepts

FRAME = """archspec: 1
name: frame
inputs: {image: [3, H, W]}
layers:
"""
LINE = "archspec: 1\ninputs: {x: [1, T]}\nlayers:\n"


# Several symbols, and what ties them.


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
    assert network.sizes.words() == ["H >= 3", "W >= 3", "(H - 2)*(W - 2) != 1"]
    network = made("norm: InstanceNorm2d", "conv: {Conv2d: {out_channels: 1, kernel_size: 3}}")
    assert network.sizes.words() == ["H >= 3", "W >= 3"]


def test_what_requirements_exclude_is_no_alternative() -> None:
    """A position for each of 17 tokens would also be stretched over one, and there are more."""
    network = made(
        "patches: {Conv2d: {out_channels: 8, kernel_size: 4, stride: 4}}",
        'tokens: {Rearrange: {pattern: "b c h w -> b (h w) c"}}',
        "first: {Parameter: {shape: [1, 1, 8], init: zeros_}}",
        "all: {Concat: {dim: 1}, from: [first, tokens]}",
        "positions: {Parameter: {shape: [1, 17, 8], init: zeros_}}",
        "add: {Add: [all, positions]}",
    )
    assert network.sizes.words() == ["H >= 4", "W >= 4", "(H // 4)*(W // 4) == 16"]


def test_equal_sides() -> None:
    network = made("turned: {Transpose: {dim0: 2, dim1: 3}}", "join: {Concat: [input, turned]}")
    assert network.sizes.words() == ["any H", "any W", "H == W"]
    assert network.sizes.smallest() == {"H": 1, "W": 1}


def test_inputs_share_a_symbol() -> None:
    head = "archspec: 1\ninputs: {left: [3, H, W], right: [3, H, 8]}\nlayers:\n"
    network = made("join: {Concat: [left, right]}", head=head)
    assert network.sizes.words() == ["any H", "W = 8"]
    assert network.sizes.symbols == ("H", "W")


def test_a_broadcast_by_accident_counts_too() -> None:
    """At 3 a size happens to be 1, and PyTorch stretches it."""
    network = made(
        "pool: {MaxPool1d: {kernel_size: 2, ceil_mode: true}}",
        "conv: {Conv1d: {out_channels: 1, kernel_size: 1, stride: 4}, from: x}",
        "add: {Add: [pool, conv]}",
        head=LINE,
    )
    assert network.sizes.words() == ["T in {1..4}"]
    assert network.outputs == {"output": (1, network.layers[0].output_shape[1])}
    module = network.build()
    for length in range(1, 5):
        shape = (1, network.layers[0].output_shape[1].at({"T": length}))
        assert network.at(T=length).outputs == {"output": shape}
        assert module(torch.ones(2, 1, length)).shape[1:] == shape


def test_given_features_pin_the_sizes() -> None:
    head = "archspec: 1\ninputs: {x: [C, 8, 8]}\nlayers:\n"
    for layer in (
        "BatchNorm2d: {num_features: 12}",
        "Conv2d: {in_channels: 12, out_channels: 1, kernel_size: 1}",
    ):
        assert made(f"one: {{{layer}}}", head=head).sizes.words() == ["C = 12"]


def test_sizes_far_away_are_found() -> None:
    head = "archspec: 1\ninputs: {audio: [1, T]}\nlayers:\n"
    network = made(
        "flat: Flatten", "fc: {Linear: {in_features: 480000, out_features: 1}}", head=head
    )
    assert network.sizes.words() == ["T = 480000"]
    assert network.example_sizes == {"T": 480_000}


def test_sizes_that_an_equation_leaves_are_found() -> None:
    """Not small ones, and no multiples of 32: one size is worked out from the other."""
    head = FRAME.replace("[3, H, W]", "[1, H, W]")
    network = made(
        "flat: Flatten", "fc: {Linear: {in_features: 1001000, out_features: 1}}", head=head
    )
    sizes = network.sizes.smallest()
    assert sizes is not None
    assert network.sizes.valid(**sizes)
    head = "archspec: 1\ninputs: {x: [2, T], y: [2, S]}\nlayers:\n"
    longer = "longer: {ZeroPad1d: {padding: [700, 0]}, from: y}"
    network = made(longer, "both: {Stack: {dim: 1}, from: [x, longer]}", head=head)
    assert network.sizes.smallest() == {"T": 701, "S": 1}


def test_sizes_within_each_other_without_end() -> None:
    """Nothing in a spec exhausts the stack: floors in floors are cut short, and exact."""
    down = "{Conv1d: {out_channels: 3, kernel_size: 3, stride: 3, padding: 1}}"
    up = "{ConvTranspose1d: {out_channels: 3, kernel_size: 3, stride: 2}}"
    network = archspec.loads(LINE + f"  - {down}\n  - {up}\n" * 400)
    (shape,) = network.outputs.values()
    assert str(shape[1]) == "2*(… // 3) + 3"
    assert network.at(T=9).outputs == {"output": (3, shape[1].at({"T": 9}))}


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
    with pytest.raises(TypeError, match="whole number"):
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


def test_an_annotation_knows_what_layers_before_it_require() -> None:
    """Where 2 divides H, twice the half of it is H."""
    halved = "down: {PixelUnshuffle: {downscale_factor: 2}}"
    doubled = "up: {PixelShuffle: {upscale_factor: 2}, shape: [3, H, W]}"
    assert made(halved, doubled).sizes.words() == ["H >= 2 and H even", "W >= 2 and W even"]
    pool = "down: {AvgPool2d: {kernel_size: 2}}"
    up = "up: {Upsample: {scale_factor: 2}, shape: [3, H, W]}"
    with pytest.raises(SpecError, match="`shape:` says 3×H×W"):
        made(pool, up)


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
    assert [(label.text, label.place.line) for label in error.labels] == [
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


def row(n: int) -> str:
    """A layer that wants a length divisible by n."""
    return f"a{n}: {{Unflatten: {{dim: 2, unflattened_size: [-1, {n}]}}, from: x}}"


def test_one_layer_alone_excludes_everything() -> None:
    head = FRAME.replace("[3, H, W]", "[1, H, H]")
    text = refusal("flat: Flatten", "fc: {Linear: {in_features: 50, out_features: 1}}", head=head)
    assert text == "no H works: `fc` needs H*H == 50"


def test_three_layers_exclude_everything_together() -> None:
    pool = "pool: {AvgPool1d: {kernel_size: 2}, from: x}"
    four = "fc: {Linear: {in_features: 4, out_features: 1}}"
    text = refusal(row(2), row(3), pool, four, head=LINE)
    assert text == (
        "no T works: `fc` needs T in {8, 9}, and the layers before it T >= 6 and T divisible by 6"
    )


def test_an_input_has_elements() -> None:
    """A size that is computed from a symbol is positive, as one that is written is."""
    head = "archspec: 1\ninputs: {x: [2, T], y: [2, 20 - T // 3]}\nlayers:\n"
    join = "join: {Concat: {dim: 2}, from: [x, y]}"
    network = made(join, head=head)
    assert network.sizes.words() == ["T from 1 to 59"]
    with pytest.raises(SpecError, match="the size of an input is positive, not 0"):
        network.at(T=60)
    long = "long: {AvgPool1d: {kernel_size: 64}, from: x}"
    assert refusal(join, long, head=head) == (
        "no T works: `long` needs T >= 64, and `y` needs T from 1 to 59"
    )
    assert network.select("join").sizes.words() == ["T from 1 to 59"]
    (told,) = archspec.check(head.replace("20 - T // 3", "T % 4") + f"  {join}\n").diagnostics
    assert told.message == (
        "works only where T not divisible by 4; 4 is the first T above 3 that does not: "
        "the size of an input is positive, not 0"
    )


def test_what_is_not_proved_is_not_claimed() -> None:
    even = "even: {Unflatten: {dim: 2, unflattened_size: [-1, 2]}}"
    flat = "flat: {Flatten, from: image}"
    linear = "fc: {Linear: {in_features: 199999978, out_features: 1}}"  # 2 times a prime
    head = FRAME.replace("[3, H, W]", "[1, H, W]")
    assert refusal(even, flat, linear, head=head) == (
        "no sizes were found, among 2048 of each symbol, for which "
        "H >= 2 and H even and H*W == 199999978"
    )


def test_sizes_that_make_another_network_are_refused() -> None:
    """A negative end counts from the other side: the module of the open sizes does not."""
    head = "archspec: 1\ninputs: {x: [T, 4], y: [S, 4]}\nlayers:\n"
    body = ('start: {Slice: {dim: 1, end: "=T - 7"}, from: x}', "other: {ReLU, from: y}")
    network = archspec.loads(head + "".join(f"  {each}\n" for each in body))
    assert not network.sizes.valid(T=6, S=1)
    for sizes in ({"T": 6, "S": 1}, {"T": 6}):
        with pytest.raises(SpecError, match="`start` needs T >= 7, and has T = 6") as caught:
            network.at(**sizes)
        assert caught.value.diagnostics[0].code == "E114"
    assert network.at(T=7, S=1).layers[0].output_shape == (0, 4)
    assert network.at(S=1).sizes.words() == ["T >= 7"]
