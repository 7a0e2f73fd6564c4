"""Plans for several devices, run by PyTorch: pipelining and FSDP2 in two processes on gloo."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing
from torch import nn

import archspec
from archspec.parallel import plan
from tests.matrix.ranks import leave

SPECS = Path(__file__).parents[1] / "specs"
MICROBATCHES, SAMPLES = 3, 2

RESIDUAL = """archspec: 1
name: residual
inputs: {image: [3, 8, 8]}
blocks:
  Block:
    params: {width: int}
    layers:
      conv: {Conv2d: {out_channels: =width, kernel_size: 3, padding: 1}}
      norm: BatchNorm2d
      act: ReLU
      shortcut:
        Conv2d: {out_channels: =width, kernel_size: 1}
        from: input
        when: =width != input.channels
      add: {Add: [act, shortcut]}
layers:
  stem: {Conv2d: {out_channels: 8, kernel_size: 3}}
  blocks:
    - {Block: {width: 8}}
    - {Block: {width: 16}}
    - {Block: {width: 16}}
  pool: {Mean: {dim: [2, 3]}}
  head: {Linear: {out_features: 5}}
"""
TOKENS = """archspec: 1
name: tokens
inputs: {image: [3, 8, 8]}
layers:
  patches: {Conv2d: {out_channels: 16, kernel_size: 4, stride: 4}}
  tokens: {Flatten: {start_dim: 2}}
  order: {Permute: {dims: [0, 2, 1]}}
  position: {Parameter: {shape: [1, 4, 16], init: {normal_: {std: 0.02}}}}
  sum: {Add: [order, position]}
  first: {Linear: {out_features: 16}}
  second: {TransformerEncoderLayer: {nhead: 2, dim_feedforward: 32, dropout: 0.0}}
  third: {TransformerEncoderLayer: {nhead: 2, dim_feedforward: 32, dropout: 0.0}}
  again: {Reuse: third}
  mean: {Mean: {dim: 1}}
  head: {Linear: {out_features: 5}}
"""
TIED = """archspec: 1
name: tied
inputs: {image: [3, 8, 8]}
layers:
  tokens: {Reshape: {shape: [8, 24]}}
  first: {Linear: {out_features: 16}}
  second: {Linear: {out_features: 16}}
  back: {MatMul: [second, first.weight]}
  shift: {Parameter: {shape: [8, 24], init: ones_}}
  add: {Add: [back, shift]}
  mean: {Mean: {dim: 1}}
  head: {Linear: {out_features: 5}}
"""
NORM_FIRST = TOKENS.replace("first: {Linear: {out_features: 16}}", "first: LayerNorm")
ENCODER = """archspec: 1
name: encoder
inputs: {image: [3, 8, 8]}
layers:
  tokens: {Reshape: {shape: [8, 24]}}
  order: {Linear: {out_features: 16}}
  recurrent: {GRU: {hidden_size: 16}}
  dense: {Linear: {out_features: 16}}
  attention: {TransformerEncoderLayer: {nhead: 2, dim_feedforward: 1024, dropout: 0.0}}
  mean: {Mean: {dim: 1}}
  head: {Linear: {out_features: 5}}
"""
PASSED_ON = TOKENS.replace(
    "  first:", "  same: Identity\n  scaled: {Normalize: {dim: 2}}\n  first:"
)
NETWORKS = (RESIDUAL, TOKENS, NORM_FIRST, ENCODER, TIED)


def pair_of_processes(work: str) -> None:
    """Run a function of this file in two processes of one gloo group."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    torch.multiprocessing.spawn(_join, (work, port), nprocs=2)


def _join(rank: int, work: str, port: int) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=2)
    for text in NETWORKS:
        globals()[work](archspec.loads(text), rank)
    leave()


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    count = MICROBATCHES * SAMPLES
    return torch.randn(count, 3, 8, 8), torch.randint(5, (count,))


def module_of(network: archspec.Network) -> nn.Module:
    torch.manual_seed(0)
    return network.build()


