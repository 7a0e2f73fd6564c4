"""What the tests of convolutions and poolings share: the judge, and generators of arguments."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from hypothesis import strategies as st

from archspec.diagnostics import Fault
from archspec.ops import Layer, apply, find
from archspec.sizes import Domain
from archspec.tensors import Tensor
from tests.ops.against_torch import Verdict, agree, expect, sample


def judge(kind: str, args: Mapping[str, Any], x: Tensor, **inferred: Any) -> Verdict:
    """`agree`, and what an accepted layer owes besides: batch 1 in eval, and inputs with gradients.

    `inferred` are the arguments that torch must be told.
    """

    def build() -> torch.nn.Module:
        module = getattr(torch.nn, kind)(**args, **inferred)
        assert isinstance(module, torch.nn.Module)
        return module

    verdict = agree(kind, args, [x], lambda tensor: build()(tensor))
    if verdict.outputs is not None:
        expect(verdict.outputs, build().eval()(sample(x, 1)), 1)
        if x.is_float:
            expect(verdict.outputs, build()(sample(x, 2).requires_grad_()), 2)
    return verdict


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The usual, and in one of 15 draws something odd."""
    return st.integers(0, 14).flatmap(lambda n: odd if n == 14 else usual)


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    """Mostly a number in this range; rarely 0, a negative one, or one too large."""
    return mostly(st.integers(low, high), st.sampled_from([0, -1, -3, 11, 2**31]))


def per_dimension(element: st.SearchStrategy[Any], spatial: int) -> st.SearchStrategy[Any]:
    """One number, or a list with one for every dimension."""
    lists = st.lists(element, min_size=spatial, max_size=spatial)
    return mostly(st.one_of(element, lists), st.lists(element, max_size=4))


def shapes(channels: st.SearchStrategy[int], spatial: int, most: int) -> st.SearchStrategy[Any]:
    """Mostly `[channels, *]` with `spatial` sizes; rarely empty ones, or another rank."""
    size = mostly(st.integers(2, most), st.integers(0, 1))
    usual = st.tuples(channels, *[size] * spatial)
    return mostly(usual, st.lists(size, max_size=4).map(tuple))


def optional(strategies: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments, each of them given or left out."""
    return st.fixed_dictionaries({}, optional=dict(strategies))


def agrees_with_numbers(kind: str, args: dict[str, Any]) -> None:
    """The rule over a symbol, evaluated, is the rule over numbers; its requirements are exact."""
    cls = find(kind)
    assert cls is not None
    try:
        layer = cls.model_validate(args)
        layer.check()
    except (ValueError, Fault):
        return
    domain = Domain()
    rows = domain.symbol("H")
    try:
        _, (symbolic,) = apply(layer, Tensor((4, rows, 40)))
    except Fault:
        symbolic = None
    for size in range(1, 41):
        try:
            _, (concrete,) = apply(layer, Tensor((4, size, 40)))
        except Fault:
            concrete = None
        meets = all(condition.at({"H": size}) for condition in domain.requirements)
        assert (concrete is not None) == (symbolic is not None and meets)
        if concrete is not None and symbolic is not None:
            values = [s if isinstance(s, int) else s.at({"H": size}) for s in symbolic.shape]
            assert tuple(values) == concrete.shape


def fault(kind: str, args: dict[str, Any], *shape: int) -> Fault:
    cls = find(kind)
    assert cls is not None
    layer = cls.model_validate(args)
    with pytest.raises(Fault) as caught:
        _check_and_apply(layer, Tensor(shape))
    return caught.value


def _check_and_apply(layer: Layer, x: Tensor) -> None:
    layer.check()
    apply(layer, x)
