"""Products of sizes: `H*W - 2*H - 2*W + 4` is `(H - 2)*(W - 2)`, and shows what it grows with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from archspec.sizes.atoms import Atom, Floor, grouped

if TYPE_CHECKING:
    from archspec.sizes.expression import Expr, Monomial, Size


@final
@dataclass(frozen=True, slots=True)
class Product:
    """`scale * (first + a) * (second + b) * … + rest`, with a number in at least one factor."""

    scale: int
    factors: tuple[Expr, ...]
    rest: int

    def __str__(self) -> str:
        """The product, without its sign and the rest."""
        scale = [str(abs(self.scale))] * (abs(self.scale) > 1)
        return "*".join([*scale, *map(_factor_text, self.factors)])


def factored(x: Expr) -> Product | None:
    """A size as a product of atoms with numbers added to them; None if it is none."""
    longest = max(x.terms, key=len)
    if len(longest) < 2 or len(set(longest)) < len(longest) or len(x.terms) < 2:
        return None
    scale = x.terms[longest]
    factors: list[Expr] = []
    product: Size = scale
    for atom in longest:
        shift, left_over = divmod(x.terms.get(_without(longest, atom), 0), scale)
        factor = x.remade({(atom,): 1}, shift)
        if left_over or isinstance(factor, int):
            return None
        factors.append(factor)
        product = factor * product
    rest = x - product
    return Product(scale, tuple(factors), rest) if isinstance(rest, int) else None


def _without(monomial: Monomial, atom: Atom) -> Monomial:
    return tuple(each for each in monomial if each is not atom)


def _factor_text(factor: Expr) -> str:
    ((atom,),) = factor.terms
    if isinstance(atom, Floor):
        inner = atom.inner + factor.constant * atom.divisor
        assert not isinstance(inner, int), "a number added does not cancel symbols"
        return f"({grouped(inner)} // {atom.divisor})"
    return grouped(factor)
