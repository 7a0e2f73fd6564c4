"""Small module classes that a generated file defines for itself.

A tensor operation in a `nn.Sequential` needs a module; a layer type that `torch.nn` does not have
brings its definition along.
"""

import re

from archspec.backends.source.constructors import annotation
from archspec.backends.source.expressions import Expression, invocation
from archspec.backends.source.layout import lay_out
from archspec.ops import Function


class SmallModules:
    """Definitions by name, and what they import. All share the names of the file, `taken`."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = taken
        self.names: dict[str, str] = {}
        self.imports: dict[str, str] = {}
        self.known: dict[str, str] = {}

    def define(self, name: str, source: str) -> str:
        """A definition that a layer type brings; gives the name to call it by."""
        if source not in self.known:
            chosen = self.known[source] = claim(name, self.taken)
            text = re.sub(rf"\bclass {name}\b", f"class {chosen}", source)
            self.names[chosen] = text.strip() + "\n"
        return self.known[source]

    def imported(self, path: str) -> str:
        """A class from elsewhere, such as a user's own layer; gives the name to call it by."""
        if path not in self.known:
            module, _, name = path.rpartition(".")
            chosen = self.known[path] = claim(name, self.taken)
            alias = "" if chosen == name else f" as {chosen}"
            self.imports[path] = f"from {module} import {name}{alias}"
        return self.known[path]

    def use(self, kind: str, function: Function) -> Expression:
        """A tensor operation as a module: its class, constructed with its literals."""
        return invocation(self.define(kind, _source(kind, function)), (), function.values)


def claim(name: str, taken: set[str]) -> str:
    """The name, or one like it that is not taken; it is taken then."""
    stem = f"{name}_" if name[-1:].isdigit() else name
    chosen, number = name, 2
    while chosen in taken:
        chosen, number = f"{stem}{number}", number + 1
    taken.add(chosen)
    return chosen


def _source(kind: str, function: Function) -> str:
    values = {key: f"self.{key}" for key in function.values}
    code = function.template.format("x", inputs="x", **values)
    lines = [f"class {kind}(nn.Module):", f'    """`{code}` as a module."""', ""]
    if values:
        arguments = (f"{key}: {annotation((value,))}" for key, value in function.values.items())
        lines += lay_out(f"def __init__(self, {', '.join(arguments)}) -> None:", 4)
        lines.append("        super().__init__()")
        lines += [f"        self.{key} = {key}" for key in values]
        lines.append("")
    lines.append("    def forward(self, x: Tensor) -> Tensor:")
    lines += lay_out(f"return {code}", 8)
    return "\n".join(lines)
