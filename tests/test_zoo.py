"""The zoo equals torchvision's models, as recorded data has them."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import conformance, zoo
from tests.conformance import Shape, input_by_formula, predicted_calls, sizes_of, value
from tests.zoo import Model, named, network, on_meta, passed

MODELS = [model for model in zoo.models() if model.variant in zoo.families()]
every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


def test_every_recorded_model_has_a_spec() -> None:
    assert [model.name for model in zoo.models() if model not in MODELS] == []
    assert len(MODELS) == 52


@every_model
def test_state_dict(model: Model) -> None:
    """Keys, shapes and dtypes, in order: torchvision's checkpoints load."""
    found = [
        (key, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for key, tensor in on_meta(model).state_dict().items()
    ]
    assert found == model.state


@every_model
def test_parameters(model: Model) -> None:
    module = on_meta(model)
    assert network(model).parameter_count == model.facts["params"]
    assert sum(each.numel() for each in module.parameters()) == model.facts["params"]


@every_model
def test_work(model: Model) -> None:
    """MACs are half of what PyTorch counts, with attention in plain steps."""
    predicted = network(model)
    assert value(predicted.macs, sizes_of(predicted, model.input)) == model.macs
    assert passed(model).flops == model.facts["flops"]


@every_model
def test_calls(model: Model) -> None:
    """Every recorded call of a layer is predicted and made, in that order, with its shapes."""
    recorded = {call.name for call in model.calls}
    assert passed(model).run.of(recorded) == model.calls
    predicted = predicted_calls(network(model), model.input)
    assert [call for call in predicted if call.name in recorded] == model.calls


@every_model
def test_stages(model: Model) -> None:
    """The root's children give what torchvision's give."""
    stages = dict(model.stages)
    found = [(call.name, call.output) for call in passed(model).run.calls if call.name in stages]
    assert found == model.stages


@every_model
def test_outputs(model: Model) -> None:
    """What comes out, by name and in order."""
    assert shapes(passed(model).run.output) == list(model.outputs(training=False).items())


@every_model
def test_outputs_in_training(model: Model) -> None:
    """The same, with the outputs of auxiliary heads."""
    image = torch.zeros((2, *model.input[1:]), device="meta")
    with torch.no_grad():
        result = on_meta(model).train()(image)
    assert shapes(result) == list(model.outputs(training=True).items())


def shapes(outputs: Any) -> list[tuple[str, Shape]]:
    return [(name, tuple(each.shape)) for name, each in named(outputs).items()]


@every_model
def test_arguments(model: Model) -> None:
    """Dropout and stochastic depth rates, eps and momentum of norms, and all that repr tells."""
    found = dict(on_meta(model).named_modules())
    for name, kind, text in model.arguments:
        if hasattr(torch.nn, kind) and kind not in ("Sequential", "ModuleList"):
            assert type(found[name]).__name__ == kind
            assert conformance.meaning(found[name].extra_repr()) == conformance.meaning(text), name
        elif kind == "StochasticDepth" and name in found:
            rate, mode = re.fullmatch(r"StochasticDepth\(p=(.+), mode=(.+)\)", text).groups()
            assert found[name].p == pytest.approx(float(rate), abs=1e-12)
            assert found[name].mode == mode
        elif kind == "StochasticDepth":  # left out where there is no shortcut: torchvision never
            assert name in model.facts["uncalled_leaves"]  # calls it there either


FINGERPRINTS = [
    pytest.param(model, id=model.name, marks=[] if model.cheap else [pytest.mark.soak])
    for model in MODELS
    if model.facts["fingerprint"]
]


@pytest.mark.parametrize("model", FINGERPRINTS)
def test_fingerprint(model: Model) -> None:
    """The same numbers out of the same numbers, in float64."""
    known = model.facts["fingerprint"]
    module = network(model).build(dtype=torch.float64).eval()
    conformance.weights_by_formula(module, known["gain"])
    with torch.no_grad():
        result = named(module(input_by_formula(tuple(known["input"]))))
    y = result.get("out", next(iter(result.values())))
    assert list(y.shape) == known["shape"]
    tolerance = 1e-9 * known["std"]
    first8 = torch.tensor(known["first8"], dtype=torch.float64)
    assert (y.flatten(1)[:, :8] - first8).abs().max() <= tolerance
    for name in ("mean", "std", "min", "max"):
        assert abs(getattr(y, name)().item() - known[name]) <= tolerance, name
    assert abs(y.sum().item() - known["sum"]) <= tolerance * y.numel()


@pytest.mark.parametrize("path", sorted(set(zoo.families().values())), ids=lambda path: path.stem)
def test_specs_are_short(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < 150
