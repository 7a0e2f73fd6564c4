"""Embeddings, judged by PyTorch."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archspec.tensors import DTYPES, Tensor
from tests.ops.whole import agrees_with_symbols, counts, floats, judge, shapes, some

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # warnings are no refusal

KINDS = ("Embedding", "EmbeddingBag")
SIZE = {"num_embeddings": 4, "embedding_dim": 3}


def verdict(kind: str, args: dict[str, Any], x: Tensor) -> Any:
    few = args["num_embeddings"] == 1  # a sample holds the integers 0 and 1

    def build() -> Any:
        table = getattr(torch.nn, kind)(**args)
        return _Lowered(table) if few else table

    return judge(kind, args, (x,), build, emitted=not few)


class _Lowered(torch.nn.Module):
    def __init__(self, table: torch.nn.Module) -> None:
        super().__init__()
        self.table = table

    def forward(self, x: torch.Tensor) -> Any:
        return self.table(torch.zeros_like(x))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_property(kind: str, data: st.DataObject) -> None:
    rows = st.sampled_from([4, 3, 2, 1, 6, 4, 3, 5, 8, 0, -1])
    dtype = data.draw(st.sampled_from(["int64", "int32"] * 40 + list(DTYPES)))
    shape = data.draw(shapes(1, 2, 3) if kind == "Embedding" else shapes(1))
    free = st.sampled_from([True] * 19 + [False])
    options = {"mode": st.sampled_from(["sum", "mean", "max"])} if kind == "EmbeddingBag" else {}
    optional = some(
        padding_idx=st.sampled_from([0, 0, 1, -1, -1, 2, 5, -6]),
        max_norm=floats,
        norm_type=floats,
        scale_grad_by_freq=st.sampled_from([False, False, False, True]),
        sparse=st.sampled_from([False, False, False, True]),
        **options,
    )
    size = {"num_embeddings": data.draw(rows), "embedding_dim": data.draw(counts)}
    args = {**size, **data.draw(optional)}
    verdict(kind, args, Tensor(shape, dtype, data.draw(free)))


T = Tensor((5,), "int64")
EDGES: dict[str, tuple[str, dict[str, Any], Tensor, str | None]] = {
    "tokens": ("Embedding", SIZE, T, None),
    "int32": ("Embedding", SIZE, Tensor((5,), "int32"), None),
    "int16": ("Embedding", SIZE, Tensor((5,), "int16"), "E207"),
    "one token": ("Embedding", SIZE, Tensor((), "int64"), None),
    "positions": ("Embedding", SIZE, Tensor((5,), "int64", batched=False), None),
    "no rows": ("Embedding", {**SIZE, "num_embeddings": 0}, T, "E208"),
    "no rows for nothing": (
        "Embedding",
        {**SIZE, "num_embeddings": 0},
        Tensor((0,), "int64"),
        None,
    ),
    "rows below 0": ("Embedding", {**SIZE, "num_embeddings": -1}, T, "E208"),
    "vectors below 0": ("Embedding", {**SIZE, "embedding_dim": -1}, T, "E208"),
    "padding": ("Embedding", {**SIZE, "padding_idx": -4}, T, None),
    "padding too high": ("Embedding", {**SIZE, "padding_idx": 4}, T, "E208"),
    "padding too low": ("EmbeddingBag", {**SIZE, "padding_idx": -5}, T, "E208"),
    "no norm": (
        "Embedding",
        {"num_embeddings": 4, "embedding_dim": 0, "max_norm": 1.0, "norm_type": -1.0},
        T,
        "E208",
    ),
    "untrainable": ("Embedding", {**SIZE, "sparse": True, "scale_grad_by_freq": True}, T, "E503"),
    "bag": ("EmbeddingBag", SIZE, T, None),
    "bag of nothing": ("EmbeddingBag", SIZE, Tensor((0,), "int64"), "E211"),
    "bags of bags": ("EmbeddingBag", SIZE, Tensor((2, 3), "int64"), "E203"),
    "sparse max": ("EmbeddingBag", {**SIZE, "mode": "max", "sparse": True}, T, "E208"),
    "no mode": ("EmbeddingBag", {**SIZE, "mode": "median"}, T, "E105"),
}


@pytest.mark.parametrize("case", EDGES)
def test_edges(case: str) -> None:
    kind, args, x, code = EDGES[case]
    found = verdict(kind, args, x)
    assert found.code == code
    if code is None:
        shape = (*x.shape, 3) if kind == "Embedding" else (3,)
        assert found.outputs == (Tensor(shape, "float32", x.batched),)


def test_symbols() -> None:
    assert agrees_with_symbols("Embedding", SIZE, ("T",), dtype="int64") == 40
    assert agrees_with_symbols("EmbeddingBag", SIZE, ("T",), dtype="int64") == 40
