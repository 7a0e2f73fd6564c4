"""What `torch.export` does not follow, seen with torch 2.13 and kept by tests."""

from collections.abc import Iterable, Iterator
from typing import Final

from archspec.network import Network
from archspec.resolve import Application
from archspec.sizes import Expr
from archspec.sizes.atoms import Symbol
from archspec.tensors import Tensor

FIXES: Final = ("MaxPool1d", "RNN", "GRU", "LSTM")
"""Types that PyTorch runs with the sizes of the example, whatever export is told."""
CHOOSES: Final = ("AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d")
"""Types that give the sizes of the example."""
COMPARES: Final = ("Slice", "Pad")
"""Types that compare the sizes they are given: by which amount, from where to where."""
TURNING: Final = ("Permute", "Transpose", "Rearrange")
"""Types whose results keep the memory layout of their inputs."""


def symbolic(tensors: Iterable[Tensor]) -> Iterator[Expr]:
    """The sizes of tensors that depend on the input."""
    yield from (size for tensor in tensors for size in tensor.shape if isinstance(size, Expr))


def fixed_lengths(network: Network) -> dict[str, str]:
    """The symbols that a layer fixes, and why."""
    found: dict[str, str] = {}
    for application in network.applications:
        kind, path = application.leaf.type, _path(application)
        verb, tensors = "takes", application.inputs if kind in FIXES else ()
        if kind in CHOOSES:
            verb, tensors = "gives", application.outputs
        reason = f"export keeps no length open that `{path}` ({kind}) {verb}"
        found.update((name, reason) for size in symbolic(tensors) for name in size.symbols)
    return found


def unsolvable(network: Network) -> str | None:
    """What export's solver does not follow, so that it has to find the sizes itself; None if all.

    It is told `Dim.AUTO` then.
    """
    for application in network.applications:
        layer, kind, path = application.leaf.layer, application.leaf.type, _path(application)
        if getattr(layer, "ceil_mode", False):
            return f"`ceil_mode` of `{path}` is beyond its solver"
        if kind in COMPARES and layer.measures():
            return f"what `{path}` ({kind}) computes with sizes is beyond its solver"
        if kind.startswith("InstanceNorm") and _is_shifted(application):
            return f"what `{path}` ({kind}) asks is beyond its solver"
    if any(map(_is_turned, network.applications)):
        for path in map(_path, filter(_joins_free_tensor, network.applications)):
            return f"the memory layout at `{path}`, behind a permutation, is beyond its solver"
    for size in symbolic(network.input_tensors.values()):
        if linear_in(size) is None:
            return f"the input size {size} is no multiple of a symbol"
    return None


def _path(application: Application) -> str:
    return ".".join(application.path)


def _is_turned(application: Application) -> bool:
    """Whether a layer puts dimensions of symbolic sizes into another order."""
    return application.leaf.type in TURNING and next(symbolic(application.inputs), None) is not None


def _joins_free_tensor(application: Application) -> bool:
    """Whether a layer joins a tensor of symbolic sizes with one that has no batch."""
    free = [tensor for tensor in application.inputs if not tensor.batched]
    return bool(free) and next(symbolic(application.inputs), None) is not None


def _is_shifted(application: Application) -> bool:
    """Whether an input has a size that is no symbol, nor a multiple of one."""
    sizes = map(linear_in, symbolic(application.inputs))
    return any(linear is None or linear[2] for linear in sizes)


def linear_in(size: Expr) -> tuple[str, int, int] | None:
    """`(H, 2, 1)` for `2 * H + 1`; None for what is not of that form."""
    if len(size.terms) != 1:
        return None
    ((monomial, times),) = size.terms.items()
    if len(monomial) != 1 or not isinstance(monomial[0], Symbol) or times < 1:
        return None
    return monomial[0].name, times, size.constant
