"""Generated classes → instances whose tensors are not initialised yet, made where they belong.

PyTorch's layers end their constructors with `self.reset_parameters()`. Here that is shadowed on
each instance while its constructor runs: no other thread and no other module sees anything of it.
For this the constructors of the generated classes run as they are, but see stand-ins for `nn`, for
`torch` and for each other: the instances are ordinary, and nothing stays behind.
"""

import inspect
from collections.abc import Callable, Collection
from functools import partial
from types import FunctionType
from typing import Any

import torch
from torch import nn

SHADOWED = ("reset_parameters", "init_weights")
"""Methods that constructors call to initialise what they made."""


def construct(
    cls: type[nn.Module], device: torch.device, dtype: torch.dtype | None
) -> tuple[nn.Module, set[nn.Module]]:
    """An instance of a generated class, with its tensors on a device and empty.

    Modules of other origin, a user's, initialise themselves: they come second.
    """
    constructor = _Constructor(cls, device, dtype)
    return constructor.generated(cls)(), constructor.foreign


class _Constructor:
    """Calls constructors without initialisation, with factory arguments."""

    def __init__(
        self, cls: type[nn.Module], device: torch.device, dtype: torch.dtype | None
    ) -> None:
        self.device = device
        self.dtype = dtype
        self.foreign: set[nn.Module] = set()
        self.home = cls.__module__
        known = cls.__init__.__globals__
        layers, tensors = _Layers(self), _Torch(device, dtype)
        self.globals: dict[str, Any] = {**known, "nn": layers, "torch": tensors}
        for name, each in known.items():
            if isinstance(each, type) and issubclass(each, nn.Module):
                self.globals[name] = self.stand_in(each)

    def stand_in(self, cls: type[nn.Module]) -> Callable[..., nn.Module]:
        """What is called in place of a class."""
        if cls.__module__ == self.home:
            return self.generated(cls)
        if not cls.__module__.startswith("torch.nn."):
            return partial(self.other, cls)
        takes_device, resets = _traits(cls)
        if not takes_device:
            return cls
        factory: dict[str, Any] = {"device": self.device, "dtype": self.dtype}
        if resets:
            init: Callable[..., None] = cls.__init__
            return _bare(cls, partial(init, **factory), ("reset_parameters",))
        if self.device.type == "meta":
            return partial(cls, **factory)
        return partial(self.emptied, cls)

    def generated(self, cls: type[nn.Module]) -> Callable[..., nn.Module]:
        """The constructor of a generated class, with the stand-ins in it."""
        init = cls.__dict__.get("__init__")
        if not isinstance(init, FunctionType):
            return cls
        seeing = FunctionType(
            init.__code__, self.globals, init.__name__, init.__defaults__, init.__closure__
        )
        seeing.__kwdefaults__ = init.__kwdefaults__
        return _bare(cls, seeing, [name for name in SHADOWED if hasattr(cls, name)])

    def emptied(self, cls: type[nn.Module], *args: Any, **kwargs: Any) -> nn.Module:
        """An instance of a class of several layers: made on the meta device first."""
        module = cls(*args, **kwargs, device="meta", dtype=self.dtype)
        return module.to_empty(device=self.device)

    def other(self, cls: type[nn.Module], *args: Any, **kwargs: Any) -> nn.Module:
        """An instance of a class that is neither PyTorch's nor generated."""
        with self.device:
            module = cls(*args, **kwargs)
        self.foreign.update(module.modules())
        return module.to(self.device, self.dtype)


class _Layers:
    """Stands for `torch.nn`: the same, but for classes that would initialise themselves."""

    def __init__(self, constructor: _Constructor) -> None:
        self.constructor = constructor

    def __getattr__(self, name: str) -> Any:
        found = getattr(nn, name)
        if isinstance(found, type) and issubclass(found, nn.Module):
            found = self.constructor.stand_in(found)
        setattr(self, name, found)
        return found


class _Torch:
    """Stands for `torch` in constructors: makes empty tensors where they belong."""

    def __init__(self, device: torch.device, dtype: torch.dtype | None) -> None:
        self.device = device
        self.dtype = dtype

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    def empty(self, *sizes: Any, dtype: torch.dtype | None = None) -> torch.Tensor:
        """`torch.empty`, with the device, and the dtype if it is a floating-point tensor."""
        if dtype is None or dtype.is_floating_point:
            dtype = self.dtype or dtype
        return torch.empty(*sizes, device=self.device, dtype=dtype)


def _bare(
    cls: type[nn.Module], init: Callable[..., None], shadowed: Collection[str]
) -> Callable[..., nn.Module]:
    """What makes instances whose constructor initialises nothing."""

    def make(*args: Any, **kwargs: Any) -> nn.Module:
        module: nn.Module = cls.__new__(cls)
        own = module.__dict__
        for name in shadowed:
            own[name] = _nothing
        init(module, *args, **kwargs)
        for name in shadowed:
            del own[name]
        return module

    return make


def _nothing() -> None:
    """In place of `reset_parameters`."""


_known_traits: dict[type, tuple[bool, bool]] = {}


def _traits(cls: type[nn.Module]) -> tuple[bool, bool]:
    """Whether a class of PyTorch takes a device, and whether it resets its parameters."""
    if cls not in _known_traits:
        inits = (vars(base).get("__init__") for base in cls.__mro__[:-1])
        arguments = (inspect.signature(init).parameters for init in inits if init is not None)
        takes_device = any("device" in each for each in arguments)  # LSTM hands on what it is given
        _known_traits[cls] = takes_device, hasattr(cls, "reset_parameters")
    return _known_traits[cls]
