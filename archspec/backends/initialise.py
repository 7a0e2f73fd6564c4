"""Fill a module's parameters and buffers, as its construction would."""

from collections.abc import Callable, Iterator, Set
from types import FunctionType
from typing import Any

import torch
from torch import nn

from archspec.ops.own import GENERATED

RESETS = ("reset_parameters", "_reset_parameters")
"""How PyTorch's layers fill what is theirs."""
SHOWN = 5
"""Names in a message."""


def initialise(module: nn.Module) -> nn.Module:
    """Fill the parameters and buffers of a module that has memory but no values yet.

    For a network built with `device="meta"` and moved with `to_empty`, whoever moved it: every
    layer is reset as PyTorch does it, computed buffers are computed, and what `init:` says is
    done. With the same seed it gives the same weights as `Network.build` on that device. A user's
    own modules take part if they have a `reset_parameters`.

    Gives the module back. Raises `ValueError`, before anything is changed, if a module has
    parameters or buffers of its own and nothing that fills them, or if one has no memory.
    """
    bare = [name for name, tensor in _tensors(module) if tensor.is_meta]
    if bare:
        message = f"`{bare[0]}` is on the meta device: call `module.to_empty(device=...)` first"
        raise ValueError(message)
    fill(module)
    return module


def _tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def fill(module: nn.Module, done: Set[nn.Module] = frozenset()) -> None:
    """Initialise all submodules but those that are done.

    Every layer first, as PyTorch does it and in the order in which it would have been made,
    unless all of it is overwritten; then what `init:` says. Raises `ValueError` before anything
    is changed.
    """
    modules = _innermost_first(module)
    rules = [(each, rule) for each in modules if (rule := _rule(each, module)) is not None]
    covered = {id(tensor) for each, rule in rules for tensor in _touched(each, rule)}
    todo = [each for each in modules if each not in done and _is_open(each, covered)]
    resets = [(each, _reset(each)) for each in todo]
    stuck = {each for each, reset in resets if reset is None}
    if stuck:
        raise ValueError(_refusal(module, stuck))
    for _, reset in resets:
        if reset is not None:
            reset()
    for each, rule in rules:
        rule(each)


def fill_buffers(module: nn.Module) -> None:
    """Fill what generated classes compute: the checkpoint need not have it."""
    for each in _innermost_first(module):
        if each._buffers and _is_generated(each):
            reset = _reset(each)
            assert reset is not None, "a class with own tensors has it"
            reset()


def ground_buffers(module: nn.Module) -> None:
    """Compute what no state dict holds, for a module on the meta device whose weights follow."""
    for each in _innermost_first(module):
        buffers = {name: each._buffers[name] for name in each._non_persistent_buffers_set}
        bare = {name: t for name, t in buffers.items() if t is not None and t.is_meta}
        if bare and _is_generated(each):
            each._buffers.update({n: torch.empty_like(t, device="cpu") for n, t in bare.items()})
            reset = _reset(each)
            assert reset is not None, "a class with own tensors has it"
            reset()  # without effect on what is on the meta device still


def _is_generated(module: nn.Module) -> bool:
    return type(module).__module__.startswith(GENERATED)


def _rule(module: nn.Module, root: nn.Module) -> FunctionType | None:
    """The `init_weights` of a generated module, or of the root: it may be of a printed file."""
    method = getattr(type(module), "init_weights", None)
    if not isinstance(method, FunctionType) or method.__code__.co_argcount != 1:
        return None
    return method if module is root or _is_generated(module) else None


def _is_open(module: nn.Module, covered: Set[int]) -> bool:
    """Whether a module has tensors of its own that `init_weights` does not fill."""
    tensors = [*module._parameters.values(), *module._buffers.values()]
    return any(tensor is not None and id(tensor) not in covered for tensor in tensors)


def _reset(module: nn.Module) -> Callable[[], object] | None:
    """What fills the tensors of a module itself; None if it has nothing that does."""
    cls = type(module)  # a child may have such a name
    name = next((name for name in RESETS if hasattr(cls, name)), None)
    if name is None:
        return None
    found: Callable[[], object] = getattr(module, name)
    return found


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


def _touched(module: nn.Module, rule: FunctionType) -> list[torch.Tensor]:
    """The parameters that a rule initialises: it runs, and changes nothing."""
    recorder = _Recorder()
    seeing = {**rule.__globals__, "nn": recorder}
    FunctionType(rule.__code__, seeing, closure=rule.__closure__)(module)
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
        return self.note

    def note(self, tensor: torch.Tensor, *values: object, **arguments: object) -> None:
        """Take note of a tensor that a function of `torch.nn.init` would fill."""
        self.touched.append(tensor)
