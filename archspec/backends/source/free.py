"""Free tensors → code: what `__init__` makes of them, and what `reset_parameters` fills in.

They are made empty and filled later, as in PyTorch's own layers: a module that was on the meta
device can be filled again.
"""

from collections.abc import Mapping
from typing import Any

from archspec.backends.source.constructors import SIZE
from archspec.backends.source.expressions import Expression, Hole, Invocation, Spell, Text
from archspec.backends.source.layout import normal
from archspec.backends.source.literals import fresh, identifier, is_identifier, literal
from archspec.backends.source.measures import is_number
from archspec.expr import Formula
from archspec.ops import FreeTensor


class Code(str):
    """An argument that is code already."""

    __slots__ = ()


def empty(tensor: FreeTensor) -> Invocation:
    """The call that makes a parameter or buffer, without values."""
    sizes: list[tuple[str | None, Expression]] = [(None, Hole(n, SIZE)) for n in tensor.sizes]
    if tensor.dtype != "float32":
        sizes.append(("dtype", Text(f"torch.{tensor.dtype}")))
    return Invocation("torch.empty", tuple(sizes) if tensor.sizes else ((None, Text("()")), *sizes))


def declaration(name: str, tensor: FreeTensor, empty: str) -> str:
    """The statement that registers a parameter or buffer; `empty` is the code that makes it."""
    if tensor.init is None:
        end = "" if tensor.persistent else ", persistent=False"
        return f"self.register_buffer({literal(name)}, {empty}{end})"
    if is_identifier(name):
        return f"self.{name} = nn.Parameter({empty})"
    return f"self.register_parameter({literal(name)}, nn.Parameter({empty}))"


def filling(name: str, tensor: FreeTensor, spell: Spell) -> list[str]:
    """The statements that give a parameter or buffer its values."""
    kind = "buffer" if tensor.init is None else "parameter"
    target = f"self.{name}" if is_identifier(name) else f"self.get_{kind}({literal(name)})"
    if tensor.init is not None:
        function, args = tensor.init
        given = {key: _held(key, value, spell) for key, value in args.items()}
        return [initialisation(function, target, given)]
    if not isinstance(tensor.value, Formula):
        return [f"{target}.fill_({_held('value', tensor.value, spell)})"]
    return _computed(target, tensor, tensor.value, spell)


def _held(name: str, value: Any, spell: Spell) -> Code:
    """The code of an argument, which the module may hold if it is a number."""
    code = spell(Hole(value, name)) if is_number(value) else None
    return Code(literal(value) if code is None else code)


def initialisation(function: str, target: str, args: Mapping[str, Any]) -> str:
    """A call of a function of `torch.nn.init`."""
    codes = {
        key: value if isinstance(value, Code) else literal(value) for key, value in args.items()
    }
    # Nobody writes `constant_(x, val=1.0)`.
    extra = "".join(
        f", {code}" if key == "val" else f", {key}={code}" for key, code in codes.items()
    )
    return f"nn.init.{function}({target}{extra})"


def _computed(target: str, tensor: FreeTensor, formula: Formula, spell: Spell) -> list[str]:
    """A buffer's formula, over a tensor for every index that it uses."""
    variables: dict[str, str] = {}
    for index in tensor.index:
        variables[index] = fresh(identifier(index), set(variables.values()))
    used = [
        (position, variables[index])
        for position, index in enumerate(tensor.index)
        if formula.reads(index)
    ]
    lines = [f"{variable} = {_index(tensor, position, spell)}" for position, variable in used]
    code = normal(formula.code(variables, lambda name, value: spell(Hole(value, name))))
    return [*lines, f"{target}.{'copy_' if used else 'fill_'}({code})"]


def _index(tensor: FreeTensor, position: int, spell: Spell) -> str:
    """The numbers of one dimension, along it. Those of a float64 buffer count in float64: a
    division would round to float32.
    """
    exact = ", dtype=torch.float64" if tensor.dtype == "float64" else ""
    view = ["1"] * len(tensor.sizes)
    view[position] = "-1"
    shaped = f".view({', '.join(view)})" if len(view) > 1 else ""
    return f"torch.arange({_held(SIZE, tensor.sizes[position], spell)}{exact}){shaped}"
