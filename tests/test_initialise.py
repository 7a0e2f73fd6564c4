"""Building initialises once: same seed, same weights, on whatever way a module got its memory."""

import copy
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.backends.generated import generated_class
from tests.helpers import spec

FOLDER = Path(__file__).parents[1] / "specs"
SPECS = [p for p in sorted(FOLDER.rglob("*.yaml")) if p.parent.name != "blocks"]
TOKENS = "inputs: {tokens: [5, 8]}\n"
IMAGE = "inputs: {image: [4, 8, 8]}\n"

RESNET = """
archspec: 1
inputs: {image: [3, 16, 16]}
init:
  Conv2d: {kaiming_normal_: {mode: fan_out, nonlinearity: relu}}
  BatchNorm2d: {weight: ones_, bias: zeros_}
  "*.bn2.weight": zeros_
blocks:
  Basic:
    params: {planes: int}
    layers:
      conv1: {Conv2d: {out_channels: =planes, kernel_size: 3, padding: 1, bias: false}}
      bn1: BatchNorm2d
      relu: ReLU
      conv2: {Conv2d: {out_channels: =planes, kernel_size: 3, padding: 1, bias: false}}
      bn2: BatchNorm2d
      add: {Add: [input, bn2]}
layers:
  conv1: {Conv2d: {out_channels: 8, kernel_size: 3, padding: 1, bias: false}}
  bn1: BatchNorm2d
  layer1: {repeat: 2, Basic: {planes: 8}}
  pool: {AdaptiveAvgPool2d: {output_size: 1}}
  flatten: Flatten
  fc: {Linear: {out_features: 10}}
"""
FREE = """
archspec: 1
inputs: {tokens: [4, 8]}
blocks:
  Position:
    layers:
      scale: {Parameter: {shape: [8], init: {normal_: {std: 2}}}}
      order: {Buffer: {shape: [4, 1], index: [t, _], value: =1 / (t + 1), persistent: false}}
      steps: {Buffer: {shape: [4], dtype: int64, index: [t], value: =t * t}}
      mask: {Buffer: {shape: [], value: 0.5}}
      linear: {Linear: {out_features: 8}, from: input}
      scaled: {Mul: [linear, scale]}
      ordered: {Mul: [scaled, order]}
      out: {Mul: [ordered, mask]}
layers:
  first: {Position: {}}
  second: {Position: {}}
"""
LAYERS = {
    "MultiheadAttention: {num_heads: 2}": TOKENS,
    "MultiheadAttention: {num_heads: 2, add_bias_kv: true}": TOKENS,
    "TransformerEncoderLayer: {nhead: 2, dim_feedforward: 8}": TOKENS,
    "LSTM: {hidden_size: 3, num_layers: 2, bidirectional: true, proj_size: 2}": TOKENS,
    "GRU: {hidden_size: 3}": TOKENS,
    "Linear: {out_features: 3}": TOKENS,
    "LayerNorm: {normalized_shape: 8}": TOKENS,
    "RMSNorm: {normalized_shape: 8}": TOKENS,
    "PReLU: {num_parameters: 5}": TOKENS,
    "BatchNorm1d: {}": TOKENS,
    "Conv1d: {out_channels: 4, kernel_size: 3}": TOKENS,
    "Embedding: {num_embeddings: 9, embedding_dim: 4, padding_idx: 2}": (
        "inputs: {tokens: {shape: [5], dtype: int64}}\n"
    ),
    "Conv2d: {out_channels: 4, kernel_size: 3, groups: 2}": IMAGE,
    "ConvTranspose2d: {out_channels: 4, kernel_size: 3}": IMAGE,
    "GroupNorm: {num_groups: 2}": IMAGE,
    "InstanceNorm2d: {affine: true, track_running_stats: true}": IMAGE,
    "BatchNorm2d: {track_running_stats: false}": IMAGE,
}


