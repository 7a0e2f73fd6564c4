"""Paddings that fill the border from what is inside: reflected, repeated, or from the other end."""

from archspec.diagnostics import Fault
from archspec.ops.padding import Padding, Padding1d, Padding2d, Padding3d
from archspec.ops.registry import register
from archspec.ops.window import Line, Plane, Volume
from archspec.sizes import Size, always, holds
from archspec.tensors import FLOATS, INTEGERS, Tensor


class _Filled(Padding):
    """Reflection and replication: they refuse what is empty, and booleans."""

    dtypes = (*INTEGERS, *FLOATS)

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if not all(holds(size >= 1) for size in x.shape):
            message = f"{type(self).__name__} needs an input with elements, not {x}"
            raise Fault("E211", message, input=0)
        padded = super().shape(x)
        sizes = padded.shape[1:]
        # PyTorch is content if one of them is left.
        if not any(always(size >= 1) for size in sizes) and not holds(sizes[-1] >= 1):
            message = f"nothing would be left of {x}: {padded}"
            raise Fault("E204", message, field="padding", input=0)
        return padded

    def _padded(self, size: Size, first: int, last: int) -> Size:
        if not holds(size + (first + last) >= 0):
            message = f"padding ({first}, {last}) takes more away than there is: {size}"
            raise Fault("E204", message, field="padding", input=0)
        return size + (first + last)


class _Reflection(_Filled):
    def _padded(self, size: Size, first: int, last: int) -> Size:
        most = max(first, last)
        if most > 0 and not holds(size > most):
            message = f"padding {most} is not less than the size that is reflected, {size}"
            help = f"padding may be {size - 1} at most"
            raise Fault("E204", message, field="padding", input=0, help=help)
        return super()._padded(size, first, last)


class _Circular(Padding):
    def _padded(self, size: Size, first: int, last: int) -> Size:
        most = max(first, last)
        if most > 0 and not holds(size >= most):
            message = f"padding {most} is more than the size that it goes around, {size}"
            help = f"padding may be {size} at most"
            raise Fault("E204", message, field="padding", input=0, help=help)
        padded = super()._padded(size, first, last)
        if most > 0 > min(first, last) and not holds(size + min(first, last) >= most):
            message = f"padding ({first}, {last}) repeats more than it leaves of {size}"
            note = "PyTorch would copy memory that holds nothing yet"
            raise Fault("E503", message, field="padding", input=0, notes=[note])
        return padded


@register
class ReflectionPad1d(Padding1d, _Reflection, Line):
    """Continues a sequence with its mirror image, the outermost values not repeated.

    Shapes: `[C, L]` → `[C, L + left + right]`.
    """


@register
class ReflectionPad2d(Padding2d, _Reflection, Plane):
    """Continues an image with its mirror image, the outermost values not repeated.

    Shapes: `[C, H, W]` → `[C, H + top + bottom, W + left + right]`.
    """


@register
class ReflectionPad3d(Padding3d, _Reflection, Volume):
    """Continues a volume with its mirror image, the outermost values not repeated.

    Shapes: `[C, D, H, W]` → `[C, D + front + back, H + top + bottom, W + left + right]`.
    """


@register
class ReplicationPad1d(Padding1d, _Filled, Line):
    """Continues a sequence with the values at its ends.

    Shapes: `[C, L]` → `[C, L + left + right]`.
    """


@register
class ReplicationPad2d(Padding2d, _Filled, Plane):
    """Continues an image with the values at its edges.

    Shapes: `[C, H, W]` → `[C, H + top + bottom, W + left + right]`.
    """


@register
class ReplicationPad3d(Padding3d, _Filled, Volume):
    """Continues a volume with the values at its faces.

    Shapes: `[C, D, H, W]` → `[C, D + front + back, H + top + bottom, W + left + right]`.
    """


@register
class CircularPad1d(Padding1d, _Circular, Line):
    """Continues a sequence with the values of its opposite ends.

    Shapes: `[C, L]` → `[C, L + left + right]`.
    """


@register
class CircularPad2d(Padding2d, _Circular, Plane):
    """Continues an image with the values of its opposite edges.

    Shapes: `[C, H, W]` → `[C, H + top + bottom, W + left + right]`.
    """


@register
class CircularPad3d(Padding3d, _Circular, Volume):
    """Continues a volume with the values of its opposite faces.

    Shapes: `[C, D, H, W]` → `[C, D + front + back, H + top + bottom, W + left + right]`.
    """
