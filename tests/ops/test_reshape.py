from typing import Any

import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st

from archspec.tensors import Tensor
from tests.ops.against_torch import Verdict
from tests.ops.tensor_cases import (
    any_size,
    batch,
    dims_of,
    elements,
    free,
    laws,
    same,
    tensors,
)


def led(shape: Any, x: Tensor, t: torch.Tensor) -> tuple[int, ...]:
    """A shape list with the batch in front of it."""
    return (t.shape[0], *shape) if x.batched else tuple(shape)


def judged(kind: str, args: dict[str, Any], x: Tensor) -> Verdict:
    given = [*args.values()]

    def reference(t: torch.Tensor) -> torch.Tensor:
        match kind:
            case "Flatten":
                return torch.nn.Flatten(**args)(t)
            case "Unflatten":
                return torch.nn.Unflatten(given[0], tuple(given[1]))(t)
            case "Reshape":
                return torch.reshape(t, led(given[0], x, t))
            case "Expand":
                return torch.broadcast_to(t, led(given[0], x, t))
            case "Permute":
                return torch.permute(t, tuple(given[0]))
            case "Transpose":
                return torch.transpose(t, *given)
            case "Squeeze":
                dim = given[0]
                return torch.squeeze(t, dim if isinstance(dim, int) else tuple(dim))
            case _:
                return torch.unsqueeze(t, *given)

    return same(kind, args, [x], reference)


def agrees(kind: str, args: dict[str, Any], x: Tensor) -> None:
    event(f"{kind} {judged(kind, args, x).code}")


