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
    modules = _innermost_first(module)
    rules = [each for each in modules if _has_rules(each, module)]
    covered = {id(tensor) for each in rules for tensor in _touched(each)}
    resets = [_reset(each) for each in modules if each not in done and _is_open(each, covered)]
    if None in resets:
        stuck = {each for each in modules if each not in done and _reset(each) is None}
        raise ValueError(_refusal(module, stuck & {m for m in modules if _is_open(m, covered)}))
    for reset in resets:
        reset()
    for each in rules:
        each.init_weights()


def fill_buffers(module: nn.Module) -> None:
    """Fill what generated classes compute: the checkpoint need not have it."""
    for each in _innermost_first(module):
        if each._buffers and _is_generated(each):
            each.reset_parameters()  # type: ignore[operator]


def _is_generated(module: nn.Module) -> bool:
    return type(module).__module__.startswith(PREFIX)


def _has_rules(module: nn.Module, root: nn.Module) -> bool:
    """Whether a module has an `init_weights` of ours: as a root, or within a user's module."""
    own = _is_generated(module) or module is root
    return own and callable(getattr(type(module), "init_weights", None))


def _is_open(module: nn.Module, covered: Set[int]) -> bool:
    """Whether a module has tensors of its own that `init_weights` does not fill."""
    tensors = [*module._parameters.values(), *module._buffers.values()]
    return any(tensor is not None and id(tensor) not in covered for tensor in tensors)


def _reset(module: nn.Module) -> Callable[[], object] | None:
    """What fills the tensors of a module itself; None if it has nothing that does."""
    for name in RESETS:
        if (found := getattr(module, name, None)) is not None:
            return found
    return None


def _refusal(root: nn.Module, stuck: Set[nn.Module]) -> str:
    """Which modules cannot be initialised."""
    named = [(name, each) for name, each in root.named_modules() if each in stuck]
    shown = [f"`{name}` ({type(m).__name__})" if name else type(m).__name__ for name, m in named]
    more = " …" if len(shown) > SHOWN else ""
    words = f"{', '.join(shown[:SHOWN])}{more}"
    return f"these have tensors of their own and no `reset_parameters`: {words}"


def _innermost_first(root: nn.Module) -> list[nn.Module]:
    """All modules, each once, children before parents: the order in which they were made."""
    seen = {root}
    found: list[nn.Module] = []

    def walk(module: nn.Module) -> None:
        for child in module._modules.values():
            if child is not None and child not in seen:
                seen.add(child)
                if child._modules:
                    walk(child)
                else:
                    found.append(child)
        found.append(module)

    walk(root)
    return found


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
