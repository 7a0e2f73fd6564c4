"""Rows: the module reads, copies and changes as one that was written by hand."""

import copy
import inspect
import linecache
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from archspec.graph import Composite, Leaf
from tests.matrix.nets import Case
from tests.matrix.registry import Subject, row, same

READ = "Reading"
COPY = "Copying and saving"
CHANGE = "Changing"


def own_classes(module: nn.Module) -> list[type]:
    """The classes of the module that are neither PyTorch's nor a user's."""
    kinds = dict.fromkeys(type(part) for part in module.modules())
    return [kind for kind in kinds if not kind.__module__.startswith("torch.")]


@row(READ, "`print(m)` shows class names, children and arguments, and nothing of archspec")
def prints(case: Case) -> None:
    module = case.build()
    lines = repr(module).splitlines()
    assert "archspec" not in repr(module)
    assert lines[0] == f"{type(module).__name__}("
    shown = [line.strip().partition(")")[0].strip("(") for line in lines if line.startswith("  (")]
    assert shown == [name for name, _ in module.named_children()]


@row(READ, "`named_children`, `modules` and `named_parameters` come in the order of the file")
def comes_in_order(case: Case) -> None:
    module = case.build()
    names = [name for name, _ in module.named_modules()]
    filed = _filed(case.network.graph.root, "")
    assert [name for name in names if name in filed] == [name for name in filed if name in names]
    if case.children:
        assert [name for name, _ in module.named_children()] == list(case.children)
    owners = dict.fromkeys(key.rpartition(".")[0] for key, _ in module.named_parameters())
    assert list(owners) == [name for name in names if name in owners]


def _filed(scope: Composite, path: str) -> list[str]:
    """The paths of a scope and all below it, as the file has them."""
    found = [path]
    for name, child in scope.children.items():
        inner = f"{path}.{name}" if path else name
        found += [inner] if isinstance(child, Leaf) else _filed(child, inner)
    return found


@row(READ, "`inspect.getsource` gives the text of the class, and of every block's class")
def has_source(case: Case) -> None:
    module = case.build()
    for kind in own_classes(module):
        assert inspect.getsource(kind).startswith(f"class {kind.__name__}(nn.")
        assert "    def " in inspect.getsource(kind)
    assert inspect.getsource(type(module).forward).lstrip().startswith("def forward(")


@row(READ, "a traceback shows the generated line that failed")
def shows_the_line(case: Case) -> None:
    module = case.build()
    name, child = list(module.named_children())[-1]

    def fail(*arguments: Any) -> None:
        raise ArithmeticError("from inside")

    child.register_forward_pre_hook(fail)
    try:
        module(*case.inputs())
    except ArithmeticError as error:
        text = "".join(traceback.format_exception(error))
    assert f"self.{name}(" in text or "layer(" in text
    assert linecache.getlines(inspect.getfile(type(module)))


@row(COPY, "`pickle`, `copy.deepcopy`: same values, nothing shared")
def copies(case: Case) -> None:
    module, fed = case.build(), case.inputs()
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        same(twin(*fed), module(*fed), 0)
        storages = {each.data_ptr() for each in module.parameters()}
        assert not any(each.data_ptr() in storages for each in twin.parameters())


@row(COPY, "`torch.save` of the whole module, loaded in a fresh process")
def opens_in_a_fresh_process(case: Case) -> None:
    module, fed = case.build(), case.inputs()
    code = """
import sys, torch
module, fed, wanted = torch.load(sys.argv[1], weights_only=False)
found = module(*fed)
assert type(found) is type(wanted)
pairs = zip(found, wanted) if isinstance(found, tuple) else [(found, wanted)]
pairs = zip(found.values(), wanted.values()) if isinstance(found, dict) else pairs
assert all(torch.allclose(a, b, atol=1e-6) for a, b in pairs)
"""
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path = Path(folder, "module.pt")
        torch.save((module, fed, module(*fed)), path)
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@row(COPY, "`load_state_dict` takes what `state_dict` gives, strictly")
def loads_its_state(case: Subject) -> None:
    module, other = case.build(), case.build()
    for each in other.parameters():
        nn.init.zeros_(each)
    other.load_state_dict(module.state_dict())
    fed = case.inputs()
    same(other(*fed), module(*fed), 0)


@row(CHANGE, "a replaced child takes effect: `m.fc = nn.Linear(512, 10)`")
def takes_a_new_child(case: Subject) -> None:
    module, fed = case.build(), case.inputs()
    nodes = torch.fx.symbolic_trace(module).graph.nodes
    called = [module.get_submodule(node.target) for node in nodes if node.op == "call_module"]
    own = [each for each in called if list(each.parameters())]
    if not own:
        pytest.skip("no child has parameters")
    name = next(name for name, part in module.named_modules() if part is own[-1])
    new = copy.deepcopy(own[-1])
    for each in new.parameters():
        nn.init.constant_(each, 0.25)
    before = module(*fed)
    module.set_submodule(name, new)
    found = module(*fed)
    try:
        same(found, before)
    except AssertionError:
        return
    raise AssertionError(f"{name} was replaced without effect")


@row(CHANGE, "forward hooks on blocks and leaves fire, once for each call")
def hooks_fire(case: Subject) -> None:
    module = case.build()
    seen: Counter[Any] = Counter()
    nodes = torch.fx.symbolic_trace(module).graph.nodes
    calls = Counter(node.target for node in nodes if node.op == "call_module")
    for name, part in module.named_modules():
        part.register_forward_hook(lambda m, args, result, name=name: seen.update([name]))
    module(*case.inputs())
    assert calls
    assert {name: seen[name] for name in calls} == calls
    assert all(seen[name] for name in case.blocks)
    assert seen[""] == 1
