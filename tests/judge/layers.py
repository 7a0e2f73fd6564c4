"""Layers in plain torch: a module with explicit arguments, or a function of tensors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Results = tuple[Tensor, ...]


@dataclass(frozen=True)
class Made:
    """A layer: the module that holds its weights, if any, and what a call computes."""

    module: nn.Module | None
    call: Callable[..., Any]
    free: Tensor | None = None
    """The tensor of a Parameter or Buffer."""


def _sizes(kinds: str, argument: str, dim: int) -> dict[str, tuple[str, int]]:
    return dict.fromkeys(kinds.split(), (argument, dim))


INFERRED = {
    **_sizes("Conv1d Conv2d Conv3d", "in_channels", 1),
    **_sizes("ConvTranspose1d ConvTranspose2d ConvTranspose3d", "in_channels", 1),
    **_sizes("BatchNorm1d BatchNorm2d BatchNorm3d", "num_features", 1),
    **_sizes("InstanceNorm1d InstanceNorm2d InstanceNorm3d", "num_features", 1),
    **_sizes("GroupNorm", "num_channels", 1),
    **_sizes("Linear", "in_features", -1),
    **_sizes("LayerNorm RMSNorm", "normalized_shape", -1),
}
"""The argument that may be left out, and the dimension of the input that it is."""

RANDOM = frozenset({"Dropout", "Dropout2d", "AlphaDropout", "RReLU", "StochasticDepth"})
"""What gives other numbers in training every time."""


def make(kind: str, args: Mapping[str, Any], inputs: Results) -> Made:
    """A layer for these inputs. Raises what torch raises."""
    given = {key: tuple(v) if isinstance(v, list) else v for key, v in args.items()}
    if kind in ("Parameter", "Buffer"):
        return _free(kind, given)
    if kind in FUNCTIONS:
        return Made(None, lambda *xs: FUNCTIONS[kind](given, *xs))
    dim = given.pop("dim", None) if kind in ("LayerNorm", "RMSNorm") else None
    if kind in INFERRED:
        name, axis = INFERRED[kind]
        given.setdefault(name, _size(inputs[0], axis if dim is None else dim))
    module = getattr(nn, kind)(**given)
    if dim is None:
        return Made(module, module)
    return Made(module, lambda x: module(x.movedim(dim, -1)).movedim(-1, dim))


def _size(x: Tensor, dim: int) -> int:
    """The size of a dimension; 1 for one that is not there, so that torch may judge."""
    return x.shape[dim] if -x.ndim <= dim < x.ndim else 1


def _free(kind: str, args: Mapping[str, Any]) -> Made:
    """A Parameter of random numbers, or a Buffer that holds a formula over its one index."""
    if kind == "Parameter":
        parameter = nn.Parameter(torch.randn(args["shape"]))
        return Made(None, lambda: parameter, parameter)
    (size,) = args["shape"]
    buffer = torch.tensor([float(args["value"](n)) for n in range(size)])
    return Made(None, lambda: buffer, buffer)


def _concat(args: Mapping[str, Any], *xs: Tensor) -> Tensor:
    return torch.cat(_repeated(xs), dim=args.get("dim", 1))


def _repeated(xs: Results) -> list[Tensor]:
    """Free tensors repeated over the batch of the others."""
    batch = next((len(x) for x in xs if not is_free(x)), None)
    if batch is None:
        return list(xs)
    return [x.expand(batch, *x.shape[1:]) if is_free(x) else x for x in xs]


def is_free(x: Tensor) -> bool:
    """Whether a tensor is a Parameter or Buffer itself."""
    return getattr(x, "judged_free", False)


def _arithmetic(operator: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda args, *xs: reduce(operator, xs)


def _slice(args: Mapping[str, Any], x: Tensor) -> Tensor:
    index: list[Any] = [slice(None)] * x.ndim
    index[args["dim"]] = slice(args.get("start"), args.get("end"), args.get("step", 1))
    return x[tuple(index)]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Add": _arithmetic(torch.add),
    "Sub": _arithmetic(torch.sub),
    "Mul": _arithmetic(torch.mul),
    "Div": _arithmetic(torch.div),
    "Concat": _concat,
    "Stack": lambda args, *xs: torch.stack(xs, dim=args.get("dim", 1)),
    "Chunk": lambda args, x: x.chunk(args["chunks"], dim=args.get("dim", 1)),
    "Split": lambda args, x: x.split(
        args["split_size"] if isinstance(args["split_size"], int) else list(args["split_size"]),
        dim=args.get("dim", 1),
    ),
    "Slice": _slice,
    "Select": lambda args, x: x.select(args["dim"], args["index"]),
    "Reshape": lambda args, x: x.reshape(x.shape[0], *args["shape"]),
    "Permute": lambda args, x: x.permute(args["dims"]),
    "Transpose": lambda args, x: x.transpose(args["dim0"], args["dim1"]),
    "Squeeze": lambda args, x: x.squeeze(args["dim"]),
    "Unsqueeze": lambda args, x: x.unsqueeze(args["dim"]),
    "Mean": lambda args, x: x.mean(args["dim"], keepdim=args.get("keepdim", False)),
    "Sum": lambda args, x: x.sum(args["dim"], keepdim=args.get("keepdim", False)),
    "Amax": lambda args, x: x.amax(args["dim"], keepdim=args.get("keepdim", False)),
    "Roll": lambda args, x: x.roll(args["shifts"], args["dims"]),
    "Pad": lambda args, x: F.pad(x, args["pad"], **{k: args[k] for k in args if k != "pad"}),
    "Exp": lambda args, x: x.exp(),
    "StochasticDepth": lambda args, x: x,
}
