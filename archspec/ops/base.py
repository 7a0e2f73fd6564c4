"""A layer type is one class: its fields are the arguments, and it knows its shape, cost and code.

What a new layer type says:

- its arguments, as pydantic fields with PyTorch's names and defaults;
- `infer`: the arguments that follow from the inputs (`in_channels`);
- `check`: what PyTorch refuses whatever the input is;
- `shape`: the outputs from the inputs, or a `Fault`;
- `weights`, `buffers`, `macs`: what it holds and what it costs;
- `emit`: the code, as data. For a class of `torch.nn` the base class does that;
- `result_view`, `result_layout`, `starts_stage`: how its results lie in memory.

Rules never see file positions: they raise a `Fault` that names a field or an input.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict

from archspec.diagnostics import Fault, Remedy
from archspec.sizes import Measured, Size, equal, holds
from archspec.tensors import FLOATS, INTEGERS, Tensor

Layout = Literal["own", "joined", "kept", "any"]

_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class Construct:
    """A child module: `path(*args, **kwargs)` in `__init__`, and how `forward` calls it.

    `usual` are the defaults of the class: code does not spell out what is usual anyway.
    `call` is the expression in `forward`; `{self}` is the child, `{inputs}` its inputs.
    `unpack` takes a result apart where there are several: `"{output}, ({h}, {c})"`; a result that
    nobody reads becomes `_`, and `adjust` holds what is done to a result that somebody reads.
    `first` is the call to use when only the first result is read.
    `definition` is the source of the class, for a type that cannot be imported from `path`.
    """

    path: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)
    call: str = "{self}({inputs})"
    unpack: str | None = None
    adjust: Mapping[str, str] = field(default_factory=dict)
    first: str | None = None
    definition: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """An expression in `forward`, without a module of its own.

    `{0}`, `{1}`, … are the inputs, `{inputs}` all of them; every other name in the template is a
    literal of `values`. `torch` and `F` (torch.nn.functional) may be used.
    An expression with several results gives a tuple.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FreeTensor:
    """A parameter or buffer of the scope itself.

    With `init` (a function of `torch.nn.init` and its arguments) it is a parameter; else a buffer
    that holds `value`: a number, or a formula over the names in `index`.
    """

    sizes: tuple[int, ...]
    dtype: str
    init: tuple[str, Mapping[str, Any]] | None = None
    value: Any = None
    index: tuple[str, ...] = ()
    persistent: bool = True


@dataclass(frozen=True, slots=True)
class Attribute:
    """A parameter of another child of the scope, as `forward` reads it: `self.{owner}.{name}`."""

    owner: str
    name: str


Emission = Construct | Function | FreeTensor | Attribute


