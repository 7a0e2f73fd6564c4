"""`dynamic_shapes` and `export_plan`: what export is told, what it drops, and that it runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import event, given, settings
from torch.export import Dim, export

import archspec
from archspec.exportable import FIXES
from archspec.exporting import ExportPlan, Progression
from archspec.network import Network
from tests.conformance import ROOT
from tests.test_network_sizes import specs

IMAGE = "archspec: 1\ninputs: {x: [3, H, W]}\nlayers:\n"
LINE = "archspec: 1\ninputs: {x: [2, T]}\nlayers:\n"
HALF = "  down: {AvgPool1d: {kernel_size: 2}}\n  up: {Upsample: {scale_factor: 2}}\n"


def inputs_at(network: Network, sizes: dict[str, int], batch: int) -> tuple[torch.Tensor, ...]:
    """Inputs of these sizes."""
    made = []
    for tensor in network.input_tensors.values():
        shape = (batch, *(s if isinstance(s, int) else s.at(sizes) for s in tensor.shape))
        kind = getattr(torch, tensor.dtype)
        made.append(torch.randn(shape) if tensor.is_float else torch.ones(shape, dtype=kind))
    return tuple(made)


def sizes_of(plan: ExportPlan) -> Iterator[dict[str, int]]:
    """The smallest sizes of a plan, and two larger ones; different ones for different symbols."""
    firsts = list(dict.fromkeys(plan.alike.values()))
    for step in (0, 2, 5):
        sizes = dict(plan.example)
        for name, first in plan.alike.items():
            kept = plan.kept[name]
            ahead = kept.first + kept.step * step * (1 + firsts.index(first))
            sizes[name] = ahead if kept.contains(ahead) else kept.first
        yield sizes


def exports(network: Network) -> ExportPlan:
    """The plan of a network, after the export ran at three sizes with the eager results."""
    plan = network.export_plan()
    module = network.build().eval()
    example = inputs_at(network, dict(plan.example), 3)
    program = export(module, example, dynamic_shapes=network.dynamic_shapes()).module()
    for batch, sizes in zip((2, 1, 4), sizes_of(plan), strict=True):
        assert network.sizes.valid(**sizes)
        inputs = inputs_at(network, sizes, batch)
        with torch.no_grad():
            torch.testing.assert_close(program(*inputs), module(*inputs), rtol=1e-4, atol=1e-4)
    return plan


def line(layers: str, head: str = LINE) -> Network:
    return archspec.loads(head + layers)


# What a plan says.


def test_sizes_of_one_within_are_dropped() -> None:
    plan = exports(line("  a: {Conv1d: {out_channels: 2, kernel_size: 3, stride: 2}}\n"))
    assert plan.kept == {"T": Progression(5)}
    assert str(plan) == "exported for T >= 5\ndropped: of T >= 3, all but T >= 5"
    assert plan.example == {"T": 6}


def test_one_progression_is_kept() -> None:
    plan = exports(line(HALF + "  join: {Concat: [x, up]}\n"))
    assert plan.kept == {"T": Progression(4, 2)}
    assert plan.dropped == ("of T >= 2 and T even, all but T >= 4 and T even",)


def test_of_several_remainders_the_densest_progression() -> None:
    network = line("  a: ReLU\n", LINE.replace("layers", 'requires: {T: "% 6 != 5"}\nlayers'))
    plan = exports(network)
    assert plan.kept == {"T": Progression(2, 2)}
    network = line("  a: ReLU\n", LINE.replace("layers", 'requires: {T: "% 6 > 3"}\nlayers'))
    assert exports(network).kept == {"T": Progression(4, 6)}


def test_multiples_are_kept_before_others() -> None:
    """A network of windows takes a little less than a multiple too; images are given multiples."""
    halved = "  halved: {Conv1d: {out_channels: 2, kernel_size: 1, stride: 2}}\n"
    windows = '  windows: {Rearrange: {pattern: "b c (t p) -> b (c p) t", p: 3}}\n'
    plan = exports(line(halved + windows))
    assert plan.kept == {"T": Progression(12, 6)}


def test_of_few_sizes_most_are_kept() -> None:
    """Of 10, 12 and 16, only one is a multiple of 6."""
    rule = "% 6 != 1 and % 6 != 2 and % 6 != 3 and % 6 != 5 and >= 10 and <= 16"
    network = line("  a: ReLU\n", LINE.replace("layers", f'requires: {{T: "{rule}"}}\nlayers'))
    assert exports(network).kept == {"T": Progression(10, 6, 16)}


def test_bounds() -> None:
    head = LINE.replace("layers", 'requires: {T: "% 5 == 3 and <= 100"}\nlayers')
    plan = exports(line("  a: ReLU\n", head))
    assert plan.kept == {"T": Progression(3, 5, 98)}
    assert plan.dropped == ()


def test_a_single_size_is_fixed() -> None:
    head = LINE.replace("layers", 'requires: {T: "== 100"}\nlayers')
    network = line("  a: ReLU\n", head)
    assert exports(network).dropped == ()
    assert list(network.dynamic_shapes()["x"]) == [0]
    assert network.dynamic_shapes(batch=False) == {"x": {}}


def test_equal_symbols_share_a_dimension() -> None:
    turned = "  turned: {Transpose: {dim0: 2, dim1: 3}}\n  join: {Concat: [x, turned]}\n"
    network = line(turned, IMAGE)
    plan = exports(network)
    assert str(plan).startswith("exported for H >= 2 and W >= 2 and H == W\n")
    dims = network.dynamic_shapes()["x"]
    assert dims[2] is dims[3]


def test_an_equation_fixes_its_symbols() -> None:
    layers = "  flat: Flatten\n  fc: {Linear: {in_features: 147, out_features: 2}}\n"
    plan = exports(line(layers, IMAGE))
    assert plan.kept == {}
    assert plan.dropped[0] == "of any H, all but H = 7: the network needs H*W == 49"


def test_multiples_of_a_symbol() -> None:
    head = (
        'archspec: 1\ninputs: {a: [2, T], b: [2, 2 * T + 1]}\nrequires: {T: "% 3 == 1"}\nlayers:\n'
    )
    network = line("  join: {Concat: {dim: 2}, from: [a, b]}\n", head)
    plan = exports(network)
    assert plan.kept == {"T": Progression(4, 3)}
    assert not plan.automatic


def test_clipped_windows_are_left_to_export() -> None:
    pool = "  pool: {MaxPool2d: {kernel_size: 3, stride: 2, ceil_mode: true}}\n"
    network = line(pool + "  conv: {Conv2d: {out_channels: 2, kernel_size: 3}}\n", IMAGE)
    plan = exports(network)
    assert plan.automatic
    assert network.dynamic_shapes()["x"][2] == Dim.AUTO
    assert plan.dropped[-1] == (
        "the bounds, which export finds itself: `ceil_mode` of `pool` is beyond its solver"
    )


def test_windows_that_are_clipped_here_and_there() -> None:
    """Export takes the branch of the example: sizes that are divisible by 3 take the other."""
    network = line("  pool: {AvgPool1d: {kernel_size: 2, stride: 3, ceil_mode: true}}\n")
    assert exports(network).kept == {"T": Progression(4, 3)}


def test_a_norm_over_shifted_sizes_is_left_to_export() -> None:
    layers = "  pad: {CircularPad1d: {padding: 4}}\n  norm: InstanceNorm1d\n  a: ReLU\n"
    plan = exports(line(layers))
    assert plan.automatic
    assert plan.kept == {"T": Progression(4)}


def test_clipped_windows_are_beyond_its_solver_still() -> None:
    """If this fails, torch has learned it: then `Dim.AUTO` is not needed any more."""
    network = line("  pool: {MaxPool1d: {kernel_size: 3, stride: 2, ceil_mode: true}}\n")
    dims = {"x": {0: Dim("batch"), 2: Dim("T", min=40)}}
    with pytest.raises(Exception, match="Constraints violated"):
        export(network.build().eval(), (torch.randn(3, 2, 50),), dynamic_shapes=dims)


def test_smaller_sizes_are_taken_for_fixed_still() -> None:
    """If this fails, export takes sizes of 1 within: then fewer sizes need to be dropped."""
    network = line("  a: {Conv1d: {out_channels: 2, kernel_size: 3, stride: 2}}\n")
    dims = {"x": {0: Dim("batch"), 2: Dim("T", min=3)}}
    with pytest.raises(Exception, match="Constraints violated"):
        export(network.build().eval(), (torch.randn(3, 2, 50),), dynamic_shapes=dims)


def test_conditions_on_several_growing_symbols_raise_the_bounds() -> None:
    """The windows of two axes are 2 or more together: from sizes on at which each has enough."""
    layers = "  down: {AvgPool2d: {kernel_size: 8}}\n  flat: {Flatten: {start_dim: 2}}\n"
    head = IMAGE.replace("layers", "requires: {H: '% 8 == 0'}\nlayers")
    plan = exports(line(layers, head))
    assert plan.kept == {"H": Progression(16, 8), "W": Progression(16)}


def test_a_permuted_map_joined_with_a_parameter_is_left_to_export() -> None:
    network = archspec.load(
        ROOT / "specs/torchvision/convnext.yaml", params={"depth": [1, 1], "dims": [8, 8]}
    )
    assert exports(network).automatic


def test_names_do_not_collide() -> None:
    head = (
        "archspec: 1\ninputs: {x: [batch, T], y: [batch, _T]}\n"
        'requires: {T: "% 2 == 0", _T: "% 3 == 0"}\nlayers:\n'
    )
    exports(line("  join: {Concat: {dim: 2}, from: [x, y]}\n", head))


def test_tokens() -> None:
    head = "archspec: 1\ninputs: {t: {shape: [T], dtype: int64}}\nlayers:\n"
    layers = (
        "  embed: {Embedding: {num_embeddings: 9, embedding_dim: 8}}\n"
        "  encode: {TransformerEncoderLayer: {nhead: 2, dim_feedforward: 8}}\n"
        "  attend: {ScaledDotProductAttention: [encode, encode, encode]}\n"
    )
    assert exports(line(layers, head)).kept == {"T": Progression(2)}


FIXING = {
    "MaxPool1d": "MaxPool1d: {kernel_size: 2}",
    "RNN": "RNN: {hidden_size: 2}",
    "GRU": "GRU: {hidden_size: 2}",
    "LSTM": "LSTM: {hidden_size: 2}",
}


@pytest.mark.filterwarnings("ignore:The tensor attribute")
@pytest.mark.parametrize("kind", FIXES)
def test_types_that_export_keeps_at_one_size_still(kind: str) -> None:
    """If this fails, torch has learned to keep the length of one of them open: strike it out."""
    short = LINE.replace(
        "layers:", 'requires: {T: ">= 2 and <= 8"}\nlayers:'
    )  # export unrolls the steps
    steps = 2 if kind == "MaxPool1d" else 1
    head = short if steps == 2 else short.replace("[2, T]", "[T, 4]")
    network = line(f"  a: {{{FIXING[kind]}}}\n", head)
    plan = exports(network)
    assert plan.kept == {}
    assert plan.dropped[0].endswith(f"export keeps no length open that `a` ({kind}) takes")
    dims = {"x": {0: Dim("batch"), steps: Dim("T", min=4)}}
    example = inputs_at(network, {"T": 6}, 3)
    with pytest.raises(Exception, match="Constraints violated"):
        export(network.build().eval(), example, dynamic_shapes=dims)


# Laws.


@settings(max_examples=8, deadline=None)
@given(specs())
def test_law_the_plan_exports(text: str) -> None:
    check_plan(text)


@pytest.mark.soak
@settings(deadline=None)
@given(specs())
def test_law_the_plan_exports_soak(text: str) -> None:
    check_plan(text)


def check_plan(text: str) -> None:
    network = archspec.check(text).network
    if network is None:
        event("refused")
        return
    event((str(exports(network)) or "all").splitlines()[0].partition(":")[0])


# The specs of this project.

QUICK = {"resnet18": {}, "unet": {"width": 2}, "nin": {}}


@pytest.mark.parametrize("name", QUICK)
def test_specs(name: str) -> None:
    exports(archspec.load(ROOT / f"specs/{name}.yaml", params=QUICK[name]))


ALL = sorted(path for path in ROOT.glob("specs/**/*.yaml") if "blocks" not in path.parent.name)
MOST_PARAMETERS = 100_000_000
"""Larger networks are not built for this."""
SLOW = {"maxvit": 224}
"""Specs that are exported at one size: with open ones export takes too long to be tried here."""


def symbolised(path: Path) -> Iterator[Network]:
    """The network of a spec; where its sizes are numbers, with symbols for them, if it can."""
    network = archspec.load(path)
    yield network
    shapes = {shape for shape in network.inputs.values() if len(shape) > 1}
    text = path.read_text(encoding="utf-8")
    for shape in shapes:
        if all(isinstance(size, int) for size in shape):
            written = ", ".join(map(str, shape))
            symbols = ["H", "W"] if len(shape) == 3 else ["T"]
            text = text.replace(f"[{written}]", f"[{', '.join([str(shape[0]), *symbols])}]")
    found = archspec.check(text).network if text != path.read_text(encoding="utf-8") else None
    if found is not None:
        yield found


@pytest.mark.soak
@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT / "specs")))
def test_every_spec_exports(path: Path) -> None:
    for network in symbolised(path):
        if path.stem in SLOW:
            network = network.at(**dict.fromkeys(network.sizes.symbols, SLOW[path.stem]))
        if network.parameter_count < MOST_PARAMETERS:
            exports(network)
