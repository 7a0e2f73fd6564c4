"""Sizes that may depend on the input: `(H + 31) // 32` is as good a size as 7.

A concrete size is a plain `int`; a symbolic one is an `Expr`, a polynomial with whole coefficients
over symbols, floors and minima. Shape rules are written once, for both: arithmetic gives a `Size`,
a comparison gives True, False or the `Condition` under which it is true, and `holds` takes a
condition down as a requirement on the input. True and False are proved for all symbols >= LOWEST.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NoReturn, TypeAlias, final

from archspec.sizes.atoms import Atom, Extreme, Floor, Symbol, evaluated
from archspec.sizes.bounds import Pick, rank_of
from archspec.sizes.conditions import Condition, at_least_zero
from archspec.sizes.text import text_of

Size: TypeAlias = "int | Expr"
Monomial: TypeAlias = tuple[Atom, ...]  # a product, factors by rank


@final
class Domain:
    """The symbols of one network, and what its layers require of them."""

    def __init__(self) -> None:
        self.atoms: Final[dict[Hashable, Atom]] = {}
        self.floors: Final[dict[tuple[Expr, int], Size]] = {}  # networks divide alike many times
        self.alternatives: Final[dict[tuple[Condition, ...], bool | Condition]] = {}
        self.lowest: Final[dict[str, int]] = {}  # see `learned`
        self.wholes: Final[dict[Atom, tuple[int, Size]]] = {}
        self.table_ends: Final[set[Condition]] = set()  # see `scaling`
        self._new: list[Condition] | None = []
        self._requirements: dict[Condition, None] = {}

    def symbol(self, name: str) -> Expr:
        """The unknown whole number `name`; the same one for the same name."""
        atom = self.atoms.setdefault(name, Symbol(len(self.atoms), name))
        return Expr(self, {(atom,): 1}, 0)

    @property
    def requirements(self) -> list[Condition]:
        """What `holds` took down, in order, each once."""
        return list(self._requirements)

    def require(self, condition: Condition) -> None:
        """Take down one more requirement."""
        if condition not in self._requirements:
            self._requirements[condition] = None
            if self._new is not None:
                self._new.append(condition)

    def new_requirements(self) -> list[Condition]:
        """What was taken down since it was asked for last; what is taken down apart is left out."""
        if self._new is None:
            return []
        found, self._new = self._new, []
        return found

    def requiring(self, conditions: Iterable[Condition]) -> Domain:
        """The same symbols, with other requirements."""
        other = Domain()
        other.atoms.update(self.atoms)
        other._requirements = dict.fromkeys(conditions)
        return other

    @contextmanager
    def apart(self) -> Iterator[dict[Condition, None]]:
        """Take requirements down in a list of their own, to see who has which."""
        kept, self._requirements = self._requirements, {}
        new, self._new = self._new, None
        try:
            yield self._requirements
        finally:
            self._requirements, self._new = kept, new


@final
class Expr:
    """A size that depends on symbols, in canonical form; immutable, equal if the forms are equal.

    Atoms are interned in the domain, so that they compare by identity; a result that depends on no
    symbol is a plain number, never an `Expr`.
    """

    __slots__ = ("_hash", "constant", "domain", "terms")

    def __init__(self, domain: Domain, terms: Mapping[Monomial, int], constant: int) -> None:
        self.domain: Final = domain
        self.terms: Final = terms
        self.constant: Final = constant
        self._hash: int | None = None

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols the size depends on."""
        return frozenset().union(*(atom.symbols for monomial in self.terms for atom in monomial))

    def at(self, values: Mapping[str, int]) -> int:
        """The size for these values of its symbols."""
        return evaluated(self, values)

    def __add__(self, other: Size) -> Size:
        if isinstance(other, int):
            return Expr(self.domain, self.terms, self.constant + other)
        return _plus(self, other, 1)

    def __sub__(self, other: Size) -> Size:
        if isinstance(other, int):
            return Expr(self.domain, self.terms, self.constant - other)
        return _plus(self, other, -1)

    def __rsub__(self, other: int) -> Size:
        return -self + other

    def __neg__(self) -> Expr:
        return Expr(self.domain, {m: -c for m, c in self.terms.items()}, -self.constant)

    def __mul__(self, other: Size) -> Size:
        if not isinstance(other, int):
            return _times(self, other)
        if not other:
            return 0
        terms = {monomial: other * c for monomial, c in self.terms.items()}
        return Expr(self.domain, terms, other * self.constant)

    def __floordiv__(self, divisor: int) -> Size:
        if not isinstance(divisor, int):
            raise TypeError(f"a symbolic size is divided by whole numbers, not by {divisor!r}")
        if divisor < 1:
            raise ValueError(f"a symbolic size is divided by positive numbers, not by {divisor}")
        if divisor == 1:
            return self
        done = self.domain.floors
        if (self, divisor) not in done:
            done[self, divisor] = _floor(self, divisor)
        return done[self, divisor]

    def __mod__(self, divisor: int) -> Size:
        return self - divisor * (self // divisor)

    __radd__ = __add__
    __rmul__ = __mul__

    def __ge__(self, other: Size) -> bool | Condition:
        return at_least_zero(self - other)

    def __gt__(self, other: Size) -> bool | Condition:
        return at_least_zero(self - other - 1)

    def __le__(self, other: Size) -> bool | Condition:
        return at_least_zero(other - self)

    def __lt__(self, other: Size) -> bool | Condition:
        return at_least_zero(other - self - 1)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Expr)
            and self.constant == other.constant
            and self.terms == other.terms
        )

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((frozenset(self.terms.items()), self.constant))
        return self._hash

    def __bool__(self) -> NoReturn:
        raise TypeError(
            f"`{self}` is neither zero nor not: compare it, and ask holds() or always()"
        )

    def __deepcopy__(self, memo: object) -> Expr:
        return self

    def __str__(self) -> str:
        return text_of(self)

    __repr__ = __str__

    def without(self, atom: Atom) -> Size:
        """The rest, when the term that is this atom is left out."""
        return self.remade({**self.terms, (atom,): 0}, self.constant)

    def remade(self, terms: Mapping[Monomial, int], constant: int) -> Size:
        """Another size over the same symbols."""
        return _size(self.domain, terms, constant)

    def divided(self, divisor: int) -> Expr:
        """Every coefficient divided; the constant is rounded down."""
        terms = {monomial: c // divisor for monomial, c in self.terms.items()}
        return Expr(self.domain, terms, self.constant // divisor)


def _size(domain: Domain, terms: Mapping[Monomial, int], constant: int) -> Size:
    kept = {monomial: c for monomial, c in terms.items() if c}
    return Expr(domain, kept, constant) if kept else constant


def _same_domain(a: Expr, b: object) -> None:
    if not isinstance(b, Expr):
        raise TypeError(f"a symbolic size does not combine with {b!r}")
    if a.domain is not b.domain:
        raise ValueError(f"`{a}` and `{b}` are sizes of different networks")


def _plus(a: Expr, b: Expr, scale: int) -> Size:
    _same_domain(a, b)
    terms = {**a.terms}
    for monomial, coefficient in b.terms.items():
        terms[monomial] = terms.get(monomial, 0) + scale * coefficient
    return _size(a.domain, terms, a.constant + scale * b.constant)


def _times(a: Expr, b: Expr) -> Size:
    _same_domain(a, b)
    terms: dict[Monomial, int] = {}
    for m, c in [*a.terms.items(), ((), a.constant)]:
        for n, d in [*b.terms.items(), ((), b.constant)]:
            both = tuple(sorted(m + n, key=rank_of))
            terms[both] = terms.get(both, 0) + c * d
    constant = terms.pop(())
    return _size(a.domain, terms, constant)


def _floor(x: Expr, divisor: int) -> Size:
    """`x // divisor`: its multiples leave the floor, and a factor common to the rest cancels."""
    if max(x.terms.values()) < 0:  # -H // 8 is -((H + 7) // 8): read as a person writes it
        return -((-x + (divisor - 1)) // divisor)
    outside, inside = {}, {}
    for monomial, coefficient in x.terms.items():
        whole, rest = divmod(coefficient, divisor)
        if whole:
            outside[monomial] = whole
        if rest:
            inside[monomial] = rest
    whole, rest = divmod(x.constant, divisor)
    if not inside:
        return _size(x.domain, outside, whole)
    common = math.gcd(divisor, *inside.values())
    if common > 1:
        inside = {monomial: c // common for monomial, c in inside.items()}
    floor = _proper_floor(Expr(x.domain, inside, rest // common), divisor // common)
    return floor + _size(x.domain, outside, whole)


def _proper_floor(inner: Expr, divisor: int) -> Size:
    nested = [m[0] for m, c in inner.terms.items() if c == 1 and len(m) == 1]
    floors = [atom for atom in nested if isinstance(atom, Floor)]
    if len(floors) == 1:  # (x // t + n) // s is (x + t*n) // (s*t), for any whole n
        others = inner.without(floors[0])
        return (floors[0].inner + floors[0].divisor * others) // (floors[0].divisor * divisor)
    atoms = inner.domain.atoms
    atom = atoms.get((inner, divisor))
    if atom is None:
        atom = atoms[inner, divisor] = Floor(len(atoms), inner, divisor)
    return Expr(inner.domain, {(atom,): 1}, 0)


def extreme(pick: Pick, a: Size, b: Size) -> Size:
    """The least or greatest of two sizes that are in no provable order."""
    domain = a.domain if isinstance(a, Expr) else b.domain if isinstance(b, Expr) else None
    assert domain is not None, "two numbers are always in order"
    key = (pick, frozenset([a, b]))
    atom = domain.atoms.get(key)
    if atom is None:
        atom = domain.atoms[key] = Extreme(len(domain.atoms), *key)
    return Expr(domain, {(atom,): 1}, 0)
