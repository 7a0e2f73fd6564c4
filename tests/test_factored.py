"""Products of sizes: shown as products, and known to grow; against plain numbers."""

import math
from itertools import product as pairs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.sizes import Condition, Domain, Expr, Size, ValidSizes, equal, unequal
from archspec.sizes.factored import factored
from archspec.sizes.solving import grows, implied

DOMAIN = Domain()
H, W, D = map(DOMAIN.symbol, "HWD")
SHIFTS = st.integers(-4, 4)
FACTORS = st.builds(
    lambda symbol, divisor, shift: symbol // divisor + shift,
    st.sampled_from([H, W, D]),
    st.integers(1, 3),
    SHIFTS,
)
POINTS = [{"H": h, "W": w, "D": d} for h, w, d in pairs([1, 2, 3, 5, 8, 13], repeat=3)]


def multiplied(factors: list[Size], scale: int) -> Size:
    return math.prod(factors, start=scale)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ((H - 2) * (W - 2), "(H - 2)*(W - 2)"),
        (((H + 1) // 2 - 1) * ((W + 1) // 2 - 1), "((H - 1) // 2)*((W - 1) // 2)"),
        (6 * (H - 1) * W + 5, "6*(H - 1)*W + 5"),
        (5 - 2 * (H + 3) * (W // 2), "5 - 2*(H + 3)*(W // 2)"),
        ((H - 1) * (W + 2) * (D // 3), "(H - 1)*(W + 2)*(D // 3)"),
        (H * W + 1, "H*W + 1"),
        (H * W + H + D, "H*W + H + D"),
        (2 * H * W + H, "2*H*W + H"),
        (H * H + 2 * H + 1, "H*H + 2*H + 1"),
    ],
)
def test_the_text_of_a_product(size: Size, text: str) -> None:
    assert str(size) == text


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (equal((H - 1) * (W - 1), 24), "(H - 1)*(W - 1) == 24"),
        (unequal((H - 2) * (W - 2), 1), "(H - 2)*(W - 2) != 1"),
        (equal(3 * (H - 2) * W, 12), "(H - 2)*W == 4"),
        ((H - 2) * (W // 2 - 1) <= 7, "7 >= (H - 2)*((W - 2) // 2)"),
        ((H - 2) * (W - 1) > 0, "(H - 2)*(W - 1) >= 1"),
    ],
)
def test_the_text_of_a_condition(condition: Condition, text: str) -> None:
    assert str(condition) == text


@settings(max_examples=150, deadline=None)
@given(st.lists(FACTORS, min_size=2, max_size=3), st.sampled_from([-3, -1, 1, 2]), SHIFTS)
def test_texts_say_what_sizes_are(factors: list[Size], scale: int, rest: int) -> None:
    size = multiplied(factors, scale) + rest
    equation = equal(size, 0)
    for point in POINTS:
        assert eval(str(size), dict(point)) == size.at(point)
        if isinstance(equation, Condition):
            assert eval(str(equation), dict(point)) == (size.at(point) == 0) == equation.at(point)


@settings(max_examples=150, deadline=None)
@given(st.lists(FACTORS, min_size=2, max_size=3), st.sampled_from([-3, -1, 1, 2]), SHIFTS)
def test_a_product_of_distinct_atoms_is_found(factors: list[Expr], scale: int, rest: int) -> None:
    size = multiplied(factors, scale) + rest
    atoms = [next(iter(factor.terms)) for factor in factors]
    found = factored(size)
    if len(set(atoms)) < len(atoms) or not any(factor.constant for factor in factors):
        assert found is None
        return
    assert found is not None
    assert (found.scale, found.rest) == (scale, rest)
    assert set(found.factors) == set(factors)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(FACTORS, min_size=2, max_size=3),
    st.sampled_from([">=", "!="]),
    st.integers(-9, 9),
    st.tuples(*[st.integers(1, 12)] * 3),
)
def test_what_is_implied_is_true(
    factors: list[Size], relation: str, bound: int, least: tuple[int, int, int]
) -> None:
    size = multiplied(factors, 1)
    condition = size >= bound if relation == ">=" else unequal(size, bound)
    if not isinstance(condition, Condition):
        return
    start = dict(zip("HWD", least, strict=True))
    if implied(condition, start):
        assert grows(condition)
        for steps in pairs(range(4), repeat=3):
            point = {name: start[name] + step for name, step in zip("HWD", steps, strict=True)}
            assert condition.at(point)


def test_a_product_grows_from_where_no_factor_is_negative() -> None:
    """At 0 both factors of `(H - 3)*(W - 3)` are negative, and the product is large."""
    condition = (H - 3) * (W - 3) >= 4
    assert isinstance(condition, Condition)
    assert not implied(condition, {"H": 1, "W": 1})
    assert not implied(condition, {"H": 3, "W": 3})
    assert implied(condition, {"H": 5, "W": 5})
    assert ValidSizes(("H", "W"), (H >= 5, W >= 5, condition)).ties == ()  # type: ignore[arg-type]


def test_windows_that_fit_tie_nothing() -> None:
    """Unfold gives a product of counts, which is positive where both are."""
    network = archspec.loads(
        "archspec: 1\ninputs: {image: [3, H, W]}\nlayers:\n"
        "  unfold: {Unfold: {kernel_size: 3, stride: 2}}\n"
        '  fold: {Fold: {output_size: ["=H", "=W"], kernel_size: 3, stride: 2}}\n'
    )
    assert network.sizes.words() == ["H >= 3", "W >= 3"]


def test_the_same_tie_is_told_once() -> None:
    """Broadcasting asks both ways around."""
    network = archspec.loads(
        "archspec: 1\ninputs: {x: [2, H, W]}\nlayers:\n"
        "  turned: {Transpose: {dim0: 2, dim1: 3}}\n  one: {Mul: [turned, x]}\n"
        "  other: {Mul: [x, turned]}\noutputs: [one, other]\n"
    )
    assert len(network.conditions) > 1
    assert network.sizes.words() == ["any H", "any W", "H == W or H == 1 or W == 1"]


def test_a_product_that_grows_stays_open_in_an_export() -> None:
    """InstanceNorm excludes the smallest size only, behind a convolution as in front of it."""
    network = archspec.loads(
        "archspec: 1\ninputs: {image: [3, H, W]}\nlayers:\n"
        "  conv: {Conv2d: {out_channels: 2, kernel_size: 3}}\n  norm: InstanceNorm2d\n"
    )
    assert network.sizes.words() == ["H >= 3", "W >= 3", "(H - 2)*(W - 2) != 1"]
    assert set(network.export_plan().kept) == {"H", "W"}
