"""Rows: what turns a module into something else takes it."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch._dynamo.backends.registry import lookup_backend

import archspec
from archspec.backends.files.programs import exported, run_onnx
from archspec.exporting import plan
from tests.matrix.nets import Case
from tests.matrix.registry import Subject, quiet, row, same, tensors

COMPILE = "torch.compile"
EXPORT = "Export"
TRACE = "TorchScript and fx"
BATCHES = (2, 3, 5)


class Graphs:
    """A backend that knows how many of its graphs were run (some are made and thrown away)."""

    def __init__(self, backend: str = "aot_eager") -> None:
        self.backend = lookup_backend(backend)
        self.made = 0
        self.ran: set[int] = set()

    def __call__(self, graph: torch.fx.GraphModule, inputs: list[Any]) -> Callable[..., Any]:
        self.made += 1
        number, compiled = self.made, self.backend(graph, inputs)

        def run(*arguments: Any) -> Any:
            self.ran.add(number)
            return compiled(*arguments)

        return run


def _compiled(case: Subject, graphs: Graphs, *, dynamic: bool | None) -> None:
    module = case.build()
    torch._dynamo.reset()
    try:
        with torch.no_grad(), quiet():
            wanted = [(fed, module(*fed)) for fed in map(case.inputs, BATCHES)]
            compiled = torch.compile(module, fullgraph=True, dynamic=dynamic, backend=graphs)
            for fed, result in wanted:
                same(compiled(*fed), result)
    finally:
        torch._dynamo.reset()


@row(COMPILE, "`torch.compile(m, fullgraph=True, dynamic=True)`: one graph for batches 2, 3 and 5")
def compiles_dynamic(case: Subject) -> None:
    graphs = Graphs()
    _compiled(case, graphs, dynamic=True)
    assert len(graphs.ran) == 1


@row(COMPILE, "`torch.compile(m, fullgraph=True)`: at most two graphs for batches 2, 3 and 5")
def compiles(case: Subject) -> None:
    graphs = Graphs()
    _compiled(case, graphs, dynamic=None)
    assert 1 <= len(graphs.ran) <= 2


@row(COMPILE, "the same with inductor, which compiles C++", only=("dense",))
def compiles_with_inductor(case: Subject) -> None:
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        pytest.skip("inductor needs a C++ compiler")
    graphs = Graphs("inductor")
    _compiled(case, graphs, dynamic=True)
    assert len(graphs.ran) == 1


@row(
    COMPILE,
    "`block.compile()`: under `no_grad` one graph for each class and shape of blocks",
    blocks=True,
)
def compiles_blocks(case: Subject) -> None:
    module, fed = case.build(), case.inputs()
    shapes: set[Any] = set()
    graphs = Graphs()
    torch._dynamo.reset()
    try:
        with torch.no_grad(), quiet():
            wanted = module(*fed)
            for path in case.blocks:
                block = module.get_submodule(path)
                block.register_forward_pre_hook(lambda m, args: shapes.add(_signature(m, args)))
            module(*fed)
            for path in case.blocks:
                block = module.get_submodule(path)
                block._forward_pre_hooks.clear()
                block.compile(fullgraph=True, backend=graphs)
            same(module(*fed), wanted)
            module(*fed)
    finally:
        torch._dynamo.reset()
    assert len(graphs.ran) == len(shapes)


def _signature(block: nn.Module, args: Any) -> Any:
    """The class, and all shapes: what may have a graph of its own."""
    state = tuple((key, tuple(value.shape)) for key, value in block.state_dict().items())
    return type(block), state, tuple(tuple(each.shape) for each in args)


@row(EXPORT, "`torch.export` with dynamic batch, and sizes where they are symbolic")
def exports(case: Case) -> None:
    module, network = case.build(), exportable(case)
    with torch.no_grad(), quiet():
        fed = dict(zip(network.inputs, case.inputs(), strict=True))
        program = exported(network, module, fed, network.export_plan()).module()
        for batch, sizes in zip(BATCHES, ({}, *other_sizes(case)), strict=True):
            inputs = case.inputs(batch, **sizes)
            same(program(*inputs), module(*inputs))


def exportable(case: Case, *, onnx: bool = False) -> archspec.Network:
    """The network; at the sizes of the case for symbols that the tool cannot keep open."""
    sizes, kept = case.samples or {}, plan(case.network, onnx=onnx).kept
    fixed = {name: size for name, size in sizes.items() if name not in kept}
    return case.network.at(**fixed) if fixed else case.network


def other_sizes(case: Case, *, onnx: bool = False) -> list[dict[str, int]]:
    """Twice and three times the sizes of the case, of symbols that export keeps open."""
    kept, sizes = plan(case.network, onnx=onnx).kept, case.samples or {}
    return [
        {
            name: factor * size
            for name, size in sizes.items()
            if name in kept and kept[name].contains(factor * size)
        }
        for factor in (2, 3)
    ]


@row(EXPORT, "the exported program is saved and loaded")
def saves_its_program(case: Case) -> None:
    module, fed = case.build(), case.inputs(3)
    with tempfile.TemporaryDirectory() as folder, quiet(), torch.no_grad():
        path = exportable(case).export(Path(folder, "net.pt2"), module).path
        result = torch.export.load(path).module()(*fed)
        same(result, module(*fed))
        assert len(tensors(result)) == 1 or list(result) == list(case.network.outputs)


@row(EXPORT, "`torch.onnx.export(dynamo=True)`: within 1e-5 of the module in onnxruntime")
def exports_onnx(case: Case) -> None:
    pytest.importorskip("onnxscript", reason="needs onnx and onnxscript")
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    module = case.build()
    with tempfile.TemporaryDirectory() as folder, quiet(), torch.no_grad():
        path = exportable(case, onnx=True).export(Path(folder, "net.onnx"), module).path
        for batch, sizes in zip(BATCHES, ({}, *other_sizes(case, onnx=True)), strict=True):
            fed = case.inputs(batch, **sizes)
            found = run_onnx(path, dict(zip(case.network.inputs, fed, strict=True)))
            same(found, module(*fed), 1e-5)


@row(TRACE, "`torch.jit.script`")
def scripts(case: Subject) -> None:
    module = case.build()
    with quiet():
        scripted = torch.jit.script(module)
        for batch in BATCHES:
            fed = case.inputs(batch)
            same(scripted(*fed), module(*fed))


@row(TRACE, "`torch.jit.trace` (with `strict=False` for outputs in a dict)")
def traces(case: Subject) -> None:
    module, fed = case.build(), case.inputs()
    with quiet(), torch.no_grad():
        strict = not isinstance(module(*fed), dict)
        traced = torch.jit.trace(module, fed, strict=strict)
        for batch in BATCHES:
            fed = case.inputs(batch)
            same(traced(*fed), module(*fed))


@row(TRACE, "`torch.fx.symbolic_trace`")
def traces_symbolically(case: Subject) -> None:
    module = case.build()
    traced = torch.fx.symbolic_trace(module)
    for batch in BATCHES:
        fed = case.inputs(batch)
        same(traced(*fed), module(*fed), 0)
