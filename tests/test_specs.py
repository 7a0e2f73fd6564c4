"""Every file under `specs/` is accepted, builds, and runs in both modes as predicted."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import torch

import archspec
from archspec.network import Network
from archspec.tensors import Tensor
from tests.conformance import BIG, ROOT, value

SPECS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.glob("specs/**/*.yaml")
    if path.parent.name != "blocks"  # no networks: others include them
)
SMALLER = {"specs/unet.yaml": {"width": 8}}
"""Parameters that make a network quick to run, where the spec has one for its width."""
LARGER = 97
"""A size beside the smallest: odd, so that every stride has to round."""


@cache
def loaded(spec: str) -> Network:
    return archspec.load(ROOT / spec, params=SMALLER.get(spec))


def is_big(spec: str) -> bool:
    return loaded(spec).parameter_count > BIG


def symbolic(spec: str) -> bool:
    return bool(loaded(spec).example_sizes)


ZOO = ("specs/torchvision/", "specs/segmentation/")
"""`test_zoo` runs these without memory, in both modes."""
RUNS = [
    pytest.param(s, marks=[pytest.mark.soak] if s.startswith(ZOO) or is_big(s) else [])
    for s in SPECS
]


def full(tensor: Tensor, sizes: Mapping[str, int], batch: int) -> tuple[int, ...]:
    return (batch, *(value(size, sizes) for size in tensor.shape))


def outputs(network: Network, sizes: Mapping[str, int], *, batch: int, training: bool) -> Any:
    """The shapes of all outputs, by name: of the module, and as predicted."""
    module = network.build().train(training)
    inputs = [torch.randn(full(each, sizes, batch)) for each in network.input_tensors.values()]
    with torch.no_grad():
        result = module(*inputs)
    named = network.output_tensors(training=training)
    real = result if isinstance(result, tuple) else (result,)
    shapes = {name: tuple(each.shape) for name, each in zip(named, real, strict=True)}
    return shapes, {name: full(tensor, sizes, batch) for name, tensor in named.items()}


def test_there_are_specs() -> None:
    assert len(SPECS) >= 34


@pytest.mark.parametrize("spec", SPECS)
def test_nothing_is_wrong(spec: str) -> None:
    """No errors, and no lints: an unused layer or parameter would be one."""
    report = archspec.check(ROOT / spec)
    assert report.ok
    assert [d.message for d in report.diagnostics if not d.code.startswith("N")] == []


@pytest.mark.parametrize("spec", SPECS)
def test_it_says_what_it_is(spec: str) -> None:
    """A comment first, and a name: that of the file."""
    text = (ROOT / spec).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert loaded(spec).name == (ROOT / spec).stem
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("spec", RUNS)
def test_eval_with_a_batch_of_one(spec: str) -> None:
    network = loaded(spec)
    real, predicted = outputs(network, network.example_sizes, batch=1, training=False)
    assert real == predicted


@pytest.mark.parametrize("spec", RUNS)
def test_training_with_a_batch_of_two(spec: str) -> None:
    network = loaded(spec)
    real, predicted = outputs(network, network.example_sizes, batch=2, training=True)
    assert real == predicted


@pytest.mark.parametrize("spec", [run for run in RUNS if symbolic(str(run.values[0]))])
def test_a_size_that_is_not_the_smallest(spec: str) -> None:
    """Height and width that differ, the first valid ones from 97 on."""
    network = loaded(spec)
    sizes = dict(network.example_sizes)
    for position, name in enumerate(sizes):
        sizes[name] = next(
            size
            for size in range(LARGER + position, 2 * LARGER)
            if all(each.at({**sizes, name: size}) for each in network.conditions)
        )
    real, predicted = outputs(network, sizes, batch=2, training=False)
    assert real == predicted


def test_two_streams_are_told_apart() -> None:
    """By position or by name; the streams have weights of their own."""
    network = loaded("specs/two_stream.yaml")
    module = network.build().eval()
    frame, flow = torch.randn(1, 3, 32, 32), torch.randn(1, 20, 32, 32)
    with torch.no_grad():
        named = module(flow=flow, frame=frame)
        placed = module(frame, flow)
    assert torch.equal(named.action, placed.action)
    assert torch.equal(named.match, placed.match)
    assert module.spatial.conv1.weight.shape[1] == 3
    assert module.temporal.conv1.weight.shape[1] == 20


def test_a_unet_needs_sizes_that_its_skips_can_meet() -> None:
    network = loaded("specs/unet.yaml")
    fits = {
        size
        for size in range(1, 50)
        if all(condition.at({"H": size, "W": 16}) for condition in network.conditions)
    }
    assert fits == {16, 32, 48}
