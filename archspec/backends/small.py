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
    """Definitions by name, and what they import."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.imports: dict[str, str] = {}

    def define(self, name: str, source: str) -> str:
        """A definition that a layer type brings; gives the name to call it by."""
        self.names.setdefault(name, source.strip() + "\n")
        return name

    def imported(self, path: str) -> str:
        """A class from elsewhere, such as a user's own layer; gives the name to call it by."""
        module, _, name = path.rpartition(".")
        known = self.imports.setdefault(name, module)
        return name if known == module else path

    def use(self, kind: str, function: Function) -> Expression:
        """A tensor operation as a module: its class, constructed with its literals."""
        source = _source("{name}", kind, function)
        name, number = kind, 2
        while self.names.setdefault(name, source.replace("{name}", name)) != source.replace(
            "{name}", name
        ):
            name, number = f"{kind}{number}", number + 1
        return invocation(name, (), function.values)


def _source(name: str, kind: str, function: Function) -> str:
    values = {key: f"self.{key}" for key in function.values}
    code = function.template.format("x", inputs="x", **values)
    init = ""
    if values:
        arguments = ", ".join(f"{key}: {_type(value)}" for key, value in function.values.items())
        lines = "\n".join(f"        self.{key} = {key}" for key in values)
        init = _INIT.format(arguments=arguments, lines=lines)
    source = _CLASS.replace("{name}", "\0").format(init=init, code=code)
    return re.sub("\0", name, source)


def _type(value: object) -> str:
    if isinstance(value, tuple):
        return "tuple[int, ...]"
    return type(value).__name__ if isinstance(value, bool | int | float | str) else "object"
