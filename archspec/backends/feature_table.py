"""The feature maps of a network, as `show --features` prints them."""

from typing import Any

from archspec.backends.table import json_shape
from archspec.features import Feature
from archspec.network import Network
from archspec.tensors import show_shape, show_shapes

_HEAD = ("layer", "channels", "reduction", "shape")


def feature_table(network: Network) -> str:
    """A line for every map, under a head."""
    found = network.features()
    if not found:
        return f"{network.name} has no feature maps of its inputs: {_why_none(network)}"
    rows = [_HEAD, *map(_cells, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(
            text.rjust(width) if column in (1, 2) else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    inputs = show_shapes(network.inputs)
    rule = "─" * max(map(len, lines))
    return "\n".join([f"{network.name}: feature maps of {inputs}", "", lines[0], rule, *lines[1:]])


def _why_none(network: Network) -> str:
    ranks = {len(tensor.shape) for tensor in network.input_tensors.values()}
    if max(ranks, default=0) < 2:
        return "they have no spatial dimensions"
    if len(ranks) > 1:
        return "they do not all have the same number of dimensions"
    return "no result grows with them by one factor on every axis"


def _cells(feature: Feature) -> tuple[str, ...]:
    last = " (channels last)" if feature.channels_last else ""
    shape = show_shape(feature.shape) + last
    return (feature.path, f"{feature.channels:,}", str(feature.reduction), shape)


def features_as_json(network: Network) -> dict[str, Any]:
    """The same as plain data: symbolic sizes and strides that are no whole numbers as texts."""
    return {
        "name": network.name,
        "features": [
            {
                "path": each.path,
                "channels": each.channels,
                "reduction": each.reduction.numerator
                if each.reduction.denominator == 1
                else str(each.reduction),
                "shape": json_shape(each.shape),
                "channels_last": each.channels_last,
            }
            for each in network.features()
        ],
    }
