"""Fill a module's parameters and buffers, as its construction would."""

from collections.abc import Callable, Iterator, Set
from types import FunctionType
from typing import Any

import torch
from torch import nn

from archspec.backends.generated import PREFIX

RESETS = ("reset_parameters", "_reset_parameters")
"""How PyTorch's layers fill what is theirs."""
SHOWN = 5
"""Names in a message."""


def initialise(module: nn.Module) -> nn.Module:
    """See `archspec.initialise`."""
    fill(module)
    return module


def fill(module: nn.Module, done: Set[nn.Module] = frozenset()) -> None:
    """Initialise all submodules but those that are done.

    Every layer first, as PyTorch does it and in the order in which it would have been made,
    unless all of it is overwritten; then what `init:` says. Raises `ValueError` before anything
    is changed.
    """
    rules = [each for each in module.modules() if _has_rules(each, module)]
    covered = {id(tensor) for each in rules for tensor in _touched(each)}
    work = list(_work(module, done, covered))
    for reset in work:
        reset()
    for each in rules:
        each.init_weights()


def fill_buffers(module: nn.Module) -> None:
    """Fill what generated classes compute: the checkpoint need not have it."""
    for each in module.modules():
        if _is_generated(each) and each._buffers:
            each.reset_parameters()  # type: ignore[operator]


def _is_generated(module: nn.Module) -> bool:
    return type(module).__module__.startswith(PREFIX)


def _has_rules(module: nn.Module, root: nn.Module) -> bool:
    """Whether a module has an `init_weights` of ours: as a root, or within a user's module."""
    own = _is_generated(module) or module is root
    return own and callable(getattr(type(module), "init_weights", None))


def _work(
    root: nn.Module, done: Set[nn.Module], covered: set[int]
) -> Iterator[Callable[[], object]]:
    """What fills each module, children before parents: the order in which they were made."""
    stuck = []
    for name, module in _innermost_first(root):
        tensors = [*_own(module._parameters), *_own(module._buffers)]
        if any(tensor.is_meta for tensor in tensors):
            raise ValueError(f"`{name}` is on the meta device: call `to_empty(device=...)` first")
        if module in done or all(id(tensor) in covered for tensor in tensors):
            continue
        reset = next((getattr(module, each) for each in RESETS if hasattr(module, each)), None)
        if reset is None:
            stuck.append(f"`{name}` ({type(module).__name__})" if name else type(module).__name__)
        else:
            yield reset
    if stuck:
        shown = ", ".join(stuck[:SHOWN]) + (" …" if len(stuck) > SHOWN else "")
        raise ValueError(f"these have tensors of their own and no `reset_parameters`: {shown}")


def _innermost_first(root: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """All modules, each once, children before parents."""
    seen = {root}
    path = [("", root, iter(root.named_children()))]
    while path:
        name, module, children = path[-1]
        for child_name, child in children:
            if child not in seen:
                seen.add(child)
                below = f"{name}.{child_name}" if name else child_name
                path.append((below, child, iter(child.named_children())))
                break
        else:
            path.pop()
            yield name, module


def _own(tensors: dict[str, Any]) -> list[torch.Tensor]:
    return [tensor for tensor in tensors.values() if tensor is not None]


def _touched(module: nn.Module) -> list[torch.Tensor]:
    """The parameters that `init_weights` of a module initialises: it runs, and changes nothing."""
    method = type(module).init_weights
    recorder = _Recorder()
    seeing = FunctionType(method.__code__, {**method.__globals__, "nn": recorder})
    seeing(module)
    return recorder.init.touched


class _Recorder:
    """Stands for `torch.nn`: its `init` takes note of tensors and leaves them alone."""

    def __init__(self) -> None:
        self.init = _Notes()

    def __getattr__(self, name: str) -> Any:
        return getattr(nn, name)


class _Notes:
    def __init__(self) -> None:
        self.touched: list[torch.Tensor] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return self._note

    def _note(self, tensor: torch.Tensor, **arguments: object) -> None:
        self.touched.append(tensor)
