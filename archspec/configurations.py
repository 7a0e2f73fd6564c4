"""One spec, several networks: its defaults and its variants, made and checked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archspec.blamed_values import blame_values
from archspec.diagnostics import Collector, Diagnostic, Place, Refused, Source
from archspec.expand import Unfinished, expand
from archspec.expand.context import MAX_WORK
from archspec.expectations import check_expectation
from archspec.lint import lint
from archspec.network import Network
from archspec.report import Report
from archspec.rows import layer_row
from archspec.spec import Spec
from archspec.spec.including import is_block_file
from archspec.spec.variants import listing, unknown_variant

Answer = Callable[[Spec, Mapping[str, Any], int, Collector], Report]
"""What can be done with a spec: values for parameters, a limit on layers, what was found so far."""
MAX_VARIANTS = 100
"""Variants that are checked at once."""
MAX_TEXT = 20_000_000
"""Characters of a spec, times its variants, in one check."""
MAX_NAMED = 3
"""Variants that a note names; the rest is counted."""


def configure(spec: Spec, params: Mapping[str, Any], max_layers: int, found: Collector) -> Report:
    """The network of one configuration: of the variant that the spec chose, or of its defaults."""
    try:
        _demand_network(spec, found)
        _demand_choice(spec, params, found)
        network = expand(spec, params, found, max_layers)
    except Unfinished as unfinished:
        rows = tuple(map(layer_row, unfinished.rows))
        told = blame_values(spec, params, max_layers, found)
        return Report(told, rows=rows, work=unfinished.work)
    except Refused:
        return Report(tuple(found))
    if not params:  # with other values, other facts hold
        check_expectation(network, found)
    return Report(tuple(found), None if found.failed else network, work=network.work)


def choose_variant(spec: Spec, name: str | None, found: Collector) -> Spec:
    """The spec as one of its variants. Raises `Refused` for one that does not exist."""
    if name is None:
        return spec
    if name not in spec.variants:
        if not found.failed:  # else it may stand in what could not be read
            message, help = unknown_variant(spec.name, name, spec.variants)
            found.report("E119", message, Place(Source("--variant"), 0, 0, 0), help=help)
        raise Refused
    return spec.with_variant(name)


def has_defaults(spec: Spec, params: Mapping[str, Any]) -> bool:
    """Whether every parameter has a value."""
    return not _missing(spec, params)


def _missing(spec: Spec, params: Mapping[str, Any]) -> list[Place]:
    given = {*spec.given, *params}
    return [
        param.name.place
        for param in spec.chosen
        if param.default is None and param.value is None and param.name.text not in given
    ]


def _demand_network(spec: Spec, found: Collector) -> None:
    """Refuse a file of blocks."""
    if is_block_file(spec.node) and not found.failed:
        message = "the file has blocks only, and no network"
        help = "bring the blocks in where they are used, with `include:`"
        raise found.report("E104", message, spec.node.place, help=help)


def _demand_choice(spec: Spec, params: Mapping[str, Any], found: Collector) -> None:
    """Refuse a spec of variants only of which none was chosen: that is one mistake."""
    if spec.variant is not None or not spec.variants:
        return
    missing = _missing(spec, params)
    if missing:
        message = "this parameter has a value in variants only, and none was chosen"
        help = f"choose with --variant, or `variant=` in Python: {listing(spec.variants)}"
        raise found.report("E104", message, missing[0], help=help)


def check_all(spec: Spec, params: Mapping[str, Any], max_layers: int, found: Collector) -> Report:
    """Check the defaults, where there are some, and every variant. What all share is told once.

    One configuration only is checked where one was chosen: a variant, or values for parameters.
    Variants are not looked at where the defaults are refused: it would be the same mistake.
    """
    if is_block_file(spec.node):
        return Report(tuple(found), blocks=tuple(spec.blocks))
    if spec.variant is not None or spec.given or params:
        return check_configuration(spec, params, max_layers, found)
    if has_defaults(spec, params) or not spec.variants:
        first = check_configuration(spec, params, max_layers, found)
    else:
        _refuse_facts(spec, found)
        first = Report(tuple(found))
    if not first.ok:
        return first
    try:
        _refuse_many(spec, found)
        networks = _variants(spec, max_layers, found, alone=first.network is None)
    except Refused:
        return Report(tuple(found))
    return replace(first, diagnostics=tuple(found), variants=networks)


def _variants(spec: Spec, max_layers: int, found: Collector, *, alone: bool) -> dict[str, Network]:
    """The networks of all variants; `alone` if there are no defaults beside them."""
    findings = _Findings()
    networks = {}
    work = 0
    for name, variant in spec.variants.items():
        report = check_configuration(spec.with_variant(name), {}, max_layers, Collector())
        findings.add(name, report.diagnostics)
        if report.network is not None:
            networks[name] = report.network
        work += report.work
        limit = max(MAX_WORK, 100 * max_layers)
        if work > limit:
            message = f"the variants take more than {limit} steps together to expand"
            raise found.report("E005", message, variant.name.place, help=_ONE_BY_ONE)
    for each in findings.told(len(spec.variants) if alone else None):
        found.add(each)
    return networks


_ONE_BY_ONE = "check them one by one, with --variant"


def _refuse_many(spec: Spec, found: Collector) -> None:
    """Refuse what would take long: the whole spec is gone through for every variant."""
    size = sum(len(tree.source.text or "") for tree in spec.trees)
    if len(spec.variants) > MAX_VARIANTS or len(spec.variants) * size > MAX_TEXT:
        count = len(spec.variants)
        place = next(iter(spec.variants.values())).name.place
        message = f"{count} variants of a spec of {size} characters are too many for one check"
        raise found.report("E005", message, place, help=_ONE_BY_ONE)


def _refuse_facts(spec: Spec, found: Collector) -> None:
    """Refuse facts about the defaults where there are none: nobody would check them."""
    facts = spec.expect and (spec.expect.parameters or spec.expect.macs or spec.expect.outputs)
    if spec.expect is not None and facts:
        message = "these facts speak of the defaults, and some parameter has none"
        help = "write them into the variants: `{params: {...}, expect: {...}}`"
        found.report("E123", message, spec.expect.node.place, help=help)


def check_configuration(
    spec: Spec, params: Mapping[str, Any], max_layers: int, found: Collector
) -> Report:
    """Check one configuration: errors, and what is accepted but suspicious (lints)."""
    report = configure(spec, params, max_layers, found)
    if report.network is None:
        return report
    lint(report.network, found)
    return replace(report, diagnostics=tuple(found))


@dataclass(slots=True)
class _Findings:
    """What was found in variants, each finding with the variants that show it."""

    found: dict[tuple[str, Place], tuple[Diagnostic, list[str]]] = field(default_factory=dict)

    def add(self, variant: str, diagnostics: Iterable[Diagnostic]) -> None:
        """Keep what was found in one variant."""
        for each in diagnostics:
            self.found.setdefault((each.code, each.place), (each, []))[1].append(variant)

    def told(self, count: int | None) -> Iterable[Diagnostic]:
        """Every finding once, with the variants that show it unless there are `count` of them."""
        for each, names in self.found.values():
            notes = each.notes if len(names) == count else (*each.notes, _listed(names))
            yield replace(each, notes=notes)


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:MAX_NAMED])
    rest = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return f"in variant{'s' if len(names) > 1 else ''} {shown}{rest}"
