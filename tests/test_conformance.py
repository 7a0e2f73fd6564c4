"""The reference specs equal the networks that they name, as recorded data has them."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from archspec.cli import main
from archspec.graph import Call, Composite
from archspec.network import Network
from tests import conformance
from tests.conformance import ROOT, Reference, load, predicted_calls, run, sizes_of, value

REFERENCES = conformance.references()
FINGERPRINTS = [reference for reference in REFERENCES if reference.fingerprint]
OWN_ORDER = ("specs/resnet18_d2l.yaml", "specs/basics/residual_down.yaml")
"""Here the shortcut, registered before the last norm, is called before it too; the authors' code
calls it after. Neither needs the other."""
REUSING = ["specs/resnet18.yaml", "specs/shared_conv.yaml", "specs/shared_conv_twice.yaml"]


def name_of(reference: Reference) -> str:
    return reference.spec.removeprefix("specs/").removesuffix(".yaml")


def networks(references: list[Reference], *, soak: bool = False) -> pytest.MarkDecorator:
    """One test per network; what is big goes to the soak tests if it has to be computed."""
    return pytest.mark.parametrize(
        "reference",
        [
            pytest.param(ref, id=name_of(ref), marks=[pytest.mark.soak] if soak and ref.big else [])
            for ref in references
        ],
    )


def built(reference: Reference) -> tuple[Network, torch.nn.Module, torch.device]:
    """The network and its module: on CPU, or on the meta device if it is big."""
    device = torch.device("meta" if reference.big else "cpu")
    network = load(reference)
    with device:
        return network, network.build(), device


def by_spec(spec: str) -> Reference:
    return next(reference for reference in REFERENCES if reference.spec == spec)


def in_order(calls: list, reference: Reference) -> list:
    """Calls to compare: in call order, but by name where the order says nothing."""
    return sorted(calls, key=name_first) if reference.spec in OWN_ORDER else calls


def name_first(call: Any) -> str:
    return call[0] if isinstance(call, tuple) else call.name


def test_every_network_of_the_data_has_a_spec() -> None:
    assert len(REFERENCES) == 32
    assert len({reference.spec for reference in REFERENCES}) == 32
    assert all((ROOT / reference.spec).is_file() for reference in REFERENCES)


@networks(REFERENCES)
def test_state_dict(reference: Reference) -> None:
    _, module, _ = built(reference)
    found = [
        (key, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for key, tensor in module.state_dict().items()
    ]
    assert found == reference.state_dict


@networks(REFERENCES)
def test_counts(reference: Reference) -> None:
    network, module, _ = built(reference)
    assert network.parameter_count == reference.params
    assert sum(parameter.numel() for parameter in module.parameters()) == reference.params
    assert len(list(module.buffers())) == reference.buffers


@networks(REFERENCES)
def test_work(reference: Reference) -> None:
    network, module, device = built(reference)
    shape = (1, *reference.input[1:])
    assert 2 * value(network.macs, sizes_of(network, shape)) == reference.flops
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module.eval()(torch.zeros(shape, device=device))
    assert counter.get_total_flops() == reference.flops


@networks(REFERENCES)
def test_shapes(reference: Reference) -> None:
    """Every recorded call of a leaf is predicted and made, in that order, with its shapes."""
    network, module, device = built(reference)
    real = run(module, torch.zeros(reference.input, device=device))
    predicted = predicted_calls(network, reference.input)
    recorded = {call.name for call in reference.leaves}
    assert in_order(real.of(recorded), reference) == in_order(reference.leaves, reference)
    expected = [call for call in predicted if call.name in recorded]
    assert in_order(expected, reference) == in_order(reference.leaves, reference)


@networks(REFERENCES)
def test_stages(reference: Reference) -> None:
    network, module, device = built(reference)
    real = run(module, torch.zeros(reference.input, device=device))
    names = {name for name, _ in reference.stages}
    found = in_order([(call.name, call.output) for call in real.of(names)], reference)
    assert found == in_order(reference.stages, reference)
    children = dict(module.named_children())
    whole = {name for name in names if not list(children[name].children())}
    calls = predicted_calls(network, reference.input)
    single = [(call.name, call.output) for call in calls if call.name in whole]
    wanted = [stage for stage in reference.stages if stage[0] in whole]
    assert in_order(single, reference) == in_order(wanted, reference)
    assert tuple(next(iter(network.outputs.values()))) == tuple(real.output.shape[1:])


@networks([reference for reference in REFERENCES if reference.printed])
def test_printed_shapes(reference: Reference) -> None:
    """The shapes that the networks' authors printed."""
    _, module, device = built(reference)
    real = run(module, torch.zeros(reference.input, device=device))
    names = {name for name, _ in module.named_children()}
    assert [call.output for call in real.of(names)] == [shape for _, shape in reference.printed]
    children = list(module.children())
    for (kind, _), child in zip(reference.printed, children, strict=True):
        assert bool(list(child.children())) == (kind == "Sequential")
        assert kind in ("Sequential", type(child).__name__)


