"""Abstract networks: what the generator draws, the renderer writes down and the judge runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_ELEMENTS = 50_000
MOST = 64

Env = Mapping[str, Any]
"""What an expression sees: parameters, loop variables, and real tensors under their names."""


class TooBig(Exception):
    """A network whose tensors grow beyond what a test should compute."""


def refuse_big(args: Mapping[str, Any]) -> None:
    """Raise `TooBig` for a padding, kernel or number of channels that makes tensors explode."""
    for name, given in args.items():
        numbers = given if isinstance(given, list) else [given]
        if name not in ("normalized_shape", "num_embeddings", "in_features", "in_channels") and any(
            isinstance(number, int) and number > MOST for number in numbers
        ):
            raise TooBig


@dataclass(eq=False)
class Expr:
    """An expression: how a spec spells it, and what it is worth."""

    text: str
    of: Callable[[Env], Any]


def value(given: Any, env: Env) -> Any:
    """The worth of an argument."""
    if isinstance(given, Expr):
        return given.of(env)
    if isinstance(given, list):
        return [value(each, env) for each in given]
    if isinstance(given, dict):
        return {key: value(each, env) for key, each in given.items()}
    return given


@dataclass(eq=False)
class Use:
    """One layer: a kind (or a type parameter) and its explicit arguments."""

    kind: str | Expr
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Again:
    """The module of another entry of the same scope, applied again."""

    name: str


@dataclass(eq=False)
class Entry:
    """One entry of a scope."""

    what: "Use | Again | Body | BlockUse | Loop"
    name: str | Expr | None = None
    """None in a list."""
    sources: list[str | Expr] | None = None
    """None: the previous layer."""
    when: Expr | bool | None = None
    repeat: Any = None
    names: Expr | None = None
    dense: bool = False
    shape: list[int] | None = None
    """An annotation that holds."""
    listed: bool = False
    """The sources stand in the place of the arguments: `{Add: [a, b]}`."""

    @property
    def free(self) -> bool:
        """Whether it is a Parameter or Buffer: never the previous layer."""
        return isinstance(self.what, Use) and self.what.kind in ("Parameter", "Buffer")


@dataclass(eq=False)
class Loop:
    """Entries that stand here once a turn."""

    variables: str
    over: str
    turns: list[dict[str, Any]]
    entries: list[Entry]
    numbered: bool


@dataclass(eq=False)
class Body:
    """A scope's entries: named or numbered, in sequence or (with a merge) in parallel."""

    entries: list[Entry]
    numbered: bool
    merge: Use | None = None


@dataclass(eq=False)
class Param:
    """A parameter: a kind (without default) or a default."""

    kind: str | None
    default: Any = None


@dataclass(eq=False)
class Output:
    """One output of a scope."""

    name: str
    source: str
    training: bool = False


@dataclass(eq=False)
class Block:
    """A parametrised scope."""

    name: str
    params: dict[str, Param]
    inputs: list[str]
    """Empty: one input that is called `input`."""
    body: Body
    outputs: list[Output] | None = None


@dataclass(eq=False)
class BlockUse:
    """A use of a block."""

    block: Block
    args: dict[str, Any]


@dataclass(eq=False)
class Input:
    """An input of the network."""

    shape: list[Any]
    integer: bool = False


@dataclass(eq=False)
class Net:
    """A whole network."""

    params: dict[str, Param] = field(default_factory=dict)
    inputs: dict[str, Input] = field(default_factory=dict)
    defaults: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    body: Body = field(default_factory=lambda: Body([], False))
    outputs: list[Output] | None = None
    style: str = "list"
    """How outputs are written: list, mapping or dict."""


def bind(params: Mapping[str, Param], given: Mapping[str, Any], facts: Env) -> dict[str, Any]:
    """The names that a scope sees: parameters, defaults evaluated in order, and inputs."""
    env = dict(facts)
    for name, param in params.items():
        env[name] = given[name] if name in given else value(param.default, env)
    return env


def chosen(use: Use, env: Env) -> tuple[str, dict[str, Any]]:
    """The kind of a layer and its arguments, where its type is a parameter too."""
    if not isinstance(use.kind, Expr):
        return use.kind, use.args
    kind = use.kind.of(env)
    if isinstance(kind, str):
        return kind, use.args
    ((name, args),) = kind.items()
    return name, {**args, **use.args}


def seen(env: Env, inputs: Sequence[Any]) -> Env:
    """What the arguments of a layer see: `in_channels` and `in_features` are its own."""
    if not inputs or inputs[0].ndim < 2:
        return env
    return {**env, "in_channels": inputs[0].shape[1], "in_features": inputs[0].shape[-1]}


def uses(entries: list[Entry]) -> list[Use]:
    """Every layer below these entries, those in blocks left out."""
    found: list[Use] = []
    for entry in entries:
        if isinstance(entry.what, Use):
            found.append(entry.what)
        elif isinstance(entry.what, Body | Loop):
            found.extend(uses(entry.what.entries))
    return found


def all_uses(net: Net) -> list[Use]:
    """Every layer of a network, as it is written: those of a block once."""
    return uses([*net.body.entries, *(e for block in net.blocks for e in block.body.entries)])
