"""The typed spec: pydantic models of a file, made from a tree with places or from Python data."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from archspec.diagnostics import Collector, Refused, Source
from archspec.spec.model import (
    BlockSpec,
    Body,
    InputSpec,
    LayerSpec,
    LoopSpec,
    Outputs,
    OutputSpec,
    ParamSpec,
)
from archspec.spec.reader import read_fields
from archspec.syntax import Mapping, Node, Scalar, lift

__all__ = [
    "BlockSpec",
    "Body",
    "InputSpec",
    "LayerSpec",
    "LoopSpec",
    "OutputSpec",
    "Outputs",
    "ParamSpec",
    "Spec",
    "read_spec",
]


class Spec(BaseModel):
    """A network as its file says it: parameters, inputs, blocks, layers, outputs.

    Made from the language's own keys, in Python too: `Spec(archspec=1, inputs={"image": [3, 32,
    32]}, layers=[Conv2d(out_channels=8, kernel_size=3), "ReLU"])`. Layers made in Python may
    stand wherever the language has a type with arguments. Raises `SpecError`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True
    )

    name: str
    node: Mapping
    params: tuple[ParamSpec, ...] = ()
    inputs: tuple[InputSpec, ...] = ()
    defaults: dict[str, tuple[Scalar, Mapping]] = {}
    blocks: dict[str, BlockSpec] = {}
    body: Body | None = None
    outputs: Outputs | None = None
    given: dict[str, Any] = {}
    """Values for the parameters, from `with_params`."""

    def with_params(self, **params: Any) -> "Spec":
        """The same spec with values for its parameters: nothing is read again."""
        return self.model_copy(update={"given": {**self.given, **params}})

    @model_validator(mode="before")
    @classmethod
    def _from_language(cls, data: Any) -> Any:
        found = Collector()
        try:
            fields = read_fields(lift(data, Source("<python>"), found), found)
        except Refused:
            fields = {}
        found.check()
        return fields


def read_spec(tree: Node, found: Collector) -> Spec:
    """The typed spec of a tree. Reports what is wrong; raises `Refused` where nothing is left."""
    return Spec.model_construct(**read_fields(tree, found))
