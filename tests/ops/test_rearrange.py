import itertools
import math
from typing import Any

import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st

from archspec.sizes import Domain
from archspec.tensors import Tensor
from tests.ops.against_torch import Verdict, ask
from tests.ops.tensor_cases import batch, dims_of, free, laws, same, tensors

Side = list[list[str]]


def rearranged(t: torch.Tensor, left: Side, right: Side, given: dict[str, int]) -> torch.Tensor:
    """Element by element: where every index of the input goes, axis by axis."""
    assert t.ndim == len(left)
    sizes: dict[str, int] = {"1": 1}
    for group, size in zip(left, t.shape, strict=True):
        known = math.prod(given.get(name, sizes.get(name, 1)) for name in group)
        unknown = [name for name in group if name not in given and name != "1"]
        assert size % known == 0
        assert size == known or unknown
        sizes |= {name: given[name] for name in group if name in given}
        sizes |= dict.fromkeys(unknown, size // known)
    result = torch.empty([math.prod(sizes[n] for n in group) for group in right], dtype=t.dtype)
    names = [name for group in left for name in group if name != "1"]
    for indices in itertools.product(*(range(sizes[name]) for name in names)):
        index = {"1": 0, **dict(zip(names, indices, strict=True))}
        result[place(right, index, sizes)] = t[place(left, index, sizes)]
    return result


def place(side: Side, index: dict[str, int], sizes: dict[str, int]) -> tuple[int, ...]:
    at = []
    for group in side:
        position = 0
        for name in group:
            position = position * sizes[name] + index[name]
        at.append(position)
    return tuple(at)


def written(left: Side, right: Side) -> str:
    return " -> ".join(
        " ".join(g[0] if len(g) == 1 else f"({' '.join(g)})" for g in side)
        for side in (left, right)
    )


def judged(left: Side, right: Side, sizes: dict[str, int], x: Tensor) -> Verdict:
    args = {"pattern": written(left, right), **sizes}
    return same("Rearrange", args, [x], lambda t: rearranged(t, left, right, sizes))


@pytest.mark.parametrize(
    ("pattern", "sizes", "x", "wanted", "code"),
    [
        (
            "b (h p) (w q) c -> b h w (q p c)",
            {"p": 2, "q": 2},
            batch(4, 6, 3),
            (2, 3, 12),
            "torch.unflatten(torch.unflatten({0}, 2, (-1, 2)), 1, (-1, 2))"
            ".permute(0, 1, 3, 4, 2, 5).flatten(3, 5)",
        ),
        ("b c h w -> b (h w) c", {}, batch(3, 2, 4), (8, 3),
         "{0}.permute(0, 2, 3, 1).flatten(1, 2)"),
        ("(p q) h -> h p q", {"p": 2}, free(6, 3), (3, 2, 3),
         "torch.unflatten({0}, 0, (2, -1)).permute(2, 0, 1)"),
        ("b t -> b t", {}, batch(5), (5,), "{0}"),
        ("b 1 t -> b t 1", {}, batch(1, 5), (5, 1), "{0}.squeeze(1).unsqueeze(2)"),
        ("b (1 t) -> b () (t 1)", {"t": 5}, batch(5), (1, 5), "{0}.unsqueeze(1)"),
        ("(a) -> (a)", {}, free(5), (5,), "{0}"),
        ("b (h p)->b h p", {"h": 2, "p": 3}, batch(6), (2, 3), "torch.unflatten({0}, 1, (2, 3))"),
    ],
)  # fmt: skip
def test_accepted(
    pattern: str, sizes: dict[str, int], x: Tensor, wanted: tuple[int, ...], code: str
) -> None:
    verdict = ask("Rearrange", {"pattern": pattern, **sizes}, x)
    assert verdict.outputs
    assert verdict.outputs[0] == x.sized(*wanted)
    assert verdict.layer
    emitted = verdict.layer.emit((x,))
    assert emitted.template.format("{0}", **emitted.values) == code  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("pattern", "sizes", "x", "code"),
    [
        ("b (h p) -> b h p", {"p": 4}, batch(6), "E206"),
        ("b (h p) -> b h p", {"h": 2, "p": 4}, batch(6), "E209"),
        ("b h -> b h", {"h": 2}, batch(6), "E209"),
        ("b 1 h -> b h", {}, batch(2, 3), "E209"),
        ("b (h p) -> b h p", {}, batch(6), "E104"),
        ("b (h p) -> b h p", {"p": 2, "q": 2}, batch(6), "E103"),
        ("b (h p) -> b h p", {"p": 0}, batch(6), "E105"),
        ("b (h p) -> b h p", {"p": 2.0}, batch(6), "E105"),
        ("b (h p) -> b h p", {"p": True}, batch(6), "E105"),
        ("b h w -> b (h w)", {}, batch(6), "E203"),
        ("b h -> h b", {}, batch(6), "E502"),
        ("b h -> (b h)", {}, batch(6), "E502"),
        ("(b c) h -> b c h", {"c": 2}, batch(6), "E502"),
        ("b h -> b h", {"b": 2}, batch(6), "E502"),
        ("1 h -> 1 h", {}, batch(6), "E502"),
        ("-> ", {}, batch(), "E502"),
        ("b h h -> b h", {}, batch(6, 6), "E105"),
        ("b h -> b h c", {}, batch(6), "E105"),
        ("b h c -> b h", {}, batch(6, 6), "E105"),
        ("b h", {}, batch(6), "E105"),
        ("b h -> h -> b", {}, batch(6), "E105"),
        ("b (h -> b h", {}, batch(6), "E105"),
        ("b h) -> b h", {}, batch(6), "E105"),
        ("b ((h)) -> b h", {}, batch(6), "E105"),
        ("b ... -> b ...", {}, batch(6), "E105"),
        ("b 2 -> b 2", {}, batch(2), "E105"),
        ("b 10 -> b 10", {}, batch(2), "E105"),
        (5, {}, batch(6), "E105"),
    ],
)
def test_refused(pattern: Any, sizes: dict[str, Any], x: Tensor, code: str) -> None:
    assert ask("Rearrange", {"pattern": pattern, **sizes}, x).code == code


