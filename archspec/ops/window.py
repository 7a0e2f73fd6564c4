"""What layers over one, two or three spatial dimensions share: ranks, ranges, messages."""

from math import isqrt
from typing import ClassVar, Final

from archspec.diagnostics import Fault
from archspec.ops.arguments import spread
from archspec.ops.base import Layer
from archspec.sizes import Size, holds
from archspec.tensors import Tensor

LARGEST: Final = 2**24
"""No kernel, step or padding is larger: near 2**63 PyTorch overflows, and may crash the process."""


class Spatial(Layer):
    """Base of layers over `[C, *]`, with `spatial` dimensions after the channels."""

    result_layout = "kept"
    spatial: ClassVar[int]

    def each(self, name: str) -> tuple[int, ...]:
        """An argument, for every spatial dimension."""
        return spread(getattr(self, name), self.spatial)

    def at_least(self, lowest: int, *names: str) -> None:
        """Raise a `Fault` if one of these arguments is lower, or beyond `LARGEST`."""
        for name in names:
            self.in_range(lowest, name, *self.each(name))

    def in_range(self, lowest: int, name: str, *numbers: int) -> None:
        """Raise a `Fault` if one of the numbers of an argument is lower, or beyond `LARGEST`."""
        for number in numbers:
            if abs(number) > LARGEST:
                message = f"{name} {number} is beyond what archspec takes ({LARGEST})"
                raise Fault("E005", message, field=name)
            if number < lowest:
                message = f"{name} must be at least {lowest}, not {number}"
                raise Fault("E208", message, field=name)

    def filled(self, x: Tensor, sizes: tuple[Size, ...]) -> None:
        """Raise a `Fault` if one of these sizes of `x` is 0."""
        if not all(holds(size >= 1) for size in sizes):
            message = f"{type(self).__name__} takes no input without elements ({x})"
            raise Fault("E204", message, input=0)


class Line(Spatial):
    """Layers over `[C, L]`."""

    spatial = 1
    ranks: ClassVar[tuple[int, ...] | None] = (2,)
    unbatched = (1,)


class Plane(Spatial):
    """Layers over `[C, H, W]`."""

    spatial = 2
    ranks: ClassVar[tuple[int, ...] | None] = (3,)
    unbatched = (2,)


class Volume(Spatial):
    """Layers over `[C, D, H, W]`."""

    spatial = 3
    ranks: ClassVar[tuple[int, ...] | None] = (4,)
    unbatched = (3,)


def misfit(
    size: Size,
    reach: int,
    smallest: int,
    padding: int,
    *,
    most: int | None = None,
) -> Fault:
    """A window over `reach` points that does not fit into `size`; `smallest` would be large enough.

    `padding` is what both ends get together; `most` is the most that one end may get, None where
    padding does not help.
    """
    around = f" with {padding} of padding" if padding > 0 else ""
    message = f"a kernel that reaches over {reach} does not fit into {size}{around}"
    remedies = [f"an input of {smallest} or more"]
    if most is not None and isinstance(size, int) and size > 0:
        needed = -(-(smallest + padding - size) // 2)
        if needed <= most:
            remedies.insert(0, f"padding: {needed}")
    return Fault(
        "E204", message, field="kernel_size", input=0, help=f"{' or '.join(remedies)} would fit"
    )


def divisors(number: int) -> str:
    """The numbers that divide `number`, for a message: all of them, or the lowest dozen."""
    small = [n for n in range(1, min(isqrt(number), 10_000) + 1) if number % n == 0]
    found = sorted({*small, *(number // n for n in small)})
    return ", ".join(map(str, found[:12])) + (", …" if len(found) > 12 else "")
