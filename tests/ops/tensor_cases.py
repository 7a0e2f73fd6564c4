"""What the tests of tensor operations share: tensors to draw, and the values of emitted code."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from hypothesis import strategies as st

from archspec.ops import apply, find
from archspec.sizes import Domain, Expr
from archspec.tensors import DTYPES, FLOATS, Tensor
from tests.ops.against_torch import Verdict, agree, run_emitted, sample

any_size = st.sampled_from([0, 1, 1, 2, 2, 3, 4, 6])
some_size = st.sampled_from([1, 2, 2, 3, 4, 6])
dtypes = st.one_of(st.sampled_from(FLOATS), st.just("float32"), st.sampled_from(DTYPES))


@st.composite
def tensors(draw: Any, low: int = 0, high: int = 4, sizes: Any = None) -> Tensor:
    """A tensor with or without a batch."""
    drawn = sizes if sizes is not None else draw(st.sampled_from([any_size, some_size, some_size]))
    shape = draw(st.lists(drawn, min_size=low, max_size=high))
    return Tensor(tuple(shape), draw(dtypes), draw(st.sampled_from([True, True, False])))


def dims_of(x: Tensor, beyond: int = 0) -> Any:
    """A dimension of this tensor: mostly one that is there and is not the batch."""
    inside = range(int(x.batched), x.ndim)
    good = [*inside, *(n - x.ndim for n in inside)]
    bad = [*range(-x.ndim - 1 - beyond, x.ndim + beyond + 1)]
    return st.sampled_from(good * (8 * len(bad) // max(1, len(good))) + bad)


def same(
    kind: str,
    args: Mapping[str, Any],
    inputs: Sequence[Tensor],
    reference: Callable[..., Any],
) -> Verdict:
    """`agree`, and what is emitted computes what the reference computes."""
    verdict = agree(kind, args, inputs, reference)
    if verdict.outputs is not None and verdict.layer is not None:
        for batch in (1, 2):
            given = [sample(x, batch) for x in inputs]
            wanted, got = reference(*given), run_emitted(verdict.layer, inputs, given)
            torch.testing.assert_close(listed(got), listed(wanted), rtol=0, atol=0, equal_nan=True)
    return verdict


def listed(results: Any) -> list[Any]:
    return [*results] if isinstance(results, tuple | list) else [results]


def laws(
    kind: str, args: Mapping[str, Any], make: Callable[[Any], Sequence[Tensor]], sizes: range
) -> None:
    """Assert that the rule over a symbol, evaluated, is the rule over the number.

    Where the number is refused, a requirement of the symbolic rule says so.
    """
    domain = Domain()
    h = domain.symbol("H")
    outputs = apply(_layer(kind, args), *make(h))[1]
    accepted = 0
    for n in sizes:
        fine = all(condition.at({"H": n}) for condition in domain.requirements)
        try:
            wanted = apply(_layer(kind, args), *make(n))[1]
        except Exception:
            assert not fine, (kind, args, n)
            continue
        assert fine, (kind, args, n)
        accepted += 1
        assert [at(x, n) for x in outputs] == [at(x, n) for x in wanted], (kind, args, n)
    assert accepted


def at(x: Tensor, n: int) -> tuple[tuple[int, ...], str]:
    return tuple(s.at({"H": n}) if isinstance(s, Expr) else s for s in x.shape), x.dtype


def _layer(kind: str, args: Mapping[str, Any]) -> Any:
    cls = find(kind)
    assert cls is not None
    layer = cls.model_validate(dict(args))
    layer.check()
    return layer


def full(x: Tensor, batch: int = 7) -> tuple[int, ...]:
    """The shape as PyTorch counts it."""
    return (batch, *x.shape) if x.batched else x.shape  # type: ignore[return-value]


def elements(x: Tensor) -> int:
    return math.prod(x.shape)  # type: ignore[arg-type]


def free(*shape: int, dtype: str = "float32") -> Tensor:
    return Tensor(shape, dtype, batched=False)


def batch(*shape: int, dtype: str = "float32") -> Tensor:
    return Tensor(shape, dtype)
