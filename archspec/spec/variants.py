"""Variants: named configurations of one spec.

variants = "{" name ":" variant, ... "}"
variant = "{" parameter ":" value, ... "}" | "{params: {...}, expect: {...}}"
"""

from collections.abc import Iterable, Sequence
from itertools import islice

from archspec.diagnostics import Collector, Refused, did_you_mean
from archspec.spec.expect import read_expect
from archspec.spec.model import ParamSpec, VariantSpec
from archspec.spec.parts import as_mapping, as_text, refuse_unknown_keys, section
from archspec.syntax import Mapping, Node, Scalar

_LONG = ("params", "expect")
MAX_HELPED = 100
"""Unknown names for which the nearest is looked for: a file may be full of them."""
MAX_LISTED = 40
"""Names in a list of all that there are."""


def read_variants(node: Node, found: Collector, params: Iterable[str]) -> dict[str, VariantSpec]:
    """`variants: {resnet34: {depth: [3, 4, 6, 3]}}`; `params` are the parameters of the spec."""
    known = frozenset(params)
    read = {}
    for name, value in as_mapping(node, "`variants:`", found).items():
        try:
            read[name.text] = _read_variant(name, value, found, known)
        except Refused:
            read[name.text] = VariantSpec.model_construct(name=name, values={}, expect=None)
    return read


def _read_variant(name: Scalar, node: Node, found: Collector, known: frozenset[str]) -> VariantSpec:
    what = f"variant `{name.text}`"
    help = f"it has values for parameters: `{name.text}: {{depth: 3}}`; `{{}}` changes nothing"
    mapping = as_mapping(node, what, found, help)
    if not _is_long(mapping, known):
        return VariantSpec.model_construct(name=name, values=dict(mapping.entries), expect=None)
    refuse_unknown_keys(mapping, _LONG, f"{what}, which has `params:` or `expect:`,", found)
    params = mapping.get("params")
    values = {} if params is None else as_mapping(params, f"`params:` of {what}", found).entries
    expect = section(mapping, "expect", found, read_expect)
    return VariantSpec.model_construct(name=name, values=dict(values), expect=expect)


def _is_long(mapping: Mapping, known: frozenset[str]) -> bool:
    """Whether a variant has sections. Words that are parameters of the spec are never sections."""
    return any(word in mapping.entries and word not in known for word in _LONG)


def check_values(
    variants: Iterable[VariantSpec], params: Sequence[ParamSpec], found: Collector
) -> None:
    """Report what the variants give to parameters that the spec does not have."""
    known = dict.fromkeys(param.name.text for param in params)
    unknown = (
        (variant.name.text, name)
        for variant in variants
        for name, _ in variant.values.values()
        if name.text not in known
    )
    for number, (variant, name) in enumerate(unknown):
        message = f"variant `{variant}` sets `{name.text}`, which is no parameter"
        help = None
        if number < MAX_HELPED:
            help = did_you_mean(name.text, known) or listing(known) or "the spec has no parameters"
        found.report("E108", message, name.place, help=help)


def choose(params: Sequence[ParamSpec], variant: VariantSpec) -> tuple[ParamSpec, ...]:
    """The parameters with the values of a variant in place of their defaults."""
    return tuple(
        param.model_copy(update={"value": variant.values[param.name.text][1]})
        if param.name.text in variant.values
        else param
        for param in params
    )


def unknown_variant(owner: str, name: str, variants: Iterable[str]) -> tuple[str, str | None]:
    """The message about a variant that does not exist, and its help."""
    known = list(variants)
    return f"{owner} has no variant `{name}`", did_you_mean(name, known) or listing(known)


def listing(names: Iterable[str]) -> str | None:
    """The names, so that a person can choose; None if there are none."""
    first = list(islice(names, MAX_LISTED + 1))
    more = ", …" if len(first) > MAX_LISTED else ""
    return f"there are {', '.join(first[:MAX_LISTED])}{more}" if first else None


def read_choice(
    node: Node, owner: str, variants: dict[str, VariantSpec], found: Collector
) -> VariantSpec:
    """`variant: resnet50` beside `extends:`. Raises `Refused` for one that does not exist."""
    name = as_text(node, "`variant:`", found)
    variant = variants.get(name.text)
    if variant is None:
        message, help = unknown_variant(owner, name.text, variants)
        raise found.report("E119", message, name.place, help=help)
    return variant
