"""Sizes that may depend on the input: `(H + 31) // 32` is as good a size as 7.

A concrete size is a plain `int`; a symbolic one is an `Expr`, a polynomial with whole coefficients
over symbols, floors and minima. Shape rules are written once, for both: arithmetic gives a `Size`,
a comparison gives True, False or the `Condition` under which it is true, and `holds` takes a
condition down as a requirement on the input. True and False are proved for all symbols >= LOWEST.
"""

from archspec.sizes.atoms import LOWEST
from archspec.sizes.conditions import Condition
from archspec.sizes.declaration import Declaration
from archspec.sizes.expression import Domain, Expr, Size
from archspec.sizes.functions import (
    always,
    ceil_div,
    divisible,
    equal,
    holds,
    maximum,
    minimum,
    product,
    quotient,
    unequal,
)
from archspec.sizes.learned import share, simplified
from archspec.sizes.measured import Dimension, Measured, Term, largest_of, least_of, size_of
from archspec.sizes.options import broadcast_size, either
from archspec.sizes.scaling import TABLE, scalable, scaled
from archspec.sizes.search import witness
from archspec.sizes.text import show_values
from archspec.sizes.valid import ValidSet, ValidSizes

__all__ = [
    "LOWEST",
    "TABLE",
    "Condition",
    "Declaration",
    "Dimension",
    "Domain",
    "Expr",
    "Measured",
    "Size",
    "Term",
    "ValidSet",
    "ValidSizes",
    "always",
    "broadcast_size",
    "ceil_div",
    "divisible",
    "either",
    "equal",
    "holds",
    "largest_of",
    "least_of",
    "maximum",
    "minimum",
    "product",
    "quotient",
    "scalable",
    "scaled",
    "share",
    "show_values",
    "simplified",
    "size_of",
    "unequal",
    "witness",
]