@networks([reference for reference in REFERENCES if reference.layers])
def test_arguments(reference: Reference) -> None:
    """What neither shapes nor outputs in eval show: dropout rates, eps and momentum of norms."""
    _, module, _ = built(reference)
    found = dict(module.named_modules())
    for name, kind, arguments in reference.layers:
        if name.endswith("extra") and name not in found:
            continue  # an empty Sequential: the shortcut is the input
        for key, wanted in arguments.items():
            given = conformance.argument(found[name], key)
            if isinstance(wanted, list) and not isinstance(given, tuple):
                given = (given,) * len(wanted)
            assert given == (tuple(wanted) if isinstance(wanted, list) else wanted), (name, key)
        if arguments:
            assert type(found[name]).__name__ == kind


@networks([reference for reference in REFERENCES if reference.modules])
def test_modules(reference: Reference) -> None:
    """Class and arguments of every layer, as PyTorch prints them; blocks have our own classes."""
    _, module, _ = built(reference)
    found = dict(module.named_modules())
    for name, kind, text in reference.modules:
        assert name in found
        if list(found[name].children()):
            continue
        assert type(found[name]).__name__ == kind
        ours = conformance.meaning(found[name].extra_repr())
        assert ours == conformance.meaning(text), name


@networks(FINGERPRINTS, soak=True)
def test_fingerprint(reference: Reference) -> None:
    """The same numbers out of the same numbers, in float64."""
    known = reference.fingerprint
    assert known is not None
    module = load(reference).build(dtype=torch.float64).eval()
    conformance.weights_by_formula(module, known.get("gain", 2.0))
    with torch.no_grad():
        y = module(conformance.input_by_formula(tuple(known["input"])))
    assert list(y.shape) == known["shape"]
    tolerance = 1e-9 * known["std"]
    first8 = torch.tensor(known["first8"], dtype=torch.float64)
    assert (y.flatten(1)[:, :8] - first8).abs().max() <= tolerance
    for name in ("mean", "std", "min", "max"):
        assert abs(getattr(y, name)().item() - known[name]) <= tolerance, name
    assert abs(y.sum().item() - known["sum"]) <= tolerance * y.numel()


@pytest.mark.parametrize("spec", REUSING)
def test_what_is_used_again_exists_once(spec: str) -> None:
    network, module, _ = built(by_spec(spec))
    names = [name for name, _ in module.named_modules(remove_duplicate=False)]
    assert len(names) == len({id(each) for each in module.modules()})
    twice = {call.name for call in reuses(network)}
    assert twice
    assert not twice & set(names)


def reuses(network: Network) -> list[Call]:
    """The calls of the network and of its blocks that apply a module again."""
    scopes, found = [network.graph.root], []
    while scopes:
        scope = scopes.pop()
        found.extend(call for call in scope.calls if call.reused)
        scopes.extend(each for each in scope.children.values() if isinstance(each, Composite))
    return found


@networks(REFERENCES, soak=True)
def test_build_command(reference: Reference, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(ROOT / reference.spec)]) == 0
    out = capsys.readouterr().out
    assert "as predicted" in out
    assert f"{reference.params:,}" in out


@pytest.mark.parametrize(
    "spec", ["specs/lenet.yaml", "specs/shared_conv.yaml", "specs/resnet18.yaml"]
)
def test_build_command_in_a_process(spec: str) -> None:
    command = [sys.executable, "-m", "archspec", "build", spec]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "as predicted" in done.stdout
    assert f"{by_spec(spec).params:,}" in done.stdout