@pytest.mark.parametrize(
    ("kind", "args", "x", "wanted"),
    [
        ("Flatten", {}, batch(3, 4, 4), (48,)),
        ("Flatten", {"start_dim": 2}, batch(3, 4, 5), (3, 20)),
        ("Flatten", {"start_dim": 1, "end_dim": 2}, batch(3, 4, 5), (12, 5)),
        ("Flatten", {"start_dim": 0}, free(3, 4), (12,)),
        ("Flatten", {"start_dim": 0}, free(), (1,)),
        ("Flatten", {}, batch(3, 0), (0,)),
        ("Flatten", {}, batch(), "E210"),
        ("Flatten", {"start_dim": 0}, batch(3, 4), "E502"),
        ("Flatten", {"start_dim": 2, "end_dim": 1}, batch(3, 4), "E208"),
        ("Unflatten", {"dim": 1, "unflattened_size": [2, 3]}, batch(6, 4), (2, 3, 4)),
        ("Unflatten", {"dim": -1, "unflattened_size": [2, -1]}, batch(5, 6), (5, 2, 3)),
        ("Unflatten", {"dim": 1, "unflattened_size": [-1, 3]}, batch(0), (0, 3)),
        ("Unflatten", {"dim": 1, "unflattened_size": [0, -1]}, batch(0), "E209"),
        ("Unflatten", {"dim": 1, "unflattened_size": [4, -1]}, batch(6), "E209"),
        ("Unflatten", {"dim": 1, "unflattened_size": [2, 4]}, batch(6), "E209"),
        ("Unflatten", {"dim": 1, "unflattened_size": [-1, -1]}, batch(6), "E208"),
        ("Unflatten", {"dim": 1, "unflattened_size": [-2, -3]}, batch(6), "E208"),
        ("Unflatten", {"dim": 1, "unflattened_size": []}, batch(1), "E208"),
        ("Unflatten", {"dim": 0, "unflattened_size": [2]}, batch(2), "E502"),
        ("Unflatten", {"dim": 0, "unflattened_size": [1]}, free(), "E117"),
        ("Reshape", {"shape": [4, -1]}, batch(2, 6), (4, 3)),
        ("Reshape", {"shape": []}, batch(1, 1), ()),
        ("Reshape", {"shape": []}, free(1), ()),
        ("Reshape", {"shape": [-1]}, batch(0, 3), (0,)),
        ("Reshape", {"shape": [-1, 0]}, batch(0, 3), "E209"),
        ("Reshape", {"shape": [5, -1]}, batch(2, 6), "E209"),
        ("Reshape", {"shape": [2**40, 2**40, 0]}, batch(0), "E005"),
        ("Expand", {"shape": [5, -1]}, batch(1, 6), (5, 6)),
        ("Expand", {"shape": [0]}, batch(1), (0,)),
        ("Expand", {"shape": [2, 3, -1]}, free(4), (2, 3, 4)),
        ("Expand", {"shape": [-1, 3, 4]}, free(4), "E105"),
        ("Expand", {"shape": [2, 3, 4]}, free(4), (2, 3, 4)),
        ("Expand", {"shape": [2, 4]}, batch(4), "E502"),
        ("Expand", {"shape": [4]}, free(1, 4), "E203"),
        ("Expand", {"shape": [3]}, batch(2), "E201"),
        ("Expand", {"shape": [-2]}, batch(1), "E105"),
        ("Permute", {"dims": [0, 2, 3, 1]}, batch(3, 4, 5), (4, 5, 3)),
        ("Permute", {"dims": [0, -1, -2]}, batch(3, 4), (4, 3)),
        ("Permute", {"dims": [1, 0]}, free(3, 4), (4, 3)),
        ("Permute", {"dims": []}, free(), ()),
        ("Permute", {"dims": [1, 0]}, batch(3), "E502"),
        ("Permute", {"dims": [0, 1]}, batch(3, 4), "E208"),
        ("Permute", {"dims": [0, 1, 1]}, batch(3, 4), "E208"),
        ("Permute", {"dims": [0, 1, 3]}, batch(3, 4), "E210"),
        ("Transpose", {"dim0": 1, "dim1": -1}, batch(3, 4), (4, 3)),
        ("Transpose", {"dim0": 0, "dim1": 1}, batch(3, 4), "E502"),
        ("Transpose", {"dim0": 1, "dim1": 3}, batch(3, 4), "E210"),
        ("Squeeze", {"dim": [2, 3]}, batch(3, 1, 1), (3,)),
        ("Squeeze", {"dim": 2}, batch(3, 4), (3, 4)),
        ("Squeeze", {"dim": []}, batch(3, 1), (3, 1)),
        ("Squeeze", {"dim": [1, -1]}, batch(1), "E208"),
        ("Squeeze", {"dim": 0}, batch(1), "E502"),
        ("Unsqueeze", {"dim": 2}, batch(3), (3, 1)),
        ("Unsqueeze", {"dim": -2}, batch(3), (1, 3)),
        ("Unsqueeze", {"dim": 0}, free(), (1,)),
        ("Unsqueeze", {"dim": 0}, batch(3), "E502"),
        ("Unsqueeze", {"dim": -3}, batch(3), "E502"),
        ("Unsqueeze", {"dim": 3}, batch(3), "E210"),
        ("Unsqueeze", {"dim": "1"}, batch(3), "E105"),
    ],
)
def test_cases(kind: str, args: dict[str, Any], x: Tensor, wanted: Any) -> None:
    verdict = judged(kind, args, x)
    assert (verdict.outputs[0].shape if verdict.outputs else verdict.code) == wanted


@given(st.sampled_from(["Transpose", "Squeeze", "Unsqueeze", "Flatten"]), tensors(), st.data())
def test_dims_agree(kind: str, x: Tensor, data: Any) -> None:
    one, other = data.draw(dims_of(x, 1)), data.draw(dims_of(x, 1))
    args: dict[str, Any] = {"dim": one}
    if kind == "Squeeze":
        args = {"dim": data.draw(st.sampled_from([one, [one], [one, other], []]))}
    if kind == "Transpose":
        args = {"dim0": one, "dim1": other}
    if kind == "Flatten":
        args = data.draw(st.sampled_from([{}, {"start_dim": one}]))
        args = {**args, "end_dim": other} if data.draw(st.booleans()) else args
    agrees(kind, args, x)


