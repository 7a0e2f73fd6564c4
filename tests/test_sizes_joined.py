"""Alternatives, broadcasting, quotients and factors of sizes, against plain numbers; and time."""

import math
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec.sizes import (
    Condition,
    Domain,
    Expr,
    Size,
    ValidSet,
    ValidSizes,
    always,
    broadcast_size,
    divisible,
    either,
    equal,
    holds,
    product,
    quotient,
    scalable,
    scaled,
    share,
    simplified,
)
from archspec.sizes.periodic import union
from tests.test_sizes import LAW, PIPELINES, POINTS, Pipeline
from tests.test_valid_sizes import STRETCHES, conditions_on_h, set_of


def fresh() -> tuple[Domain, Expr, Expr]:
    domain = Domain()
    return domain, domain.symbol("H"), domain.symbol("W")


def met(answer: bool | Condition, h: int, w: int = 1) -> bool:
    return answer.at({"H": h, "W": w}) if isinstance(answer, Condition) else answer


def known(size: Size, h: int, w: int = 1) -> int:
    return size if isinstance(size, int) else size.at({"H": h, "W": w})


# Alternatives.


@settings(max_examples=40)
@given(st.lists(conditions_on_h(), min_size=1, max_size=4))
def test_law_one_of_several_is_met(drawn: list[Condition | bool]) -> None:
    joined = either(*drawn)
    for h in (*range(1, 60), 997, 10**6):
        assert met(joined, h) == any(met(each, h) for each in drawn)


@settings(max_examples=40)
@given(st.lists(conditions_on_h(), min_size=2, max_size=3), conditions_on_h())
def test_law_sets_of_alternatives_are_exact(
    drawn: list[Condition | bool], other: Condition | bool
) -> None:
    joined = either(*drawn)
    conditions = tuple(each for each in (joined, other) if isinstance(each, Condition))
    valid = ValidSet("H", conditions)
    for h in (*range(1, 200), 99_991, 10**9):
        assert valid.contains(h) == all(met(each, h) for each in conditions)


@given(STRETCHES, STRETCHES)
def test_law_unions(first: object, second: object) -> None:
    a, b = set_of(first), set_of(second)  # type: ignore[arg-type]
    both = union(a, b)
    assert both is not None
    for size in range(400):
        assert both.contains(size) == (a.contains(size) or b.contains(size))


