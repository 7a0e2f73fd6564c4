"""What torch says about a whole network: whether it runs, and everything seen on the way."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from tests.judge.interpreter import Called, Judge
from tests.judge.model import Net, bind, value

RUNS = ((2, True), (3, True), (1, False), (2, False))
"""Batch sizes, and whether in training."""


@dataclass
class Run:
    """One run of a network."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]
    calls: list[Called]


@dataclass
class Verdict:
    """All runs of a network, or torch's error."""

    judge: Judge
    runs: dict[tuple[int, bool], Run] = field(default_factory=dict)
    error: Exception | None = None


def judged(net: Net) -> Verdict:
    """Run a network in training and in eval, for several batches."""
    verdict = Verdict(Judge(net))
    try:
        for batch, training in RUNS:
            inputs = samples(net, batch)
            with torch.no_grad():
                outputs = verdict.judge.run(
                    {name: x.clone() for name, x in inputs.items()}, training=training
                )
            verdict.runs[batch, training] = Run(inputs, outputs, verdict.judge.calls)
    except Exception as error:
        verdict.error = error
    return verdict


def samples(net: Net, batch: int) -> dict[str, Tensor]:
    """Random inputs."""
    env = bind(net.params, {}, {})
    return {
        name: torch.randint(0, 2, shape) if each.integer else torch.randn(shape)
        for name, each in net.inputs.items()
        for shape in [(batch, *value(each.shape, env))]
    }
