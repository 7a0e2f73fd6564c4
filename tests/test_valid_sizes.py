"""Which sizes a network accepts: sets in words, and the same sizes one by one."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archspec.sizes import (
    Condition,
    Domain,
    Size,
    ValidSet,
    divisible,
    equal,
    maximum,
    minimum,
    solving,
    unequal,
)
from archspec.sizes.periodic import SizeSet, Stretch, intersection, tidy
from archspec.sizes.words import words

DOMAIN = Domain()
H, W = DOMAIN.symbol("H"), DOMAIN.symbol("W")
TRIED = 300


def needed(*conditions: bool | Condition) -> tuple[Condition, ...]:
    """What is left to need, of comparisons none of which is false."""
    assert False not in conditions
    return tuple(each for each in conditions if isinstance(each, Condition))


def of_h(*conditions: bool | Condition) -> ValidSet:
    return ValidSet("H", needed(*conditions))


def brute(conditions: tuple[Condition, ...], limit: int = TRIED) -> set[int]:
    return {h for h in range(1, limit) if all(c.at({"H": h}) for c in conditions)}


# Named sets: what they say.


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ((), "any H"),
        ((H >= 1,), "any H"),
        ((H >= 15,), "H >= 15"),
        ((H >= 16, divisible(H, 16)), "H >= 16 and H divisible by 16"),
        ((divisible(H, 2),), "H >= 2 and H even"),
        ((divisible(H + 1, 2),), "H odd"),
        ((equal(H // 2, 2 * (H // 4)),), "H mod 4 in {0, 1}"),
        ((divisible(H, 2), H <= 9), "H in {2, 4, 6, 8}"),
        ((divisible(H, 2), divisible(H + 1, 2)), "no H"),
        ((H <= 4, unequal(H, 3)), "H in {1, 2, 4}"),
        ((equal(H, 7),), "H = 7"),
        ((equal(64 * H, 64 * 480_000),), "H = 480000"),
        ((equal((H + 399) // 320, 1500),), "H from 479601 to 479920"),
        ((H >= 3, H <= 1000, divisible(H, 3)), "H from 3 to 999 and H divisible by 3"),
        ((unequal(H, 1),), "H >= 2"),
        ((unequal(H, 5),), "any H, except 5"),
        ((unequal(H // 4, 2), H >= 3), "H >= 3, except 8..11"),
        ((unequal(H % 3, 0),), "H not divisible by 3"),
        ((equal(H % 8, 3),), "H >= 3 and H mod 8 = 3"),
        ((equal((H * H) % 3, 1),), "H not divisible by 3"),
        ((equal(H * H, 196),), "H = 14"),
        ((equal(H * H, 195),), "no H"),
        ((H * H - 20 * H >= -75,), "H in {1..5}, or H >= 15"),
        ((equal(minimum(H // 2, 7), 7),), "H >= 14"),
        ((minimum(H, 12 - H) >= 7,), "no H"),
        ((minimum(H, 12 - H) >= 4,), "H in {4..8}"),
        ((maximum(H // 2, 7) >= 8,), "H >= 16"),
        ((unequal(H % 7, 2),), "H mod 7 not in {2}"),
        ((equal(H // 16, 2 * (H // 32)),), "H mod 32 in {0..15}"),
    ],
)
def test_words(conditions: tuple[bool | Condition, ...], text: str) -> None:
    assert str(of_h(*conditions)) == text


def test_many_remainders_are_cut_short() -> None:
    primes = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79}
    text = words("H", SizeSet((Stretch(1, 200, frozenset(primes)),)))
    assert text == (
        "H >= 2 and H mod 200 in "
        "{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, … (22 remainders)}"
    )


# Sets that are not worked out.


def test_long_periods() -> None:
    rare = of_h(divisible(H, 317), divisible(H + 1, 331))
    assert str(rare) == "H >= 22507 and H mod 104927 = 22507"
    assert rare.smallest == 71 * 317 == 68 * 331 - 1


def test_a_very_long_period_is_not_decided() -> None:
    rare = of_h(*(divisible(H, prime) for prime in (99_989, 99_991, 99_971)))
    assert not rare.decided
    assert not rare.empty
    assert str(rare) == (
        "H with H % 99989 == 0 and H % 99991 == 0 and H % 99971 == 0 (not decided further)"
    )
    assert rare.contains(99_989 * 99_991 * 99_971)
    assert not rare.contains(99_989)
    assert rare.smallest is None


def test_no_sizes_are_none_whatever_else_is_not_decided() -> None:
    rare = equal(H // 200_003, 2 * (H // 400_006))
    assert str(of_h(rare, divisible(H, 2), rare, divisible(H + 1, 2))) == "no H"


def test_many_conditions_are_cut_short() -> None:
    rare = [equal((H + n) // 200_003, 2 * ((H + n) // 400_006)) for n in range(9)]
    assert str(of_h(*rare)).endswith(" and 5 more conditions (not decided further)")


def test_one_long_period_is_not_decided() -> None:
    assert not of_h(equal(H // 200_003, 2 * (H // 400_006))).decided
    assert of_h(equal(H // 40_000, 2 * (H // 80_000))).decided


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    conditions = [divisible(H + n, 4096) for n in range(40)]
    assert of_h(conditions[0]).decided
    monkeypatch.setattr(solving, "WORK", 4000)
    assert not of_h(conditions[0]).decided


# Laws.


def sizes_of_h() -> st.SearchStrategy[Size]:
    """Sizes as layers make them, and products, minima and maxima of them."""
    small = st.integers(1, 6)

    def deeper(inner: st.SearchStrategy[Size]) -> st.SearchStrategy[Size]:
        pairs = st.tuples(inner, inner)
        return st.one_of(
            st.builds(lambda x, a, d: (x + a) // d, inner, st.integers(-5, 7), small),
            st.builds(lambda x, k, c: x * k + c, inner, st.integers(-2, 4), st.integers(-9, 9)),
            pairs.map(lambda pair: pair[0] + pair[1]),
            pairs.map(lambda pair: pair[0] * pair[1]),
            pairs.map(lambda pair: minimum(*pair)),
            pairs.map(lambda pair: maximum(*pair)),
        )

    return st.recursive(st.just(H), deeper, max_leaves=5)


@st.composite
def conditions_on_h(draw: st.DrawFn) -> Condition | bool:
    left, right = draw(sizes_of_h()), draw(st.one_of(sizes_of_h(), st.integers(-20, 60)))
    kind = draw(st.sampled_from(["==", "!=", ">=", ">", "%"]))
    if isinstance(left, int):
        left = H + left
    if kind == "%":
        return divisible(left, draw(st.integers(2, 12)))
    made = {
        "==": lambda: equal(left, right),
        "!=": lambda: unequal(left, right),
        ">=": lambda: left >= right,
        ">": lambda: left > right,
    }
    return made[kind]()


@given(st.lists(conditions_on_h(), min_size=1, max_size=3))
def test_law_sets_are_exact(drawn: list[Condition | bool]) -> None:
    conditions = tuple(each for each in drawn if isinstance(each, Condition))
    valid = ValidSet("H", conditions)
    members = brute(conditions, 2000)
    assert {h for h in range(1, 2000) if valid.contains(h)} == members
    far = [*range(99_900, 100_100), 10**6 + 7, 10**9, 10**12 + 1]
    assert all(valid.contains(h) == all(c.at({"H": h}) for c in conditions) for h in far)
    if members:
        assert valid.smallest == min(members)
        assert valid.first(5) == sorted(members)[:5] or len(members) < 5
    if valid.empty:
        assert not members
    assert not valid.contains(0)
    assert not valid.contains(-32)
    assert str(valid)


STRETCHES = st.lists(
    st.tuples(st.integers(1, 12), st.integers(1, 12), st.frozensets(st.integers(0, 11))),
    min_size=1,
    max_size=5,
)


def set_of(drawn: list[tuple[int, int, frozenset[int]]]) -> SizeSet:
    starts = itertools.accumulate((length for length, _, _ in drawn), initial=1)
    return SizeSet(
        tuple(
            Stretch(start, period, frozenset(r for r in residues if r < period))
            for start, (_, period, residues) in zip(starts, drawn, strict=False)
        )
    )


@given(STRETCHES, STRETCHES)
def test_law_sets_meet_and_are_tidied(first: object, second: object) -> None:
    a, b = set_of(first), set_of(second)  # type: ignore[arg-type]
    both = intersection(a, b)
    assert both is not None
    for size in range(400):
        assert both.contains(size) == (a.contains(size) and b.contains(size))
        assert tidy(a.stretches).contains(size) == a.contains(size)
    assert tidy(both.stretches) == both
    assert (
        list(itertools.takewhile(lambda s: s < 400, both.members()))
        == [size for size in range(400) if both.contains(size)]
        or not both.last.residues
    )
