"""Alternatives: several comparisons of which one must be true, and sizes that broadcast."""

from __future__ import annotations

from archspec.sizes.conditions import Condition
from archspec.sizes.expression import Expr, Size
from archspec.sizes.functions import always, equal, maximum, minimum
from archspec.sizes.learned import lowest
from archspec.sizes.solving import direction


def either(*statements: bool | Condition) -> bool | Condition:
    """Whether one of several statements is true, without those that are ruled out by now."""
    if True in statements:
        return True
    left = [each for each in statements if isinstance(each, Condition)]
    options = tuple(dict.fromkeys(option for each in left for option in each.options))
    if len(options) < 2:
        return options[0] if options else False
    decided = options[0].domain.alternatives
    if options not in decided:  # once: to ask again, knowing more, must not give another answer
        decided[options] = _joined([each for each in options if not _ruled_out(each)])
    return decided[options]


def _joined(options: list[Condition]) -> bool | Condition:
    if not options:
        return False
    first, *others = options
    return Condition(first.left, first.relation, first.right, tuple(others))


def broadcast_size(a: Size, b: Size) -> tuple[bool | Condition, Size]:
    """When two sizes broadcast (they are equal, or one of them is 1), and what to."""
    need = either(equal(a, b), equal(a, 1), equal(b, 1))
    if need is True:
        return need, b if always(equal(a, 1)) else a
    options = need.options if isinstance(need, Condition) else ()
    left_stretches, right_stretches = (equal(size, 1) in options for size in (a, b))
    if not (left_stretches or right_stretches):
        return need, a if isinstance(a, int) else b
    if not right_stretches:
        return need, b
    if not left_stretches:
        return need, a
    larger = maximum(a, b)
    if all(_is_never_zero(size) for size in (a, b)):
        return need, larger
    return need, larger * minimum(minimum(a, b), 1)  # 0 and 1 make 0


def _is_never_zero(size: Size) -> bool:
    empty = equal(size, 0)
    return _ruled_out(empty) if isinstance(empty, Condition) else not empty


def _ruled_out(condition: Condition) -> bool:
    """Whether the requirements of its domain exclude an equation on a growing size."""
    gap = condition.left - condition.right
    if condition.relation != "==" or not isinstance(gap, Expr):
        return False
    least = {name: lowest(condition.domain, name) for name in gap.symbols}
    return direction(gap) == 1 and gap.at(least) > 0
