"""Sizes that may depend on the input: `(H + 31) // 32` is as good a size as 7.

A concrete size is a plain `int`; a symbolic one is an `Expr`, a polynomial with whole coefficients
over symbols, floors and minima. Shape rules are written once, for both: arithmetic gives a `Size`,
a comparison gives True, False or the `Condition` under which it is true, and `holds` takes a
condition down as a requirement on the input. True and False are proved for all symbols >= LOWEST.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NoReturn, TypeAlias, final

Size: TypeAlias = "int | Expr"
Relation: TypeAlias = Literal["==", "!=", ">=", ">"]
Monomial: TypeAlias = "tuple[_Atom, ...]"  # a product, factors by rank
_Pick: TypeAlias = Callable[[Iterable[int]], int]  # min or max
Known: TypeAlias = "dict[_Atom, int]"  # values of what expressions share

LOWEST: Final = 1  # no symbol is smaller: it stands for the size of an input
RELAXATIONS: Final = 6  # steps of one bounds proof; each may branch in two
EVALUATIONS: Final = 100_000  # points that each half of a joint search may look at


@final
class Domain:
    """The symbols of one network, and what its layers require of them."""

    def __init__(self) -> None:
        self.atoms: Final[dict[Hashable, _Atom]] = {}
        self.floors: Final[dict[tuple[Expr, int], Size]] = {}  # networks divide alike many times
        self._requirements: Final[dict[Condition, None]] = {}

    def symbol(self, name: str) -> Expr:
        """The unknown whole number `name`; the same one for the same name."""
        atom = self.atoms.setdefault(name, _Symbol(len(self.atoms), name))
        return Expr(self, {(atom,): 1}, 0)

    @property
    def requirements(self) -> list[Condition]:
        """What `holds` took down, in order, each once."""
        return list(self._requirements)

    def require(self, condition: Condition) -> None:
        """Take down one more requirement."""
        self._requirements[condition] = None


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
        return _value(self, values, {})

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
        return _at_least_zero(self - other)

    def __gt__(self, other: Size) -> bool | Condition:
        return _at_least_zero(self - other - 1)

    def __le__(self, other: Size) -> bool | Condition:
        return _at_least_zero(other - self)

    def __lt__(self, other: Size) -> bool | Condition:
        return _at_least_zero(other - self - 1)

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
        return _text(self)

    __repr__ = __str__


@final
@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison that some inputs meet; made by comparing, in one form per statement."""

    left: Size
    relation: Relation
    right: Size

    @property
    def domain(self) -> Domain:
        """Where its symbols come from."""
        side = self.left if isinstance(self.left, Expr) else self.right
        assert isinstance(side, Expr), "two numbers compare to True or False"
        return side.domain

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the symbols it speaks of."""
        sides = (self.left, self.right)
        return frozenset().union(*(side.symbols for side in sides if isinstance(side, Expr)))

    def at(self, values: Mapping[str, int]) -> bool:
        """Whether these values meet it."""
        return _COMPARE[self.relation](
            _value(self.left, values, {}), _value(self.right, values, {})
        )

    def __bool__(self) -> NoReturn:
        raise TypeError(f"`{self}` depends on the input: ask holds() or always()")

    def __str__(self) -> str:
        return f"{self.left} {self.relation} {self.right}"


_COMPARE: Final[Mapping[Relation, Callable[[int, int], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}


class _Atom:
    """What polynomials are made of; `low` and `high` bound its values, where known."""

    __slots__ = ("high", "low", "rank", "symbols")

    def __init__(
        self, rank: int, symbols: frozenset[str], low: int | None, high: int | None
    ) -> None:
        self.rank: Final = rank  # an atom is made after those inside it: their ranks are lower
        self.symbols: Final = symbols
        self.low: Final = low
        self.high: Final = high

    def value(self, values: Mapping[str, int], known: Known) -> int:
        """Its value for these symbols; `known` spares computing a shared part again."""
        raise NotImplementedError

    def least(self, scale: int, rest: Size, depth: int) -> int | None:
        """A lower bound of `scale * self + rest` that sees what the two have in common."""
        raise NotImplementedError


@final
class _Symbol(_Atom):
    __slots__ = ("name",)

    def __init__(self, rank: int, name: str) -> None:
        super().__init__(rank, frozenset([name]), LOWEST, None)
        self.name: Final = name

    def value(self, values: Mapping[str, int], known: Known) -> int:
        return values[self.name]

    def __str__(self) -> str:
        return self.name


@final
class _Floor(_Atom):
    """`inner // divisor`: coefficients and constant in 0..divisor-1, nothing left to cancel."""

    __slots__ = ("divisor", "inner")

    def __init__(self, rank: int, inner: Expr, divisor: int) -> None:
        low, high = _least(inner), _most(inner)
        super().__init__(
            rank,
            inner.symbols,
            None if low is None else low // divisor,
            None if high is None else high // divisor,
        )
        self.inner: Final = inner
        self.divisor: Final = divisor

    def value(self, values: Mapping[str, int], known: Known) -> int:
        if self not in known:
            known[self] = _value(self.inner, values, known) // self.divisor
        return known[self]

    def least(self, scale: int, rest: Size, depth: int) -> int | None:
        # inner - (divisor - 1) <= divisor * self <= inner
        inner = self.inner - (self.divisor - 1) if scale > 0 else self.inner
        low = _least(self.divisor * rest + scale * inner, depth)
        return None if low is None else -(-low // self.divisor)

    def __str__(self) -> str:
        return f"{_grouped(self.inner)} // {self.divisor}"


@final
class _Extreme(_Atom):
    """The least (`pick` is min) or greatest of several sizes."""

    __slots__ = ("parts", "pick")

    def __init__(self, rank: int, pick: _Pick, parts: frozenset[Size]) -> None:
        names = (part.symbols for part in parts if isinstance(part, Expr))
        low = _choose(pick, pick is min, map(_least, parts))
        high = _choose(pick, pick is max, map(_most, parts))
        super().__init__(rank, frozenset().union(*names), low, high)
        self.pick: Final = pick
        self.parts: Final = parts

    def value(self, values: Mapping[str, int], known: Known) -> int:
        if self not in known:
            known[self] = self.pick([_value(part, values, known) for part in self.parts])
        return known[self]

    def least(self, scale: int, rest: Size, depth: int) -> int | None:
        # scale * min(a, b) is the min of the scaled parts, or their max if the scale is negative
        low_one = (scale > 0) == (self.pick is min)
        bounds = (_least(scale * part + rest, depth) for part in self.parts)
        return _choose(min if low_one else max, low_one, bounds)

    def __str__(self) -> str:
        parts = sorted(self.parts, key=lambda part: (isinstance(part, int), str(part)))
        return f"{'min' if self.pick is min else 'max'}({', '.join(map(str, parts))})"


def holds(condition: bool | Condition) -> bool:
    """Whether a shape rule may go on; what depends on the input becomes a requirement on it."""
    if isinstance(condition, Condition):
        condition.domain.require(condition)
        return True
    return condition


def always(condition: bool | Condition) -> bool:
    """Whether it is proved for every input."""
    return condition is True


def equal(a: Size, b: Size) -> bool | Condition:
    """Whether two sizes are the same number."""
    gap = a - b
    if isinstance(gap, int):
        return gap == 0
    if gap.constant % math.gcd(*gap.terms.values()):
        return False
    gap = _primitive(gap)
    low, high = _least(gap), _most(gap)
    if (low is not None and low > 0) or (high is not None and high < 0):
        return False
    if low == high == 0:
        return True
    if gap.terms[_ordered(gap)[0]] < 0:
        gap = -gap
    left, right = _sides(gap)
    return Condition(right, "==", left) if isinstance(left, int) else Condition(left, "==", right)


def unequal(a: Size, b: Size) -> bool | Condition:
    """Whether two sizes are different numbers."""
    same = equal(a, b)
    return Condition(same.left, "!=", same.right) if isinstance(same, Condition) else not same


def divisible(a: Size, k: int) -> bool | Condition:
    """Whether `k` divides a size."""
    return equal(a % k, 0)


def minimum(a: Size, b: Size) -> Size:
    """The smaller of two sizes."""
    if always(a <= b):
        return a
    return b if always(b <= a) else _extreme(min, a, b)


def maximum(a: Size, b: Size) -> Size:
    """The larger of two sizes."""
    if always(a >= b):
        return a
    return b if always(b >= a) else _extreme(max, a, b)


def ceil_div(a: Size, k: int) -> Size:
    """`a / k`, rounded up."""
    return (a + (k - 1)) // k


def product(sizes: Iterable[Size]) -> Size:
    """All the sizes, multiplied."""
    total: Size = 1
    for size in sizes:
        total = total * size
    return total


def witness(
    symbols: Sequence[str],
    conditions: Sequence[Condition],
    preferred: Sequence[int] = (224, 256, 32, 64, 128),
    limit: int = 2048,
) -> dict[str, int] | None:
    """Sizes that meet all conditions: one preferred, else small ones; None if none is found."""
    for size in preferred:
        values = dict.fromkeys(symbols, size)
        if all(condition.at(values) for condition in conditions):
            return values
    choices = [
        [
            size
            for size in range(LOWEST, limit + 1)
            if all(c.at({name: size}) for c in conditions if c.symbols == {name})
        ]
        for name in symbols
    ]
    ties = [condition for condition in conditions if len(condition.symbols) > 1]
    sparse = [choice[::32] for choice in choices]  # far apart, for symbols that must be
    points = itertools.islice(_smallest_first(choices), EVALUATIONS)
    for sizes in itertools.chain(points, itertools.islice(_smallest_first(sparse), EVALUATIONS)):
        values = dict(zip(symbols, sizes, strict=True))
        if all(condition.at(values) for condition in ties):
            return values
    return None


def _smallest_first(choices: Sequence[Sequence[int]]) -> Iterator[tuple[int, ...]]:
    """One member of each, in all ways; each round lets in the next member of every choice."""
    for bound in range(max(map(len, choices), default=0)):
        for i, choice in enumerate(choices):
            if bound < len(choice):
                before = (other[:bound] for other in choices[:i])
                after = (other[: bound + 1] for other in choices[i + 1 :])
                yield from itertools.product(*before, [choice[bound]], *after)


def _value(size: Size, values: Mapping[str, int], known: Known) -> int:
    if isinstance(size, int):
        return size
    total = size.constant
    for monomial, coefficient in size.terms.items():
        total += math.prod((atom.value(values, known) for atom in monomial), start=coefficient)
    return total


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
            both = tuple(sorted(m + n, key=_rank))
            terms[both] = terms.get(both, 0) + c * d
    constant = terms.pop(())
    return _size(a.domain, terms, constant)


def _floor(x: Expr, divisor: int) -> Size:
    """`x // divisor`: its multiples leave the floor, and a factor common to the rest cancels."""
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
    floors = [atom for atom in nested if isinstance(atom, _Floor)]
    if len(floors) == 1:  # (x // t + n) // s is (x + t*n) // (s*t), for any whole n
        others = _without(inner, floors[0])
        return (floors[0].inner + floors[0].divisor * others) // (floors[0].divisor * divisor)
    atoms = inner.domain.atoms
    atom = atoms.get((inner, divisor))
    if atom is None:
        atom = atoms[inner, divisor] = _Floor(len(atoms), inner, divisor)
    return Expr(inner.domain, {(atom,): 1}, 0)


def _without(x: Expr, atom: _Atom) -> Size:
    return _size(x.domain, {**x.terms, (atom,): 0}, x.constant)


def _extreme(pick: _Pick, a: Size, b: Size) -> Size:
    domain = a.domain if isinstance(a, Expr) else b.domain if isinstance(b, Expr) else None
    assert domain is not None, "two numbers are always in order"
    key = (pick, frozenset([a, b]))
    atom = domain.atoms.get(key)
    if atom is None:
        atom = domain.atoms[key] = _Extreme(len(domain.atoms), *key)
    return Expr(domain, {(atom,): 1}, 0)


def _least(size: Size, depth: int = RELAXATIONS) -> int | None:
    """A number that `size` is never below, the best we know; None if we know of none."""
    if isinstance(size, int):
        return size
    bound = _interval_least(size)
    if depth == 0 or len(size.terms) == 1:
        return bound
    # Replacing the last floor or minimum by what is in it lets terms cancel, as in H - 2*(H // 2).
    atoms = [m[0] for m in size.terms if len(m) == 1 and not isinstance(m[0], _Symbol)]
    if not atoms:
        return bound
    atom = max(atoms, key=_rank)
    relaxed = atom.least(size.terms[(atom,)], _without(size, atom), depth - 1)
    return _choose(max, False, (bound, relaxed))


def _most(size: Size) -> int | None:
    """A number that `size` is never above; None if we know of none."""
    least = _least(-size)
    return None if least is None else -least


def _interval_least(size: Expr) -> int | None:
    total = size.constant
    for monomial, coefficient in size.terms.items():
        bounds = [atom.low if coefficient > 0 else atom.high for atom in monomial]
        if None in bounds or (
            len(bounds) > 1 and any(a.low is None or a.low < 0 for a in monomial)
        ):
            return None
        total += math.prod((bound for bound in bounds if bound is not None), start=coefficient)
    return total


def _choose(pick: _Pick, all_needed: bool, bounds: Iterable[int | None]) -> int | None:
    bounds = list(bounds)
    known = [bound for bound in bounds if bound is not None]
    return None if not known or (all_needed and len(known) < len(bounds)) else pick(known)


def _at_least_zero(gap: Size) -> bool | Condition:
    if isinstance(gap, int):
        return gap >= 0
    gap = _primitive(gap)
    low = _least(gap)
    if low is not None and low >= 0:
        return True
    high = _most(gap)
    if high is not None and high < 0:
        return False
    left, right = _sides(gap)
    if gap.constant == -1 and isinstance(left, Expr) and isinstance(right, Expr):
        return Condition(left, ">", right - 1)
    return Condition(left, ">=", right)


def _primitive(gap: Expr) -> Expr:
    """Divided by what the coefficients have in common, and rounded down: of the same sign."""
    common = math.gcd(*gap.terms.values())
    if common == 1:
        return gap
    return Expr(gap.domain, {m: c // common for m, c in gap.terms.items()}, gap.constant // common)


def _sides(gap: Expr) -> tuple[Size, Size]:
    """Two sizes of this difference, for people: positive coefficients, remainders left whole."""
    if _remainder(-gap):
        right, left = _sides(-gap)
        return left, right
    floor = _remainder(gap)
    if floor:
        extra = gap.constant - floor.inner.constant
        return gap - extra, -extra
    positive = {m: c for m, c in gap.terms.items() if c > 0}
    negative = {m: -c for m, c in gap.terms.items() if c < 0}
    left = _size(gap.domain, positive, max(gap.constant, 0))
    return left, _size(gap.domain, negative, max(-gap.constant, 0))


def _remainder(x: Expr) -> _Floor | None:
    """The floor f for which `x` is `f.inner % f.divisor`, but for a constant."""
    for monomial, coefficient in x.terms.items():
        floor = monomial[0]
        if len(monomial) > 1 or not isinstance(floor, _Floor) or coefficient != -floor.divisor:
            continue
        if {**floor.inner.terms, monomial: coefficient} == x.terms:
            return floor
    return None


def _text(x: Expr) -> str:
    floor = _remainder(x)
    if floor:
        pieces = [(True, f"{_grouped(floor.inner)} % {floor.divisor}")]
    else:
        pieces = [(x.terms[m] > 0, _product_text(m, abs(x.terms[m]))) for m in _ordered(x)]
    constant = x.constant - floor.inner.constant if floor else x.constant
    if constant:
        pieces.append((constant > 0, str(abs(constant))))
    pieces.sort(key=lambda piece: not piece[0])
    (positive, first), *others = pieces
    if not positive:
        first = f"-({first})" if "//" in first else f"-{first}"
    return first + "".join(f" {'+' if more else '-'} {text}" for more, text in others)


def _ordered(x: Expr) -> list[Monomial]:
    """Terms of high degree first, then those of symbols made early."""
    return sorted(x.terms, key=lambda m: (-len(m), [atom.rank for atom in m]))


def _product_text(monomial: Monomial, coefficient: int) -> str:
    if coefficient == 1 and len(monomial) == 1:
        return str(monomial[0])
    factors = [f"({atom})" if isinstance(atom, _Floor) else str(atom) for atom in monomial]
    return "*".join([str(coefficient)] * (coefficient > 1) + factors)


def _grouped(x: Expr) -> str:
    return f"({x})" if x.constant or len(x.terms) > 1 else str(x)


def _rank(atom: _Atom) -> int:
    return atom.rank
