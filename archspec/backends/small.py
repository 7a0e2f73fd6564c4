"""Small module classes that a generated file defines for itself.

A tensor operation in a `nn.Sequential` needs a module; a layer type that `torch.nn` does not have
brings its definition along.
"""

import re

from archspec.backends.expressions import Expression, invocation
from archspec.ops import Function

_INIT = """    def __init__(self, {arguments}) -> None:
        super().__init__()
{lines}

"""
_CLASS = """class {name}(nn.Module):
{init}    def forward(self, x: Tensor) -> Tensor:
        return {code}
"""


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
    init = ""
    if values:
        arguments = ", ".join(f"{key}: {_type(value)}" for key, value in function.values.items())
        lines = "\n".join(f"        self.{key} = {key}" for key in values)
        init = _INIT.format(arguments=arguments, lines=lines)
    return _CLASS.format(name=kind, init=init, code=code)


def _type(value: object) -> str:
    if isinstance(value, tuple):
        return "tuple[int, ...]"
    return type(value).__name__ if isinstance(value, bool | int | float | str) else "object"
