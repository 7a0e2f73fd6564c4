"""What the type of an entry turns out to be: a layer type, or a block."""

import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from archspec.diagnostics import Refused, Remedy, shown
from archspec.expand.context import Context, Names
from archspec.ops import Layer, find
from archspec.ops import names as type_names
from archspec.spec import BlockSpec
from archspec.syntax import Scalar, Sequence

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints


@dataclass(frozen=True, slots=True)
class TypeUse:
    """What an entry's type turned out to be, with the arguments that came with it."""

    name: str
    target: type[Layer] | BlockSpec
    args: dict[str, Any]
    """Arguments of a type parameter (`act: {LeakyReLU: {...}}`) or of a layer made in Python."""


def type_of(context: Context, node: Scalar, names: Names) -> TypeUse:
    """The type that a node names: a layer type or block, or an expression that gives one."""
    if isinstance(node.value, Layer):
        layer = node.value
        return TypeUse(type(layer).__name__, type(layer), layer.model_dump(exclude_unset=True))
    text: Any = node.text
    args: dict[str, Any] = {}
    if text.startswith("="):
        text = context.compute(node, text[1:], names)
        if isinstance(text, dict) and len(text) == 1:
            ((text, given),) = text.items()
            args = given or {}
        if not isinstance(text, str) or not isinstance(args, dict):
            message = f"`{node.text}` gives {shown(text)}, not a layer type"
            raise context.report("E105", message, node.place)
    target = context.blocks.get(text) or find(text)
    if target is None:
        raise _unknown_type(context, text, node)
    return TypeUse(text, target, args)


def _unknown_type(context: Context, text: str, node: Scalar) -> Refused:
    if context.found.told("E102", node.place):
        return Refused()
    known = [*context.blocks, *type_names(), "Reuse"]
    help = _provided(text) or _nearest_type(context, text, known)
    notes = (f"`{node.text}` gives `{text}`",) if node.text != text else ()
    message = f"there is no layer type or block `{text}`"
    labels = context.givers(node)
    return context.report("E102", message, node.place, labels=labels, notes=notes, help=help)


def _nearest_type(context: Context, text: str, known: list[str]) -> str:
    """Did you mean; for a type that comes in several ranks, the one for the network's inputs."""
    help = _as_in_python(text) or context.did_you_mean(text, known)
    if help is None or not isinstance(help, Remedy):
        return help or "see `archspec ops` for the layer types"
    match = help.replacement
    family = match[:-2]
    ranks = [rank for rank in (1, 2, 3) if f"{family}{rank}d" in known]
    if len(ranks) < 2 or text[-2:-1].isdigit() or not match.endswith("d"):
        return help
    spatial = {len(x.shape.items) - 1 for x in context.spec.inputs if isinstance(x.shape, Sequence)}
    likely = next((rank for rank in ranks if spatial == {rank}), None)
    if likely is not None:
        match = f"{family}{likely}d"
    said = f"did you mean `{match}`? (the digit counts the dimensions after the channels)"
    return Remedy.of(said, text, match, certain=False)


def _as_in_python(text: str) -> str | None:
    """Help for who writes a type as code does."""
    if text in ("Sequential", "nn.Sequential"):
        return "a list of layers is a Sequential: write the list alone"
    if text.startswith(("nn.", "torch.nn.")):
        kind = text.rpartition("nn.")[2].partition("(")[0]
        if find(kind) is not None:
            return f"write the type alone, and its arguments as a mapping: `{{{kind}: {{…}}}}`"
    return None


def _provided(name: str) -> str | None:
    """Who provides a layer type: by metadata alone, since nothing is imported for a name."""
    found = next(iter(_entry_points(tuple(sys.path)).select(name=name)), None)
    return f"an installed package has it: allow it with --plugin {found.module}" if found else None


@cache
def _entry_points(path: tuple[str, ...]) -> "EntryPoints":
    """What installed packages say that they provide: read once for a path."""
    from importlib.metadata import entry_points

    return entry_points(group="archspec.layers")
