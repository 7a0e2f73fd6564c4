"""archspec: a compiler for neural network architectures.

A network is a short YAML file; archspec checks it without torch, works out every channel count
and size, and builds a plain `torch.nn.Module`.

    net = archspec.load("specs/resnet18.yaml", params={"num_classes": 10})
    module = net.build()
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archspec.backends.blame import LayerError
    from archspec.backends.files.artefacts import Artefact, ArtefactError
    from archspec.backends.files.checkpoint import WeightsError
    from archspec.backends.files.weights import load_weights
    from archspec.backends.files.weights_report import WeightsReport
    from archspec.backends.guard import guard
    from archspec.backends.initialise import initialise
    from archspec.diagnostics import Diagnostic, SpecError
    from archspec.inputs import InputError
    from archspec.network import Network
    from archspec.ops import Layer, register
    from archspec.pipeline import check, from_dict, load, loads
    from archspec.report import Report
    from archspec.rows import LayerRow
    from archspec.spec import Spec
    from archspec.tensors import Tensor

__version__ = "0.1.0"

_HOMES = {
    "Artefact": "archspec.backends.files.artefacts",
    "ArtefactError": "archspec.backends.files.artefacts",
    "Diagnostic": "archspec.diagnostics",
    "InputError": "archspec.inputs",
    "SpecError": "archspec.diagnostics",
    "LayerRow": "archspec.rows",
    "Network": "archspec.network",
    "Layer": "archspec.ops",
    "LayerError": "archspec.backends.blame",
    "register": "archspec.ops",
    "Report": "archspec.report",
    "check": "archspec.pipeline",
    "from_dict": "archspec.pipeline",
    "guard": "archspec.backends.guard",
    "initialise": "archspec.backends.initialise",
    "load": "archspec.pipeline",
    "load_weights": "archspec.backends.files.weights",
    "loads": "archspec.pipeline",
    "Spec": "archspec.spec",
    "Tensor": "archspec.tensors",
    "WeightsError": "archspec.backends.files.checkpoint",
    "WeightsReport": "archspec.backends.files.weights_report",
}

__all__ = [
    "Artefact",
    "ArtefactError",
    "Diagnostic",
    "InputError",
    "Layer",
    "LayerError",
    "LayerRow",
    "Network",
    "Report",
    "Spec",
    "SpecError",
    "Tensor",
    "WeightsError",
    "WeightsReport",
    "check",
    "from_dict",
    "guard",
    "initialise",
    "load",
    "load_weights",
    "loads",
    "register",
]


def __getattr__(name: str) -> Any:
    """Public names load their modules on use: the command line starts without pydantic."""
    from importlib import import_module

    if name == "parallel":  # a public module of its own
        return import_module("archspec.parallel")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)
