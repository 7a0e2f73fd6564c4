"""Formulas over index tensors give what the expression gives, element by element."""

import ast
import itertools
import math
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from archspec.expr import (
    ExpressionError,
    Scope,
    capture,
    compile_expression,
)


def run(text: str, names: dict[str, Any]) -> Any:
    return compile_expression(text).run(Scope(names))


def same(text: str, sizes: dict[str, int], **names: Any) -> None:
    formula = capture(text, tuple(sizes), names)
    variables = {name: f"v{number}" for number, name in enumerate(sizes)}
    ranks = range(len(sizes))
    tensors = {
        f"v{n}": torch.arange(size).view([-1 if r == n else 1 for r in ranks])
        for n, size in zip(ranks, sizes.values(), strict=True)
    }
    made = eval(formula.code(variables), {"torch": torch}, tensors)
    found = torch.as_tensor(made).expand(tuple(sizes.values())).double()
    for spot in itertools.product(*map(range, sizes.values())):
        wanted = run(text, {**names, **dict(zip(sizes, spot, strict=True))})
        value = found[spot].item()
        close = math.isclose(value, wanted, rel_tol=1e-5, abs_tol=1e-6)
        assert close, f"{text} at {spot}: {value}, not {wanted}\n{formula.code(variables)}"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("i", {}), ("7", {}), ("-i", {}), ("+i", {}), ("+(i - 3)", {}), ("n ** i", {"n": -2}),
        ("i ** n", {"n": 2}), ("(i + 1) ** n", {"n": -1}), ("2.0 ** -i", {}), ("2 ** -i", {}),
        ("(i > 1) + (j > 1)", {}), ("(i > 1) - (j > 1)", {}), ("(i > 1 and j > 1) * 3", {}),
        ("1 if i > j else 0", {}), ("i if flag else j", {"flag": True}),
        ("i if n else j", {"n": 0}),
        ("low if i > j else 0", {"low": -math.inf}), ("1 if not i > j else 0", {}),
        ("1 if i else 2", {}), ("1 if i and j else 2", {}), ("1 if i > 0 and n else 2", {"n": 3}),
        ("0 < i < 3 < j", {}), ("i // 2 % 3 - j / 4", {}), ("(i - 2) // 2", {}),
        ("(i - 2) % 3", {}),
        ("i + ceil(n / 2)", {"n": 5}), ("i * max(n, 3)", {"n": 5}), ("i == j or i > j + 1", {}),
        ("abs(i - 2)", {}), ("sign(i - 2) * j", {}), ("sqrt(i + n)", {"n": 1}), ("exp(-i)", {}),
        ("sin(i / 10000 ** (j / 4))", {}), ("cos(i)", {}), ("log(i + 1)", {}), ("int(i / 2)", {}),
        ("log(i + 1, 2)", {}), ("log(i + 1, 10)", {}), ("log(i + 1, n)", {"n": 3}),
        ("log(n, i + 2)", {"n": 3}), ("log(i + 1, 2 if i else 3)", {}), ("min(i, 2, j)", {}),
        ("max(i, 2.5)", {}), ("max(i > 1, j > 1)", {}),
        ("min(n, i if flag else 9)", {"n": 2, "flag": True}),
        ("ceil(i / 2)", {}), ("floor(i / -2)", {}), ("round(i / 2)", {}), ("ceil(i)", {}),
        ("sqrt(n) * i", {"n": 2}), ("abs(i > 2)", {}),
        ("max(j, n if flag else i)", {"n": 2, "flag": True}),
        ("10000 ** (-i / 4)", {}), ("not (i > 1)", {}), ("-(i > 1)", {}), ("i * -n", {"n": 3}),
    ],
)  # fmt: skip
def test_formulas(text: str, names: dict[str, Any]) -> None:
    same(text, {"i": 5, "j": 4}, **names)


def test_the_relative_position_index_of_swin() -> None:
    text = (
        "(p // window - q // window + window - 1) * (2 * window - 1)"
        " + p % window - q % window + window - 1"
    )
    same(text, {"p": 9, "q": 9}, window=3)


def test_the_attention_mask_of_swin() -> None:
    region = (
        "((0 if {0} < 4 else 1 if {0} < 6 else 2) * 3 + (0 if {1} < 4 else 1 if {1} < 6 else 2))"
    )
    left, right = region.format("p // 8", "p % 8"), region.format("q // 8", "q % 8")
    same(f"0 if {left} == {right} else -100", {"p": 64, "q": 64})


@pytest.mark.parametrize(
    "text",
    [
        *("i and j", "i or 3", "[i][0]", "i in [1]", "i if i and j else k"),
        *("min(i)", "max([i, 2])", "range(i)", "abs(i, j)", "round(i, 1)", "log(i, 2, 3)"),
        *("make_divisible(i)", "len(i)"),
    ],
)
def test_formulas_without_a_meaning(text: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        capture(text, ("i", "j"), {})
    assert raised.value.code in ("E108", "E109")


NUMBER = st.sampled_from(["i", "j", "n", "2", "3", "0.5"])
CONDITION = st.tuples(NUMBER, st.sampled_from(["<", "<=", "==", "!=", ">"]), NUMBER).map(" ".join)
FORMULA = st.recursive(
    NUMBER,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({' '.join(t)})"),
        st.tuples(inner, st.sampled_from(["//", "%", "/"]), st.sampled_from(["2", "3", "n"]))
        .map(lambda t: f"({' '.join(t)})"),
        st.tuples(inner, CONDITION, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        st.tuples(CONDITION, st.sampled_from(["and", "or"]),
        CONDITION).map(lambda t: f"({' '.join(t)})"),
        inner.map(lambda t: f"(-{t})"),
        st.tuples(st.sampled_from(["abs", "sign"]), inner)
        .map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner)
        .map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
    ),
    max_leaves=6,
)  # fmt: skip


@example("i - (n < n and n < n)", 2)  # a decided condition that counts
@example("abs(i if n < n else n)", 2)  # no index is left
@given(FORMULA, st.sampled_from([-3, 2, 5]))
def test_any_formula(text: str, n: int) -> None:
    # Close to a multiple, single precision rounds to its other side: not what is tested here.
    tree = ast.parse(text, mode="eval")
    floors = any(isinstance(each, ast.FloorDiv | ast.Mod | ast.cmpop) for each in ast.walk(tree))
    floors = floors or "sign" in text
    if floors and any(isinstance(each, ast.Div) for each in ast.walk(tree)):
        return
    same(text, {"i": 4, "j": 3}, n=n)
