"""Tree → typed spec: blocks, and when a scope is whole enough to be judged."""

from collections.abc import Mapping as AbstractMapping
from typing import Any

from archspec.diagnostics import Collector, nearest
from archspec.spec.init import read_init
from archspec.spec.layers import BODY, read_body
from archspec.spec.model import BlockSpec, Body
from archspec.spec.outputs import read_results
from archspec.spec.parts import (
    as_mapping,
    as_text,
    attempt,
    items_of,
    refuse_unindented,
    refuse_unknown_keys,
    section,
)
from archspec.spec.sections import check_word, read_params
from archspec.syntax import Mapping, Node, Scalar

BLOCK_KEYS = ("params", "inputs", "init", *BODY, "outputs")
_NAMING = ("params", "inputs", "blocks", "outputs")
"""Sections that give names to others."""


def read_blocks(node: Node, found: Collector) -> dict[str, BlockSpec]:
    """`blocks: {Residual: {params: ..., layers: ...}}`."""
    blocks = as_mapping(node, "`blocks:`", found)
    read = {
        key.text: attempt(lambda k=key, v=value: _read_block(k, v, found))  # type: ignore[misc]
        for key, value in blocks.items()
    }
    return {
        name: block or BlockSpec.model_construct(name=blocks.entries[name][0])
        for name, block in read.items()
    }


def _read_block(name: Scalar, node: Node, found: Collector) -> BlockSpec:
    what = f"block `{name.text}`"
    mapping = as_mapping(node, what, found)
    refuse_unindented(mapping, BLOCK_KEYS, BLOCK_KEYS, found)
    stray = refuse_unknown_keys(mapping, BLOCK_KEYS, what, found)
    fields: dict[str, Any] = {
        "params": section(mapping, "params", found, read_params),
        "inputs": section(mapping, "inputs", found, _read_block_inputs),
        "outputs": section(mapping, "outputs", found, read_results),
    }
    sound = is_sound(mapping, fields, BLOCK_KEYS)
    body = body_of(mapping, found, what, stray)
    return BlockSpec.model_construct(
        name=name,
        params=fields["params"] or (),
        inputs=fields["inputs"] or (),
        body=body if sound else None,
        init=section(mapping, "init", found, read_init) or (),
        outputs=fields["outputs"],
    )


def _read_block_inputs(node: Node, found: Collector) -> tuple[Scalar, ...]:
    inputs = tuple(as_text(each, "the name of an input", found) for each in items_of(node))
    names = [each.text for each in inputs]
    for number, each in enumerate(inputs):
        if each.text in names[:number]:
            raise found.report("E111", f"two inputs are called `{each.text}`", each.place)
        if each.text != "input":
            check_word(each, "an input", found)
    return inputs


def is_sound(scope: Mapping, fields: AbstractMapping[str, Any], known: tuple[str, ...]) -> bool:
    """Whether every section is there that gives names; if not, who uses them is not to blame."""
    if any(key not in known and nearest(key, _NAMING) for key in scope.entries):
        return False
    return not any(key in scope.entries and fields.get(key) is None for key in _NAMING)


def body_of(scope: Mapping, found: Collector, what: str, stray: bool) -> Body | None:
    """The body of a scope. A stray key may be what it is missing: then that was told."""
    if stray and not any(key in scope.entries for key in BODY):
        return None
    return attempt(lambda: read_body(scope, found, what))
