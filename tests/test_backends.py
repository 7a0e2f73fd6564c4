"""The generated source: what is printed is what runs, whatever the names in the spec are."""

import copy
import gc
import inspect
import io
import pickle
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archspec
from archspec.backends.source import generate
from archspec.backends.source.plans import SEQUENTIAL
from tests.helpers import inputs_of, keys, spec

RESIDUAL = """
    blocks:
      Block:
        params: {planes: int}
        layers:
          conv: {Conv2d: {out_channels: =planes, kernel_size: 3, padding: 1}}
          norm: BatchNorm2d
          down: {Conv2d: {out_channels: =planes, kernel_size: 1}, from: input}
          add: {Add: [norm, down]}
          relu: ReLU
    layers:
      one: {Block: {planes: 4}}
      two: {Block: {planes: 6}}
      aux: {Mean: {dim: [2, 3]}, from: one}
      pool: {AdaptiveAvgPool2d: {output_size: 1}, from: two}
      flat: Flatten
    outputs: {y: flat, aux: {from: aux, only: training}}
    """


def source(text: str) -> str:
    network = archspec.loads(text)
    return generate(network)[0]


def residual() -> torch.nn.Module:
    return archspec.loads(spec(RESIDUAL)).build().eval()


def x(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 3, 8, 8)


# The source itself.


def test_the_same_spec_gives_the_same_text() -> None:
    assert source(spec(RESIDUAL)) == source(spec(RESIDUAL))
    compile(source(spec(RESIDUAL)), "f", "exec")


def test_one_class_for_blocks_that_differ_in_numbers() -> None:
    text = source(spec(RESIDUAL))
    assert text.count("class Block(") == 1
    assert "def __init__(self, in_channels: int, planes: int)" in text


def test_getsource_gives_what_runs() -> None:
    module = residual()
    assert "def forward(self, image: Tensor)" in inspect.getsource(type(module))
    assert inspect.getsource(type(module.one)).startswith("class Block(nn.Module):")
    assert "self.conv" in inspect.getsource(module.one.forward)


def test_an_error_in_forward_shows_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    import traceback

    with pytest.raises(RuntimeError) as raised:
        residual()(torch.randn(2, 5, 8, 8))
    assert "self.conv" in "".join(traceback.format_exception(raised.value))


def test_sequential_has_no_names_that_we_do_not_know() -> None:
    own = {name for name in dir(nn.Sequential()) if not hasattr(nn.Module(), name)}
    assert own <= SEQUENTIAL | {"__constants__"} | {
        n for n in own if not callable(getattr(nn.Sequential, n, None))
    }


# Plain modules.


def test_pickle_save_and_deepcopy() -> None:
    module = residual()
    fed = x()
    wanted = module(fed)
    assert torch.equal(copy.deepcopy(module)(fed), wanted)
    assert torch.equal(pickle.loads(pickle.dumps(module))(fed), wanted)
    stream = io.BytesIO()
    torch.save(module, stream)
    stream.seek(0)
    assert torch.equal(torch.load(stream, weights_only=False)(fed), wanted)


def test_a_pickle_opens_in_a_fresh_process(tmp_path: Path) -> None:
    module, fed = residual().train(), x()
    output = module(fed)
    torch.save((module.eval(), fed, module(fed), output), tmp_path / "m.pt")
    code = f"""
import torch
module, fed, wanted, output = torch.load({str(tmp_path / "m.pt")!r}, weights_only=False)
assert torch.allclose(module(fed), wanted, atol=1e-6)
assert output._fields == ("y", "aux") and type(output).__name__ == "NetworkTrainingOutput"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_children_can_be_replaced_and_hooked() -> None:
    module, fed = residual(), x()
    seen = []
    module.two.register_forward_hook(lambda m, args, result: seen.append(tuple(result.shape)))
    module.two.relu = nn.Identity()
    module(fed)
    assert seen == [(2, 6, 8, 8)]
    module.one.conv = nn.Conv2d(3, 4, 1)
    assert module(fed).shape == (2, 6)


def test_outputs_by_mode() -> None:
    module, fed = residual(), x()
    assert isinstance(module(fed), torch.Tensor)
    output = module.train()(fed)
    assert output._fields == ("y", "aux")
    assert output.aux.shape == (2, 4)
    named = spec(
        "layers: {a: ReLU, b: {Tanh: , from: input}}\noutputs: {as: dict, one: a, the two: b}\n"
    )
    assert list(archspec.loads(named).build()(fed)) == ["one", "the two"]


def test_inputs_by_keyword() -> None:
    text = spec("layers: {s: {Sub: [b, a]}}", "inputs: {a: [3], b: [3]}\n")
    module = archspec.loads(text).build()
    a, b = torch.randn(2, 2, 3)
    assert torch.equal(module(b=b, a=a), b - a)


def test_torch_can_trace_script_and_export_it() -> None:
    module, fed = residual(), x()
    wanted = module(fed)
    assert torch.equal(torch.jit.trace(module, fed)(fed), wanted)
    assert torch.equal(torch.export.export(module, (fed,)).module()(fed), wanted)
    assert torch.equal(torch.fx.symbolic_trace(module)(fed), wanted)


def test_nothing_of_ours_is_in_the_module() -> None:
    for part in residual().modules():
        homes = {cls.__module__.split(".")[0] for cls in type(part).__mro__}
        assert "archspec" not in homes


def test_what_is_dead_is_let_go() -> None:
    """A long residual chain, written flat, keeps as many tensors alive as a block by block one."""
    blocks = 12
    layers: dict[str, Any] = {"stem": {"Linear": {"out_features": 4}}}
    before = "stem"
    for n in range(blocks):
        layers[f"a{n}self"] = {"Linear": {"out_features": 4}, "from": before}
        layers[f"b{n}"] = {"Linear": {"out_features": 4}}
        layers[f"s{n}"] = {"Add": [f"b{n}", before]}
        before = f"s{n}"
    network = archspec.from_dict({"archspec": 1, "inputs": {"x": [4]}, "layers": layers})
    module = network.build()
    live: list[weakref.ref[torch.Tensor]] = []
    peaks = []

    def watch(part: nn.Module, args: Any, result: torch.Tensor) -> None:
        live.append(weakref.ref(result))
        peaks.append(sum(each() is not None for each in live))

    for child in module.children():
        child.register_forward_hook(watch)
    gc.disable()
    try:
        with torch.no_grad():
            module(*inputs_of(network))
    finally:
        gc.enable()
    assert len(peaks) == 2 * blocks + 1
    assert max(peaks) <= 3


def test_the_state_dict_reads_off_the_file() -> None:
    assert keys(spec(RESIDUAL))[:3] == ["one.conv.weight", "one.conv.bias", "one.norm.weight"]
