import operator
from functools import reduce
from typing import Any

import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st

from archspec.ops.merge import result_dtype
from archspec.tensors import DTYPES, Tensor, promote
from tests.ops.tensor_cases import (
    any_size,
    batch,
    dims_of,
    dtypes,
    free,
    laws,
    same,
    some_size,
    tensors,
)

OPERATORS = {"Add": operator.add, "Mul": operator.mul, "Sub": operator.sub, "Div": operator.truediv}


def repeating(function: Any, dim: int, inputs: list[Tensor]) -> Any:
    def reference(*given: torch.Tensor) -> torch.Tensor:
        sizes = [t.shape[0] for t, x in zip(given, inputs, strict=True) if x.batched]
        ready = [
            t.expand(sizes[0], *t.shape[1:]) if sizes and not x.batched and t.ndim else t
            for t, x in zip(given, inputs, strict=True)
        ]
        return function(ready, dim=dim)

    return reference


@pytest.mark.parametrize("left", DTYPES)
@pytest.mark.parametrize("right", DTYPES)
def test_promotion(left: str, right: str) -> None:
    a, b = getattr(torch, left), getattr(torch, right)
    assert f"torch.{promote(left, right)}" == str(torch.promote_types(a, b))
    for one in ((), (2,)):
        for other in ((), (2,)):
            wanted = torch.result_type(torch.ones(one, dtype=a), torch.ones(other, dtype=b))
            got = result_dtype(free(*one, dtype=left), free(*other, dtype=right))
            assert f"torch.{got}" == str(wanted)


@pytest.mark.parametrize(
    ("kind", "inputs", "wanted"),
    [
        ("Add", [batch(3, 4, 4), batch(3, 4, 4)], (3, 4, 4)),
        ("Add", [batch(3, 4, 4), batch(3, 1, 1)], (3, 4, 4)),
        ("Add", [batch(3), batch(3), batch(3)], (3,)),
        ("Add", [batch(3, 4), free(3, 4)], (3, 4)),
        ("Add", [batch(3, 4), free(1, 3, 4)], (3, 4)),
        ("Add", [free(1, 3, 4), batch(3, 4)], (3, 4)),
        ("Mul", [batch(3, 4), free()], (3, 4)),
        ("Mul", [free(3, 1), free(4)], (3, 4)),
        ("Sub", [batch(0), batch(1)], (0,)),
        ("Div", [batch(3, dtype="int64"), batch(3, dtype="int64")], (3,)),
        ("Add", [batch(3), batch(4)], "E201"),
        ("Mul", [batch(3, 4), batch(4)], "E502"),
        ("Add", [batch(3, 4), free(2, 3, 4)], "E502"),
        ("Add", [batch(3, 4), free(1, 1, 3, 4)], "E502"),
        ("Add", [free(2, 3, 4), batch(3, 4)], "E502"),
        ("Add", [batch(3)], "E112"),
        ("Sub", [batch(3), batch(3), batch(3)], "E112"),
        ("Sub", [batch(3, dtype="bool"), batch(3)], "E207"),
    ],
)
def test_arithmetic(kind: str, inputs: list[Tensor], wanted: Any) -> None:
    verdict = same(kind, {}, inputs, lambda *given: reduce(OPERATORS[kind], given))
    assert (verdict.outputs[0].shape if verdict.outputs else verdict.code) == wanted


@st.composite
def alike(draw: Any) -> list[Tensor]:
    """Tensors whose shapes nearly broadcast."""
    base = draw(st.lists(any_size, max_size=3))
    inputs = []
    for _ in range(draw(st.integers(2, 3))):
        batched = draw(st.booleans())
        shape = [size if draw(st.integers(0, 4)) else draw(any_size) for size in base]
        if not batched:
            lead = draw(st.sampled_from([(), (), (1,), (2,), (1, 1)]))
            shape = [*lead, *shape][draw(st.integers(0, len(shape))) * draw(st.booleans()) :]
        inputs.append(Tensor(tuple(shape), draw(dtypes), batched))
    return inputs


@given(st.sampled_from(sorted(OPERATORS)), alike())
def test_arithmetic_agrees(kind: str, inputs: list[Tensor]) -> None:
    if kind in ("Sub", "Div"):
        inputs = inputs[:2]
    verdict = same(kind, {}, inputs, lambda *given: reduce(OPERATORS[kind], given))
    event(str(verdict.code))