class Layer(BaseModel):
    """Base of all layer types. A subclass is final once it is registered under its class name."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """How many inputs it takes: from, to (None: any number)."""
    ranks: ClassVar[tuple[int, ...] | None] = None
    """Dimensions that its (first) input may have, batch left out; None: any."""
    unbatched: ClassVar[tuple[int, ...]] = ()
    """Ranks at which PyTorch would take the batch for another dimension (class *meaning*)."""
    dtypes: ClassVar[tuple[str, ...] | None] = FLOATS
    """Dtypes that every input may have; None: any."""
    free: ClassVar[bool] = False
    """Whether its inputs may be tensors without a batch (Parameter, Buffer)."""
    needs_batch: ClassVar[tuple[int, ...]] = ()
    """The inputs that must have a batch even so."""
    results: ClassVar[tuple[str, ...]] = ()
    """Names of the results of a layer with several; a layer with numbered ones leaves it empty."""
    bare: ClassVar[tuple[str, ...]] = ()
    """Arguments that are shapes: bare words in them are expressions."""
    formulas: ClassVar[tuple[str, ...]] = ()
    """Arguments that are formulas over indices: kept until the module is built."""
    path: ClassVar[str | None] = None
    """The class that is constructed, as a dotted name; None: our name in `torch.nn`."""
    positional: ClassVar[tuple[str, ...]] = ()
    """Fields that the emitted constructor call gives without their names."""
    measured: ClassVar[tuple[str, ...]] = ()
    """Fields that take symbolic sizes, which the module then reads from its tensors."""
    result_view: ClassVar[bool | None] = False
    """Whether its results are the input itself, or views of it; None: maybe."""
    result_layout: ClassVar[Layout] = "any"
    """Whether its results are contiguous: always ("own"), always but for images and volumes, which
    may stay channels-last ("joined"), if its inputs are ("kept"), or maybe.
    """
    starts_stage: ClassVar[bool] = False
    """Whether a stage of a pipeline may begin with it: the gradient of its input is contiguous."""
    hidden: ClassVar[tuple[str, ...]] = ()
    """Fields that the emitted constructor call leaves out."""

    def check(self) -> None:
        """Raise a `Fault` for arguments that are wrong whatever the input is."""

    def infer(self, *inputs: Tensor) -> Mapping[str, Size]:
        """The arguments that follow from the inputs. They are checked where they are given."""
        return _NOTHING

    def shape(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The output, or the outputs, for these inputs; raises a `Fault` where there is none."""
        raise NotImplementedError

    def measures(self) -> tuple[Measured, ...]:
        """The sizes among the arguments that are read from tensors when the module runs."""
        values = (getattr(self, name) for name in self.measured)
        items = (item for each in values for item in (each if isinstance(each, tuple) else (each,)))
        return tuple(item for item in items if isinstance(item, Measured))

    def between(self, *inputs: Tensor) -> Iterable[Size]:
        """Sizes that PyTorch works with on the way from the inputs to the outputs."""
        return ()

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        """Name and shape of every parameter, in PyTorch's order."""
        return _NOTHING

    def buffers(self) -> Mapping[str, tuple[int, ...]]:
        """Name and shape of every buffer of the state dict, in PyTorch's order."""
        return _NOTHING

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        """Multiply-adds of one call at batch 1 in eval, as `FlopCounterMode` counts them."""
        return 0

    def remarks(self, *inputs: Tensor) -> tuple[Fault, ...]:
        """Warnings and notes about a use that is accepted."""
        return ()

    def emit(self, inputs: tuple[Tensor, ...]) -> Emission:
        """What to construct or compute. Here: the class at `path`.

        `inputs` are the types of one call, for expressions that depend on ranks.
        """
        fields = type(self).model_fields
        args = tuple(getattr(self, name) for name in self.positional)
        skipped = {*self.positional, *self.hidden}
        named = {name: info for name, info in fields.items() if name not in skipped}
        in_order = sorted(named, key=lambda name: name == "inplace")  # last, as in PyTorch
        kwargs = {name: getattr(self, name) for name in in_order}
        usual = {name: info.default for name, info in named.items() if not info.is_required()}
        return Construct(self.path or f"torch.nn.{type(self).__name__}", args, kwargs, usual)


def apply(layer: Layer, *inputs: Tensor) -> tuple[Layer, tuple[Tensor, ...]]:
    """Apply a layer to inputs: the layer with nothing left to infer, and its outputs.

    Raises `Fault`.
    """
    complete = accept(layer, *inputs)
    return complete, outputs_of(complete, inputs)


def accept(layer: Layer, *inputs: Tensor) -> Layer:
    """The layer with its inferred arguments filled in, after all that is common was checked."""
    _check_inputs(layer, inputs)
    try:
        inferred = layer.infer(*inputs)
        return _complete(layer, inferred) if inferred else layer
    except Fault:
        raise
    except Exception as error:
        raise _failure(layer, error) from error


