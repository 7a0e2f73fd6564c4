"""Sizes in the words that are true where a network works."""

import pytest
from hypothesis import given

import archspec
from archspec.sizes import Domain, ValidSizes, equal
from archspec.sizes.conditions import Condition
from archspec.sizes.expression import Expr, Size
from archspec.sizes.within import Within
from tests.test_network_sizes import specs


def words(size: Size, *conditions: bool | Condition) -> str:
    known = tuple(each for each in conditions if isinstance(each, Condition))
    return str(Within(ValidSizes(("H", "W"), known)).size(size))


def symbols() -> tuple[Expr, Expr]:
    domain = Domain()
    return domain.symbol("H"), domain.symbol("W")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("4 * (H // 4)", "H"),
        ("(H + 3) // 4", "H // 4"),
        ("2 * (H // 4)", "H // 2"),
        ("4 * (H // 4) + 4 * (W // 4)", "H + 4*(W // 4)"),
        ("(H // 4) * (W // 4) * 64", "64*(H // 4)*(W // 4)"),
        ("4 * (H // 4) * (W // 4)", "4*(H // 4)*(W // 4)"),
        ("3 * ((H + 2) // 4) - 2", "3*H // 4 - 2"),
        ("H // 3", "H // 3"),  # 4 says nothing of it
        ("H // 8", "H // 8"),
        ("(H + 3) // 4 * (H // 4)", "((H + 3) // 4)*(H // 4)"),  # a square: no straight line
        ("H * W // 4", "H*W // 4"),
        ("W // 4 * 4", "4*(W // 4)"),
    ],
)
def test_where_a_symbol_is_divisible(written: str, expected: str) -> None:
    H, W = symbols()
    size = eval(written, {"H": H, "W": W})
    assert words(size, equal(H % 4, 0)) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [("4 * (H // 4)", "H - 1"), ("(H + 1) // 2", "H // 2 + 1"), ("(H + 3) // 4", "H // 4 + 1")],
)
def test_where_another_remainder_is_left(written: str, expected: str) -> None:
    H, _ = symbols()
    size = eval(written, {"H": H})
    assert eval(words(size, equal(H % 4, 1)), {"H": 13}) == eval(written, {"H": 13})


def test_where_small_sizes_are_others() -> None:
    H, _ = symbols()
    even = equal(H % 2, 0)
    assert words(2 * (H // 2), even, H >= 8) == "H"
    assert words(2 * (H // 2), Condition(H % 2, "==", 0, (Condition(3, ">=", H),))) == "2*(H // 2)"


def test_a_network_and_its_table_say_it() -> None:
    text = """archspec: 1
inputs: {image: [3, H, W]}
requires: {W: ">= 2"}
layers:
  down: {AvgPool2d: {kernel_size: 2}}
  up: {Upsample: {scale_factor: [2, 1]}}
  wide: {AdaptiveAvgPool2d: {output_size: [null, 1]}}
  slim: {AdaptiveAvgPool2d: {output_size: [null, 1]}, from: image}
  join: {Concat: [wide, slim]}
"""
    network = archspec.loads(text)
    assert str(network.outputs["output"]) == "(6, H, 1)"
    assert [str(row.output_shape) for row in network.layers[:2]] == [
        "(3, H // 2, W // 2)",
        "(3, H, W // 2)",
    ]


@given(specs())
def test_law_the_same_size_in_no_more_words(text: str) -> None:
    network = archspec.check(text).network
    if network is None:
        return
    within = Within(network.sizes)
    works = [size for size in range(1, 300) if network.sizes.valid(T=size)]
    for application in network.applications:
        for size in application.outputs[0].shape:
            other = within.size(size)
            assert len(str(other)) <= len(str(size))
            if not isinstance(size, int):
                found = [other if isinstance(other, int) else other.at({"T": T}) for T in works]
                assert found == [size.at({"T": T}) for T in works]
