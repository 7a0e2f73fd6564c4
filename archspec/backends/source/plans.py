"""How one scope is written: as `nn.Sequential`, as a dense connection, or as a class of its own."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from archspec.backends.source.expressions import Expression, Hole, Invocation, Spell
from archspec.backends.source.forward import Statement
from archspec.backends.source.literals import is_identifier
from archspec.backends.source.measures import read_by
from archspec.graph import Composite
from archspec.ops import Attribute, FreeTensor, Function
from archspec.ops.base import Emission

PART = "_part"
MAX_DEPTH = 12
"""Sequences within each other that are written in one place: Python counts brackets."""
SEQUENTIAL = frozenset(
    """
    append extend insert pop _get_item_by_idx
    __add__ __delitem__ __getitem__ __iadd__ __imul__ __iter__ __len__ __mul__ __rmul__ __setitem__
    """.split()  # noqa: SIM905 - names read better as text
)
"""Attributes of `nn.Sequential` that a child cannot be called by."""


@dataclass(slots=True, eq=False)
class Member:
    """A line of `__init__`: a child, parameter or buffer of a scope.

    A loop over children has the name of the first.
    """

    name: str
    value: Expression
    free: FreeTensor | None = None
    """The parameter or buffer, if it is one: what its values are."""


@dataclass(slots=True, eq=False)
class Plan:
    """How one composite is written."""

    composite: Composite
    name: str
    members: list[Member]
    sequential: bool
    arguments: list[str] = field(default_factory=list)
    lines: list[Statement] = field(default_factory=list)
    result: str = "Tensor"
    fills: list[str] = field(default_factory=list)
    """The statements of `reset_parameters`."""
    numbers: list[Hole] = field(default_factory=list)
    """The numbers in these methods, in reading order."""
    write: Callable[[Spell], None] | None = None
    """Writes the methods again, their numbers spelled."""
    number: int = 0
    """Its position among the instances of its class."""
    inline: bool = False
    """Written where it is constructed, as `nn.Sequential(...)`."""
    depth: int = 0
    """Sequences within each other that are written in one place."""
    whole: Invocation | None = None
    """For a class that is a sequence: the call of its constructor."""

    def values(self) -> list[Expression]:
        """What `__init__` makes of children, in reading order."""
        if self.whole is not None:
            return [self.whole]
        return [member.value for member in self.members]


def is_chain(scope: Composite, emitted: Sequence[Emission | None]) -> bool:
    """Whether `nn.Sequential` says it: each child called once, in order, on the one before."""
    named = scope.kind is not None and not scope.numbered
    if named or len(scope.inputs) != 1 or len(scope.outputs) != 1 or scope.as_dict:
        return False
    if [call.name for call in scope.calls] != list(scope.children):
        return False
    in_class = all(is_identifier(name) for name in scope.children)  # `self.0` is no Python
    last = 0
    for call, found in zip(scope.calls, emitted, strict=True):
        if call.inputs != (last,) or len(call.outputs) != 1 or call.name in SEQUENTIAL:
            return False
        if not _is_module(found, in_sequence=scope.numbered or not in_class):
            return False
        last = call.outputs[0]
    return scope.outputs[0].value == last


def _is_module(found: Emission | None, *, in_sequence: bool) -> bool:
    """Whether a call can be one of a module with one argument.

    A tensor operation becomes a module where only a sequence reads well.
    """
    if isinstance(found, FreeTensor | Attribute):
        return False
    if isinstance(found, Function):
        return in_sequence and not read_by(found)
    return found is None or found.call == "{self}({inputs})"


def dense_dim(scope: Composite, emitted: Sequence[Emission | None]) -> int | None:
    """The dimension over which a dense connection joins its features; None for other scopes.

    Each child is called once, in order, on the concatenation of the input and of what all
    children before it gave; the result is the concatenation of everything.
    """
    if scope.kind is not None or len(scope.inputs) != 1 or len(scope.outputs) != 1:
        return None
    features, joined, dims = [0], 0, set()
    names = iter(scope.children)
    for call, found in zip(scope.calls, emitted, strict=True):
        if call.name not in scope.children:
            if call.inputs != tuple(features) or not isinstance(found, Function):
                return None
            if not found.template.startswith("torch.cat("):
                return None
            joined = call.outputs[0]
            dims.add(found.values["dim"])
        elif call.inputs == (joined,) and next(names, None) == call.name:
            if len(call.outputs) != 1 or not _is_module(found, in_sequence=False):
                return None
            features.append(call.outputs[0])
            joined = -1
        else:
            return None
    whole = len(features) > 2 and len(features) == len(scope.children) + 1
    return dims.pop() if whole and len(dims) == 1 and scope.outputs[0].value == joined else None


def dense_forward(dim: int) -> tuple[list[str], list[Statement]]:
    """The arguments and statements of a dense connection."""
    lines = [
        Statement("features = [x]"),
        Statement("for layer in self.children():"),
        Statement(f"features.append(layer(torch.cat(features, dim={dim})))", 1),
        Statement(f"return torch.cat(features, dim={dim})"),
    ]
    return ["x"], lines


def loop_forward(name: str) -> tuple[list[str], list[Statement]]:
    """The `forward` of `nn.Sequential`, whose argument can be given by the input's name."""
    layer = "layer" if name != "layer" else "module"
    lines = [
        Statement(f"for {layer} in self:"),
        Statement(f"{name} = {layer}({name})", 1),
        Statement(f"return {name}"),
    ]
    return [name], lines


def are_counted(names: Sequence[str]) -> bool:
    """Whether names are consecutive, such as `layer1`, `layer2`, …"""
    stem, first = stem_of(names[0])
    plain = re.fullmatch(r"[\w-]*", stem)  # it stands in an f-string
    return plain is not None and list(names) == [
        f"{stem}{first + number}" for number in range(len(names))
    ]


def part_name(child: str, scope: Composite, name: str) -> str:
    """What a child of a scope called `name` is called: a number says nothing by itself."""
    if not child.isdigit():
        return child
    owner = scope.kind or name
    return owner if owner.endswith(PART) else owner + PART


def stem_of(name: str) -> tuple[str, int]:
    """A name without the number at its end, and that number."""
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or 0)
