"""Several devices: which submodules to shard, and where to cut a network into pipeline stages.

Both are read off the checked graph, without torch.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archspec.parallel.stages import Stage, stages_of
from archspec.parallel.units import units

if TYPE_CHECKING:
    from archspec.network import Network

__all__ = ["Plan", "Stage", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to lay a network out over devices.

    for name in plan.shard:
        fully_shard(module.get_submodule(name))
    fully_shard(module)

    pipeline(module, mb_args=(microbatch,), split_spec=plan.split_spec())
    """

    shard: tuple[str, ...]
    """Submodules for `torch.distributed.fsdp.fully_shard`, in call order; then the whole."""
    stages: tuple[Stage, ...]

    def split_spec(self) -> dict[str, Any]:
        """What `torch.distributed.pipelining.pipeline` takes: where the later stages begin."""
        from torch.distributed.pipelining import SplitPoint  # heavy, and not in every build

        return {stage.start: SplitPoint.BEGINNING for stage in self.stages[1:]}


def plan(network: "Network", stages: int = 1) -> Plan:
    """A plan for a network.

    Args:
        network: with fixed sizes if it is to be cut: `network.at(H=224, W=224)`.
        stages: how many stages of a pipeline, as even as the points allow in multiply-adds and
            elements written.

    Raises `ValueError` if a network with open sizes is to be cut, or if there are too few points
    to cut at.
    """
    return Plan(tuple(units(network)), stages_of(network, stages))
