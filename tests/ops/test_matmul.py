from typing import Any

import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from archspec.tensors import Tensor
from tests.ops.against_torch import Verdict, agree, sample
from tests.ops.tensor_cases import any_size, batch, dtypes, free, laws, some_size


def judged(inputs: list[Tensor]) -> Verdict:
    verdict = agree("MatMul", {}, inputs, torch.matmul)
    # How PyTorch multiplies by a vector on the left depends on strides: so does its count.
    if verdict.outputs is not None and verdict.layer is not None and inputs[0].ndim > 1:
        with FlopCounterMode(display=False) as counter:
            torch.matmul(*(sample(x, 1) for x in inputs))
        macs = verdict.layer.macs(tuple(inputs), verdict.outputs)
        assert macs * 2 == counter.get_total_flops()
    return verdict


@pytest.mark.parametrize(
    ("inputs", "wanted"),
    [
        ([batch(5, 3), batch(3, 4)], (5, 4)),
        ([batch(2, 5, 3), batch(1, 3, 4)], (2, 5, 4)),
        ([batch(3), free(3, 4)], (4,)),
        ([batch(3), free(3)], ()),
        ([batch(5, 3), free(3)], (5,)),
        ([free(5, 3), batch(3, 4)], (5, 4)),
        ([free(3), batch(3, 4)], (4,)),
        ([free(1, 5, 3), batch(3, 4)], (5, 4)),
        ([free(3), free(3)], ()),
        ([batch(5, 0), batch(0, 4)], (5, 4)),
        ([batch(5, 3), batch(2, 4)], "E201"),
        ([batch(2, 5, 3), batch(3, 3, 4)], "E201"),
        ([batch(), free(3)], "E502"),
        ([free(3), batch()], "E502"),
        ([free(2, 3), batch(4)], "E502"),
        ([batch(3), batch(3)], "E502"),
        ([batch(3), batch(3, 4)], "E502"),
        ([batch(3), free(1, 3, 4)], "E502"),
        ([batch(5, 3), free(2, 3, 4)], "E502"),
        ([batch(5, 3), batch(2, 3, 4)], "E502"),
        ([batch(5, 3), free()], "E203"),
        ([batch(5, 3), batch(3, 4, dtype="float64")], "E207"),
        ([batch(5, 3, dtype="bool"), batch(3, 4, dtype="bool")], "E207"),
        ([batch(5, 3)], "E112"),
    ],
)
def test_matmul(inputs: list[Tensor], wanted: Any) -> None:
    verdict = judged(inputs)
    assert (verdict.outputs[0].shape if verdict.outputs else verdict.code) == wanted


@st.composite
def factors(draw: Any) -> list[Tensor]:
    """Two tensors that nearly multiply."""
    size = draw(st.sampled_from([any_size, some_size, some_size]))
    inner, lead = draw(size), draw(st.lists(size, min_size=draw(st.integers(0, 1)), max_size=2))
    inputs = []
    for number in range(2):
        ahead = [n if draw(st.integers(0, 7)) else draw(size) for n in lead]
        ahead = ahead[draw(st.sampled_from([0] * 7 + [1])) :]
        other = [draw(size)] * draw(st.sampled_from([0, 1, 1, 1, 1, 1]))
        middle = inner if draw(st.integers(0, 7)) else draw(size)
        shape = [*ahead, *other, middle] if number == 0 else [*ahead, middle, *other]
        if not other:
            shape = shape[-1:]
        batched = draw(st.booleans())
        if not batched:
            shape = draw(st.sampled_from([[], [], [], [1], [2]])) * (len(shape) > 1) + shape
        inputs.append(Tensor(tuple(shape), "float32", batched))
    dtype = draw(dtypes)
    other = dtype if draw(st.integers(0, 9)) else draw(dtypes)
    return [Tensor(x.shape, t, x.batched) for x, t in zip(inputs, (dtype, other), strict=True)]


@given(factors())
def test_matmul_agrees(inputs: list[Tensor]) -> None:
    event(str(judged(inputs).code))


def test_symbols() -> None:
    laws("MatMul", {}, lambda h: [Tensor((h, 3)), Tensor((3, h + 1))], range(1, 41))
    laws("MatMul", {}, lambda h: [Tensor((2, h)), Tensor((h // 2 * 2, 5))], range(1, 41))