@st.composite
def patterns(draw: Any) -> tuple[Side, Side, dict[str, int], Tensor]:
    """Both sides of a pattern, sizes that nearly fit, and a tensor."""
    axes = {name: draw(st.sampled_from([1, 2, 2, 3])) for name in "abcd"[: draw(st.integers(0, 4))]}
    batched = draw(st.booleans())
    left, right = grouped(draw, [*axes]), grouped(draw, draw(st.permutations([*axes])))
    given = {}
    for group in left:
        names = [name for name in group if name != "1"]
        spared = draw(st.sampled_from([None, *names])) if names else None
        given |= {name: axes[name] for name in names if name != spared}
    shape = [math.prod(axes.get(name, 1) for name in group) for group in left]
    fault = draw(st.integers(0, 9))
    if fault == 0 and shape:
        shape[draw(st.integers(0, len(shape) - 1))] += 1
    if fault == 1 and given:
        given.popitem()
    if fault == 2:
        shape.append(1)
    if batched:
        left, right = [["n"], *left], [["n"], *right]
    if fault == 3:
        left, right = draw(st.permutations(left)), right
    return left, right, given, Tensor(tuple(shape), "float32", batched)


def grouped(draw: Any, names: list[str]) -> Side:
    side: Side = []
    for name in names:
        if side and draw(st.integers(0, 2)) == 0:
            side[-1].append(name)
        else:
            side.append([name])
        if draw(st.integers(0, 7)) == 0:
            side.append(["1"])
    return side


@given(patterns())
def test_rearrange_agrees(case: tuple[Side, Side, dict[str, int], Tensor]) -> None:
    event(str(judged(*case).code))


@pytest.mark.parametrize(
    ("shifts", "dims", "x", "wanted"),
    [
        (2, 1, batch(5), None),
        ([-3, -3], [1, 2], batch(4, 4, 3), None),
        ([1, 2], [1, 1], batch(5), None),
        ([1], 1, batch(5), None),
        (1, 0, free(5), None),
        (1, 1, batch(0), None),
        ([1, 2], 1, batch(5), "E208"),
        ([], [], batch(5), "E208"),
        (2**63, 1, batch(5), "E208"),
        (-(2**63), 1, batch(5), "E208"),
        (1, 0, batch(5), "E502"),
        (1, 2, batch(5), "E210"),
        (1, 0, free(), "E117"),
    ],
)
def test_roll(shifts: Any, dims: Any, x: Tensor, wanted: str | None) -> None:
    verdict = same("Roll", {"shifts": shifts, "dims": dims}, [x], roll(shifts, dims))
    assert verdict.code == wanted


def roll(shifts: Any, dims: Any) -> Any:
    return lambda t: torch.roll(t, shifts, dims)


@given(tensors(), st.data())
def test_roll_agrees(x: Tensor, data: Any) -> None:
    one = st.integers(-9, 9) | st.sampled_from([2**62, -(2**62)])
    count = data.draw(st.integers(1, 3))
    shifts = data.draw(st.lists(one, min_size=count, max_size=count))
    dims = [data.draw(dims_of(x)) for _ in range(data.draw(st.sampled_from([count] * 9 + [1])))]
    event(str(same("Roll", {"shifts": shifts, "dims": dims}, [x], roll(shifts, dims)).code))


def test_symbols() -> None:
    sizes = range(1, 41)
    windows = {"pattern": "b (y p) (x q) c -> b (y x) (p q) c", "p": 2, "q": 3}
    laws("Rearrange", windows, lambda h: [Tensor((h, h + 2, 5))], sizes)
    laws("Rearrange", {"pattern": "b c h w -> b (h w) c"}, lambda h: [Tensor((3, h, h))], sizes)
    laws("Rearrange", {"pattern": "b c h -> b h c", "h": 7}, lambda h: [Tensor((3, h))], sizes)
    laws("Roll", {"shifts": 1, "dims": 1}, lambda h: [Tensor((h, 2))], sizes)


def test_code_is_free_of_symbolic_sizes() -> None:
    h = Domain().symbol("H")
    x = Tensor((2 * h, 3))
    verdict = ask("Rearrange", {"pattern": "b (h p) c -> b h (p c)", "p": 2}, x)
    assert verdict.outputs == (Tensor((h, 6)),)
    assert verdict.layer
    assert "H" not in verdict.layer.emit((x,)).template  # type: ignore[union-attr]
