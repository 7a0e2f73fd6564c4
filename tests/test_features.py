"""Feature maps: which there are, and the part of a network that gives them. Torch decides."""

from fractions import Fraction
from pathlib import Path

import pytest
import torch

import archspec
from archspec.backends.feature_table import feature_table
from archspec.cli import main
from tests.helpers import spec

SPECS = Path(__file__).parents[1] / "specs"


IN_PLACE = """archspec: 1
name: small
inputs: {image: [3, 8, 8]}
layers:
  conv: {Conv2d: {out_channels: 4, kernel_size: 3}}
  relu: {ReLU: {inplace: true}}
  view: {Unflatten: {dim: 1, unflattened_size: [2, 2]}}
  merged: {Flatten: {start_dim: 1, end_dim: 2}}
  act: {ReLU: {inplace: true}}
  pool: {AdaptiveAvgPool2d: {output_size: 1}}
"""
NESTED = """archspec: 1
name: nested
inputs: {image: [3, H, W]}
blocks:
  Down:
    params: {out: int}
    layers:
      conv: {Conv2d: {out_channels: =out, kernel_size: 3, stride: 2, padding: 1}}
      norm: BatchNorm2d
      act: ReLU
layers:
  stem:
    - Down: {out: 4}
    - Down: {out: 6}
  mid: {Down: {out: 8}, repeat: 2}
  head: {AdaptiveAvgPool2d: {output_size: 1}}
  flat: Flatten
  fc: {Linear: {out_features: 3}}
"""

KNOWN = {
    "resnet18.yaml": [
        ("relu", 64, 2),
        ("layer1", 64, 4),
        ("layer2", 128, 8),
        ("layer3", 256, 16),
        ("layer4", 512, 32),
    ],
    "densenet121.yaml": [
        ("features.relu0", 64, 2),
        ("features.denseblock1", 256, 4),
        ("features.denseblock2", 512, 8),
        ("features.denseblock3", 1024, 16),
        ("relu", 1024, 32),
    ],
    "mobilenet_v2.yaml": [
        ("features.1", 16, 2),
        ("features.3", 24, 4),
        ("features.6", 32, 8),
        ("features.13", 96, 16),
        ("features.18", 1280, 32),
    ],
}


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("size", [None, 224], ids=["symbolic", "concrete"])
def test_the_last_layer_of_every_stride(name: str, size: int | None) -> None:
    network = archspec.load(SPECS / name)
    network = network.at(H=size, W=size) if size else network
    found = [(each.path, each.channels, each.reduction) for each in network.features()]
    assert found == KNOWN[name]


@pytest.mark.parametrize("name", KNOWN)
def test_a_selection_gives_what_the_whole_network_computes_there(name: str) -> None:
    network = archspec.load(SPECS / name)
    paths = [each.path for each in network.features()]
    part = network.select(*paths)
    whole, module = network.build().eval(), part.build().eval()
    state = whole.state_dict()
    kept = module.state_dict()
    assert list(kept) == [key for key in state if key in kept], "the order is that of the whole"
    module.load_state_dict({key: state[key] for key in kept}, strict=True)
    seen = {}
    for path in paths:
        hook = lambda _m, _i, out, path=path: seen.__setitem__(path, out.clone())  # noqa: E731
        whole.get_submodule(path).register_forward_hook(hook)
    x = torch.randn(2, 3, 64, 96)
    with torch.no_grad():
        whole(x)
        maps = module(x)
    assert part.at(H=64, W=96).outputs == {
        path.replace(".", "_"): tuple(out.shape[1:]) for path, out in seen.items()
    }
    for path, out in zip(paths, maps, strict=True):
        assert torch.equal(out, seen[path])
    assert part.parameter_count == sum(p.numel() for p in module.parameters())


def test_what_lies_behind_is_gone() -> None:
    part = archspec.loads(NESTED).select("stem.0")
    assert list(part.build().state_dict()) == [
        *("stem.0.conv.weight", "stem.0.conv.bias", "stem.0.norm.weight", "stem.0.norm.bias"),
        *("stem.0.norm.running_mean", "stem.0.norm.running_var", "stem.0.norm.num_batches_tracked"),
    ]
    module = archspec.loads(NESTED).build(features=["stem.0"])
    assert isinstance(module(torch.zeros(2, 3, 8, 8)), torch.Tensor)


def test_conditions_of_what_is_gone_are_gone() -> None:
    text = NESTED.replace("head: {AdaptiveAvgPool2d: {output_size: 1}}", "head: {MaxPool2d: 4}")
    text = text.replace("head: {MaxPool2d: 4}", "head: {MaxPool2d: {kernel_size: 4}}")
    network = archspec.loads(
        text.replace("  flat: Flatten\n  fc: {Linear: {out_features: 3}}\n", "")
    )
    assert network.sizes.smallest() != {"H": 1, "W": 1}
    assert network.select("mid").sizes.smallest() == {"H": 1, "W": 1}
    network.select("mid").build()(torch.zeros(2, 3, 1, 1))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("stem.2", "there is no layer `stem.2`: did you mean `stem.1`?"),
        ("nead", "there is no layer `nead`: did you mean `head`?"),
        ("fc.weight", "there is no layer `fc.weight`: there are stem, mid, head"),
    ],
)
def test_paths_that_are_not_there(path: str, message: str) -> None:
    with pytest.raises(ValueError, match="there is no layer") as caught:
        archspec.loads(NESTED).select(path)
    assert str(caught.value).startswith(message)


