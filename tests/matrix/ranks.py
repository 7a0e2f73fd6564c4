"""One of two processes that train the networks of the matrix together, on gloo.

    python -m tests.matrix.ranks RANK STORE OUT NAME...

Writes, for every network, the losses of a few steps: unsharded, under DDP, and with `fully_shard`
on every block and on the whole. Both ranks see the same batch, and dropout is off, so that all
three must be the same.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from tests.matrix.nets import CASES, Case
from tests.matrix.registry import loss_of, without_dropout

RANKS = 2
STEPS = 3


def losses(case: Case, wrap: Callable[[nn.Module], nn.Module]) -> list[float]:
    """The losses of a few steps of SGD."""
    torch.manual_seed(1)
    fed = case.inputs(4)
    module = wrap(without_dropout(case.build()))
    optimiser = torch.optim.SGD(module.parameters(), lr=0.05)
    found = []
    for _ in range(STEPS):
        loss = loss_of(module(*fed))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        found.append(loss.item())
    return found


def sharded(case: Case) -> Callable[[nn.Module], nn.Module]:
    """Shard every block, then the whole."""

    def wrap(module: nn.Module) -> nn.Module:
        mesh = init_device_mesh("cpu", (RANKS,))
        for path in case.blocks:
            fully_shard(module.get_submodule(path), mesh=mesh)
        return fully_shard(module, mesh=mesh)

    return wrap


def replicated(module: nn.Module) -> nn.Module:
    """DDP; it finds out by itself which parameters an output needs."""
    return DistributedDataParallel(module)


def main(rank: int, store: str, out: Path, names: list[str]) -> None:
    """Train the networks as this rank."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=RANKS)
    found: dict[str, dict[str, list[float] | str]] = {}
    for name in names:
        case = CASES[name]
        ways = {"plain": lambda module: module, "ddp": replicated, "fsdp": sharded(case)}
        found[name] = {way: losses(case, wrap) for way, wrap in ways.items()}
    if rank == 0:
        out.write_text(json.dumps(found))
    leave()


def leave() -> NoReturn:
    """End a process of a gloo group, whose threads now and then outlive the interpreter: PyTorch
    then aborts, though all work is done.
    """
    dist.barrier()
    dist.destroy_process_group()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:])
