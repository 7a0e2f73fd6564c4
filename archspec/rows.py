"""The rows of the layer table: what every call of a layer is, takes, gives and costs."""

from collections.abc import Callable, Mapping
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


def layer_row(application: Application, shown: Callable[[Shape], Shape] = tuple) -> LayerRow:
    """A call of a layer as the table shows it, with its shapes in other words if there are any."""
    layer = application.leaf.layer
    return LayerRow(
        path=".".join(application.path),
        type=application.leaf.type,
        args=shown_arguments(layer),
        input_shapes=tuple(shown(tensor.shape) for tensor in application.inputs),
        output_shape=shown(application.outputs[0].shape),
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
