"""The rows of the layer table: what every call of a layer is, takes, gives and costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archspec.resolve import Application
from archspec.sizes import Size

Shape = tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One call of a layer, as the table shows it. Shapes leave the batch out."""

    path: str
    type: str
    args: Mapping[str, Any]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    params: int
    macs: Size
    reused: bool = False
    training_only: bool = False
    inferred: frozenset[str] = frozenset()
    """Arguments that follow from the inputs."""


def layer_row(application: Application) -> LayerRow:
    """A call of a layer as the table shows it."""
    layer = application.leaf.layer
    return LayerRow(
        path=".".join(application.path),
        type=application.leaf.type,
        args=shown_arguments(layer),
        input_shapes=tuple(tensor.shape for tensor in application.inputs),
        output_shape=application.outputs[0].shape,
        params=application.params,
        macs=application.macs,
        reused=application.reused,
        training_only=application.training_only,
        inferred=frozenset(layer.infer(*application.inputs)),
    )


def shown_arguments(layer: Any) -> dict[str, Any]:
    """The arguments of a complete layer that say something: all but defaults."""
    said = {
        info.alias or name: value
        for name, info in type(layer).model_fields.items()
        if (value := getattr(layer, name)) != info.default
    }
    return {**said, **(layer.model_extra or {})}
