from typing import Any

import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st

from archspec.tensors import Tensor
from tests.ops.against_torch import Verdict, ask
from tests.ops.tensor_cases import batch, dims_of, free, laws, same, tensors


def sliced(t: torch.Tensor, dim: int, *bounds: int | None) -> torch.Tensor:
    """Python's slice along one dimension."""
    if not -t.ndim <= dim < t.ndim:
        raise IndexError(dim)
    whole = [slice(None)] * t.ndim
    whole[dim] = slice(*bounds)
    return t[tuple(whole)]


def judged(kind: str, args: dict[str, Any], x: Tensor) -> Verdict:
    def reference(t: torch.Tensor) -> Any:
        dim = args.get("dim", 1)
        match kind:
            case "Chunk":
                return torch.chunk(t, args["chunks"], dim)
            case "Split":
                return torch.split(t, args["split_size"], dim)
            case "Select":
                return torch.select(t, dim, args["index"])
            case _:
                return sliced(t, dim, args.get("start"), args.get("end"), args.get("step", 1))

    return same(kind, args, [x], reference)


@pytest.mark.parametrize(
    ("kind", "args", "x", "wanted"),
    [
        ("Chunk", {"chunks": 2}, batch(4, 3), [(2, 3), (2, 3)]),
        ("Chunk", {"chunks": 4, "dim": -1}, batch(5), [(2,), (2,), (1,)]),
        ("Chunk", {"chunks": 2}, batch(0), [(0,), (0,)]),
        ("Chunk", {"chunks": 10**12}, batch(2), [(1,), (1,)]),
        ("Chunk", {"chunks": 10**12}, batch(0), "E005"),
        ("Chunk", {"chunks": 10**12, "dim": 1}, batch(10**5), "E005"),
        ("Chunk", {"chunks": 0}, batch(4), "E208"),
        ("Chunk", {"chunks": 2, "dim": 0}, batch(4), "E502"),
        ("Chunk", {"chunks": 2, "dim": 0}, free(), "E117"),
        ("Split", {"split_size": 2}, batch(5), [(2,), (2,), (1,)]),
        ("Split", {"split_size": [1, 0, 4]}, batch(5), [(1,), (0,), (4,)]),
        ("Split", {"split_size": 0}, batch(0), [(0,)]),
        ("Split", {"split_size": 3}, batch(0), [(0,)]),
        ("Split", {"split_size": 2, "dim": 0}, free(3), [(2,), (1,)]),
        ("Split", {"split_size": 0}, batch(5), "E208"),
        ("Split", {"split_size": -1}, batch(5), "E208"),
        ("Split", {"split_size": [-1, 6]}, batch(5), "E208"),
        ("Split", {"split_size": [1, 3]}, batch(5), "E209"),
        ("Split", {"split_size": []}, batch(0), "E105"),
        ("Split", {"split_size": 1}, batch(20_000), "E005"),
        ("Slice", {"dim": 1, "end": 3}, batch(5, 2), [(3, 2)]),
        ("Slice", {"dim": -1, "start": -2}, batch(5), [(2,)]),
        ("Slice", {"dim": 2, "start": 1, "step": 2}, batch(3, 6), [(3, 3)]),
        ("Slice", {"dim": 1, "start": 3, "end": 1}, batch(5), [(0,)]),
        ("Slice", {"dim": 1, "start": -9, "end": 99}, batch(5), [(5,)]),
        ("Slice", {"dim": 0, "end": 1}, free(5), [(1,)]),
        ("Slice", {"dim": 1, "step": 0}, batch(5), "E208"),
        ("Slice", {"dim": 1, "step": -1}, batch(5), "E208"),
        ("Slice", {"dim": 1, "end": 10**20}, batch(5), "E105"),
        ("Slice", {"dim": 0, "end": 1}, batch(5), "E502"),
        ("Slice", {"dim": 2, "end": 1}, batch(5), "E210"),
        ("Select", {"dim": 1, "index": 0}, batch(5, 3), [(3,)]),
        ("Select", {"dim": 1, "index": -5}, batch(5), [()]),
        ("Select", {"dim": 0, "index": 1}, free(5), [()]),
        ("Select", {"dim": 1, "index": 5}, batch(5), "E208"),
        ("Select", {"dim": 1, "index": -6}, batch(5), "E208"),
        ("Select", {"dim": 1, "index": 0}, batch(0), "E208"),
        ("Select", {"dim": 0, "index": 0}, batch(5), "E502"),
        ("Select", {"dim": 1}, batch(5), "E105"),
    ],
)
def test_cases(kind: str, args: dict[str, Any], x: Tensor, wanted: Any) -> None:
    verdict = judged(kind, args, x)
    got = [t.shape for t in verdict.outputs] if verdict.outputs else verdict.code
    assert got == wanted


near = st.one_of(st.none(), st.integers(-8, 8), st.sampled_from([-(2**31), 2**31]))


