"""The functions of `torch.nn.init` that a spec may name, and what they take.

https://docs.pytorch.org/docs/stable/nn.init.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import erf, isnan, prod, sqrt
from typing import Any, Final

from archspec.diagnostics import Fault, did_you_mean, shown

INITIALISERS: Final[Mapping[str, tuple[str, ...]]] = {
    "zeros_": (),
    "ones_": (),
    "eye_": (),
    "constant_": ("val",),
    "normal_": ("mean", "std"),
    "uniform_": ("a", "b"),
    "trunc_normal_": ("mean", "std", "a", "b"),
    "xavier_uniform_": ("gain",),
    "xavier_normal_": ("gain",),
    "kaiming_uniform_": ("a", "mode", "nonlinearity"),
    "kaiming_normal_": ("a", "mode", "nonlinearity"),
    "orthogonal_": ("gain",),
    "sparse_": ("sparsity", "std"),
    "dirac_": ("groups",),
}
"""Arguments by function."""
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "mode": ("fan_in", "fan_out"),
    "nonlinearity": ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"),
}
"""Arguments that are words."""
LARGEST: Final = {"float16": 65504.0}
"""Largest number by dtype; others take up to 1e30."""
MOST_DRAWS: Final = 100
"""Numbers that `trunc_normal_` may draw for one that it takes: PyTorch goes on until it has all."""
FARTHEST: Final = 1000
"""Standard deviations from the mean at which it can tell numbers apart in float32."""
_REQUIRED: Final[Mapping[str, Mapping[str, str]]] = {
    "constant_": {"val": "0.5"},
    "sparse_": {"sparsity": "0.9"},
}
"""Arguments without a default, with an example."""
_MATRICES: Final = (
    *("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "orthogonal_"),
)


@dataclass(frozen=True, slots=True)
class Initialiser:
    """How a parameter begins: a function of `torch.nn.init`, and its arguments."""

    function: str
    args: Mapping[str, Any] = field(default_factory=dict)
    formulas: Mapping[str, str] = field(default_factory=dict, compare=False)
    """By argument: code over the attributes of `module`, where one rule serves many layers."""
    computed: bool = field(default=False, compare=False)
    """Whether it was an expression, which may have read what the layer is."""


def split(init: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name of an initialiser, and its arguments by name."""
    if isinstance(init, str):
        return init, {}
    name, value = next(iter(init.items()), ("", None))
    if isinstance(value, dict):
        return name, {argument: _as_number(each) for argument, each in value.items()}
    first = INITIALISERS.get(name, ())[:1]
    return name, dict(zip(first, [_as_number(value)], strict=False)) if value is not None else {}


def _as_number(value: Any) -> Any:
    """The argument as PyTorch takes it: an integer beyond 64 bits would be none to it."""
    return float(value) if type(value) is int and value.bit_length() in range(64, 1024) else value


def fans(sizes: tuple[int, ...]) -> dict[str, int]:
    """`fan_in` and `fan_out` of a weight, as PyTorch counts them: none below 2 dimensions."""
    if len(sizes) < 2:
        return {}
    field = prod(sizes[2:])
    return {"fan_in": sizes[1] * field, "fan_out": sizes[0] * field}


def check(init: str | Mapping[str, Any], sizes: tuple[int, ...], dtype: str) -> None:
    """Raise a `Fault` for what PyTorch would refuse for a tensor of these sizes."""
    check_call(init, dtype)
    name, args = split(init)
    _check_sizes(name, args, sizes)


def check_call(init: str | Mapping[str, Any], dtype: str = "float32") -> None:
    """Raise a `Fault` for what PyTorch would refuse whatever the tensor's sizes are.

    Its field is `init`, or `init.std` for what is wrong with an argument.
    """
    if not isinstance(init, str) and len(init) != 1:
        raise Fault("E105", f"one initialiser, not {len(init)}", field="init")
    name, args = split(init)
    if name not in INITIALISERS:
        help = did_you_mean(name, INITIALISERS) or f"there are {', '.join(INITIALISERS)}"
        raise Fault("E105", f"there is no initialiser `{name}`", field="init", help=help)
    if not INITIALISERS[name] and not isinstance(init, str) and init[name] not in (None, {}):
        raise Fault("E103", f"{name} takes no arguments: write it alone", field="init")
    for argument, value in args.items():
        _check_argument(name, argument, value, LARGEST.get(dtype, 1e30))
    for argument, example in _REQUIRED.get(name, {}).items():
        if argument not in args:
            help = f"for example `{{{name}: {example}}}`"
            raise Fault("E104", f"{name} needs a number", field="init", help=help)
    _check_ranges(name, args)


