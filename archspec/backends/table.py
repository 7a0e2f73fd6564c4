"""The layer table: what `show` prints, and the same as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from archspec.network import Network, at
from archspec.rows import LayerRow, Shape
from archspec.sizes import Size, show_values
from archspec.tensors import show_shape, show_shapes

WIDTH = 100
_UNITS = "kMGTPE"
_HEAD = ("layer", "type", "arguments", "output", "parameters", "MACs")


def table(network: Network) -> str:
    """The table of a network, at most 100 columns wide."""
    lines = _lines(network.layers, network.example_sizes)
    head = f"{network.name}: {show_shapes(network.inputs)} → {show_shapes(network.outputs)}"
    return "\n".join([head, "", *lines, lines[1], *_totals(network)])


def partial_table(rows: Sequence[LayerRow]) -> str:
    """The layers of a refused spec, up to the first mistake."""
    return "\n".join(_lines(rows, {}))


def _lines(rows: Sequence[LayerRow], sizes: Mapping[str, int]) -> list[str]:
    lines = _aligned([_HEAD, *(_cells(row, sizes) for row in rows)])
    return [lines[0], "─" * max(len(line) for line in lines), *lines[1:]]


def _totals(network: Network) -> list[str]:
    """Parameters and MACs; for symbolic inputs at which sizes, and what sizes must fulfil."""
    macs = network.at_example(network.macs)
    total = f"{network.parameter_count:,} parameters, {macs:,} MACs"
    if not network.example_sizes:
        return [total]
    sizes = show_values(network.example_sizes)
    return [f"{total} at {sizes}", *(f"needs {words}" for words in network.sizes.needs())]


def _cells(row: LayerRow, sizes: Mapping[str, int]) -> tuple[str, ...]:
    mark = " (again)" if row.reused else " (training)" if row.training_only else ""
    params = f"{row.params:,}" if row.params else ""
    known = isinstance(row.macs, int) or row.macs.symbols <= set(sizes)
    macs = short_number(at(row.macs, sizes)) if known else ""
    shape = show_shape(row.output_shape)
    return (row.path + mark, row.type, _arguments(row), shape, params, macs)


def short_number(number: int) -> str:
    """Three digits and a unit: `118 M`. The exact number is in the JSON."""
    if number < 1000:
        return str(number) if number else ""
    power = min((len(str(number)) - 1) // 3, len(_UNITS))
    return f"{number / 1000**power:.3g} {_UNITS[power - 1]}"


def _arguments(row: LayerRow) -> str:
    return ", ".join(
        f"{name}={_short(value)}" for name, value in row.args.items() if name not in row.inferred
    )


def _short(value: Any) -> str:
    if isinstance(value, tuple):
        return "×".join(map(str, value)) if value else "()"
    return str(value)


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Columns of equal width; the arguments give way where a line would be too long."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    spare = WIDTH - sum(widths) - 2 * (len(widths) - 1)
    for column, least in ((2, 12), (3, 20), (0, 20)):
        if spare < 0:
            cut = min(-spare, max(0, widths[column] - least))
            widths[column] -= cut
            spare += cut
    return ["  ".join(_cells_of(row, widths)).rstrip() for row in rows]


def _cells_of(row: tuple[str, ...], widths: list[int]) -> list[str]:
    cells = []
    for column, (text, width) in enumerate(zip(row, widths, strict=True)):
        cut = text if len(text) <= width else f"{text[: width - 1]}…"
        cells.append(cut.rjust(width) if column >= 4 else cut.ljust(width))
    return cells


def as_json(network: Network) -> dict[str, Any]:
    """The table as plain data. Symbolic sizes are texts."""
    return {
        "name": network.name,
        "inputs": {name: _json_tensor(t) for name, t in network.input_tensors.items()},
        "outputs": {name: _json_tensor(t) for name, t in network.output_tensors().items()},
        "parameters": network.parameter_count,
        "macs": _json_size(network.macs),
        "conditions": [str(condition) for condition in network.conditions],
        "layers": [_json_row(row) for row in network.layers],
    }


def _json_tensor(tensor: Any) -> dict[str, Any]:
    return {"shape": json_shape(tensor.shape), "dtype": tensor.dtype}


def json_shape(shape: Shape) -> list[int | str]:
    """A shape as plain data."""
    return [_json_size(size) for size in shape]


def _json_size(size: Size) -> int | str:
    return size if isinstance(size, int) else str(size)


def _json_row(row: LayerRow) -> dict[str, Any]:
    return {
        "path": row.path,
        "type": row.type,
        "args": {name: _json_value(value) for name, value in row.args.items()},
        "input_shapes": [json_shape(shape) for shape in row.input_shapes],
        "output_shape": json_shape(row.output_shape),
        "params": row.params,
        "macs": _json_size(row.macs),
        "reused": row.reused,
        "training_only": row.training_only,
    }


def _json_value(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_json_value(each) for each in value]
    if isinstance(value, dict):
        return {key: _json_value(each) for key, each in value.items()}
    return value if isinstance(value, int | float | str | bool | None) else str(value)
