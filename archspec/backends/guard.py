"""A check of inputs at run time, for those who want one: a hook before `forward`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from archspec.inputs import InputContract
from archspec.network import Network


def guard(module: nn.Module, network: Network) -> RemovableHandle:
    """Let a module check its inputs before every call: `InputError` says why one cannot go in.

    The handle takes the check away again: `archspec.guard(module, network).remove()`. Copies and
    pickles of the module keep it. Where the module is compiled, exported or traced, nothing is
    checked, so that no graph depends on it: guard the compiled module instead,
    `archspec.guard(torch.compile(module), network)`.

    Args:
        module: made by `network.build()`, or anything that takes the same inputs.
        network: says what may go in.
    """
    hook = _Check(network.input_contract)
    return module.register_forward_pre_hook(hook, with_kwargs=True)


@dataclass(frozen=True)
class _Check:
    """The hook: a value, so that a module that has it can be copied and pickled."""

    contract: InputContract

    def __call__(self, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        traced = torch.jit.is_tracing()  # type: ignore[attr-defined,no-untyped-call]
        if not traced and not torch.compiler.is_compiling():
            self.contract.check(args, kwargs, floats=_floats(module))


def _floats(module: nn.Module) -> str | None:
    """The floating dtype of a module; None if it has none, or autocast finds the right one."""
    if torch.is_autocast_enabled() or torch.is_autocast_enabled("cpu"):
        return None
    dtypes = (parameter.dtype for parameter in module.parameters())
    found = next((dtype for dtype in dtypes if dtype.is_floating_point), None)
    return None if found is None else str(found).removeprefix("torch.")