def equal(one: nn.Module, other: nn.Module) -> bool:
    """Whether two modules hold the same tensors, those outside the state dict included."""
    pairs = zip(tensors(one), tensors(other), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """All parameters and buffers by name."""
    yield from module.named_parameters()
    yield from module.named_buffers()


def seeded(net: archspec.Network, **options: object) -> nn.Module:
    """The network built under one seed."""
    torch.manual_seed(7)
    return net.build(**options)  # type: ignore[arg-type]


def spoiled(module: nn.Module) -> nn.Module:
    """A module whose memory holds nothing: what `to_empty` may give, at its worst."""
    for _, tensor in tensors(module):
        with torch.no_grad():
            tensor.fill_(float("nan") if tensor.is_floating_point() else 99)
    return module


def refilled(net: archspec.Network) -> nn.Module:
    """The network built on the meta device, given memory, and initialised under the seed."""
    module = spoiled(net.build(device="meta").to_empty(device="cpu"))
    torch.manual_seed(7)
    assert archspec.initialise(module) is module
    return module


# With rules.


def test_rules_draw_what_a_loop_over_the_modules_draws() -> None:
    """The weights of a hand-written loop over modules that nobody initialised before."""
    net = archspec.loads(RESNET)
    built = seeded(net)
    loop = spoiled(net.build())
    torch.manual_seed(7)
    for module in loop.modules():
        if isinstance(module, nn.Linear):
            module.reset_parameters()  # no rule is for it: PyTorch's way, and first
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    for module in loop.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.constant_(module.weight, 1)
            nn.init.constant_(module.bias, 0)
    for name, parameter in loop.named_parameters():
        if name.endswith("bn2.weight"):
            nn.init.constant_(parameter, 0)
    assert equal(built, loop)


def test_what_rules_cover_is_not_drawn_before() -> None:
    body = """
        init: {Linear: {weight: zeros_, bias: ones_}}
        layers: [{Linear: {out_features: 3}}]
        """
    net = archspec.loads(spec(body, TOKENS))
    torch.manual_seed(1)
    before = torch.get_rng_state()
    net.build()
    assert torch.equal(torch.get_rng_state(), before)


def test_what_rules_leave_out_begins_as_in_torch() -> None:
    body = """
        init: {Linear: {weight: zeros_}}
        layers: [{Linear: {out_features: 3}}, {Linear: {out_features: 3}}]
        """
    built = seeded(archspec.loads(spec(body, TOKENS)))
    torch.manual_seed(7)
    plain = nn.Sequential(nn.Linear(8, 3), nn.Linear(3, 3))
    assert torch.equal(built.get_parameter("0.bias"), plain[0].bias)
    assert torch.equal(built.get_parameter("1.bias"), plain[1].bias)
    assert not built.get_parameter("1.weight").any()


# Without rules, and on every way.


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_hold_what_their_constructors_give(layer: str) -> None:
    net = archspec.loads(spec(f"layers: [{{{layer}}}]", LAYERS[layer]))
    built = seeded(net)
    torch.manual_seed(7)
    assert equal(built, generated_class(net)())
    assert equal(built, refilled(net))
    assert equal(built, seeded(net, device="cpu"))


@pytest.mark.parametrize("text", [RESNET, FREE], ids=["rules", "free"])
def test_the_same_seed_gives_the_same_weights(text: str) -> None:
    net = archspec.loads(text)
    built = seeded(net)
    assert equal(built, seeded(net))
    if not net.initialisers:  # else a plain constructor draws what rules overwrite, too
        torch.manual_seed(7)
        assert equal(built, generated_class(net)())
    assert equal(built, seeded(net, device="cpu"))
    assert equal(built, seeded(archspec.loads(text)))
    assert equal(built, refilled(net))


@pytest.mark.soak
@pytest.mark.parametrize("path", SPECS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_spec_is_refilled_as_it_was_built(path: Path) -> None:
    net = archspec.load(path)
    assert equal(seeded(net), refilled(net))


def test_computed_buffers_are_computed_again() -> None:
    module = refilled(archspec.loads(FREE))
    for name in ("first", "second"):
        block = module.get_submodule(name)
        assert torch.equal(block.order, torch.tensor([[1.0], [0.5], [1 / 3], [0.25]]))
        assert block.steps.tolist() == [0, 1, 4, 9]
        assert block.mask.item() == 0.5


# Nothing is initialised where weights follow.


@pytest.mark.parametrize("layer", LAYERS)
def test_without_initialisation_no_layer_draws(layer: str) -> None:
    net = archspec.loads(spec(f"layers: [{{{layer}}}]", LAYERS[layer]))
    before = torch.get_rng_state()
    net.build(init=False)
    net.build(device="meta")
    assert torch.equal(torch.get_rng_state(), before)


def test_without_initialisation_nothing_is_drawn() -> None:
    net = archspec.loads(RESNET)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    made = net.build(init=False)
    assert torch.equal(torch.get_rng_state(), before)
    source = net.build()
    made.load_state_dict(source.state_dict())
    assert equal(made, source)


def test_without_initialisation_buffers_hold_their_formula() -> None:
    module = archspec.loads(FREE).build(init=False)
    assert module.get_buffer("second.steps").tolist() == [0, 1, 4, 9]
    assert module.get_buffer("second.order")[3].item() == 0.25


def test_meta_needs_no_memory() -> None:
    body = """
        layers:
          - Linear: {out_features: 1000000}
          - Linear: {out_features: 1000000}
        """
    module = archspec.loads(spec(body, TOKENS)).build(device="meta")
    assert module.get_parameter("1.weight").shape == (10**6, 10**6)
    assert {tensor.device.type for _, tensor in tensors(module)} == {"meta"}


def test_half_precision_is_the_rounded_network() -> None:
    for text in (RESNET, FREE):
        net = archspec.loads(text)
        assert equal(seeded(net, dtype="bfloat16"), seeded(net).to(torch.bfloat16))
        half = net.build(init=False, dtype="float16")
        kinds = {name: tensor.dtype for name, tensor in tensors(half)}
        assert kinds == {name: t.dtype for name, t in tensors(net.build().half())}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("text", [RESNET, FREE], ids=["rules", "free"])
def test_a_gpu_is_initialised_where_it_is(text: str) -> None:
    net = archspec.loads(text)
    built = seeded(net, device="cuda")
    assert {tensor.device.type for _, tensor in tensors(built)} == {"cuda"}
    module = spoiled(net.build(device="meta").to_empty(device="cuda"))
    torch.manual_seed(7)
    assert equal(built, archspec.initialise(module))


def test_the_default_device_counts() -> None:
    with torch.device("meta"):
        module = archspec.loads(FREE).build()
    assert {tensor.device.type for _, tensor in tensors(module)} == {"meta"}


def test_weights_that_follow_on_meta_bring_computed_buffers_along(tmp_path: Path) -> None:
    net = archspec.loads(FREE)
    source = net.build()
    torch.save(source.state_dict(), tmp_path / "weights.pt")
    module = net.build(device="meta")
    archspec.load_weights(module, tmp_path / "weights.pt")
    assert equal(module, source)


# The instances are ordinary.


def test_nothing_of_the_construction_stays_behind() -> None:
    for net in (archspec.loads(RESNET), archspec.loads(FREE)):
        for built in (net.build(), net.build(init=False), net.build(device="meta")):
            for module in built.modules():
                assert not {"reset_parameters", "init_weights"} & set(module.__dict__)
            plain = generated_class(net)()
            assert [type(m) for m in built.modules()] == [type(m) for m in plain.modules()]
            assert [*built.state_dict()] == [*plain.state_dict()]
            assert all(p.requires_grad and p.is_leaf for p in built.parameters())
            assert copy.deepcopy(built) is not built


def test_a_replaced_child_is_initialised_too() -> None:
    module = archspec.loads(RESNET).build()
    module.fc = nn.Linear(8, 3)  # type: ignore[assignment]
    archspec.initialise(spoiled(module))
    assert not any(tensor.isnan().any() for _, tensor in tensors(module))


def test_threads_do_not_disturb_each_other() -> None:
    """Plain layers made meanwhile are initialised, and what is built is what one thread builds."""
    net = archspec.loads(RESNET)
    wrong: list[str] = []
    done = threading.Event()

    def build() -> None:
        for _ in range(20):
            made = net.build()
            if not made.get_parameter("layer1.1.bn1.weight").eq(1).all():
                wrong.append("built")
            if "reset_parameters" in made.get_submodule("conv1").__dict__:
                wrong.append("left behind")

    def plain() -> None:
        while not done.is_set():
            layer = nn.BatchNorm2d(3)
            with torch.no_grad():
                layer.weight.fill_(5)
            layer.reset_parameters()
            if not (layer.weight == 1).all() or nn.Linear(64, 1).weight.abs().max() > 0.125:
                wrong.append("plain")

    builders = [threading.Thread(target=build) for _ in range(4)]
    watcher = threading.Thread(target=plain)
    for thread in (watcher, *builders):
        thread.start()
    for thread in builders:
        thread.join()
    done.set()
    watcher.join()
    assert not wrong


def test_a_module_that_was_pickled_can_be_initialised(tmp_path: Path) -> None:
    net = archspec.loads(RESNET)
    (tmp_path / "module.pkl").write_bytes(pickle.dumps(net.build(device="meta")))
    script = """if True:
        import pickle, sys, torch
        module = pickle.load(open(sys.argv[1], "rb")).to_empty(device="cpu")
        import archspec
        torch.manual_seed(7)
        archspec.initialise(module)
        torch.save(module.state_dict(), sys.argv[2])
        """
    out = tmp_path / "state.pt"
    command = [sys.executable, "-c", script, str(tmp_path / "module.pkl"), str(out)]
    subprocess.run(command, check=True)
    state = torch.load(out)
    assert all(torch.equal(t, state[name]) for name, t in seeded(net).state_dict().items())
