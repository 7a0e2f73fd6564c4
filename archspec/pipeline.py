"""The pipeline as functions: text → tree → typed spec → network, or diagnostics."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

from archspec.diagnostics import (
    Collector,
    Diagnostic,
    Place,
    Refused,
    Source,
    SpecError,
    did_you_mean,
)
from archspec.expand import MAX_LAYERS, Unfinished, expand
from archspec.lint import audible, lint
from archspec.network import LayerRow, Network, layer_row
from archspec.spec import Spec, read_spec
from archspec.syntax import Node, lift, read, read_file

MAX_NEIGHBOURS = 10_000
"""Files of a folder that are looked at for one of a similar name."""

SpecSource = str | PathLike[str] | Mapping[str, Any] | Spec
"""A path, YAML text (of several lines), a mapping in the language's words, or a typed spec."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. `network` is there when the spec was accepted."""

    diagnostics: tuple[Diagnostic, ...]
    network: Network | None = None
    rows: tuple[LayerRow, ...] = ()
    """Of a refused spec: the layers in call order, up to the first mistake."""

    @property
    def ok(self) -> bool:
        """Whether the spec was accepted: warnings and notes do not count."""
        return self.network is not None


@contextmanager
def _without_gc() -> Iterator[None]:
    """Pause the garbage collector: reading makes many objects and no cycles worth collecting."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def compile_source(source: Source, params: Mapping[str, Any], max_layers: int) -> Report:
    """Compile a text."""
    found = Collector()
    with _without_gc():
        try:
            return _compile_tree(read(source, found), params, max_layers, found)
        except Refused:
            return Report(tuple(found))


def compile_file(path: str | PathLike[str], params: Mapping[str, Any], max_layers: int) -> Report:
    """Compile a file. What cannot be opened is a diagnostic of code E001."""
    found = Collector()
    try:
        source = read_file(Path(path), found)
    except (OSError, ValueError) as error:  # a path with a zero byte is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        place = Place(Source(str(path)), 0, 0, 0)
        found.report("E001", f"the file cannot be read: {reason}", place, help=_neighbour(path))
        return Report(tuple(found))
    except Refused:
        return Report(tuple(found))
    return compile_source(source, params, max_layers)


def _neighbour(path: str | PathLike[str]) -> str | None:
    """Did you mean: a spec in the same folder, or the one with the suffix that is missing."""
    try:
        near = islice(Path(path).parent.iterdir(), MAX_NEIGHBOURS)
        specs = [each.name for each in near if each.suffix in (".yaml", ".yml")]
    except (OSError, ValueError):
        return None
    name = Path(path).name
    whole = next((each for each in sorted(specs) if each.rpartition(".")[0] == name), None)
    return f"did you mean `{whole}`?" if whole else did_you_mean(name, specs)


def compile_data(
    data: Mapping[str, Any], params: Mapping[str, Any], max_layers: int, name: str
) -> Report:
    """Compile plain Python data; places are key paths."""
    found = Collector()
    try:
        return _compile_tree(lift(data, Source(name), found), params, max_layers, found)
    except Refused:
        return Report(tuple(found))


def compile_spec(spec: Spec, params: Mapping[str, Any], max_layers: int) -> Report:
    """Compile a typed spec."""
    found = Collector()
    return _expand(spec, params, max_layers, found)


def _compile_tree(
    tree: Node, params: Mapping[str, Any], max_layers: int, found: Collector
) -> Report:
    return _expand(read_spec(tree, found), params, max_layers, found)


def _expand(spec: Spec, params: Mapping[str, Any], max_layers: int, found: Collector) -> Report:
    try:
        network = expand(spec, params, found, max_layers)
    except Unfinished as unfinished:
        return Report(tuple(found), rows=tuple(map(layer_row, unfinished.rows)))
    return Report(tuple(found), network)


def check(
    spec: SpecSource,
    *,
    params: Mapping[str, Any] | None = None,
    max_layers: int = MAX_LAYERS,
    filename: str = "<text>",
) -> Report:
    """Check a spec, without torch, and look for what is accepted but suspicious (lints).

    Never raises for a bad spec.

    Args:
        spec: a path, YAML text (of several lines), a mapping in the language's words, or a `Spec`.
        params: values for the spec's parameters.
        max_layers: how many layers the expanded network may have.
        filename: what to call a text in messages.
    """
    found = Collector()
    with _without_gc():
        report = _compile(spec, params or {}, max_layers, filename)
        for diagnostic in report.diagnostics:
            found.add(diagnostic)
        if report.network is not None:
            lint(report.network, found)
    return Report(audible(tuple(found)), report.network, report.rows)


def _compile(
    spec: SpecSource, params: Mapping[str, Any], max_layers: int, filename: str = "<text>"
) -> Report:
    if isinstance(spec, Spec):
        return compile_spec(spec, params, max_layers)
    if isinstance(spec, Mapping):
        return compile_data(spec, params, max_layers, "<dict>")
    if isinstance(spec, str) and "\n" in spec:
        return compile_source(Source(filename, spec), params, max_layers)
    if not isinstance(spec, str | PathLike):
        kind = type(spec).__name__
        raise TypeError(f"a spec is a path, a text, a mapping or a Spec, not {kind}")
    return compile_file(spec, params, max_layers)


def load(
    spec: SpecSource, *, params: Mapping[str, Any] | None = None, max_layers: int = MAX_LAYERS
) -> Network:
    """The network of a spec. Raises `SpecError`, also for a file that cannot be read (E001).

    Args:
        spec: a path, YAML text (of several lines), a mapping in the language's words, or a `Spec`.
        params: values for the spec's parameters.
        max_layers: how many layers the expanded network may have.
    """
    return _accepted(_compile(spec, params or {}, max_layers))


def loads(
    text: str,
    *,
    filename: str = "<text>",
    params: Mapping[str, Any] | None = None,
    max_layers: int = MAX_LAYERS,
) -> Network:
    """The network of a spec given as YAML text. Raises `SpecError`."""
    if not isinstance(text, str):
        raise TypeError(f"loads takes a text, not {type(text).__name__}")
    return _accepted(compile_source(Source(filename, text), params or {}, max_layers))


def from_dict(
    data: Mapping[str, Any],
    *,
    params: Mapping[str, Any] | None = None,
    max_layers: int = MAX_LAYERS,
) -> Network:
    """The network of a spec given as Python data. Raises `SpecError`; places are key paths."""
    return _accepted(compile_data(data, params or {}, max_layers, "<dict>"))


def _accepted(report: Report) -> Network:
    if report.network is None:
        raise SpecError(report.diagnostics)
    return report.network
