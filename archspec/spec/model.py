"""The typed spec: what a file says, with values still unevaluated and every part in its place.

Values that may hold expressions stay nodes of the tree; the structure around them is typed.
"""

from pydantic import BaseModel, ConfigDict

from archspec.syntax import Node, Scalar


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )


class LayerSpec(_Part):
    """One layer: a type with arguments, or a body of layers, and the wiring beside it."""

    node: Node
    """The whole entry, for its place."""
    name: Scalar | None
    """Its key; None in a list."""
    type: Scalar | None = None
    """A type name, `=expression`, or a layer made in Python; None for a group."""
    args: Node | None = None
    body: "Body | None" = None
    sources: Node | None = None
    """`from:`."""
    when: Node | None = None
    repeat: Node | None = None
    names: Node | None = None
    dense: bool = False
    """`connect: dense`."""
    shape: Node | None = None
    broken: bool = False
    """A part could not be read, and that was said: nothing that follows from it is reported."""


class LoopSpec(_Part):
    """`for: … in …`: its layers stand where the loop stands, once a turn."""

    node: Node
    clause: Scalar | None
    when: Node | None = None
    body: "Body | None"
    """None for a loop that could not be read: that was said."""


class Body(_Part):
    """The layers of a scope: named or numbered; in sequence, or in parallel with a merge."""

    node: Node
    entries: tuple[LayerSpec | LoopSpec, ...]
    numbered: bool
    merge: LayerSpec | None = None
    """What joins the entries, when they are parallel arms."""


class ParamSpec(_Part):
    """A parameter: a kind, or a default that says its kind."""

    name: Scalar
    kind: str | None
    """int, float, bool, str, list or layer; None where only the default can tell."""
    nullable: bool
    default: Node | None
    value: Node | None = None
    """What stands in place of the default: of a variant, or of a file that extends this one."""


class InputSpec(_Part):
    """An input of the network."""

    name: Scalar
    shape: Node
    dtype: str


class Comparison(_Part):
    """One thing that is required of a symbol, or of its remainder by a divisor."""

    node: Scalar
    """The comparison as it is written."""
    divisor: Scalar | None
    relation: str
    bound: Scalar
    """What the symbol is compared with: an expression."""


class Requirement(_Part):
    """What `requires:` says of one symbol."""

    symbol: Scalar
    node: Node
    comparisons: tuple[Comparison, ...]


class OutputSpec(_Part):
    """One output: its name, where it comes from, and when it is there."""

    name: str
    source: Scalar
    training_only: bool = False
    when: Node | None = None


class Outputs(_Part):
    """The outputs of a block or network; a dict if `as: dict` says so."""

    node: Node
    entries: tuple[OutputSpec, ...]
    as_dict: bool = False


class Beginning(_Part):
    """How one parameter begins: `zeros_`, `{normal_: {std: 0.02}}`, or null for PyTorch's way."""

    parameter: Scalar | None
    """None where it was not named: the weight, or the parameter that the pattern names."""
    node: Node
    constant: bool
    """Whether it holds no expression."""


class InitRule(_Part):
    """One entry of `init:`: a layer type or a pattern over names, and how these begin."""

    key: Scalar
    when: Node | None
    beginnings: tuple[Beginning, ...]


class BlockSpec(_Part):
    """A parametrised module class."""

    name: Scalar
    params: tuple[ParamSpec, ...] = ()
    inputs: tuple[Scalar, ...] = ()
    """Names of its inputs; one input named `input` if there are none."""
    init: tuple[InitRule, ...] = ()
    body: Body | None = None
    outputs: Outputs | None = None


class Expectation(_Part):
    """Facts that a spec claims: see `archspec.spec.expect`."""

    node: Node
    parameters: Scalar | None = None
    macs: Scalar | None = None
    outputs: dict[str, tuple[Scalar, tuple[Scalar, ...]]] = {}
    """Shapes by name of the output, each with its key."""
    at: dict[str, tuple[Scalar, Scalar]] = {}
    """Sizes by symbol, each with its key."""


class VariantSpec(_Part):
    """A named configuration: values for parameters of the network, and facts about it."""

    name: Scalar
    values: dict[str, tuple[Scalar, Node]] = {}
    """By parameter: its name where the variant writes it, and the value."""
    expect: Expectation | None = None
