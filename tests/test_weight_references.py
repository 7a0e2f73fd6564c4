"""References to a layer's parameters: `embed.weight` is a tensor like any other."""

import copy
import pickle

import pytest
import torch
from torch import nn

import archspec
from tests.helpers import error

TIED = """
archspec: 1
inputs: {text: {shape: [8], dtype: int64}}
layers:
  embed: {Embedding: {num_embeddings: 50, embedding_dim: 16}}
  mix: {Linear: {out_features: 16}}
  table: {Transpose: {dim0: 0, dim1: 1}, from: embed.weight}
  scores: {MatMul: [mix, table]}
"""
SCALED = """
archspec: 1
inputs: {x: [4]}
layers:
  fc: {Linear: {out_features: 4}}
  other: {Linear: {out_features: 4}, from: x}
  again: {Reuse: other, from: fc}
  loud: {Mul: [again, again.bias, fc.bias, fc.bias]}
"""
WITHOUT_ITS_LAYER = """
archspec: 1
inputs: {x: [6]}
layers:
  qkv: {Linear: {out_features: 12}}
  first: {Slice: {dim: 0, end: 6}, from: qkv.bias}
  add: {Add: [input, first]}
"""
WORDS = torch.arange(16).reshape(2, 8)


def test_tied_weights() -> None:
    """The table of an embedding scores words too: registered once, learned from both sides."""
    network = archspec.loads(TIED)
    module = network.build()
    assert list(module.state_dict()) == ["embed.weight", "mix.weight", "mix.bias"]
    assert network.parameter_count == sum(each.numel() for each in module.parameters())
    scores = module(WORDS)
    wanted = module.mix(module.embed(WORDS)) @ module.embed.weight.T
    assert torch.equal(scores, wanted)
    grads = [torch.autograd.grad(y.sum(), module.embed.weight)[0] for y in (scores, wanted)]
    assert torch.equal(*grads)


def test_what_each_name_means() -> None:
    module = archspec.loads(SCALED).build()
    x = torch.randn(3, 4)
    y = module.other(module.fc(x)) * module.other.bias * module.fc.bias * module.fc.bias
    assert torch.equal(module(x), y)


def test_reading_a_parameter_runs_nothing() -> None:
    """The layer is registered, and only read: it neither runs nor counts as forgotten."""
    report = archspec.check(WITHOUT_ITS_LAYER)
    assert report.ok
    assert not report.diagnostics
    network = archspec.loads(WITHOUT_ITS_LAYER)
    assert network.macs == 0
    module = network.build()
    module.qkv.register_forward_hook(lambda *_: pytest.fail("it ran"))
    x = torch.randn(2, 6)
    assert torch.equal(module(x), x + module.qkv.bias[:6])


@pytest.mark.parametrize("text", [TIED, SCALED])
def test_the_module_is_plain(text: str) -> None:
    module = archspec.loads(text).build()
    x = WORDS if text is TIED else torch.randn(2, 4)
    wanted = module(x)
    for made in (
        pickle.loads(pickle.dumps(module)),
        copy.deepcopy(module),
        torch.jit.script(module),
        torch.fx.symbolic_trace(module),
        torch.export.export(module, (x,)).module(),
    ):
        assert torch.equal(made(x), wanted)


def test_names_of_no_parameter() -> None:
    found = error(TIED.replace("embed.weight", "embed.wight"))
    assert (found.code, found.help) == ("E106", "did you mean `weight`?")
    found = error(TIED.replace("embed.weight", "embed.table"))
    assert (found.code, found.help) == ("E106", "it has `0`, `weight`")
    without = SCALED.replace(
        "{out_features: 4}, from: x", "{out_features: 4, bias: false}, from: x"
    )
    assert error(without).code == "E106"


def test_a_parameter_is_no_batch() -> None:
    """What PyTorch would align with the batch is refused, as for any free tensor."""
    text = SCALED.replace("[again, again.bias, fc.bias, fc.bias]", "[again, fc.weight]")
    assert error(text).code == "E502"
    assert nn.Linear(4, 4)(torch.zeros(4, 4)).mul(nn.Linear(4, 4).weight).shape == (4, 4)


@pytest.mark.parametrize("reference", ["fc.bias", "fc.0", "fc"])
def test_an_absent_layer_has_no_parameters(reference: str) -> None:
    """Its input stands for its result, and for nothing else."""
    text = f"""
archspec: 1
inputs: {{x: [4]}}
layers:
  fc: {{Linear: {{out_features: 4}}, when: false}}
  add: {{Add: [input, {reference}]}}
"""
    if reference == "fc.bias":
        assert error(text).code == "E106"
    else:
        assert archspec.loads(text).parameter_count == 0


@pytest.mark.parametrize(("text", "path"), [(TIED, "table"), (WITHOUT_ITS_LAYER, "first")])
def test_a_part_keeps_what_is_read(text: str, path: str) -> None:
    whole = archspec.loads(text)
    part = whole.select(path).build()
    kept = dict(part.state_dict())
    part.load_state_dict(
        {key: each for key, each in whole.build().state_dict().items() if key in kept}
    )
    assert kept
    x = WORDS if text is TIED else torch.randn(2, 6)
    assert part(x).numel() == (800 if text is TIED else 6)
