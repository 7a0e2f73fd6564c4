"""Network → `nn.Module`: an instance of the generated classes, initialised once."""

from typing import TYPE_CHECKING

import torch

from archspec.backends.blame import blamed
from archspec.backends.construct import construct
from archspec.backends.generated import generated_class
from archspec.backends.initialise import fill, fill_buffers
from archspec.backends.memory import refuse_what_cannot_fit
from archspec.tensors import FLOATS

if TYPE_CHECKING:
    from archspec.network import Network


def build(
    network: "Network",
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | str | None = None,
    init: bool = True,
    max_params: int | None = None,
) -> torch.nn.Module:
    """The network as a plain module. See `Network.build`."""
    wanted = _dtype(dtype) if isinstance(dtype, str) else dtype
    place = torch.get_default_device() if device is None else torch.device(device)
    if place.type != "meta" or max_params is not None:
        refuse_what_cannot_fit(network, str(wanted or "").removeprefix("torch."), max_params)
    with blamed(network):
        return _made(network, place, wanted, init=init, usual=device is None)


def _made(
    network: "Network", place: torch.device, wanted: torch.dtype | None, *, init: bool, usual: bool
) -> torch.nn.Module:
    """The module; `usual` if the place is PyTorch's default anyway."""
    cls = generated_class(network)
    if place.type == "meta":
        return construct(cls, place, wanted)[0]
    if init and usual and not network.initialisers:
        return _rounded(cls(), wanted)  # constructors initialise: nothing is done twice
    if not init:
        module, _ = construct(cls, place, wanted)
        fill_buffers(module)
        return module
    # Few random functions work in half precision: numbers are drawn in full, then rounded.
    module, done = construct(cls, place, None)
    fill(module, done)
    return _rounded(module, wanted)


def _rounded(module: torch.nn.Module, dtype: torch.dtype | None) -> torch.nn.Module:
    return module if dtype is None else module.to(dtype=dtype)


def _dtype(name: str) -> torch.dtype:
    if name not in FLOATS:
        raise ValueError(f"dtype is one of {', '.join(FLOATS)}, not {name!r}")
    found: torch.dtype = getattr(torch, name)
    return found