def test_a_tensor_that_is_overwritten_is_refused() -> None:
    network = archspec.loads(IN_PLACE)
    for path, culprit in (("conv", "relu"), ("view", "act"), ("merged", "act")):
        with pytest.raises(ValueError, match=f"`{path}` is overwritten in place by `{culprit}`"):
            network.select(path, "pool")
    assert network.select("conv").outputs == {"conv": (4, 6, 6)}, "nothing overwrites it there"


def test_a_global_pool_is_no_map() -> None:
    assert [each.path for each in archspec.loads(IN_PLACE).features()] == ["act"]


def test_what_lies_within_a_shared_tower_is_no_map() -> None:
    """It has one result for each use; what is listed can be taken."""
    tower = "[{Conv2d: {out_channels: 4, kernel_size: 2, stride: 2}}, ReLU, {Mean: {dim: [2, 3]}}]"
    network = archspec.loads(
        "archspec: 1\ninputs: {a: [3, H, W], b: [3, H, W]}\nlayers:\n"
        f"  tower: {{from: a, layers: {tower}}}\n  again: {{Reuse: tower, from: b}}\n"
        "  all: {Concat: [tower, again]}\n"
        "  map: {Conv2d: {out_channels: 5, kernel_size: 1}, from: b}\n"
        "outputs: [all, map]\n"
    )
    assert [each.path for each in network.features()] == ["map"]


def test_what_grows_by_several_factors_is_no_map() -> None:
    text = spec("layers: [{MaxPool2d: {kernel_size: [1, 2]}}, {MaxPool2d: {kernel_size: [1, 2]}}]")
    assert "by one factor on every axis" in feature_table(archspec.loads(text))
    flat = spec("layers: [Tanh]", "inputs: {x: [4]}\n")
    assert "they have no spatial dimensions" in feature_table(archspec.loads(flat))
    mixed = spec("layers: [{Tanh: , from: image}]", "inputs: {image: [3, 8, 8], vector: [4]}\n")
    assert "the same number of dimensions" in feature_table(archspec.loads(mixed))


@pytest.mark.parametrize("stride", [11, 17, 37])
@pytest.mark.parametrize("size", ["H, W", "500, 512"])
def test_any_stride_is_exact(stride: int, size: str) -> None:
    layers = f"""layers:
  - Conv2d: {{out_channels: 4, kernel_size: {stride}, stride: {stride}}}
  - MaxPool2d: {{kernel_size: 2}}
  - Upsample: {{scale_factor: 3}}
"""
    network = archspec.loads(spec(layers, f"inputs: {{image: [3, {size}]}}\n"))
    wanted = [stride, 2 * stride, Fraction(2 * stride, 3)]
    assert [each.reduction for each in network.features()] == wanted


def test_a_path_that_is_asked_for_twice() -> None:
    with pytest.raises(ValueError, match="`mid` is asked for twice"):
        archspec.loads(NESTED).select("mid", "head", "mid")


def test_a_selection_can_be_sized_where_the_whole_network_cannot() -> None:
    text = NESTED.replace("  head: {AdaptiveAvgPool2d: {output_size: 1}}\n", "")
    text = text.replace("fc: {Linear: {", "fc: {Linear: {in_features: 32, ")
    network = archspec.loads(text)
    assert not network.sizes.valid(H=48, W=64)
    with pytest.raises(archspec.SpecError):
        network.at(H=48, W=64)
    part = network.select("stem", "mid").at(H=48, W=64)
    outputs = part.build()(torch.zeros(2, 3, 48, 64))
    assert part.outputs == {"stem": (6, 12, 16), "mid": (8, 3, 4)}
    assert [tuple(each.shape[1:]) for each in outputs] == list(part.outputs.values())
    assert (part.sizes.symbols, part.macs) == (
        (),
        network.select("stem", "mid").macs.at({"H": 48, "W": 64}),
    )


def test_a_selection_can_be_sized_and_selected_again() -> None:
    part = archspec.loads(NESTED).select("mid", "stem.0")
    assert part.at(H=32, W=32).outputs == {"mid": (8, 2, 2), "stem_0": (4, 16, 16)}
    assert part.select("mid").outputs.keys() == {"mid"}


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec, weights = tmp_path / "nested.yaml", tmp_path / "nested.pth"
    spec.write_text(NESTED)
    torch.save(archspec.load(spec).build().state_dict(), weights)
    assert main(["show", str(spec), "--features", "--at", "H=16,W=32"]) == 0
    shown = capsys.readouterr().out
    assert "stem.0         4          2  4×8×16" in shown
    options = ["--features", "stem.0,mid", "--weights", str(weights), "--at", "H=16,W=32"]
    assert main(["build", str(spec), *options]) == 0
    built = capsys.readouterr().out
    assert "unexpected in the file: fc.* (2 keys)" in built
    assert "stem_0  2×4×8×16  as predicted" in built
    for wrong in (["--at", "H"], ["--at", "X=1"], ["--features", "nope"]):
        assert main(["build", str(spec), *wrong]) == 2
        assert f"\narchspec: {wrong[0]}" in f"\n{capsys.readouterr().err}"
    assert main(["show", str(spec), "--at", "H=0"]) == 1


def test_a_shape_that_is_no_stride_of_the_input_is_no_map() -> None:
    """The sizes of the Reshape are written out: nothing of it grows with the input."""
    text = """archspec: 1
inputs: {image: [3, 8, 8]}
layers:
  conv: {Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}}
  odd: {Reshape: {shape: [2, 8, 16]}}
  end: {Conv2d: {out_channels: 2, kernel_size: 1}}
"""
    assert [each.path for each in archspec.loads(text).features()] == ["conv"]
