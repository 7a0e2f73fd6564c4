"""Shapes as docstrings and remarks of generated code have them: `(N, 64, H // 2, W // 2)`."""

from collections.abc import Container, Iterable

from archspec.graph import Call, Composite, Trace
from archspec.sizes.within import Within
from archspec.tensors import Tensor

MAX_FORMULA = 40
"""Characters of a size; a longer one is `…`."""
BATCHES = ("N", "B", "batch")
"""What the batch is called: the first that is no symbol of the network."""
MIN_RANK = 2
"""Dimensions of what a remark is worth."""


def batch_word(symbols: Container[str]) -> str:
    """What the batch is called beside these symbols: `(B, 3, N)` for a cloud of N points."""
    return next((word for word in BATCHES if word not in symbols), "batch_")


def shape_text(tensor: Tensor, sizes: Iterable[str], batch: str) -> str:
    """A shape, with these words for its sizes."""
    short = (size if len(size) <= MAX_FORMULA else "…" for size in sizes)
    inside = ", ".join([*[batch] * tensor.batched, *short])
    comma = "," if tensor.ndim == 1 else ""
    kind = "" if tensor.is_float else f" {tensor.dtype}"
    return f"({inside}{comma}){kind}"


def remark(scope: Composite, call: Call, trace: Trace, within: Within) -> str:
    """The shape of the map that a block or group gives, where it is not that of its input.

    The shape of an output stands in the docstring.
    """
    if not isinstance(call.target, Composite) or len(call.outputs) != 1 or not call.inputs:
        return ""
    before, after = trace.tensors[call.inputs[0]], trace.tensors[call.outputs[0]]
    is_output = any(output.value in call.outputs for output in scope.outputs)
    if is_output or len(after.shape) < MIN_RANK or after.shape == before.shape:
        return ""
    return shape_text(after, map(str, within.shape(after.shape)), batch_word(within.symbols))