def outputs_of(layer: Layer, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """The outputs of a complete layer, always as a tuple."""
    try:
        outputs = layer.shape(*inputs)
    except Fault:
        raise
    except Exception as error:
        raise _failure(layer, error) from error
    return outputs if isinstance(outputs, tuple) else (outputs,)


def _failure(layer: Layer, error: Exception) -> Fault:
    """The fault for what a rule of the user's own raised; what another raised is raised again."""
    from archspec.ops.own import failure  # imports this module

    return failure(type(layer), error)


def _check_inputs(layer: Layer, inputs: tuple[Tensor, ...]) -> None:
    kind = type(layer).__name__
    low, high = layer.arity
    if len(inputs) < low or (high is not None and len(inputs) > high):
        wanted = (
            str(low) if low == high else f"{low} or more" if high is None else f"{low} to {high}"
        )
        plural = "input" if wanted == "1" else "inputs"
        help = f"name them: `{{{kind}: [a, b]}}`" if len(inputs) < low else None
        raise Fault("E112", f"{kind} takes {wanted} {plural}, not {len(inputs)}", help=help)
    for number, x in enumerate(inputs):
        if layer.dtypes is not None and x.dtype not in layer.dtypes:
            message = f"{kind} takes {_dtype_words(layer.dtypes)}, not {x.dtype}"
            raise Fault("E207", message, input=number, help=dtype_help(layer.dtypes, x))
        if not x.batched and (not layer.free or number in layer.needs_batch):
            message = f"{kind} takes batched tensors, not a free tensor"
            help = "join it with a batched tensor first: Add, Mul and Concat do that"
            raise Fault("E117", message, input=number, help=help)
    if layer.ranks is not None and len(inputs[0].shape) not in layer.ranks:
        raise _wrong_rank(layer, inputs[0])


def _dtype_words(dtypes: tuple[str, ...]) -> str:
    if dtypes == FLOATS:
        return "floating-point numbers"
    if set(FLOATS) < set(dtypes):
        others = [dtype for dtype in dtypes if dtype not in FLOATS]
        if set(others) == set(INTEGERS):
            return "numbers"
        return f"{', '.join(others)} or floating-point numbers"
    return "integers" if set(dtypes) <= set(INTEGERS) else " or ".join(dtypes)


def dtype_help(dtypes: tuple[str, ...], x: Tensor) -> str | None:
    """How to get from the dtype of `x` to one of `dtypes`: usually the input does not say it."""
    if x.is_float and "int64" in dtypes:
        sizes = ", ".join(map(str, x.shape))
        return f"an input of integers says so: `{{shape: [{sizes}], dtype: int64}}`"
    if not x.is_float and "float32" in dtypes:
        vectors = "; Embedding makes vectors of integers" if len(x.shape) == 1 else ""
        return f"an input without `dtype:` is float32{vectors}"
    return None


def _wrong_rank(layer: Layer, x: Tensor) -> Fault:
    kind, rank = type(layer).__name__, len(x.shape)
    wanted = " or ".join(str(r) for r in layer.ranks or ())
    wanted += " dimension" if wanted == "1" else " dimensions"
    message = f"{kind} takes {wanted} beside the batch, not {rank} ({x})"
    if rank in layer.unbatched:
        note = f"PyTorch would read the batch of this {x} as the first dimension of one sample"
        longer = ", ".join(map(str, (1, *x.shape)))
        help = f"a dimension is missing: [{longer}] in `inputs:`, or `Unsqueeze: {{dim: 1}}` here"
        return Fault("E501", message, input=0, notes=[note], help=help)
    batch = "shapes in a spec leave the batch out" if rank - 1 in (layer.ranks or ()) else None
    return Fault("E203", message, input=0, help=batch)


def _complete(layer: Layer, inferred: Mapping[str, Size]) -> Layer:
    missing: dict[str, int] = {}
    for name, value in inferred.items():
        given = getattr(layer, name)
        if given is None:
            missing[name] = _known(layer, name, value)
        elif not holds(equal(value, given)):
            raise Fault(
                "E205",
                f"{name} is {given}, but the input has {value}",
                field=name,
                input=0,
                help=Remedy.of(
                    f"write {name}: {value}, or leave it out", str(given), str(value), certain=False
                ),
            )
    return layer.model_copy(update=missing) if missing else layer


def _known(layer: Layer, name: str, value: Size) -> int:
    if isinstance(value, int):
        return value
    raise Fault(
        "E114",
        f"{type(layer).__name__} needs a fixed {name}, but its input has {value}",
        input=0,
        help="fix the input size, or pool to a fixed size before this layer",
    )
