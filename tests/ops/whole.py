"""What the tests of layers without windows share: a stricter judge, and what to draw from."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from hypothesis import strategies as st

from archspec.diagnostics import Fault
from archspec.ops import apply, find
from archspec.sizes import Domain, Size
from archspec.tensors import DTYPES, Tensor
from tests.ops.against_torch import Verdict, agree, expect, sample
from tests.ops.windowed import mostly

Build = Callable[[], Callable[..., torch.Tensor]]

TALLY: Counter[tuple[str, bool]] = Counter()
"""How many cases of each kind were refused, and accepted."""


def judge(
    kind: str, args: Mapping[str, Any], inputs: tuple[Tensor, ...], build: Build, **options: Any
) -> Verdict:
    """`agree`, and an accepted layer also runs in eval from batch 1 on, and trains."""
    verdict = agree(kind, args, inputs, lambda *tensors: _both_modes(build(), tensors), **options)
    TALLY[kind, verdict.outputs is not None] += 1
    if verdict.outputs is not None:
        _runs_alone(verdict.outputs, inputs, build)
        _trains(inputs, build)
    return verdict


def _both_modes(module: Callable[..., torch.Tensor], tensors: tuple[torch.Tensor, ...]) -> Any:
    trained = _mode(module, True)(*(t.clone() for t in tensors))
    tested = _mode(module, False)(*(t.clone() for t in tensors))
    assert (trained.shape, trained.dtype) == (tested.shape, tested.dtype)
    return trained


def _mode(module: Any, training: bool) -> Any:
    return module.train(training) if isinstance(module, torch.nn.Module) else module


def _runs_alone(outputs: tuple[Tensor, ...], inputs: tuple[Tensor, ...], build: Build) -> None:
    expect(outputs, _mode(build(), False)(*(sample(x, 1) for x in inputs)), 1)


def _trains(inputs: tuple[Tensor, ...], build: Build) -> None:
    for training in (True, False):
        tensors = [sample(x, 2) for x in inputs]
        leaves = [t.requires_grad_() if t.is_floating_point() else t for t in tensors]
        result = _mode(build(), training)(*(t * 1 if t.requires_grad else t for t in leaves))
        if result.requires_grad:
            result.sum().backward()


def agrees_with_symbols(
    kind: str, args: Mapping[str, Any], *shapes: tuple[int | str, ...], dtype: str = "float32"
) -> int:
    """Assert that a rule over symbols says for 1 to 40 what it says for numbers.

    Gives how many of the sizes fit.
    """
    cls = find(kind)
    assert cls is not None
    layer, domain = cls.model_validate(dict(args)), Domain()
    symbolic = [
        tuple(domain.symbol(s) if isinstance(s, str) else s for s in shape) for shape in shapes
    ]
    _, (output,) = apply(layer, *(Tensor(shape, dtype) for shape in symbolic))
    fitting = 0
    for size in range(1, 41):
        values = {name: size for shape in shapes for name in shape if isinstance(name, str)}
        concrete = [Tensor(tuple(_at(s, values) for s in shape), dtype) for shape in symbolic]
        try:
            expected: tuple[int, ...] | None = apply(layer, *concrete)[1][0].shape  # type: ignore[assignment]
        except Fault:
            expected = None
        holds = all(condition.at(values) for condition in domain.requirements)
        assert (tuple(_at(s, values) for s in output.shape) if holds else None) == expected
        fitting += holds
    return fitting


def _at(size: Size, values: Mapping[str, int]) -> int:
    return size if isinstance(size, int) else size.at(values)


sizes = st.sampled_from([0, 0, 1, 5])
positive = st.sampled_from([1, 1, 2, 3, 4, 4, 6, 8])
counts = st.sampled_from([1, 2, 3, 4, 5, 6, 3, 4, 0, -1])
floats = st.sampled_from([0.5, 0.1, 1.0, 2.5, 1e-3, 0.0, 300.0, 7e4, -0.5, -2.0, -1e20])
small = st.sampled_from([1e-5, 1e-3, 0.1, 1.0, 0.0, -1.0])
flags = st.booleans()
dtypes = st.sampled_from(["float32"] * 60 + list(DTYPES))


def shapes(*ranks: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of mostly these ranks, mostly without zeros."""
    rank = mostly(st.sampled_from(ranks), st.integers(0, 4))
    entry = mostly(positive, sizes)
    return rank.flatmap(lambda n: st.tuples(*[entry] * n))


def tensors(*ranks: int) -> st.SearchStrategy[Tensor]:
    """Batched tensors of mostly these ranks, a few of them free."""
    batched = st.sampled_from([True] * 19 + [False])
    return st.builds(Tensor, shapes(*ranks), dtypes, batched)


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these arguments."""
    return st.fixed_dictionaries({}, optional=optional)
