"""What `torch.export` and ONNX do not follow, seen with torch 2.13 and kept by tests."""

from collections.abc import Iterable, Iterator
from itertools import combinations
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
COMPARES: Final = ("Slice", "Pad", "Split", "Fold")
"""Types that compare the sizes they are given: by which amount, from where to where."""
TURNING: Final = ("Permute", "Transpose", "Rearrange")
"""Types whose results keep the memory layout of their inputs."""
VIEWS: Final = ("ChannelShuffle", "Flatten", "PixelShuffle", "Rearrange", "Reshape")
"""Types that see the same memory in another shape."""


def symbolic(tensors: Iterable[Tensor]) -> Iterator[Expr]:
    """The sizes of tensors that depend on the input."""
    yield from (size for tensor in tensors for size in tensor.shape if isinstance(size, Expr))


def fixed_lengths(network: Network) -> dict[str, str]:
    """The symbols that a layer fixes, and why."""
    found: dict[str, str] = {}
    views = any(map(_is_view, network.applications))
    for application in network.applications:
        kind, path = application.leaf.type, _path(application)
        verb, tensors = "takes", application.inputs if kind in FIXES else ()
        if kind in CHOOSES:
            verb, tensors = "gives", application.outputs
        reason = f"export keeps no length open that `{path}` ({kind}) {verb}"
        sizes = set(symbolic(tensors))
        if getattr(application.leaf.layer, "mode", None) == "circular":
            reason = f"export keeps the amounts that `{path}` ({kind}) adds around"
            sizes = {amount.size for amount in application.leaf.layer.measures()}
        if views and kind == "Slice" and getattr(application.leaf.layer, "step", 1) > 1:
            reason = f"export keeps the memory layout of `{path}` (Slice by steps)"
            sizes = set(symbolic(application.outputs))
        found.update((name, reason) for size in sizes for name in size.symbols)
    return found


def fixed_by_onnx(network: Network) -> dict[str, str]:
    """The symbols that a conversion to ONNX fixes beyond those, and why.

    It takes adaptive averages apart into windows as the example has them, and does not say so: at
    other sizes the model would compute something else.
    """
    found: dict[str, str] = {}
    for application in network.applications:
        kind = application.leaf.type
        if not kind.startswith("AdaptiveAvgPool"):
            continue
        before, after = application.inputs[0].shape, application.outputs[0].shape
        if all(out in (1, size) for size, out in zip(before, after, strict=True)):
            continue
        reason = f"ONNX keeps no length open that `{_path(application)}` ({kind}) takes"
        sizes = symbolic(application.inputs)
        found.update((name, reason) for size in sizes for name in size.symbols)
    return found


def unsolvable(network: Network) -> str | None:
    """What export's solver does not follow, so that it has to find the sizes itself; None if all.

    It is told `Dim.AUTO` then.
    """
    for application in network.applications:
        found = _beyond(application)
        if found is not None:
            return f"{found} is beyond its solver"
    if any(map(_joins, network.applications)):
        for path in map(_path, filter(_rounds, network.applications)):
            return f"a comparison with what `{path}` rounds is beyond its solver"
    if any(map(_is_turned, network.applications)):
        for path in map(_path, filter(_joins_free_tensor, network.applications)):
            return f"the memory layout at `{path}`, behind a permutation, is beyond its solver"
    for size in symbolic(network.input_tensors.values()):
        if linear_in(size) is None:
            return f"the input size {size} is no multiple of a symbol"
    return None


def _beyond(application: Application) -> str | None:
    """What one call asks that the solver does not follow."""
    layer, kind, path = application.leaf.layer, application.leaf.type, _path(application)
    if getattr(layer, "ceil_mode", False):
        return f"`ceil_mode` of `{path}`"
    if kind in COMPARES and layer.measures():
        return f"what `{path}` ({kind}) computes with sizes"
    if kind.startswith("InstanceNorm") and _is_shifted(application):
        return f"what `{path}` ({kind}) asks"
    power = next(filter(_is_power, symbolic(application.outputs)), None)
    return None if power is None else f"a product such as {power}, which `{path}` ({kind}) makes,"


def _path(application: Application) -> str:
    return ".".join(application.path)


def _is_turned(application: Application) -> bool:
    """Whether a layer puts dimensions of symbolic sizes into another order."""
    return application.leaf.type in TURNING and next(symbolic(application.inputs), None) is not None


def _is_view(application: Application) -> bool:
    """Whether a layer gives a tensor of symbolic sizes another shape."""
    views = application.leaf.type in VIEWS
    return views and next(symbolic(application.inputs), None) is not None


def _is_power(size: Expr) -> bool:
    """Whether sizes of one symbol are multiplied with each other."""
    return any(
        not one.symbols.isdisjoint(other.symbols)
        for monomial in size.terms
        for one, other in combinations(monomial, 2)
    )


def _joins(application: Application) -> bool:
    """Whether a layer compares symbolic sizes of several tensors."""
    return len(application.inputs) > 1 and next(symbolic(application.inputs), None) is not None


def _rounds(application: Application) -> bool:
    """Whether a layer multiplies symbolic sizes by what is no whole number."""
    scales = getattr(application.leaf.layer, "scale_factor", None) or ()
    several = scales if isinstance(scales, tuple) else (scales,)
    whole = all(float(scale).is_integer() for scale in several)
    return not whole and next(symbolic(application.inputs), None) is not None


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
