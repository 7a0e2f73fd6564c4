"""`include:`: the blocks of other files.

include = path | "[" path, ... "]"; a file of blocks has `archspec`, `blocks` and `include` only.
"""

from collections.abc import Iterable, Iterator

from archspec.diagnostics import Collector, Label, Refused
from archspec.spec.blocks import read_blocks
from archspec.spec.files import Files
from archspec.spec.model import BlockSpec
from archspec.spec.parts import items_of, refuse_unknown_keys, section
from archspec.spec.version import check_version
from archspec.syntax import Mapping, Node

BLOCK_FILE_KEYS = ("archspec", "include", "blocks")
Blocks = dict[str, BlockSpec]


def is_block_file(top: Mapping) -> bool:
    """Whether a file has blocks for others, and no network."""
    return ("blocks" in top.entries or "include" in top.entries) and all(
        key in BLOCK_FILE_KEYS for key in top.entries
    )


def included(node: Node | None, found: Collector, files: Files) -> list[Blocks | None]:
    """The blocks of every file that `include:` names; None for one that cannot be read."""
    return [] if node is None else [_blocks_of(each, found, files) for each in items_of(node)]


def _blocks_of(node: Node, found: Collector, files: Files) -> Blocks | None:
    try:
        tree, inner = files.open(node, "include", found)
        _refuse_network(tree, node, found)
    except Refused:
        return None
    known = files.seen.blocks
    if inner.key not in known:
        known[inner.key] = _read_block_file(tree, found, inner)
    return known[inner.key]


def _refuse_network(tree: Mapping, node: Node, found: Collector) -> None:
    stray = [key for key, _ in tree.items() if key.text in _NETWORK]
    if stray:
        message = f"`include:` takes files with `blocks:` only: this one has `{stray[0].text}:`"
        labels = [Label(stray[0].place, "here")]
        help = "`extends:` builds on a whole network"
        raise found.report("E101", message, node.place, labels=labels, help=help)


_NETWORK = ("extends", "params", "inputs", "layers", "merge", "branches", "outputs", "variants")
"""Keys that make a file more than one of blocks."""


def _read_block_file(tree: Mapping, found: Collector, files: Files) -> Blocks | None:
    """The blocks of a file that has nothing else, and of the files that it includes."""
    refuse_unknown_keys(tree, BLOCK_FILE_KEYS, "a file of blocks", found)
    check_version(tree, BLOCK_FILE_KEYS, found)
    own = section(tree, "blocks", found, read_blocks) or {}
    others = included(tree.get("include"), found, files)
    blocks = join_blocks([own, *filter(None, others)], found)
    return None if None in others else blocks


def join_blocks(parts: Iterable[Blocks], found: Collector) -> Blocks:
    """All blocks in one. The same file may come along two ways; two blocks of a name may not."""
    joined: Blocks = {}
    for block in _each(parts):
        name = block.name.text
        first = joined.setdefault(name, block)
        if first.name is not block.name:
            message = f"two blocks are called `{name}`"
            labels = [Label(block.name.place, "the other one")]
            help = "call one of them something else: blocks of all files share their names"
            found.report("E111", message, first.name.place, labels=labels, help=help)
            joined[name] = BlockSpec.model_construct(name=first.name)  # which one, nobody knows
    return joined


def _each(parts: Iterable[Blocks]) -> Iterator[BlockSpec]:
    for part in parts:
        yield from part.values()