def pipelined(network: archspec.Network, rank: int) -> None:
    """The losses and gradients of a pipeline are those of one process over its microbatches."""
    from torch.distributed.pipelining import ScheduleGPipe, pipeline

    x, target = batch()
    module = module_of(network)
    spec = plan(network, stages=2).split_spec()
    pipe = pipeline(module_of(network), mb_args=(x[:SAMPLES],), split_spec=spec)
    stage = pipe.build_stage(rank, torch.device("cpu"))
    schedule = ScheduleGPipe(stage, MICROBATCHES, loss_fn=nn.functional.cross_entropy)
    losses: list[torch.Tensor] = []
    if rank == 0:
        schedule.step(x)
    else:
        schedule.step(target=target, losses=losses)
    expected = [
        nn.functional.cross_entropy(module(a), b)
        for a, b in zip(x.split(SAMPLES), target.split(SAMPLES), strict=True)
    ]
    if rank == 1:
        torch.testing.assert_close(torch.stack(losses), torch.stack(expected))
    (sum(expected) / MICROBATCHES).backward()
    own = dict(stage.submod.named_parameters())
    assert own
    for name, parameter in module.named_parameters():
        if name in own:
            torch.testing.assert_close(own[name].grad, parameter.grad)


def sharded(network: archspec.Network, rank: int) -> None:
    """Two steps of training give the losses of a module that is not sharded."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (2,))
    x, target = batch()
    module, whole = module_of(network), module_of(network)
    names = plan(network).shard
    assert names
    for name in names:
        fully_shard(module.get_submodule(name), mesh=mesh)
    fully_shard(module, mesh=mesh)
    losses = [_train(each, x, target) for each in (module, whole)]
    torch.testing.assert_close(losses[0], losses[1])


def _train(module: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    optimiser = torch.optim.SGD(module.parameters(), lr=0.1)
    losses = []
    for _ in range(2):
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(module(x), target)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses)


@pytest.mark.skipif(not dist.is_available(), reason="this torch has no torch.distributed")
@pytest.mark.parametrize("work", ["pipelined", "sharded"])
def test_two_processes(work: str) -> None:
    pair_of_processes(work)


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v2", "unet"])
def test_stages_are_even_and_cut_where_one_tensor_crosses(name: str) -> None:
    network = archspec.load(SPECS / f"{name}.yaml").at(H=64, W=64)
    made = plan(network, stages=3 if name != "unet" else 2)
    assert sum(stage.parameters for stage in made.stages) == network.parameter_count
    assert sum(stage.macs for stage in made.stages) == network.macs
    flow = network.to_networkx()
    names = list(flow)
    dominators = nx.immediate_dominators(flow, names[0])
    end = next(node for node in names if node.endswith("(output)"))
    on_all_paths = set()
    while end != names[0]:
        end = dominators[end]
        on_all_paths.add(end)
    for stage in made.stages[1:]:
        first = next(node for node in names if f"{node}.".startswith(f"{stage.start}."))
        crossing = {source for source, _ in flow.in_edges(first)}
        assert len(crossing) == 1
        assert crossing <= on_all_paths


def test_no_better_cut_exists() -> None:
    network = archspec.load(SPECS / "resnet18.yaml").at(H=64, W=64)
    stages = plan(network, stages=4).stages
    assert [stage.start for stage in stages] == ["conv1", "layer2", "layer3", "layer4"]
    assert [str(stage.input) for stage in stages[1:]] == ["64×16×16", "128×8×8", "256×4×4"]


def test_never_between_two_uses_of_a_module() -> None:
    network = archspec.loads(TOKENS)
    starts = [stage.start for stage in plan(network, stages=3).stages]
    assert starts == ["patches", "second", "head"], "`first` takes permuted memory"
    with pytest.raises(ValueError, match="4 stages are not possible, at most 3"):
        plan(network, stages=4)


def test_what_passes_permuted_memory_on_makes_none_contiguous() -> None:
    starts = [stage.start for stage in plan(archspec.loads(PASSED_ON), stages=3).stages]
    assert starts == ["patches", "second", "head"]
    with pytest.raises(ValueError, match="at most 3"):
        plan(archspec.loads(PASSED_ON), stages=4)


def test_a_result_that_nothing_uses_opens_no_cut() -> None:
    """Attention gives a permuted tensor, and its weights beside it, which nothing takes."""
    attention = "norm: LayerNorm, attention: {MultiheadAttention: {num_heads: 2}}"
    network = archspec.loads(
        "archspec: 1\ninputs: {x: [6, 8]}\nlayers:\n"
        f"  blocks: {{repeat: 3, layers: {{{attention}, add: {{Add: [attention, input]}}}}}}\n"
    )
    with pytest.raises(ValueError, match="at most 1"):
        plan(network, stages=2)


def test_a_row_of_tokens_is_written_anew() -> None:
    """`torch.cat` gives contiguous tokens, also of permuted ones: the residual stream of a ViT."""
    network = archspec.loads(
        "archspec: 1\ninputs: {x: [3, 8, 8]}\nlayers:\n"
        "  cls: {Parameter: {shape: [1, 1, 4], init: zeros_}}\n"
        "  conv: {Conv2d: {out_channels: 4, kernel_size: 4, stride: 4}}\n"
        '  turned: {Rearrange: {pattern: "b c h w -> b (h w) c"}}\n'
        "  tokens: {Concat: {dim: 1}, from: [cls, turned]}\n"
        "  blocks: {repeat: 2, layers: {norm: LayerNorm, mlp: {Linear: {out_features: 4}}, "
        "add: {Add: [mlp, input]}}}\n"
    )
    made = plan(network, stages=3)
    assert [stage.start for stage in made.stages] == ["conv", "blocks", "blocks.1"]
    module, seen = network.build(), []
    for stage in made.stages[1:]:
        child = module.get_submodule(stage.start)
        child.register_forward_pre_hook(lambda _, given: seen.append(given[0].is_contiguous()))
    module(torch.zeros(2, 3, 8, 8))
    assert seen == [True, True]


def test_never_between_two_uses_of_a_weight() -> None:
    """A layer whose weight is read elsewhere is no unit of its own, nor is a free parameter."""
    made = plan(archspec.loads(TIED), stages=2)
    assert [stage.start for stage in made.stages] == ["tokens", "head"]
    assert made.shard == ("second", "head")
    with pytest.raises(ValueError, match="at most 2"):
        plan(archspec.loads(TIED), stages=3)


def test_sizes_must_be_known_for_stages_only() -> None:
    network = archspec.load(SPECS / "resnet18.yaml")
    whole = plan(network)
    assert whole.shard[0] == "layer1.0"
    assert [stage.macs for stage in whole.stages] == [network.macs], "a formula"
    with pytest.raises(ValueError, match=r"plan\(network.at\(H=…, W=…\), …\)"):
        plan(network, stages=2)


def test_no_stage_at_all() -> None:
    network = archspec.load(SPECS / "resnet18.yaml")
    with pytest.raises(ValueError, match="1 stage or more, not 0"):
        plan(network, stages=0)


def test_the_door() -> None:
    code = "import archspec, sys; assert archspec.parallel.plan; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=SPECS.parent)


def test_blocks_and_large_layers_are_units() -> None:
    assert plan(archspec.loads(RESIDUAL)).shard == ("blocks.0", "blocks.1", "blocks.2")
    assert plan(archspec.load(SPECS / "vgg_bn_16.yaml")).shard == ("fc1", "fc2")


UNREAD = """archspec: 1
inputs: {x: [6, 8]}
layers:
  first: {Linear: {out_features: 6}}
  turned: {Transpose: {dim0: 1, dim1: 2}}
  second: {Linear: {out_features: 8}}
  third: {Linear: {out_features: 8}}
  memory: {GRU: {hidden_size: 8}}
  mean: {Mean: {dim: 1}}
"""


def test_a_result_that_nobody_reads_is_in_nobodys_way() -> None:
    """The GRU's state is not read: it neither forbids a cut before it, nor allows one."""
    network = archspec.loads(UNREAD)
    assert [stage.start for stage in plan(network, stages=2).stages] == ["first", "third"]
    with pytest.raises(ValueError, match="at most 2"):
        plan(network, stages=3)


LARGE = """archspec: 1
inputs: {x: [8]}
blocks:
  Inner: {layers: {group: [{Linear: {out_features: 8}}, ReLU, {Linear: {out_features: 8}}]}}
  Outer: {layers: {one: Inner, two: Inner}}
layers:
  large: BLOCK
  head: {Linear: {out_features: 1}}
"""


@pytest.mark.parametrize(
    ("block", "units"), [("Inner", ("large", "head")), ("Outer", ("large.one", "large.two"))]
)
def test_a_large_block_gives_its_blocks_but_not_its_groups(
    block: str, units: tuple[str, ...]
) -> None:
    assert plan(archspec.loads(LARGE.replace("BLOCK", block))).shard == units
