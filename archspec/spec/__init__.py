"""The typed spec: pydantic models of a file, made from a tree with places or from Python data."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from archspec import library
from archspec.diagnostics import Collector, Place, Refused, Source
from archspec.spec.files import Files
from archspec.spec.model import (
    Beginning,
    BlockSpec,
    Body,
    Comparison,
    Expectation,
    InitRule,
    InputSpec,
    LayerSpec,
    LoopSpec,
    Outputs,
    OutputSpec,
    ParamSpec,
    Requirement,
    VariantSpec,
)
from archspec.spec.reader import read_fields
from archspec.spec.variants import choose, unknown_variant
from archspec.syntax import Mapping, Node, Scalar, lift

__all__ = [
    "Beginning",
    "BlockSpec",
    "Body",
    "Comparison",
    "Expectation",
    "InitRule",
    "InputSpec",
    "LayerSpec",
    "LoopSpec",
    "OutputSpec",
    "Outputs",
    "ParamSpec",
    "Requirement",
    "Spec",
    "VariantSpec",
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
    requires: tuple[Requirement, ...] = ()
    defaults: dict[str, tuple[Scalar, Mapping]] = {}
    init: tuple[InitRule, ...] = ()
    blocks: dict[str, BlockSpec] = {}
    body: Body | None = None
    outputs: Outputs | None = None
    variants: dict[str, VariantSpec] = {}
    expect: Expectation | None = None
    trees: tuple[Mapping, ...] = ()
    """The file, and every other that it brings in."""
    given: dict[str, Any] = {}
    """Values for the parameters, from `with_params`."""
    variant: str | None = None
    """The name of a variant, from `with_variant`."""

    def with_params(self, **params: Any) -> "Spec":
        """The same spec with values for its parameters: nothing is read again."""
        return self.model_copy(update={"given": {**self.given, **params}})

    def with_variant(self, name: str | None) -> "Spec":
        """The same spec as one of its variants; None for the defaults. Raises `SpecError`."""
        if name is not None and name not in self.variants:
            found = Collector()
            message, help = unknown_variant(self.name, name, self.variants)
            found.report("E119", message, Place(Source("--variant"), 0, 0, 0), help=help)
            found.check()
        return self.model_copy(update={"variant": name})

    @property
    def title(self) -> str:
        """The name of the network: its variant's if one is chosen."""
        return self.name if self.variant is None else self.variant

    @property
    def expectation(self) -> Expectation | None:
        """What is claimed of this configuration; nothing where values were given besides."""
        if self.given:
            return None
        if self.variant is None:
            return self.expect
        own, common = self.variants[self.variant].expect, self.expect
        if own is None or own.at or common is None:
            return own
        return own.model_copy(update={"at": common.at})

    @property
    def chosen(self) -> tuple[ParamSpec, ...]:
        """The parameters, with the values of the variant in place of their defaults."""
        if self.variant is None:
            return self.params
        return choose(self.params, self.variants[self.variant])

    @model_validator(mode="before")
    @classmethod
    def _from_language(cls, data: Any) -> Any:
        found = Collector()
        try:
            tree = lift(data, Source("<python>"), found)
            fields = read_fields(tree, found, Files.of(None, library.folders()))
        except Refused:
            fields = {}
        found.check()
        return fields


def read_spec(tree: Node, found: Collector, files: Files | None = None) -> Spec:
    """The typed spec of a tree. Reports what is wrong; raises `Refused` where nothing is left.

    `files` says which others it may bring in: None for those of the shipped library.
    """
    files = Files.of(None, library.folders()) if files is None else files
    return Spec.model_construct(**read_fields(tree, found, files))