@pytest.mark.parametrize(
    ("args", "inputs", "wanted"),
    [
        ({}, [batch(3, 4, 4), batch(5, 4, 4)], (8, 4, 4)),
        ({"dim": -1}, [batch(3, 4), batch(3, 5), batch(3, 1)], (3, 10)),
        ({"dim": 1}, [free(1, 1, 8), batch(5, 8)], (6, 8)),
        ({"dim": 2}, [batch(5, 8), free(1, 5, 1), free(1, 5, 2)], (5, 11)),
        ({"dim": 0}, [free(2, 3), free(4, 3)], (6, 3)),
        ({}, [batch(3)], (3,)),
        ({"dim": 0}, [free(0), free(3)], (3,)),
        ({"dim": 0}, [batch(3), batch(3)], "E502"),
        ({"dim": 2}, [batch(3), batch(3)], "E210"),
        ({}, [batch(3, 4, 4), batch(5, 4, 3)], "E202"),
        ({}, [batch(3, 4), batch(3)], "E203"),
        ({}, [free(2, 1, 8), batch(5, 8)], "E502"),
        ({}, [free(0), batch(5, 8)], "E503"),
        ({"dim": 0}, [free(), free()], "E117"),
        ({"dim": 1.5}, [batch(3)], "E105"),
    ],
)
def test_concat(args: dict[str, Any], inputs: list[Tensor], wanted: Any) -> None:
    verdict = same("Concat", args, inputs, repeating(torch.cat, args.get("dim", 1), inputs))
    assert (verdict.outputs[0].shape if verdict.outputs else verdict.code) == wanted


@pytest.mark.parametrize(
    ("args", "inputs", "wanted"),
    [
        ({}, [batch(3, 4), batch(3, 4)], (2, 3, 4)),
        ({"dim": -1}, [batch(3, 4), free(1, 3, 4)], (3, 4, 2)),
        ({"dim": 0}, [free(), free()], (2,)),
        ({"dim": 0}, [batch(3), batch(3)], "E502"),
        ({"dim": -3}, [batch(3), batch(3)], "E502"),
        ({"dim": 3}, [batch(3), batch(3)], "E210"),
        ({}, [batch(3), batch(1)], "E201"),
        ({}, [batch(3), batch(3, 3)], "E203"),
    ],
)
def test_stack(args: dict[str, Any], inputs: list[Tensor], wanted: Any) -> None:
    verdict = same("Stack", args, inputs, repeating(torch.stack, args.get("dim", 1), inputs))
    assert (verdict.outputs[0].shape if verdict.outputs else verdict.code) == wanted


@st.composite
def joinable(draw: Any, vary: bool) -> tuple[int, list[Tensor]]:
    """A dimension, and tensors that nearly fit along it."""
    base = draw(tensors())
    dim = draw(dims_of(base, 1))
    inputs = [base]
    for _ in range(draw(st.integers(0, 2))):
        shape = list(base.shape)
        if vary and shape and base.ndim:
            at = dim % base.ndim - base.batched
            if 0 <= at < len(shape):
                shape[at] = draw(any_size)
        kind = draw(st.integers(0, 9))
        if kind == 0:
            shape = draw(st.lists(any_size, max_size=3))
        batched = base.batched
        if kind in (1, 2, 3):
            batched, shape = False, [draw(some_size) if kind == 1 else 1, *shape]
        inputs.append(Tensor(tuple(shape), draw(dtypes), batched))
    return dim, draw(st.permutations(inputs))


@given(joinable(vary=True))
def test_concat_agrees(case: tuple[int, list[Tensor]]) -> None:
    dim, inputs = case
    event(str(same("Concat", {"dim": dim}, inputs, repeating(torch.cat, dim, inputs)).code))


@given(joinable(vary=False))
def test_stack_agrees(case: tuple[int, list[Tensor]]) -> None:
    dim, inputs = case
    event(str(same("Stack", {"dim": dim}, inputs, repeating(torch.stack, dim, inputs)).code))


def test_symbols() -> None:
    sizes = range(1, 41)
    laws("Add", {}, lambda h: [Tensor((3, h)), Tensor((1, h))], sizes)
    # From 4 on: a symbolic size is required to be equal, though 1 would broadcast.
    halves = lambda h: [Tensor((3, h // 2)), Tensor((3, (h + 1) // 2))]  # noqa: E731
    laws("Mul", {}, halves, sizes[3:])
    laws("Concat", {}, lambda h: [Tensor((3, h)), Tensor((h, h))], sizes)
    laws("Concat", {}, lambda h: [Tensor((3, h)), Tensor((4, h // 3 * 3))], sizes)
    laws("Stack", {}, lambda h: [Tensor((3, h)), Tensor((3, 7))], sizes)
