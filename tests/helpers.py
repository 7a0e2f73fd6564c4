"""What the tests of the core share: short specs, and what archspec says about them."""

import re
import textwrap
from collections.abc import Callable
from typing import Any

import torch

import archspec
from archspec.backends.source import generate

HEAD = "archspec: 1\n"
IMAGE = "inputs: {image: [3, 8, 8]}\n"


def spec(body: str, inputs: str = IMAGE) -> str:
    """A whole spec from its lines after `inputs:`."""
    return HEAD + inputs + textwrap.dedent(body).lstrip("\n")


def errors(text: str, **options: Any) -> list[str]:
    """The errors of a spec, in order, as `CODE line:column`."""
    report = archspec.check(text, **options)
    return [f"{d.code} {d.line}:{d.column}" for d in report.diagnostics if d.severity == "error"]


def error(text: str, **options: Any) -> archspec.Diagnostic:
    """The only error of a spec."""
    found = [d for d in archspec.check(text, **options).diagnostics if d.severity == "error"]
    assert len(found) == 1, found
    return found[0]


def place_of(text: str, mark: str) -> tuple[str, str]:
    """A text without its marker, and the `line:column` where the marker stood."""
    before, found, after = text.partition(mark)
    assert found, text
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return before + after, f"{line}:{column}"


def inputs_of(network: archspec.Network, batch: int = 2) -> list[torch.Tensor]:
    """Random inputs of a network."""
    made = []
    for tensor in network.input_tensors.values():
        shape = (batch, *(network.at_example(size) for size in tensor.shape))
        kind = getattr(torch, tensor.dtype)
        made.append(
            torch.randn(shape).to(kind) if tensor.is_float else torch.ones(shape, dtype=kind)
        )
    return made


def runs(network: archspec.Network, *, training: bool = False) -> torch.nn.Module:
    """The built module, after its outputs had the shapes that were promised."""
    module = network.build().train(training)
    result = module(*inputs_of(network))
    values = result if isinstance(result, tuple) else (result,)
    values = tuple(result.values()) if isinstance(result, dict) else values
    wanted = network.output_tensors(training=training)
    for value, tensor in zip(values, wanted.values(), strict=True):
        assert tuple(value.shape[1:]) == tuple(map(network.at_example, tensor.shape))
    return module


def keys(text: str, **params: Any) -> list[str]:
    """The state dict keys of a spec's module, after it ran in both modes."""
    network = archspec.loads(text, params=params)
    runs(network, training=True)
    return list(runs(network).state_dict())


def paths(text: str, **params: Any) -> list[str]:
    """The paths of the layer table."""
    return [row.path for row in archspec.loads(text, params=params).layers]


def raises(kind: type[Exception], action: Callable[[], Any]) -> Exception:
    """The exception of an action."""
    try:
        action()
    except kind as error_:
        return error_
    raise AssertionError(f"{kind.__name__} was not raised")


def same(a: archspec.Network, b: archspec.Network) -> bool:
    """Whether two networks run the same code, whatever the files they come from."""
    return _code(a) == _code(b)


def _code(network: archspec.Network) -> str:
    return re.sub("Made by archspec.*", "", generate(network)[0])
