"""Tree → typed spec: parameters, inputs and the file-wide defaults."""

from keyword import iskeyword

from archspec.diagnostics import Collector, Refused, did_you_mean
from archspec.spec.model import InputSpec, ParamSpec
from archspec.spec.parts import as_mapping, as_text, attempt, refuse_unknown_keys
from archspec.spec.traps import refuse_split
from archspec.syntax import Mapping, Node, Scalar, Sequence, describe
from archspec.tensors import DTYPES

_WORDS = ("input", "true", "false", "null")
"""Words with a meaning in expressions."""
_FORWARD = frozenset({"self", "torch", "nn", "F", "getattr", "float", "Tensor"})
"""Words with a meaning in `forward`."""
KINDS = ("int", "float", "bool", "str", "list", "layer")


def read_params(node: Node, found: Collector) -> tuple[ParamSpec, ...]:
    """`params: {planes: int, stride: 1, eps: float?}`."""
    params = as_mapping(node, "`params:`", found)
    if not refuse_split(params, found):
        for name, _ in params.items():
            check_word(name, "a parameter", found)
    return tuple(_read_param(name, value) for name, value in params.items())


def _read_param(name: Scalar, value: Node) -> ParamSpec:
    if isinstance(value, Scalar) and isinstance(value.value, str):
        word = value.value.removesuffix("?")
        if word in KINDS:
            nullable = value.value.endswith("?")
            return ParamSpec.model_construct(name=name, kind=word, nullable=nullable, default=None)
    return ParamSpec.model_construct(name=name, kind=None, nullable=True, default=value)


def check_word(name: Scalar, what: str, found: Collector) -> None:
    """Expressions must be able to say the name."""
    word = name.text
    if not word.isascii() or not word.isidentifier() or iskeyword(word) or word in _WORDS:
        message = f"{what} cannot be called `{word}`: expressions could not name it"
        found.report("E111", message, name.place)


def read_inputs(node: Node, found: Collector) -> tuple[InputSpec, ...]:
    """`inputs: {image: [3, 224, 224], tokens: {shape: [T], dtype: int64}}`."""
    help = "inputs have names: `inputs: {image: [3, 224, 224]}`"
    inputs = as_mapping(node, "`inputs:`", found, help)
    for name, _ in inputs.items():
        if name.text != "input":
            check_word(name, "an input", found)
    read = (attempt(lambda n=n, v=v: _read_input(n, v, found)) for n, v in inputs.items())  # type: ignore[misc]
    return tuple(each for each in read if each is not None)


def _check_argument(name: Scalar, found: Collector) -> None:
    """An input is an argument of `forward`, which may be given by its name."""
    if name.text in _FORWARD:
        message = f"an input cannot be called `{name.text}`: `forward` needs that name itself"
        found.report("E111", message, name.place)


def _read_input(name: Scalar, value: Node, found: Collector) -> InputSpec:
    _check_argument(name, found)
    shape, dtype = value, "float32"
    if isinstance(value, Mapping):
        stray = refuse_unknown_keys(value, ("shape", "dtype"), "an input", found)
        given = value.get("shape")
        if given is None and stray:
            raise Refused
        if given is None:
            raise found.report("E104", f"input `{name.text}` has no `shape:`", name.place)
        shape = given
        word = value.get("dtype")
        if word is not None:
            dtype = read_dtype(word, found)
    if not isinstance(shape, Sequence):
        message = f"the shape of an input is a list such as [3, 224, 224], not {describe(shape)}"
        raise found.report("E105", message, shape.place)
    return InputSpec.model_construct(name=name, shape=shape, dtype=dtype)


def read_dtype(node: Node, found: Collector) -> str:
    """A dtype, by PyTorch's name."""
    text = as_text(node, "`dtype:`", found).text
    if text not in DTYPES:
        help = did_you_mean(text, DTYPES) or f"there are {', '.join(DTYPES)}"
        raise found.report("E105", f"there is no dtype `{text}`", node.place, help=help)
    return text


def read_defaults(node: Node, found: Collector) -> dict[str, tuple[Scalar, Mapping]]:
    """`defaults: {BatchNorm2d: {eps: =bn_eps}}`."""
    defaults = as_mapping(node, "`defaults:`", found)
    return {
        key.text: (key, as_mapping(value, f"the arguments of {key.text}", found))
        for key, value in defaults.items()
    }