@given(tensors(), st.data())
def test_permute_agrees(x: Tensor, data: Any) -> None:
    dims = list(data.draw(st.permutations(range(int(x.batched), x.ndim))))
    dims = [0] * x.batched + dims
    for at in range(len(dims)):
        if data.draw(st.integers(0, 5)) == 0:
            dims[at] -= x.ndim
        if data.draw(st.integers(0, 12)) == 0:
            dims[at] = data.draw(st.integers(-5, 5))
    if data.draw(st.integers(0, 9)) == 0:
        dims = data.draw(st.permutations(dims))[data.draw(st.integers(0, 1)) :]
    agrees("Permute", {"dims": dims}, x)


def sizes_for(data: Any, total: int) -> list[int]:
    """Sizes that nearly make up a number of elements."""
    sizes = []
    rest = total
    while rest > 1 and data.draw(st.booleans()):
        sizes.append(data.draw(st.sampled_from([n for n in range(1, rest + 1) if rest % n == 0])))
        rest //= sizes[-1]
    sizes.append(rest)
    for at in range(len(sizes)):
        if data.draw(st.integers(0, 5)) == 0:
            sizes[at] = data.draw(st.sampled_from([-1, -1, -1, -2, 0, 1, 2, 3]))
    return sizes


@given(st.sampled_from(["Reshape", "Unflatten"]), tensors(high=3), st.data())
def test_sizes_agree(kind: str, x: Tensor, data: Any) -> None:
    if kind == "Reshape":
        return agrees(kind, {"shape": sizes_for(data, elements(x))}, x)
    dim = data.draw(dims_of(x))
    at = dim - x.batched if dim >= 0 else dim
    size = x.shape[at] if -len(x.shape) <= at < len(x.shape) else 6
    assert isinstance(size, int)
    return agrees(kind, {"dim": dim, "unflattened_size": sizes_for(data, size)}, x)


@given(tensors(high=3), st.data())
def test_expand_agrees(x: Tensor, data: Any) -> None:
    sizes = []
    for size in x.shape:
        wanted = data.draw(any_size) if size == 1 else size
        sizes.append(data.draw(st.sampled_from([wanted] * 12 + [-1] * 8 + [1, 2, 0, -2])))
    more = data.draw(st.lists(st.sampled_from([0, 1, 2, 3, 5, -1]), max_size=2))
    if not x.batched or data.draw(st.integers(0, 9)) == 0:
        sizes = [*more, *sizes]
    agrees("Expand", {"shape": sizes[data.draw(st.integers(0, 9)) == 0 :]}, x)


def test_symbols() -> None:
    sizes = range(1, 41)
    laws("Flatten", {}, lambda h: [Tensor((3, h, h // 2))], sizes)
    laws("Unflatten", {"dim": 2, "unflattened_size": [-1, 2]}, lambda h: [Tensor((3, h))], sizes)
    laws("Unflatten", {"dim": 2, "unflattened_size": [4, 2]}, lambda h: [Tensor((3, h))], sizes)
    laws("Reshape", {"shape": [4, -1]}, lambda h: [Tensor((3, h, h))], sizes)
    laws("Reshape", {"shape": [3, 32]}, lambda h: [Tensor((3, h // 2, 2))], sizes)
    laws("Expand", {"shape": [5, -1]}, lambda h: [Tensor((1, h))], sizes)
    laws("Expand", {"shape": [5, 3]}, lambda h: [Tensor((1, h))], sizes[1:])
    laws("Permute", {"dims": [0, 2, 1]}, lambda h: [Tensor((h, 3))], sizes)
    laws("Transpose", {"dim0": 1, "dim1": 2}, lambda h: [Tensor((h, 3))], sizes)
    laws("Squeeze", {"dim": 2}, lambda h: [Tensor((3, h + 1))], sizes)
    laws("Unsqueeze", {"dim": 2}, lambda h: [Tensor((3, h))], sizes)
