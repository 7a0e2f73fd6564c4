"""Rearrange and Roll: the same elements in other places."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import chain
from typing import Final

from pydantic import ConfigDict, Field

from archspec.diagnostics import Fault, shown
from archspec.ops.arguments import IntOrInts, OpenIntOrInts, Str
from archspec.ops.base import Function, Layer
from archspec.ops.dims import dim_index
from archspec.ops.functions import listed
from archspec.ops.registry import register
from archspec.sizes import (
    Measured,
    Size,
    Term,
    divisible,
    equal,
    holds,
    product,
    share,
    simplified,
    size_of,
)
from archspec.tensors import Tensor

Axes = tuple[tuple[str, ...], ...]
"""One side of a pattern: the axes that every dimension is made of; none of them for a 1."""

_TOKEN: Final = re.compile(r"->|\w+|\S")


@register
class Roll(Layer):
    """Moves the elements along dimensions; what leaves at one end comes back at the other.

    Shapes: `[*]` → `[*]`.
    """

    result_layout = "kept"
    dtypes = None
    free = True
    measured = ("shifts",)

    shifts: OpenIntOrInts = Field(description="how far, per dimension")
    dims: IntOrInts = Field(description="dimension or dimensions to move along (0 is the batch)")

    def check(self) -> None:
        dims = listed(self.dims)
        shifts = self.shifts if isinstance(self.shifts, tuple) else (self.shifts,)
        if len(shifts) != len(dims) or not shifts:
            message = f"{len(shifts)} shifts for {len(dims)} dims"
            raise Fault("E208", message, field="shifts", help="one shift per dimension")
        if any(isinstance(shift, int) and abs(shift) >= 2**63 for shift in shifts):
            raise Fault("E208", f"shifts {list(shifts)} are beyond 64 bits", field="shifts")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if 0 not in x.shape:  # PyTorch looks at dims only where there is something to move
            for dim in listed(self.dims):
                dim_index("Roll", dim, x, "dims")
        return x

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        shifts = list(self.shifts) if isinstance(self.shifts, tuple) else self.shifts
        values = {"shifts": shifts if self.measures() else self.shifts, "dims": self.dims}
        return Function("{0}.roll({shifts}, {dims})", values)


@register
class Rearrange(Layer):
    """Splits, reorders and joins dimensions by a pattern: `b (h p) w c -> b h w (p c)`, `p: 2`.

    Shapes: as the pattern says. The first axis of a tensor with a batch is the batch; sizes that
    do not follow from the input stand beside the pattern.
    The notation is that of einops: https://einops.rocks/1-einops-basics
    """

    result_view = None
    model_config = ConfigDict(extra="allow")
    dtypes = None
    free = True
    measured = ("given",)

    pattern: Str = Field(description="the axes of the input, `->`, and the same axes anew")

    @cached_property
    def sides(self) -> tuple[Axes, Axes]:
        """The two sides of the pattern."""
        return parse(self.pattern)

    @property
    def sizes(self) -> Mapping[str, Term]:
        """The sizes beside the pattern."""
        return self.model_extra or {}

    @property
    def given(self) -> tuple[Term, ...]:
        """The same sizes without their names."""
        return tuple(self.sizes.values())

    def check(self) -> None:
        left, _ = self.sides
        names = set(chain(*left))
        for name, size in self.sizes.items():
            if name not in names:
                known = ", ".join(sorted(names))
                message = f"`{name}` is no axis of the pattern"
                raise Fault("E103", message, field=name, help=f"its axes are {known}")
            if not isinstance(size, Measured) and (type(size) is not int or size < 1):
                message = f"the size of axis {name} must be a positive integer, not {shown(size)}"
                raise Fault("E105", message, field=name)
        for group in left:
            missing = [name for name in group if name not in self.sizes]
            if len(missing) > 1:
                message = f"the sizes of {' and '.join(missing)} in ({' '.join(group)}) are open"
                help = f"write {missing[-1]}: … beside the pattern"
                raise Fault("E104", message, field="pattern", help=help)

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        left, right = self.sides
        if x.batched:
            self._check_batch(left, right)
        if len(left) != x.ndim:
            beside = " (the batch is the first axis)" if x.batched else ""
            message = f"the pattern takes {len(left)} dimensions, but {x} has {x.ndim}{beside}"
            raise Fault("E203", message, field="pattern", input=0)
        found = self._axes(x)
        joined = (product(found[name] for name in group) for group in right[x.batched :])
        return x.sized(*map(simplified, joined))

    def between(self, *inputs: Tensor) -> Iterable[Size]:
        return self._axes(inputs[0]).values()

    def _axes(self, x: Tensor) -> dict[str, Size]:
        """The size of every axis but the batch."""
        sizes = {name: size_of(size) for name, size in self.sizes.items()}
        for name, size in sizes.items():
            if not holds(size >= 1):
                raise Fault("E208", f"the size of axis {name} is {size}", field=name, input=0)
        found: dict[str, Size] = {}
        for group, size in zip(self.sides[0][x.batched :], x.shape, strict=True):
            found |= _solve(group, size, sizes, x)
        return found

    def emit(self, inputs: tuple[Tensor, ...]) -> Function:
        left, right = self.sides
        before, after = tuple(chain(*left)), tuple(chain(*right))
        order = [before.index(name) for name in after]
        code, steps = "{0}", []
        for at in reversed(range(len(left))):
            code = self._taken_apart(code, at, left[at])
        if order != sorted(order):
            steps.append(f".permute({', '.join(map(str, order))})")
        starts = [sum(map(len, right[:at])) for at in range(len(right))]
        steps += [_joined(*pair) for pair in reversed([*zip(starts, right, strict=True)])]
        used = {_key(name): size for name, size in self.sizes.items() if _is_split(name, left)}
        return Function(code + "".join(steps), used)

    def _check_batch(self, left: Axes, right: Axes) -> None:
        batch = left[0] if left else ()
        if len(batch) != 1 or not right or right[0] != batch:
            message = "the first axis is the batch: it stays first, and by itself, on both sides"
            raise Fault("E502", message, field="pattern")
        if batch[0] in self.sizes:
            message = f"axis {batch[0]} is the batch, which has no fixed size"
            raise Fault("E502", message, field=batch[0])

    def _taken_apart(self, code: str, at: int, group: tuple[str, ...]) -> str:
        if len(group) == 1:
            return code
        parts = ", ".join(f"{{{_key(name)}}}" if name in self.sizes else "-1" for name in group)
        # As a function: type checkers do not know the method.
        return f"torch.unflatten({code}, {at}, ({parts}))" if group else f"{code}.squeeze({at})"


def _key(name: str) -> str:
    """What the size of an axis is called in the code: `{inputs}` means something else there."""
    return f"{name}_" if name == "inputs" else name


def _is_split(name: str, sides: Axes) -> bool:
    """Whether an axis is one of several in its dimension, so that code says its size."""
    return any(name in group and len(group) > 1 for group in sides)


def _joined(at: int, group: tuple[str, ...]) -> str:
    if len(group) == 1:
        return ""
    return f".flatten({at}, {at + len(group) - 1})" if group else f".unsqueeze({at})"


def _solve(
    group: tuple[str, ...], size: Size, given: Mapping[str, Size], x: Tensor
) -> dict[str, Size]:
    """The sizes of the axes that make up one dimension."""
    known = product(given[name] for name in group if name in given)
    open_axes = [name for name in group if name not in given]
    if open_axes:
        rest = _rest(size, known, f"({' '.join(group)}) in {x}")
        return {name: given.get(name, rest) for name in group}
    if not holds(equal(size, known)):
        message = f"({' '.join(group) or 1}) makes {known}, but {x} has {size} there"
        raise Fault("E209", message, field="pattern", input=0)
    return {name: given[name] for name in group}


def _rest(size: Size, known: Size, where: str) -> Size:
    """The size of the one axis that stays open, beside axes that make `known`."""
    if isinstance(known, int):
        if not holds(divisible(size, known)):
            message = f"{known} does not divide {size}, the size of {where}"
            raise Fault("E206", message, field="pattern", input=0)
        return size // known
    rest = share(size, known)
    if rest is None:
        message = f"whether {known} divides {size}, the size of {where}, is not decided"
        raise Fault("E114", message, field="pattern", input=0, help="write the sizes of all axes")
    return rest


def parse(pattern: str) -> tuple[Axes, Axes]:
    """`pattern = side "->" side`, with the same axes on both sides. Raises a `Fault`."""
    tokens = _TOKEN.findall(pattern)
    if tokens.count("->") != 1:
        raise _unreadable("the pattern needs one `->` between its two sides")
    arrow = tokens.index("->")
    left, right = _side(tokens[:arrow]), _side(tokens[arrow + 1 :])
    for side in (left, right):
        names = [*chain(*side)]
        for name in names:
            if names.count(name) > 1:
                raise _unreadable(f"axis `{name}` stands twice on one side")
    lost = set(chain(*left)) ^ set(chain(*right))
    if lost:
        raise _unreadable(f"axis `{min(lost)}` stands on one side only")
    return left, right


def _side(words: list[str]) -> Axes:
    """`side = { axis | "1" | "(" { axis | "1" } ")" }`."""
    groups: list[tuple[str, ...]] = []
    inside: list[str] | None = None
    for word in words:
        if word == "(" and inside is None:
            inside = []
        elif word == ")" and inside is not None:
            groups.append(tuple(inside))
            inside = None
        elif not (word == "1" or word.isidentifier()):
            raise _unreadable(f"`{word}` does not fit here")
        elif inside is None:
            groups.append(_axes(word))
        else:
            inside += _axes(word)
    if inside is not None:
        raise _unreadable("a `(` is not closed")
    return tuple(groups)


def _axes(word: str) -> tuple[str, ...]:
    return () if word == "1" else (word,)


def _unreadable(message: str) -> Fault:
    help = "a pattern looks like `b (h p) c -> b h (p c)`: names, parentheses and 1"
    return Fault("E105", message, field="pattern", help=help)
