"""A typed spec → one file that needs no other: its sections as their files have them."""

from collections.abc import Iterator

from archspec.spec import ParamSpec, Spec
from archspec.spec.including import is_block_file
from archspec.syntax import Mapping, Node, Scalar, Sequence
from archspec.syntax.writing import flow, header_of, lines_of, quoted, with_value


def flatten(spec: Spec, name: str, *, comments: bool = True) -> str:
    """The text of a spec under another name, as the variant that was chosen.

    Without `comments`, every value stands on one line, and nothing depends on how files are laid
    out.
    """
    writer = _Writer(spec, comments)
    parts = [
        writer.header(),
        ["archspec: 1", f"name: {quoted(name)}", *writer.params()],
        writer.section("inputs"),
        writer.section("requires"),
        writer.expect(),
        writer.variants(),
        writer.defaults(),
        writer.init(),
        writer.blocks(),
        writer.body(),
        writer.section("outputs"),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


class _Writer:
    """Writes the sections of a spec as lists of lines."""

    def __init__(self, spec: Spec, comments: bool) -> None:
        self.spec = spec
        self.comments = comments

    def header(self) -> list[str]:
        """The comments at the top of the file that the network comes from: the last in the row."""
        homes = [tree for tree in self.spec.trees if "inputs" in tree.entries]
        return header_of(homes[-1]) if self.comments and homes else []

    def home(self, key: str) -> Mapping | None:
        """The first file that has a section: it wins over those that it extends."""
        return next((tree for tree in self.spec.trees if key in tree.entries), None)

    def entry(self, parent: Mapping, name: str) -> list[str]:
        """An entry as it stands in its file, or on one line."""
        if self.comments:
            return lines_of(parent, name)
        key, value = parent.entries[name]
        return [f"{flow(key)}: {flow(value)}"]

    def section(self, key: str) -> list[str]:
        """A section of which one file says all."""
        tree = self.home(key)
        return [] if tree is None else self.entry(tree, key)

    def params(self) -> list[str]:
        """The parameters, with the values of the variant as their defaults."""
        found = [line for param in self.spec.chosen for line in self.param(param)]
        return ["params:", *_indented(found)] if found else []

    def param(self, param: ParamSpec) -> list[str]:
        """One parameter. A whole number for one that may be a fraction is written as a fraction."""
        parent, name = self.parent("params", param.name), param.name.text
        if param.value is None:
            return self.entry(parent, name)
        text = flow(param.value)
        is_whole = isinstance(param.value, Scalar) and type(param.value.value) is int
        was = param.default.value if isinstance(param.default, Scalar) else None
        if is_whole and (param.kind == "float" or isinstance(was, float)):
            text += ".0"
        return with_value(parent, name, text) if self.comments else [f"{name}: {text}"]

    def parent(self, key: str, name: Scalar) -> Mapping:
        """The section of the file in which a name stands."""
        sections = (tree.get(key) for tree in self.spec.trees)
        return next(
            section
            for section in sections
            if isinstance(section, Mapping)
            and name.text in section.entries
            and section.entries[name.text][0] is name
        )

    def expect(self) -> list[str]:
        """The sizes that the network is made for; its figures are left to it: a copy is changed."""
        told = (self.spec.expectation, self.spec.expect)  # sizes beside defaults are for all
        sizes = next((each for each in told if each is not None and each.at), None)
        if sizes is None:
            return []
        assert isinstance(sizes.node, Mapping)
        node = Mapping(self.spec.node.source, self.spec.node.mark)
        node.entries = {"at": sizes.node.entries["at"]}
        return [f"expect: {flow(node)}"]

    def variants(self) -> list[str]:
        """The variants, unless one was chosen."""
        if self.spec.variant is not None:
            return []
        names = [variant.name for variant in self.spec.variants.values()]
        return self.entries("variants", names)

    def entries(self, key: str, names: list[Scalar]) -> list[str]:
        """A section whose entries may come from several files."""
        found = [self.entry(self.parent(key, name), name.text) for name in names]
        return [f"{key}:", *_indented(_spaced(found))] if found else []

    def defaults(self) -> list[str]:
        """The arguments that hold in the whole file."""
        found = [f"{name}: {flow(args)}" for name, (_, args) in self.spec.defaults.items()]
        if not found:
            return []
        if sum("defaults" in tree.entries for tree in self.spec.trees) == 1:
            return self.section("defaults")
        return ["defaults:", *_indented(found)]

    def init(self) -> list[str]:
        """How parameters begin: of two rules for the same layers, the later."""
        rules = {rule.key.text: rule.key for rule in self.spec.init}
        return self.entries("init", list(rules.values()))

    def blocks(self) -> list[str]:
        """The blocks of all files, but for included ones that nothing names."""
        named = self.named()
        blocks = (block.name for block in self.spec.blocks.values())
        return self.entries("blocks", [name for name in blocks if name.text in named])

    def named(self) -> set[str]:
        """The blocks of the files themselves, and every included one that some text may name."""
        own = [tree for tree in self.spec.trees if not is_block_file(tree)]
        todo: list[Node] = [*own]
        found: set[str] = set()
        for tree in own:
            blocks = tree.get("blocks")
            found.update(blocks.entries if isinstance(blocks, Mapping) else ())
        while todo:
            for word in _words(todo.pop()):
                if word in self.spec.blocks and word not in found:
                    found.add(word)
                    name = self.spec.blocks[word].name
                    todo.append(self.parent("blocks", name).entries[word][1])
        return found

    def body(self) -> list[str]:
        """The layers, or the arms and what joins them."""
        body = self.spec.body
        assert body is not None
        homes = [tree for tree in self.spec.trees if "layers" in tree.entries]
        if len(homes) > 1 and isinstance(body.node, Mapping):
            return self.entries("layers", [key for key, _ in body.node.items()])
        keys = [key for key in ("layers", "merge", "branches") if self.home(key) is not None]
        return [line for key in keys for line in self.section(key)]


def _words(node: Node) -> Iterator[str]:
    """Every key and every text."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield key.text
            yield from _words(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _words(item)
    elif isinstance(node, Scalar):
        yield node.text


def _indented(lines: list[str]) -> Iterator[str]:
    return (f"  {line}" if line else line for line in lines)


def _spaced(entries: list[list[str]]) -> list[str]:
    """The lines of entries, with a blank one around those that have several."""
    lines: list[str] = []
    for entry in entries:
        if lines and len(entry) > 1:
            lines.append("")
        lines += entry
    return lines
