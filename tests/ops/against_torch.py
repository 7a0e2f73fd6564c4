"""The judge of single layers: what PyTorch on CPU does, beside what the layer type says.

`agree` asks both. The PyTorch side is written by the caller in plain `torch`, with explicit
arguments, and shares nothing with `archspec`; the emitted code is run as a third witness.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import ValidationError

from archspec.backends.source.literals import literal
from archspec.diagnostics import CODES, Fault
from archspec.ops import Construct, Layer, apply, find
from archspec.ops.base import Emission
from archspec.tensors import Tensor

BATCHES = (2, 3)


@dataclass(frozen=True)
class Verdict:
    """What archspec says: outputs (batch left out), or a code."""

    outputs: tuple[Tensor, ...] | None
    code: str | None
    layer: Layer | None = None


def ask(kind: str, args: Mapping[str, Any], *inputs: Tensor) -> Verdict:
    """Check arguments, then apply: outputs, or the code of the first fault."""
    cls = find(kind)
    assert cls is not None, kind
    try:
        layer = cls.model_validate(dict(args))
    except ValidationError:
        return Verdict(None, "E105")
    try:
        layer.check()
        layer, outputs = apply(layer, *inputs)
    except Fault as fault:
        return Verdict(None, fault.code)
    return Verdict(outputs, None, layer)


def sample(x: Tensor, batch: int) -> torch.Tensor:
    """A random tensor of this type."""
    shape = (batch, *x.shape) if x.batched else x.shape
    dtype = getattr(torch, x.dtype)
    if x.is_float:
        return torch.randn(shape, dtype=dtype)
    return torch.randint(0, 2, shape).to(dtype)


def agree(
    kind: str,
    args: Mapping[str, Any],
    inputs: Sequence[Tensor],
    reference: Callable[..., Any],
    *,
    emitted: bool = True,
) -> Verdict:
    """Assert that archspec and PyTorch agree on one layer, both ways.

    `reference(*tensors)` constructs the module or function in plain torch and applies it; it
    raises where PyTorch refuses. Called for several batches. A *torch* error owes that it raises
    for at least one of them; an accepted layer runs for all of them with the predicted shapes.
    Gives the verdict, for further assertions.
    """
    verdict = ask(kind, args, *inputs)
    if verdict.outputs is not None:
        for batch in BATCHES:
            tensors = [sample(x, batch) for x in inputs]
            expect(verdict.outputs, reference(*tensors), batch)
            if emitted:
                assert verdict.layer is not None
                expect(verdict.outputs, run_emitted(verdict.layer, inputs, tensors), batch)
    elif verdict.code is not None and CODES[verdict.code].cls == "torch":
        assert any(_raises(reference, inputs, batch) for batch in BATCHES), (
            f"{kind}({dict(args)}) on {[str(x) for x in inputs]}: {verdict.code}, but torch runs"
        )
    return verdict


def expect(predicted: tuple[Tensor, ...], actual: Any, batch: int) -> None:
    """Assert shapes and dtypes of real outputs."""
    got = tuple(actual) if isinstance(actual, tuple | list) else (actual,)
    assert len(got) == len(predicted)
    for p, a in zip(predicted, got, strict=True):
        assert tuple(a.shape) == ((batch, *p.shape) if p.batched else p.shape)
        assert str(a.dtype) == f"torch.{p.dtype}"


def _raises(reference: Callable[..., Any], inputs: Sequence[Tensor], batch: int) -> bool:
    try:
        reference(*(sample(x, batch) for x in inputs))
    except Exception:
        return True
    return False


def run_emitted(
    layer: Layer,
    inputs: Sequence[Tensor],
    tensors: Sequence[torch.Tensor],
    *,
    training: bool = True,
) -> Any:
    """Run what the layer emits: construct and call the module, or evaluate the expression.

    Several results come as a tuple in the order of `results`, or of the emitted tuple.
    """
    names = {f"x{n}": t for n, t in enumerate(tensors)}
    scope: dict[str, Any] = {"torch": torch, "F": torch.nn.functional, "nn": torch.nn, **names}
    emission: Emission = layer.emit(tuple(inputs))
    scope["self"] = torch.nn.Module().train(training)  # a template may say `self.training`
    if not isinstance(emission, Construct):
        return eval(_fill(emission.template, names, emission.values), scope)
    module = _construct(emission, scope).train(training)
    _check_state(layer, module)
    scope["self_"] = module
    call = _fill(emission.call.replace("{self}", "self_"), names, {})
    if emission.unpack is None:
        return eval(call, scope)
    targets = {name: f"r_{name}" for name in layer.results}
    exec(f"{emission.unpack.format(**targets)} = {call}", scope)
    return tuple(
        eval(emission.adjust.get(name, f"{{{name}}}").format(**targets), scope)
        for name in layer.results
    )


def _fill(template: str, names: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    literals = {key: literal(value) for key, value in values.items()}
    return template.format(*names, inputs=", ".join(names), **literals)


def _construct(emission: Construct, scope: dict[str, Any]) -> torch.nn.Module:
    if emission.definition is not None:
        exec(emission.definition, scope)
        cls = scope[emission.path.rpartition(".")[2]]
    else:
        module, _, name = emission.path.rpartition(".")
        cls = getattr(importlib.import_module(module), name)
    built = cls(*emission.args, **emission.kwargs)
    assert isinstance(built, torch.nn.Module)
    return built


def _check_state(layer: Layer, module: torch.nn.Module) -> None:
    parameters = {name: tuple(p.shape) for name, p in module.named_parameters()}
    assert list(parameters.items()) == list(layer.weights().items())
    state = {name: tuple(t.shape) for name, t in module.state_dict().items()}
    assert {**layer.weights(), **layer.buffers()} == state
