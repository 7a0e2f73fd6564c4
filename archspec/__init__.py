"""archspec: a compiler for neural network architectures.

A network is a short YAML file; archspec checks it without torch, works out every channel count
and size, and builds a plain `torch.nn.Module`.

    net = archspec.load("specs/resnet18.yaml", params={"num_classes": 10})
    module = net.build()
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.diagnostics import Diagnostic, SpecError
    from archspec.network import LayerRow, Network
    from archspec.ops import Layer, register
    from archspec.pipeline import Report, check, from_dict, load, loads
    from archspec.spec import Spec
    from archspec.tensors import Tensor

__version__ = "0.1.0"

_HOMES = {
    "Diagnostic": "archspec.diagnostics",
    "SpecError": "archspec.diagnostics",
    "LayerRow": "archspec.network",
    "Network": "archspec.network",
    "Layer": "archspec.ops",
    "register": "archspec.ops",
    "Report": "archspec.pipeline",
    "check": "archspec.pipeline",
    "from_dict": "archspec.pipeline",
    "load": "archspec.pipeline",
    "loads": "archspec.pipeline",
    "Spec": "archspec.spec",
    "Tensor": "archspec.tensors",
}

__all__ = [
    "Diagnostic",
    "Layer",
    "LayerRow",
    "Network",
    "Report",
    "Spec",
    "SpecError",
    "Tensor",
    "check",
    "from_dict",
    "load",
    "loads",
    "register",
]


def __getattr__(name: str) -> Any:
    """Public names load their modules on use: the command line starts without pydantic."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)