def test_alternatives_that_requirements_rule_out_are_left_out() -> None:
    _, h, _ = fresh()
    assert str(either(equal(h // 2, 7), equal(h, 1))) == "H // 2 == 7 or H == 1"
    assert holds(h // 4 >= 1)
    assert str(either(equal(h // 2, 8), equal(h, 1))) == "H // 2 == 8"
    # What was decided once stays: to ask again must give the same condition.
    assert str(either(equal(h // 2, 7), equal(h, 1))) == "H // 2 == 7 or H == 1"


def test_alternatives_of_several_symbols_are_ties() -> None:
    _, h, w = fresh()
    condition = either(equal(h, w), equal(h, 1), equal(w, 1))
    assert isinstance(condition, Condition)
    sizes = ValidSizes(("H", "W"), (condition,))
    assert sizes.words() == ["any H", "any W", "H == W or H == 1 or W == 1"]
    assert [sizes.valid(H=a, W=b) for a, b in ((3, 3), (1, 5), (5, 1), (2, 3))] == [
        True, True, True, False,
    ]  # fmt: skip


# Broadcasting, as torch does it.


@LAW
@given(PIPELINES, PIPELINES)
def test_law_sizes_broadcast_as_in_torch(x: Pipeline, y: Pipeline) -> None:
    need, size = broadcast_size(x.size, y.size)
    for h, w in POINTS[::3]:
        a, b = x.plain(h, w), y.plain(h, w)
        if a < 0 or b < 0:
            continue
        try:
            (wanted,) = torch.broadcast_shapes((a,), (b,))
        except RuntimeError:
            assert not met(need, h, w)
            continue
        assert met(need, h, w)
        assert known(size, h, w) == wanted


@pytest.mark.parametrize("join", ["Add", "Mul"])
def test_a_network_broadcasts_as_torch_does(join: str) -> None:
    text = f"""archspec: 1
inputs: {{left: [2, H, W], right: [2, H2, 4]}}
layers:
  pool: {{MaxPool2d: {{kernel_size: 2, ceil_mode: true}}, from: left}}
  join: {{{join}: [pool, right]}}
"""
    network = archspec.loads(text)
    module = network.build()
    for h in range(1, 8):
        for w in range(1, 10):
            for other in (1, 2, 3):
                left, right = torch.ones(1, 2, h, w), torch.ones(1, 2, other, 4)
                valid = network.sizes.valid(H=h, W=w, H2=other)
                try:
                    shape = tuple(module(left, right).shape[1:])
                except RuntimeError:
                    assert not valid
                    continue
                assert valid
                values = {"H": h, "W": w, "H2": other}
                found = network.outputs["output"]
                assert shape == tuple(s if isinstance(s, int) else s.at(values) for s in found)


# Quotients, and what requirements say.


@LAW
@given(PIPELINES, PIPELINES)
def test_law_quotients_multiply_back(x: Pipeline, y: Pipeline) -> None:
    whole = x.size * y.size
    found = quotient(whole, y.size)
    if isinstance(y.size, Expr):
        assert found == x.size
    elif y.size > 0:
        assert found is not None
        assert found * y.size == whole
    other = quotient(x.size, y.size)
    assert other is None or always(equal(other * y.size, x.size))


def test_what_is_divisible_is_whole_again() -> None:
    domain, h, w = fresh()
    size = (h + 3) // 4
    parts = 7 * (size // 7)
    assert simplified(parts) == parts
    assert share(size * w, size // 7) is None
    assert holds(divisible(size, 7))
    assert simplified(parts + w) == size + w
    assert simplified(2 * parts) == 2 * size
    assert simplified(size // 7 + w) == size // 7 + w
    assert share(size * w, size // 7) == 7 * w
    assert share(product([size, 3]), 7 * (size // 7)) == 3
    assert [str(each) for each in domain.requirements] == ["(H + 3) // 4 == 7*((H + 3) // 28)"]


# Factors.


@given(st.integers(1, 4000).map(lambda n: n / 1000), st.integers(1, 9), st.integers(0, 40))
def test_law_factors_are_those_of_doubles(scale: float, step: int, offset: int) -> None:
    _, h, _ = fresh()
    inner = (h + offset) // step
    assert isinstance(inner, Expr)
    size, decided = scaled(inner, scale), scalable(inner, scale)
    for value in (*range(1, 300), 4095, 4096, 4097, 99_999, 12_345_678):
        if met(decided, value):
            assert known(size, value) == math.floor(inner.at({"H": value}) * scale)


def test_sets_of_sizes_that_are_known_by_a_table() -> None:
    _, h, _ = fresh()
    size = scaled(h // 2, 0.7)
    conditions = [scalable(h // 2, 0.7), size >= 5, divisible(size, 3), equal(size % 7, 2)]
    valid = ValidSet("H", tuple(each for each in conditions if isinstance(each, Condition)))
    assert valid.decided
    sizes = {n for n in range(1, 9000) if math.floor(n // 2 * 0.7) % 21 == 9 and n // 2 <= 4096}
    assert {n for n in range(1, 9000) if n in valid} == sizes
    assert str(size) == "floor(0.7*(H // 2))"


# Nothing takes long.

STRIDES = (2, 3, 5, 7, 11, 13, 17)


def chain(count: int) -> str:
    """Poolings and transposed convolutions in turn, with strides that have nothing in common."""
    lines = ["archspec: 1", "inputs: {x: [1, T]}", "layers:"]
    for n in range(count):
        down, up = STRIDES[n % 7], STRIDES[(n + 3) % 7]
        lines.append(f"  - MaxPool1d: {{kernel_size: {down}, padding: {down // 2}}}")
        lines.append(f"  - ConvTranspose1d: {{out_channels: 1, kernel_size: {up}, stride: {up}}}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("count", [3, 10, 25, 50])
def test_an_adversarial_chain_is_quick_and_honest(count: int) -> None:
    text = chain(count) + "  - Unflatten: {dim: 2, unflattened_size: [4, -1]}\n"
    archspec.check(text)  # imports what it needs
    begun = time.process_time()
    network = archspec.check(text).network
    assert time.process_time() - begun < 2  # 0.2 on an idle machine
    assert network is not None
    valid = network.sizes.sets["T"]
    assert len(str(valid)) + len(str(network.outputs)) < 20_000
    for length in range(1, 200):
        plain = length
        for n in range(count):
            down, up = STRIDES[n % 7], STRIDES[(n + 3) % 7]
            plain = ((plain + 2 * (down // 2) - down) // down + 1) * up
        works = plain % 4 == 0
        assert (length in valid) == works or length == 1  # a window may not fit there
        assert network.outputs["output"][2].at({"T": length}) == plain // 4
