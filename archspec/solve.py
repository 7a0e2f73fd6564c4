"""The size formulas solved for one unknown: which padding keeps 32 at 32?

Candidates are tried on the layer types' own shape rules, so that no formula stands here twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from archspec.diagnostics import Fault
from archspec.ops import apply, find
from archspec.tensors import Tensor

KINDS: Final = {"conv": "Conv1d", "pool": "MaxPool1d", "transposed": "ConvTranspose1d"}
ARGUMENTS: Final = ("kernel_size", "stride", "padding", "dilation")
_ORDER: Final = {"transposed": ("stride", "padding")}
LIMIT: Final = 512
"""Largest argument that is tried."""
LARGEST: Final = 8192
"""Largest input size that is tried."""


@dataclass(frozen=True, slots=True)
class Solution:
    """What solves a question: values of the unknown, and the formula for the first of them."""

    unknown: str
    values: tuple[int, ...]
    formula: str | None
    nearest: tuple[tuple[int, int], ...] = ()
    """Where nothing fits: values of the unknown with the outputs nearest to the wanted one."""
    same: bool = False
    """Where no number fits: whether `padding: same` does (it may add more at one end)."""


def output(kind: str, size: int, arguments: dict[str, int]) -> int | None:
    """The output size of one dimension, or None if the layer refuses it."""
    cls = find(KINDS[kind])
    assert cls is not None
    channels = {"out_channels": 1} if kind != "pool" else {}
    try:
        layer = cls.model_validate({**channels, **arguments})
        layer.check()
        _, (result,) = apply(layer, Tensor((1, size)))
    except (Fault, ValidationError):
        return None
    found = result.shape[1]
    assert isinstance(found, int)
    return found


def solve(
    kind: str, *, size: int | None, wanted: int | None, arguments: dict[str, int]
) -> Solution:
    """Solve for the one number that is not given.

    Args:
        kind: a key of `KINDS`.
        size: the input size, or None.
        wanted: the output size, or None.
        arguments: those of `ARGUMENTS` that are known. When both sizes are known, the unknown is
            the first argument of kernel_size, padding, stride, dilation that is not given (for a
            transposed convolution, stride comes before padding).
    """
    if wanted is None:
        return _output(kind, _given(size), arguments)
    if size is None:
        return _search(kind, "in", range(LARGEST + 1), wanted, None, arguments)
    order = ("kernel_size", *_ORDER.get(kind, ("padding", "stride")), "dilation")
    unknown = next((name for name in order if name not in arguments), None)
    if unknown is None:
        raise ValueError("every number is given: leave out the one to solve for")
    start = 0 if unknown == "padding" else 1
    return _search(kind, unknown, range(start, LIMIT + 1), wanted, size, arguments)


def _given(size: int | None) -> int:
    if size is None:
        raise ValueError("give the input size, the output size, or both")
    return size


def _output(kind: str, size: int, arguments: dict[str, int]) -> Solution:
    found = output(kind, size, arguments)
    values = () if found is None else (found,)
    return Solution("out", values, formula(kind, size, arguments) if values else None)


def _search(
    kind: str,
    unknown: str,
    candidates: Iterable[int],
    wanted: int,
    size: int | None,
    arguments: dict[str, int],
) -> Solution:
    found: list[int] = []
    others: dict[int, int] = {}
    for value in candidates:
        trial = arguments if unknown == "in" else {**arguments, unknown: value}
        result = output(kind, value if size is None else size, trial)
        if result == wanted:
            found.append(value)
        elif result is not None:
            others.setdefault(result, value)
    if not found:
        below = max((r for r in others if r < wanted), default=None)
        above = min((r for r in others if r > wanted), default=None)
        near = tuple((others[r], r) for r in (below, above) if r is not None)
        same = unknown == "padding" and kind == "conv" and _same(size, wanted, arguments)
        return Solution(unknown, (), None, near, same)
    trial = arguments if unknown == "in" else {**arguments, unknown: found[0]}
    return Solution(unknown, tuple(found), formula(kind, size or found[0], trial))


def _same(size: int | None, wanted: int, arguments: dict[str, int]) -> bool:
    return size == wanted and arguments.get("stride", 1) == 1


def formula(kind: str, size: int, arguments: dict[str, int]) -> str:
    """The formula with its numbers, as PyTorch's pages write it."""
    kernel, padding = arguments.get("kernel_size", 1), arguments.get("padding", 0)
    dilation = arguments.get("dilation", 1)
    stride = arguments.get("stride", kernel if kind == "pool" else 1)
    result = output(kind, size, arguments)
    if kind == "transposed":
        inside = f"({size} - 1) * {stride} - 2 * {padding} + {dilation} * ({kernel} - 1) + 1"
        return f"{inside} = {result}"
    inside = f"{size} + 2 * {padding} - {dilation} * ({kernel} - 1) - 1"
    return f"({inside}) // {stride} + 1 = {result}"
