"""Tree → typed spec: the keys of a file, and what other files bring to it."""

from typing import Any

from archspec.diagnostics import Collector, Label
from archspec.spec.blocks import body_of, is_sound, read_blocks
from archspec.spec.expect import read_expect
from archspec.spec.extending import extend, join_variants, read_layers
from archspec.spec.files import Files
from archspec.spec.including import included, is_block_file, join_blocks
from archspec.spec.init import read_init
from archspec.spec.layers import BODY
from archspec.spec.outputs import read_outputs
from archspec.spec.parts import (
    as_mapping,
    as_text,
    attempt,
    refuse_unindented,
    refuse_unknown_keys,
    section,
)
from archspec.spec.requires import read_requires
from archspec.spec.sections import read_defaults, read_inputs, read_params
from archspec.spec.variants import check_values, choose, read_choice, read_variants
from archspec.spec.version import check_version
from archspec.syntax import Mapping, Node

KEYS = (
    "archspec",
    "extends",
    "variant",
    "include",
    "name",
    "params",
    "inputs",
    "requires",
    "variants",
    "expect",
    "defaults",
    "init",
    "blocks",
    *BODY,
    "outputs",
)
SECTIONS = tuple(key for key in KEYS if key not in ("archspec", "extends", "variant", "name"))
"""Keys with something under them."""
_EMPTY: dict[str, Any] = {
    "params": (),
    "inputs": (),
    "requires": (),
    "defaults": {},
    "init": (),
    "blocks": {},
    "variants": {},
}
"""What stands for a section that is not there."""


def read_fields(tree: Node, found: Collector, files: Files) -> dict[str, Any]:
    """The fields of a `Spec`. Reports what is wrong and leaves that part out."""
    top = as_mapping(tree, "a spec", found, help="it has `archspec: 1`, `inputs:` and `layers:`")
    refuse_unindented(top, SECTIONS, KEYS, found)
    _refuse_swallowed(top, found)
    stray = refuse_unknown_keys(top, KEYS, "a spec", found)
    check_version(top, KEYS, found)
    fields = _sections(top, found)
    sound = is_sound(top, {**fields, "outputs": ()}, KEYS)  # its outputs, nobody names
    fields |= {key: fields.get(key) or empty for key, empty in _EMPTY.items()}
    parts = included(top.get("include"), found, files)
    fields["blocks"] = join_blocks([fields["blocks"], *filter(None, parts)], found)
    if "extends" in top.entries:
        base = attempt(lambda: _base(top, found, files))
        fields["body"] = attempt(lambda: read_layers(top, found))
        sound = sound and base is not None
        fields = fields if base is None else extend(base, fields, top, found)
    elif is_block_file(top):
        fields["body"] = None
    else:
        _refuse_choice(top, found)
        fields["body"] = body_of(top, found, "the network", stray)
    if sound:
        _add_variants(top, fields, found)
    if not sound or None in parts:
        fields["body"] = None
    return {**fields, "trees": (top, *filter(None, files.seen.trees.values()))}


def _refuse_swallowed(top: Mapping, found: Collector) -> None:
    """Refuse `layers:` that are indented too far: they stand in the section before them."""
    if any(key in top.entries for key in ("extends", *BODY)):
        return
    for name, value in top.items():
        if isinstance(value, Mapping) and isinstance(value.get("layers"), Mapping):
            message = f"`layers:` stands within `{name.text}:`"
            labels = [Label(name.place, "it is a part of this")]
            help = "begin it in the same column as `archspec:`"
            place = value.entries["layers"][0].place
            raise found.report("E101", message, place, labels=labels, help=help)


def _sections(top: Mapping, found: Collector) -> dict[str, Any]:
    """What the file itself says; None for a section that is absent or cannot be read."""
    name = section(top, "name", found, lambda node, found: as_text(node, "`name:`", found))
    return {
        "name": "network" if name is None else name.text,
        "node": top,
        "params": section(top, "params", found, read_params),
        "inputs": section(top, "inputs", found, read_inputs),
        "requires": section(top, "requires", found, read_requires),
        "defaults": section(top, "defaults", found, read_defaults),
        "init": section(top, "init", found, read_init),
        "blocks": section(top, "blocks", found, read_blocks),
        "outputs": section(top, "outputs", found, read_outputs),
        "expect": section(top, "expect", found, read_expect),
    }


def _base(top: Mapping, found: Collector, files: Files) -> dict[str, Any]:
    """The fields of the file that `extends:` names, as its `variant:` if one is chosen."""
    reference, choice = top.entries["extends"][1], top.get("variant")
    tree, inner = files.open(reference, "extends", found)
    if is_block_file(tree):
        message = "`extends:` builds on a whole network: this file has blocks only"
        raise found.report("E101", message, reference.place, help="`include:` brings its blocks")
    fields = read_fields(tree, found, inner)
    if choice is None or found.failed:  # its variants may stand in what cannot be read
        return fields
    variant = read_choice(choice, fields["name"], fields["variants"], found)
    chosen = {"params": choose(fields["params"], variant), "name": variant.name.text}
    return {**fields, **chosen, "variants": {}}


def _refuse_choice(top: Mapping, found: Collector) -> None:
    if "variant" in top.entries:
        message = "`variant:` chooses a variant of the file that `extends:` names: there is none"
        found.report("E101", message, top.entries["variant"][0].place)


def _add_variants(top: Mapping, fields: dict[str, Any], found: Collector) -> None:
    """Add the file's own variants: they are values for parameters that are known by now."""
    params = fields["params"]
    names = [param.name.text for param in params]
    own = section(top, "variants", found, lambda node, found: read_variants(node, found, names))
    if own is not None:
        check_values(own.values(), params, found)
        fields["variants"] = join_variants(fields["variants"], own.values(), found)