def _check_argument(name: str, argument: str, value: Any, largest: float) -> None:
    field = f"init.{argument}"
    if argument not in INITIALISERS[name]:
        known = INITIALISERS[name]
        help = did_you_mean(argument, known) or (f"it has {', '.join(known)}" if known else None)
        raise Fault("E103", f"{name} has no argument `{argument}`", field=field, help=help)
    words = WORDS.get(argument)
    if words is not None:
        if value not in words:
            message = f"{name}.{argument} is one of {', '.join(words)}, not {shown(value)}"
            raise Fault("E105", message, field=field, help=did_you_mean(str(value), words))
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise Fault("E105", f"{name}.{argument} is a number, not {shown(value)}", field=field)
    elif isinstance(value, float) and isnan(value):
        raise Fault("E208", f"{name}.{argument} is not a number", field=field)
    elif not abs(value) <= largest:
        raise Fault("E208", f"{name}.{argument} is too large: {shown(value)}", field=field)


def _check_ranges(name: str, args: Mapping[str, Any]) -> None:
    std, gain = args.get("std", 1), args.get("gain", 1)
    if std == 0 if name == "trunc_normal_" else std < 0:  # there, a negative one only mirrors
        raise Fault("E208", f"{name}.std must be positive, not {std}", field="init.std")
    if gain < 0 and name.startswith("xavier"):
        raise Fault("E208", f"{name}.gain must not be negative, not {gain}", field="init.gain")
    if not 0 <= args.get("sparsity", 0) <= 1:
        message = f"{name}.sparsity is between 0 and 1, not {args['sparsity']}"
        raise Fault("E105", message, field="init.sparsity")
    groups = args.get("groups", 1)
    if not isinstance(groups, int) or groups < 1:
        message = f"{name}.groups is a whole number, 1 or more, not {shown(groups)}"
        raise Fault("E105", message, field="init.groups")
    if "b" in INITIALISERS[name]:
        low = -2.0 if name == "trunc_normal_" else 0.0
        high = 2.0 if name == "trunc_normal_" else 1.0
        a, b = args.get("a", low), args.get("b", high)
        if a > b:
            raise Fault("E208", f"{name} runs from a to b, but {a} is above {b}", field="init.a")
        if name == "trunc_normal_":
            _check_draws(args.get("mean", 0.0), std, a, b)


def _check_draws(mean: float, std: float, a: float, b: float) -> None:
    """Refuse bounds so far out that PyTorch would draw numbers for hours, or for ever."""
    inside = (erf((b - mean) / std / sqrt(2)) - erf((a - mean) / std / sqrt(2))) / 2
    if inside > 0.3:
        return  # it draws from the normal distribution; else from all between a and b alike
    distance = abs((max(a, min(mean, b)) - mean) / std)
    draws = abs((b - a) / std) * max(distance, 0.4)
    if not (distance < FARTHEST and draws < MOST_DRAWS):
        message = f"trunc_normal_ with mean {mean} and std {std} gives next to nothing in {a} … {b}"
        help = "PyTorch would draw numbers until all lie between a and b"
        raise Fault("E105", message, field="init", help=help)


def _check_sizes(name: str, args: Mapping[str, Any], sizes: tuple[int, ...]) -> None:
    shape = list(sizes)
    if name in ("eye_", "sparse_") and len(sizes) != 2:
        raise Fault("E203", f"{name} takes 2 dimensions, not {shape}", field="init")
    if name == "dirac_" and len(sizes) not in (3, 4, 5):
        raise Fault("E203", f"dirac_ takes 3, 4 or 5 dimensions, not {shape}", field="init")
    if name == "dirac_" and 0 in sizes[2:] and 0 not in sizes[:2]:
        raise Fault("E118", f"dirac_ has no centre in a kernel of {shape[2:]}", field="init")
    if name == "dirac_" and sizes[0] % args.get("groups", 1):
        message = f"groups {args['groups']} does not divide the first size of {shape}"
        raise Fault("E206", message, field="init.groups")
    if name.startswith("kaiming") and 0 in sizes:
        return  # PyTorch leaves a tensor without elements alone
    if name in _MATRICES and len(sizes) < 2:
        raise Fault("E203", f"{name} takes 2 dimensions or more, not {shape}", field="init")
    if name.startswith("xavier") and 0 in sizes:
        raise Fault("E118", f"{name} has no scale for a shape without elements", field="init")
