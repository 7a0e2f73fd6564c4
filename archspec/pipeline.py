"""The doors of Python: a spec in, a network or diagnostics out."""

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

from archspec import library
from archspec.configurations import (
    Answer,
    check_all,
    check_configuration,
    choose_variant,
    configure,
)
from archspec.diagnostics import Collector, Refused, SpecError
from archspec.expand import MAX_LAYERS
from archspec.lint import audible
from archspec.network import Network
from archspec.report import Report
from archspec.spec.opening import UNNAMED, SpecSource, open_spec

Folders = Iterable[str | PathLike[str]]
"""Paths of library folders."""


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


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks for beside the spec; see `load`."""

    variant: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    libraries: Folders = ()
    max_layers: int = MAX_LAYERS
    filename: str = UNNAMED

    def answered(self, source: SpecSource, answer: Answer) -> Report:
        """Open a spec, choose its variant, and let a function of `configurations` do the rest."""
        found = Collector()
        with _without_gc():
            try:
                spec = open_spec(source, found, library.folders(self.libraries), self.filename)
                spec = choose_variant(spec, self.variant, found)
            except Refused:
                return Report(tuple(found))
            return answer(spec, self.params, self.max_layers, found)


def check(
    spec: SpecSource,
    *,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    libraries: Folders = (),
    max_layers: int = MAX_LAYERS,
    filename: str = UNNAMED,
) -> Report:
    """Check a spec, without torch, and look for what is accepted but suspicious (lints).

    Without `variant` and `params`, the defaults and every variant are checked. Never raises for a
    bad spec.

    Args:
        spec: a path, the name of a library spec such as `torchvision/resnet`, YAML text (of
            several lines), a mapping in the language's words, or a `Spec`.
        variant: the name of the one variant to check.
        params: values for the spec's parameters.
        libraries: folders in which `extends:` and `include:` may look too.
        max_layers: how many layers the expanded network may have.
        filename: what to call a text in messages; `extends:` and `include:` look in its folder.
    """
    request = Request(variant, params or {}, libraries, max_layers, filename)
    report = request.answered(spec, check_all)
    return replace(report, diagnostics=audible(report.diagnostics))


def check_one(spec: SpecSource, request: Request) -> Report:
    """Check one configuration: the variant that was asked for, or the defaults."""
    report = request.answered(spec, check_configuration)
    return replace(report, diagnostics=audible(report.diagnostics))


def load(
    spec: SpecSource,
    *,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    libraries: Folders = (),
    max_layers: int = MAX_LAYERS,
    filename: str = UNNAMED,
) -> Network:
    """The network of a spec. Raises `SpecError`, also for a file that cannot be read (E001).

    Args:
        spec: a path, the name of a library spec such as `torchvision/resnet`, YAML text (of
            several lines), a mapping in the language's words, or a `Spec`.
        variant: the name of one of its variants; its defaults if None.
        params: values for the spec's parameters; they win over those of the variant.
        libraries: folders in which `extends:` and `include:` may look too.
        max_layers: how many layers the expanded network may have.
        filename: what to call a text in messages; `extends:` and `include:` look in its folder.
    """
    request = Request(variant, params or {}, libraries, max_layers, filename)
    report = request.answered(spec, configure)
    if report.network is None:
        raise SpecError(report.diagnostics)
    return report.network


def loads(
    text: str,
    *,
    filename: str = UNNAMED,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    libraries: Folders = (),
    max_layers: int = MAX_LAYERS,
) -> Network:
    """The network of a spec given as YAML text. Raises `SpecError`; see `load`."""
    if not isinstance(text, str):
        raise TypeError(f"loads takes a text, not {type(text).__name__}")
    return load(
        f"{text}\n",  # of one line, it would be a path
        filename=filename,
        variant=variant,
        params=params,
        libraries=libraries,
        max_layers=max_layers,
    )


def from_dict(
    data: Mapping[str, Any],
    *,
    variant: str | None = None,
    params: Mapping[str, Any] | None = None,
    libraries: Folders = (),
    max_layers: int = MAX_LAYERS,
) -> Network:
    """The network of a spec given as Python data. Raises `SpecError`; places are key paths."""
    if not isinstance(data, Mapping):
        raise TypeError(f"from_dict takes a mapping, not {type(data).__name__}")
    return load(data, variant=variant, params=params, libraries=libraries, max_layers=max_layers)
