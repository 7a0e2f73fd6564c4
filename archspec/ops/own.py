"""Layer types of the user's own: what they raise, and answers that they must not give.

The rules of archspec's own types are trusted. Those of others are asked once, for every use that is
accepted, all that is asked later: so a mistake in them is told where the layer stands.
"""

import ast
import inspect
import os
import reprlib
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from archspec.diagnostics import Fault
from archspec.ops.base import Attribute, Construct, Emission, FreeTensor, Function, Layer
from archspec.sizes import Expr
from archspec.tensors import DTYPES, Tensor

_OTHERS = frozenset({"archspec", "pydantic", "torch", *sys.stdlib_module_names})
"""Packages whose code raises on behalf of who called it."""
GENERATED = "archspec_generated_"
"""How the names of modules of generated code begin."""


def is_own(cls: type[Layer]) -> bool:
    """Whether a layer type is one of the user's own: all that archspec does not define itself."""
    module = cls.__module__
    return not module.startswith("archspec.ops.") or module == "archspec.ops.foreign"


def failure(cls: type[Layer], error: Exception) -> Fault:
    """The fault for what a rule of an own layer type raised.

    What a rule of another type raises is a bug of archspec, and is raised again.
    """
    if not is_own(cls):
        raise error
    return Fault("E126", f"{cls.__name__} raises {said(error)}", notes=[f"at {origin(cls, error)}"])


def said(error: BaseException) -> str:
    """An exception on one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def users_frames(error: BaseException) -> list[tuple[FrameType, int]]:
    """The frames of a traceback that run the user's own code, and their lines; innermost last."""
    from traceback import walk_tb  # needed when something is wrong

    return [
        (frame, line)
        for frame, line in walk_tb(error.__traceback__)
        if not _is_of_others(str(frame.f_globals.get("__name__", "")))
    ]


def _is_of_others(module: str) -> bool:
    return module.partition(".")[0] in _OTHERS or module.startswith(GENERATED)


def origin(cls: type[Layer], error: BaseException) -> str:
    """The line of the user's own code that raised; of its class, if it was not such code."""
    frames = users_frames(error)
    if not frames:
        return definition(cls)
    frame, line = frames[-1]
    return f"{_shown(frame.f_code.co_filename)}:{line}, in {frame.f_code.co_name}"


def definition(cls: type[Layer]) -> str:
    """Where the class of an own layer type is written."""
    written = getattr(cls, "module", cls)  # a plain `nn.Module` that was registered
    try:
        return f"{_shown(inspect.getsourcefile(written) or '?')}:{_first_line(written)}"
    except (OSError, TypeError):  # made without a file
        return f"{written.__module__}.{written.__qualname__}"


def _first_line(cls: Any) -> int:
    return inspect.findsource(cls)[1] + 1


def _shown(filename: str) -> str:
    """A file below the current folder by its path from there."""
    here = os.path.join(os.getcwd(), "")
    return filename.removeprefix(here)


def rehearse(layer: Layer, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> None:
    """Ask an own layer all that is asked later. Raises a `Fault` for a wrong answer."""
    _check_outputs(layer, outputs)
    answers: list[tuple[str, Any, str, Callable[[Any], bool]]] = [
        ("infer", layer.infer(*inputs), "a mapping of arguments to sizes", _is_mapping),
        ("weights", layer.weights(), "a mapping of names to shapes", _are_shapes),
        ("buffers", layer.buffers(), "a mapping of names to shapes", _are_shapes),
        ("macs", layer.macs(inputs, outputs), "a whole number", _is_size),
        ("remarks", layer.remarks(*inputs), "a tuple of Faults", _are_faults),
        ("emit", layer.emit(inputs), "a Construct or a Function", _is_emission),
    ]
    for rule, answer, wanted, fits in answers:
        if not fits(answer):
            kind = type(layer).__name__
            raise _fault(layer, f"`{rule}` of {kind} gives {reprlib.repr(answer)}, not {wanted}")
    _check_code(layer, layer.emit(inputs), len(inputs))


def _fault(layer: Layer, message: str) -> Fault:
    return Fault("E126", message, notes=[f"at {definition(type(layer))}"])


def _check_outputs(layer: Layer, outputs: tuple[Tensor, ...]) -> None:
    """Refuse results that are no tensors, or others than the type says."""
    kind, names = type(layer).__name__, layer.results
    for each in outputs:
        if not isinstance(each, Tensor):
            wanted = "a Tensor or a tuple of them"
            raise _fault(layer, f"`shape` of {kind} gives {reprlib.repr(each)}, not {wanted}")
        if not isinstance(each.shape, tuple) or not all(map(_is_size, each.shape)):
            raise _fault(layer, f"`shape` of {kind} gives the sizes {each.shape!r}")
        if each.dtype not in DTYPES:
            raise _fault(layer, f"`shape` of {kind} gives the dtype {each.dtype!r}")
    if not outputs or (names and len(names) != len(outputs)):
        named = f", and `results` names {len(names)}" if names else ""
        raise _fault(layer, f"`shape` of {kind} gives {len(outputs)} tensors{named}")


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_size(value: Any) -> bool:
    return isinstance(value, Expr) or (type(value) is int and value >= 0)


def _are_shapes(named: Any) -> bool:
    if not isinstance(named, Mapping):
        return False
    return all(isinstance(s, tuple) and all(map(_is_size, s)) for s in named.values())


def _are_faults(value: Any) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(each, Fault) for each in value)


def _is_emission(value: Any) -> bool:
    return isinstance(value, Construct | Function | FreeTensor | Attribute)


def _check_code(layer: Layer, emission: Emission, count: int) -> None:
    """Refuse an expression that is no Python, and a class that its module does not have."""
    kind = type(layer).__name__
    if isinstance(emission, Function):
        words = dict.fromkeys(emission.values, "x")
        try:
            text = emission.template.format(*"x" * count, inputs=", ".join("x" * count), **words)
            ast.parse(text.strip(), mode="eval")
        except (LookupError, ValueError, SyntaxError) as error:
            message = f"`emit` of {kind} gives `{emission.template}`: {said(error)}"
            raise _fault(layer, message) from error
    elif isinstance(emission, Construct):
        module, _, name = emission.path.rpartition(".")
        loaded = sys.modules.get(module)  # what is not loaded is not imported for it
        if not module or (loaded is not None and not hasattr(loaded, name)):
            message = f"{kind} constructs `{emission.path}`, and there is no such class"
            raise _fault(layer, message)