@given(st.sampled_from(["Chunk", "Split", "Slice", "Select"]), tensors(), st.data())
def test_agrees(kind: str, x: Tensor, data: Any) -> None:
    args: dict[str, Any] = {"dim": data.draw(dims_of(x, 1))}
    at = args["dim"] - x.batched if args["dim"] >= 0 else args["dim"]
    size: Any = x.shape[at] if -len(x.shape) <= at < len(x.shape) else 4
    if kind == "Chunk":
        args["chunks"] = data.draw(st.sampled_from([-1, 0, 1, 2, 2, 3, 3, 4, 5, 8]))
    elif kind == "Split":
        cuts = sorted(data.draw(st.lists(st.integers(0, size), max_size=2)))
        parts = [b - a for a, b in zip([0, *cuts], [*cuts, size], strict=True)]
        parts[-1] += data.draw(st.sampled_from([0] * 9 + [1, -1]))
        args["split_size"] = data.draw(
            st.one_of(st.sampled_from([-1, 0, 1, 2, 2, 3, 3, 4, 5, 8]), st.just(parts))
        )
    elif kind == "Slice":
        args |= {"start": data.draw(near), "end": data.draw(near)}
        args["step"] = data.draw(st.sampled_from([1, 1, 2, 3, 2**31, 0, -1]))
    else:
        args["index"] = data.draw(st.sampled_from([*range(-size, size)] * 2 + [size, -size - 1]))
    event(f"{kind} {judged(kind, args, x).code}")


@pytest.mark.parametrize(
    ("args", "table", "index", "wanted"),
    [
        ({}, free(9, 4), free(5, dtype="int64"), ((5, 4), False)),
        ({}, free(9, 4), free(dtype="int32"), ((1, 4), False)),
        ({"dim": 1}, batch(9, 4), free(5, dtype="int64"), ((5, 4), True)),
        ({"dim": -1}, batch(9, 4), free(0, dtype="int64"), ((9, 0), True)),
        ({}, free(9, 4), batch(dtype="int64"), ((4,), True)),
        ({}, free(0, 4), free(0, dtype="int64"), ((0, 4), False)),
        ({}, free(0, 4), free(2, dtype="int64"), "E208"),
        ({}, batch(9, 4), free(5, dtype="int64"), "E502"),
        ({"dim": 1}, batch(9, 4), batch(dtype="int64"), "E502"),
        ({"dim": 1}, free(9, 4), batch(dtype="int64"), "E502"),
        ({}, free(9, 4), batch(5, dtype="int64"), "E203"),
        ({}, free(9, 4), free(5), "E207"),
        ({}, free(), free(1, dtype="int64"), "E117"),
        ({"dim": 2}, free(9, 4), free(5, dtype="int64"), "E210"),
    ],
)
def test_index_select(args: dict[str, Any], table: Tensor, index: Tensor, wanted: Any) -> None:
    dim = args.get("dim", 0)
    verdict = same("IndexSelect", args, [table, index], lambda t, i: torch.index_select(t, dim, i))
    outputs = verdict.outputs
    assert ((outputs[0].shape, outputs[0].batched) if outputs else verdict.code) == wanted


@given(
    tensors(sizes=st.sampled_from([0, 2, 2, 3, 3, 4, 5])),  # the drawn indices are 0 and 1
    tensors(high=1),
    st.sampled_from(["int64", "int64", "int64", "int32", "any"]),
    st.data(),
)
def test_index_select_agrees(table: Tensor, index: Tensor, dtype: str, data: Any) -> None:
    dim = data.draw(dims_of(table))
    if dtype != "any":
        batched = index.batched and data.draw(st.integers(0, 5)) == 0
        index = Tensor(index.shape[batched:], dtype, batched)
    args = {"dim": dim}
    verdict = same("IndexSelect", args, [table, index], lambda t, i: torch.index_select(t, dim, i))
    event(str(verdict.code))


def test_symbols() -> None:
    sizes = range(1, 41)
    laws("Chunk", {"chunks": 3}, lambda h: [Tensor((h * 6, 2))], sizes)
    laws("Split", {"split_size": [3, 4]}, lambda h: [Tensor((h, 2))], sizes)
    for start in (None, 0, 3, -3):
        for end in (None, 5, -2):
            for step in (1, 3):
                args = {"dim": 1, "start": start, "end": end, "step": step}
                laws("Slice", args, lambda h: [Tensor((h, 2))], sizes)
    laws("Select", {"dim": 1, "index": 3}, lambda h: [Tensor((h // 2, 2))], sizes)
    laws("Select", {"dim": 1, "index": -7}, lambda h: [Tensor((h, 2))], sizes)
    index = Tensor((5,), "int64", batched=False)
    laws("IndexSelect", {"dim": 2}, lambda h: [Tensor((h, h // 3)), index], sizes)


@pytest.mark.parametrize("chunks", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("empty", [False, True])
def test_symbolic_chunks_are_those_of_torch_where_none_is_missing(chunks: int, empty: bool) -> None:
    from archspec.sizes import Domain

    domain = Domain()
    size = domain.symbol("H") - empty
    found = ask("Chunk", {"chunks": chunks}, Tensor((size, 2))).outputs
    assert found is not None
    for h in range(1, 60):
        parts = torch.empty(1, h - empty, 2).chunk(chunks, 1)
        assert all(c.at({"H": h}) for c in domain.requirements) == (len(parts) == chunks)
        if len(parts) == chunks:
            sizes = [part.shape[0] for part in found]
            known = [s if isinstance(s, int) else s.at({"H": h}) for s in sizes]
            assert known == [part.shape[1] for part in parts]


def test_symbolic_parts_that_are_not_known() -> None:
    from archspec.sizes import Domain

    h = Domain().symbol("H")
    assert ask("Split", {"split_size": 2}, Tensor((h,))).code == "E114"
