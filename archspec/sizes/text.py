"""Sizes as text, in the form in which a person would write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archspec.sizes.atoms import Floor, grouped
from archspec.sizes.factored import factored

if TYPE_CHECKING:
    from archspec.sizes.expression import Expr, Monomial


def show_values(values: Mapping[str, int]) -> str:
    """Values of symbols, in the words of messages: `H = 224, W = 224`."""
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def text_of(x: Expr) -> str:
    """The text of a size."""
    floor, product = remainder(x), factored(x)
    if floor:
        pieces = [(True, f"{grouped(floor.inner)} % {floor.divisor}")]
        constant = x.constant - floor.inner.constant
    elif product:
        pieces, constant = [(product.scale > 0, str(product))], product.rest
    else:
        pieces = [(x.terms[m] > 0, _product_text(m, abs(x.terms[m]))) for m in ordered(x)]
        constant = x.constant
    if constant:
        pieces.append((constant > 0, str(abs(constant))))
    pieces.sort(key=lambda piece: not piece[0])
    (positive, first), *others = pieces
    if not positive:
        first = f"-({first})" if "//" in first else f"-{first}"
    return first + "".join(f" {'+' if more else '-'} {text}" for more, text in others)


def ordered(x: Expr) -> list[Monomial]:
    """Terms of high degree first, then those of symbols made early."""
    return sorted(x.terms, key=lambda m: (-len(m), [atom.rank for atom in m]))


def _product_text(monomial: Monomial, coefficient: int) -> str:
    if coefficient == 1 and len(monomial) == 1:
        return str(monomial[0])
    factors = [f"({atom})" if isinstance(atom, Floor) else str(atom) for atom in monomial]
    return "*".join([str(coefficient)] * (coefficient > 1) + factors)


def remainder(x: Expr) -> Floor | None:
    """The floor f for which `x` is `f.inner % f.divisor`, but for a constant."""
    for monomial, coefficient in x.terms.items():
        floor = monomial[0]
        if len(monomial) > 1 or not isinstance(floor, Floor) or coefficient != -floor.divisor:
            continue
        if {**floor.inner.terms, monomial: coefficient} == x.terms:
            return floor
    return None
