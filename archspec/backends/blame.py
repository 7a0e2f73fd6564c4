"""Layers of the user's own that raise while a module is made or run: which one, and where."""

import linecache
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from archspec.ops import Construct
from archspec.ops.own import GENERATED, is_own, origin, said, users_frames
from archspec.resolve import Application

if TYPE_CHECKING:
    from archspec.network import Network


class LayerError(RuntimeError):
    """A layer of the user's own raised while its module was made or run.

    The message says which one, where the spec has it, and which line raised; `__cause__` is what
    it raised.
    """


@contextmanager
def blamed(network: "Network", module: Any = None, *, writing: bool = False) -> Iterator[None]:
    """Raise a `LayerError` for what the user's own layers raise; other exceptions as they are.

    `module` is the one that runs, if there is one already. While code is written (`writing`), only
    what such layers emit can raise.
    """
    try:
        yield
    except LayerError:
        raise
    except Exception as error:
        suspects = [each for each in network.applications if is_own(type(each.leaf.layer))]
        if not suspects or not (writing or users_frames(error) or _is_in_generated_code(error)):
            raise
        raise LayerError(_message(_culprit(suspects, error, module), error)) from error


def _generated_frames(error: Exception) -> list[tuple[FrameType, int]]:
    """The frames of generated code, and their lines; innermost last."""
    frames = traceback.walk_tb(error.__traceback__)
    return [each for each in frames if _name(each[0]).startswith(GENERATED)]


def _is_in_generated_code(error: Exception) -> bool:
    """Whether generated code itself raised, or could not be compiled: it is right without them."""
    if isinstance(error, SyntaxError):
        return True
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    ours = [frame for frame in frames if not frame.f_code.co_filename.startswith("<frozen")]
    return bool(ours) and _name(ours[-1]).startswith(GENERATED)


def _name(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _culprit(suspects: list[Application], error: Exception, module: Any) -> Application:
    """The layer that raised, as far as the traceback tells; else the first that may have."""
    owners = [frame.f_locals.get("self") for frame, _ in reversed(users_frames(error))]
    for owner in owners if module is not None else []:
        path = next((name for name, each in module.named_modules() if each is owner), None)
        for each in suspects:
            if ".".join(each.path) == path:
                return each
    return max(suspects, key=lambda each: _likeness(each, error, owners))  # the first of equal ones


def _likeness(application: Application, error: Exception, owners: list[Any]) -> int:
    """How much of the traceback speaks for a layer: its class, its name, its line."""
    emission = application.leaf.layer.emit(application.inputs)
    line = "".join(_line(*each) for each in _generated_frames(error)[-1:])
    if not isinstance(emission, Construct):
        return 0
    kind = emission.path.rpartition(".")[2]
    named = f"self.{application.path[-1]} =" in line
    return 2 * any(type(owner).__name__ == kind for owner in owners) + 2 * (kind in line) + named


def _line(frame: FrameType, number: int) -> str:
    return linecache.getline(frame.f_code.co_filename, number)


def _message(culprit: Application, error: Exception) -> str:
    layer, path = type(culprit.leaf.layer), ".".join(culprit.path)
    where = f"{layer.__name__}, layer `{path}` ({culprit.leaf.node.place})"
    return f"{where} raises {said(error)}, at {origin(layer, error)}"
