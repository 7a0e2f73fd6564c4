"""Symbolic sizes: named cases, then laws checked against plain whole numbers."""

import copy
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archspec.sizes import (
    Condition,
    Domain,
    Expr,
    Size,
    always,
    ceil_div,
    divisible,
    equal,
    holds,
    maximum,
    minimum,
    product,
    unequal,
    witness,
)

DOMAIN = Domain()
H, W = DOMAIN.symbol("H"), DOMAIN.symbol("W")
POINTS = [(h, w) for h in (*range(1, 21), 37, 64, 99, 200) for w in (1, 2, 3, 7, 12, 31, 200)]
POINTS += [(h, 13) for h in range(1, 201)]


def conv(x: Size, k: int, s: int, p: int, d: int = 1) -> Size:
    return (x + 2 * p - d * (k - 1) - 1) // s + 1


def resnet_stem(x: Size) -> Size:
    for k, s, p in [(7, 2, 3), (3, 2, 1), (3, 2, 1), (3, 2, 1), (3, 2, 1)]:
        x = conv(x, k, s, p)
    return x


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (H, "H"),
        (resnet_stem(H), "(H + 31) // 32"),
        (2 * conv(H, 3, 2, 1) + 3, "2*((H + 1) // 2) + 3"),
        (64 * H * W, "64*H*W"),
        (minimum(H // 2, 7), "min(H // 2, 7)"),
        (maximum(7, W), "max(W, 7)"),
        (3 - H, "3 - H"),
        (H - 3 - W, "H - W - 3"),
        (-(H // 2), "-(H // 2)"),
        (-H * W - 1, "-H*W - 1"),
        (H % 32, "H % 32"),
        ((H + 1) % 4 + 2, "(H + 1) % 4 + 2"),
        (H * (W // 2), "H*(W // 2)"),
        (2 * H // 3, "2*H // 3"),
        ((3 * H // 2) // 2, "3*H // 4"),
        ((4 * H + 6) // 2, "2*H + 3"),
        ((2 * H + 1) // 4, "H // 2"),
        (5 * H // 2, "2*H + H // 2"),
        ((H // 2 + 3) // 4, "(H + 6) // 8"),
        ((H + W) * (H - W), "H*H - W*W"),
    ],
)
def test_canonical_form(size: Size, text: str) -> None:
    assert str(size) == text
    assert repr(size) == text


@pytest.mark.parametrize(
    ("size", "number"),
    [(H - H, 0), (0 * H, 0), ((4 * H + 3) % 2, 1), (H % 1, 0), (H % 2 // 2, 0), (H - (H - 5), 5)],
)
def test_constants_are_plain_numbers(size: Size, number: int) -> None:
    assert type(size) is int
    assert size == number


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (H // 2 >= 3, "H // 2 >= 3"),
        (H // 2 < 3, "2 >= H // 2"),
        (2 * H >= 5, "H >= 3"),
        (W < H, "H > W"),
        (W + 1 <= H, "H > W"),
        (H - W >= 4, "H >= W + 4"),
        (divisible(H, 32), "H % 32 == 0"),
        (divisible(6 * H, 4), "H % 2 == 0"),
        (divisible(H + 33, 32), "(H + 1) % 32 == 0"),
        (equal(2 * (H // 2), H), "H % 2 == 0"),
        (unequal(H % 4, 1), "H % 4 != 1"),
        (equal(7, H // 2), "H // 2 == 7"),
        (equal(W, H), "H == W"),
        (equal(2 * H, 2 * W + 4), "H == W + 2"),
        (H % 3 < 2, "1 >= H % 3"),
    ],
)
def test_condition(condition: bool | Condition, text: str) -> None:
    assert isinstance(condition, Condition)
    assert str(condition) == text
    assert not always(condition)


@pytest.mark.parametrize(
    ("statement", "truth"),
    [
        (resnet_stem(H) >= 1, True),
        (H < 1, False),
        (H > 0, True),
        (H % 4 < 4, True),
        (H % 4 >= 0, True),
        (H * W >= H + W, None),
        (minimum(H, 7) <= 7, True),
        (minimum(H, W) <= H, True),
        (maximum(H, W) - W >= 0, True),
        (minimum(H, W) > W, False),
        (2 * conv(H, 3, 2, 1) >= H, True),
        ((conv(H, 3, 2, 0) - 1) * 2 >= H, False),  # no pooling window begins outside
        (equal(H + 1, 1 + H), True),
        (equal(resnet_stem(H), (H + 31) // 32), True),
        (equal(2 * H + 1, 2 * W), False),
        (equal(H, 0), False),
        (unequal(H, H), False),
        (divisible(64 * H, 32), True),
        (divisible(4 * H + 2, 4), False),
        (divisible(96, 32), True),
        (equal(3, 4), False),
        (unequal(3, 4), True),
    ],
)
def test_what_is_proved(statement: bool | Condition, truth: bool | None) -> None:
    if truth is None:
        assert isinstance(statement, Condition)
    else:
        assert statement is truth


def test_numbers_stay_numbers() -> None:
    assert (minimum(3, 4), maximum(3, 4), ceil_div(7, 2), product([2, 3, 4])) == (3, 4, 4, 24)
    assert product([]) == 1
    assert product([2, H, W]) == 2 * H * W
    assert ceil_div(H, 2) == (H + 1) // 2


def test_min_and_max_fold() -> None:
    assert minimum(H, H + 1) is H
    assert maximum(H // 2 + H, H) == H + H // 2
    assert minimum(H, 1) == 1
    assert maximum(H, 1) is H
    assert minimum(H, W) == minimum(W, H)
    assert minimum(H, W) != maximum(H, W)


def test_equality_is_of_form() -> None:
    assert (1, H + 1) == (1, 1 + H)
    assert H != 1
    assert DOMAIN.symbol("H") == H - 0
    assert len({H, DOMAIN.symbol("H"), H + 1 - 1}) == 1
    assert copy.deepcopy([H]) == [H]


def test_equal_statements_are_equal() -> None:
    assert (H > 3) == (H >= 4) == (2 * H > 7) == (H > 3)
    assert equal(H, W) == equal(W, H) == equal(H - W, 0)
    assert divisible(H, 2) == equal(H // 2 * 2, H)
    assert len({H > 3, H >= 4}) == 1


def test_symbols() -> None:
    assert (H // 2 + minimum(W, 7)).symbols == {"H", "W"}
    condition = H >= W
    assert isinstance(condition, Condition)
    assert condition.symbols == {"H", "W"}


def test_neither_sizes_nor_conditions_are_booleans() -> None:
    with pytest.raises(TypeError, match="compare it"):
        bool(H)
    with pytest.raises(TypeError, match=r"holds\(\) or always\(\)"):
        bool(H > 3)


@pytest.mark.parametrize("operation", [operator.add, operator.mul, operator.sub, equal, minimum])
def test_domains_do_not_mix(operation: Callable[[Size, Size], object]) -> None:
    with pytest.raises(ValueError, match="different networks"):
        operation(H, Domain().symbol("H"))


def test_only_whole_positive_divisors() -> None:
    with pytest.raises(ValueError, match="positive"):
        H // 0
    with pytest.raises(TypeError, match="whole"):
        H // 1.5  # type: ignore[operator]
    with pytest.raises(TypeError, match="does not combine"):
        H + 1.5  # type: ignore[operator]


def test_holds_takes_requirements_down() -> None:
    domain = Domain()
    size = domain.symbol("H")
    assert holds(size >= 1)
    assert not holds(size < 1)
    assert domain.requirements == []
    for condition in (size >= 5, divisible(size, 4), size > 4):
        assert holds(condition)
    assert [str(condition) for condition in domain.requirements] == ["H >= 5", "H % 4 == 0"]


def conditions(*parts: bool | Condition) -> list[Condition]:
    return [part for part in parts if isinstance(part, Condition)]


@pytest.mark.parametrize(
    ("required", "found"),
    [
        ([], {"H": 224, "W": 224}),
        (conditions(divisible(H, 32), H > 224), {"H": 256, "W": 256}),
        (conditions(H <= 32, W <= 40), {"H": 32, "W": 32}),
        (conditions(divisible(H, 48), equal(W, 7)), {"H": 48, "W": 7}),
        (conditions(equal(H, W + 100)), {"H": 101, "W": 1}),
        (conditions(equal(H * W, 77), H > W), {"H": 11, "W": 7}),
        (conditions(H > W + 1000), {"H": 1025, "W": 1}),
        (conditions(H > 3000), None),
        (conditions(equal(H % 4, 2), equal(H % 2, 1)), None),
    ],
)
def test_witness(required: list[Condition], found: dict[str, int] | None) -> None:
    assert witness(["H", "W"], required) == found


def test_witness_without_symbols() -> None:
    assert witness([], []) == {}


@dataclass(frozen=True)
class Pipeline:
    """A size computed twice: as an expression, and in plain numbers."""

    size: Size
    plain: Callable[[int, int], int]
    text: str

    def at(self, h: int, w: int) -> int:
        return self.size.at({"H": h, "W": w}) if isinstance(self.size, Expr) else self.size

    def __repr__(self) -> str:
        return self.text


LEAVES = [
    Pipeline(H, lambda h, w: h, "H"),
    Pipeline(W, lambda h, w: w, "W"),
    Pipeline(3, lambda h, w: 3, "3"),
]
SMALL = st.integers(-9, 9)
STEPS: dict[str, Callable[[int, int], int]] = {
    "+": lambda x, n: x + n,
    "-": lambda x, n: n - x,
    "*": lambda x, n: x * n,
    "//": lambda x, n: x // (abs(n) + 1),
    "%": lambda x, n: x % (abs(n) + 1),
}
PAIRS: dict[str, tuple[Callable[[Size, Size], Size], Callable[[int, int], int]]] = {
    "+": (operator.add, operator.add),
    "-": (operator.sub, operator.sub),
    "*": (operator.mul, operator.mul),
    "min": (minimum, min),
    "max": (maximum, max),
}


def step(name: str, x: Pipeline, n: int) -> Pipeline:
    apply = STEPS[name]
    size: Size = apply(x.size, n)  # type: ignore[arg-type]  # sizes take the same operators
    return Pipeline(size, lambda h, w: apply(x.plain(h, w), n), f"({x} {name} {n})")


def pair(name: str, x: Pipeline, y: Pipeline) -> Pipeline:
    symbolic, plain = PAIRS[name]
    size = symbolic(x.size, y.size)
    return Pipeline(size, lambda h, w: plain(x.plain(h, w), y.plain(h, w)), f"({x} {name} {y})")


def grown(inner: st.SearchStrategy[Pipeline]) -> st.SearchStrategy[Pipeline]:
    steps = st.builds(step, st.sampled_from(sorted(STEPS)), inner, SMALL)
    return steps | st.builds(pair, st.sampled_from(sorted(PAIRS)), inner, inner)


PIPELINES = st.recursive(st.sampled_from(LEAVES), grown, max_leaves=5)
CHAINS = st.lists(st.tuples(st.integers(-5, 20), st.integers(1, 5)), min_size=1, max_size=5)
LAW = settings(max_examples=150, deadline=None)


@LAW
@given(PIPELINES)
def test_law_values_are_those_of_plain_numbers(x: Pipeline) -> None:
    for h, w in POINTS:
        assert x.at(h, w) == x.plain(h, w)


@LAW
@given(PIPELINES)
def test_law_text_is_python(x: Pipeline) -> None:
    code = compile(str(x.size), "size", "eval")
    for h, w in POINTS[::7]:
        assert eval(code, {"H": h, "W": w}) == x.plain(h, w)


@LAW
@given(CHAINS)
def test_law_chains_of_floors_collapse(chain: list[tuple[int, int]]) -> None:
    size: Size = H
    offset, divisor = 0, 1  # (H + offset) // divisor, as the architecture note has it
    for add, by in chain:
        size = (size + add) // by
        offset, divisor = offset + divisor * add, divisor * by
    assert size == (H + offset) // divisor
    assert equal(size, (H + offset) // divisor) is True


@LAW
@given(PIPELINES, PIPELINES)
def test_law_answers_are_true(x: Pipeline, y: Pipeline) -> None:
    answers = [
        (relation(x.size, y.size), plain)
        for relation, plain in [
            (operator.ge, operator.ge),
            (operator.gt, operator.gt),
            (operator.le, operator.le),
            (operator.lt, operator.lt),
            (equal, operator.eq),
            (unequal, operator.ne),
        ]
    ]
    for h, w in POINTS:
        a, b = x.plain(h, w), y.plain(h, w)
        for answer, plain in answers:
            known = answer.at({"H": h, "W": w}) if isinstance(answer, Condition) else answer
            assert known == plain(a, b), (answer, h, w)


@LAW
@given(PIPELINES, st.integers(1, 12))
def test_law_divisibility(x: Pipeline, k: int) -> None:
    answer = divisible(x.size, k)
    for h, w in POINTS:
        known = answer.at({"H": h, "W": w}) if isinstance(answer, Condition) else answer
        assert known == (x.plain(h, w) % k == 0)


@LAW
@given(PIPELINES, PIPELINES)
def test_law_equal_forms_are_equal_sizes(x: Pipeline, y: Pipeline) -> None:
    if x.size == y.size:
        assert hash(x.size) == hash(y.size)
        assert all(x.plain(h, w) == y.plain(h, w) for h, w in POINTS)
    x_again = (x.size + y.size) - y.size
    assert x_again == x.size


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(PIPELINES, st.sampled_from([1, 2, 8])), max_size=3))
def test_law_witness_meets_conditions(drawn: list[tuple[Pipeline, int]]) -> None:
    required = conditions(
        *(divisible(x.size, k) for x, k in drawn), *(x.size >= 5 for x, _ in drawn)
    )
    found = witness(["H", "W"], required, limit=60)
    small = [{"H": h, "W": w} for h, w in POINTS if max(h, w) <= 60]
    if found is None:
        assert not any(all(c.at(values) for c in required) for values in small)
    else:
        assert all(condition.at(found) for condition in required)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_law_convolutions(kernel: int, stride: int) -> None:
    size = conv(conv(H, kernel, stride, 1), kernel, stride, 0)
    assert isinstance(size, Expr)
    for h in range(1, 201):
        assert size.at({"H": h}) == conv(conv(h, kernel, stride, 1), kernel, stride, 0)
    assert math.isclose(size.at({"H": 10**6}), 10**6 / stride**2, rel_tol=1e-3)
