"""A network as a program without Python: `torch.export`, and ONNX made from that.

Both are run once and compared with the module before the file is kept.
"""

import functools
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram, default_decompositions

from archspec.backends.dynamic import dynamic_shapes
from archspec.backends.example import evaluating, named_outputs, random_inputs
from archspec.backends.files.artefacts import ArtefactError
from archspec.exporting import ExportPlan
from archspec.exporting import plan as plan_export
from archspec.network import Network

BATCH: Final = 2
"""Samples of the example that is traced: 1 would be taken for a fixed size."""
TOLERANCE: Final = 1e-4
"""How far an output may be from the module's, as a share of its largest value."""
LARGEST_MODEL: Final = 1_800_000_000
"""Bytes of weights in an ONNX file; of larger models they stand in a file beside it."""
TALKATIVE: Final = ("torch.onnx", "onnxscript", "torch.fx.experimental.symbolic_shapes")
"""Loggers that warn of what is no concern of a user: a constant that is not folded, an inequality
that sympy does not solve (with a traceback, though export goes on without)."""


def write_program(network: Network, module: nn.Module | None, path: Path) -> str:
    """Write a program of `torch.export`; gives words about it.

    Several outputs come as a dict: a named tuple could be read only where its class is known.
    """
    module = module or network.build()
    with _refusals("torch.export"), evaluating(module), _quiet():
        plan = network.export_plan()
        inputs = _inputs(network, module, plan)
        program = exported(network, module, inputs, plan)
        _compare(
            network, module, program.module()(*inputs.values()), inputs, "the exported program"
        )
        program.example_inputs = None  # random numbers, of no use to who loads it
        torch.export.save(program, path)
    return f"an exported program {_dynamic(network, plan)}"


def write_onnx(network: Network, module: nn.Module | None, path: Path) -> str:
    """Write an ONNX model; gives words about it. It is run where onnxruntime is installed."""
    module = module or network.build()
    with _refusals("torch.onnx"), evaluating(module), _quiet():
        plan = plan_export(network, onnx=True)
        inputs = _inputs(network, module, plan)
        program = _attending(exported(network, module, inputs, plan))
        made = torch.onnx.export(
            program,
            input_names=list(inputs),
            output_names=list(network.outputs),
            dynamo=True,
            verbose=False,
        )
        assert made is not None
        axes: dict[Any, str] = {**_axis_names(network, program)}
        made.rename_axes(axes)
        made.save(path, external_data=_bytes(module) > LARGEST_MODEL)
    words = f"an ONNX model {_dynamic(network, plan)}"
    reason = _not_run(module)
    if reason is not None:
        return f"{words}; not run: {reason}"
    try:
        found = run_onnx(path, inputs)
    except ArtefactError as error:
        if "NOT_IMPLEMENTED" not in str(error):
            raise
        return f"{words}; not run: {error}"  # of the model's own operations, in float64 for example
    _compare(network, module, found, inputs, "onnxruntime")
    return words


def _not_run(module: nn.Module) -> str | None:
    """Why an ONNX model is not tried out here; None if it is."""
    if find_spec("onnxruntime") is None:
        return "onnxruntime is not installed"
    half = {each.dtype for each in module.parameters()} & {torch.float16, torch.bfloat16}
    return "onnxruntime has few operations in half precision on a CPU" if half else None


def run_onnx(path: Path, inputs: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
    """The outputs of an ONNX model, by onnxruntime on CPU."""
    import onnxruntime

    with _refusals("onnxruntime"):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        fed = {name: value.numpy(force=True) for name, value in inputs.items()}
        return tuple(torch.from_numpy(each) for each in session.run(None, fed))


def exported(
    network: Network, module: nn.Module, inputs: Mapping[str, Tensor], plan: ExportPlan
) -> ExportedProgram:
    """The module, which is in eval, as a program: for every batch, and all sizes of a plan."""
    return torch.export.export(
        _by_name(network, module),
        tuple(inputs.values()),
        dynamic_shapes=dynamic_shapes(network, plan),
    )


def _attending(program: ExportedProgram) -> ExportedProgram:
    """The program with all attention in four dimensions: ONNX has no other.

    Attention in three or five dimensions is taken apart, into products and a softmax.
    """
    attention = torch.ops.aten.scaled_dot_product_attention.default
    found = (node for node in program.graph.nodes if node.target is attention)
    if all(node.meta["val"].dim() == 4 for node in found):
        return program
    apart: ExportedProgram = program.run_decompositions(
        {attention: default_decompositions()[attention]}
    )
    return apart


def _by_name(network: Network, module: nn.Module) -> nn.Module:
    """The module itself, or where it gives a named tuple one with the same parts that gives a dict.

    A file with a named tuple could be loaded only by a process that knows its class.
    """
    kind = type(module)

    class Named(kind):  # type: ignore[valid-type, misc]
        @functools.wraps(kind.forward)
        def forward(self, *args: Tensor) -> Any:
            result = super().forward(*args)
            return dict(named_outputs(result, network)) if isinstance(result, tuple) else result

    named = Named.__new__(Named)
    named.__dict__ = module.__dict__
    return named


def _inputs(network: Network, module: nn.Module, plan: ExportPlan) -> dict[str, Tensor]:
    """An example, of the device and dtype of the module's weights."""
    kinds = (each for each in (*module.parameters(), *module.buffers()) if each.is_floating_point())
    first = next(kinds, torch.zeros(()))
    return random_inputs(
        network,
        BATCH,
        device=str(first.device),
        dtype=str(first.dtype).removeprefix("torch."),
        sizes=plan.example,
    )


def _compare(
    network: Network, module: nn.Module, result: Any, inputs: Mapping[str, Tensor], what: str
) -> None:
    """Raises `ArtefactError` where the outputs are not those of the module."""
    with evaluating(module), torch.no_grad():
        wanted = named_outputs(module(*inputs.values()), network)
    found = named_outputs(result, network)
    for name, value in wanted.items():
        ours, theirs = value.double().cpu(), found[name].double().cpu()
        if ours.shape != theirs.shape:
            raise ArtefactError(f"{what} gives `{name}` another shape than the module")
        allowed = TOLERANCE if value.dtype in (torch.float32, torch.float64) else 0.05
        known = ours[ours.isfinite()]  # a share of what is not would be nothing
        scale = known.abs().max().clamp(min=1) if known.numel() else 1.0
        if not torch.allclose(ours / scale, theirs / scale, rtol=0, atol=allowed, equal_nan=True):
            raise ArtefactError(f"{what} gives `{name}` other values than the module")


def _dynamic(network: Network, plan: ExportPlan) -> str:
    """Which sizes a program takes; and where a symbol is fixed, what was given up and why."""
    kept = [each.words(symbol) for symbol, each in plan.kept.items()]
    fixed = [name for name in network.sizes.symbols if name not in plan.kept]
    sizes = ", ".join(("every batch", *kept, *(f"{name} = {plan.example[name]}" for name in fixed)))
    dropped = plan.dropped if fixed else ()
    return "\n  ".join((f"for {sizes}", *(f"dropped: {each}" for each in dropped)))


def _axis_names(network: Network, program: ExportedProgram) -> dict[str, str]:
    """The symbols of a program by what the spec calls them."""
    names: dict[str, str] = {}  # of open dimensions that are no formula of others
    values = [
        node.meta["val"]
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in program.graph_signature.user_inputs
    ]
    for value, tensor in zip(values, network.input_tensors.values(), strict=True):
        for size, ours in zip(value.shape, ("batch", *tensor.shape), strict=True):
            if isinstance(size, torch.SymInt) and str(size).isidentifier():
                names.setdefault(str(size), str(ours))
    return names


def _bytes(module: nn.Module) -> int:
    return sum(each.numel() * each.element_size() for each in module.state_dict().values())


@contextmanager
def _refusals(what: str) -> Iterator[None]:
    """What PyTorch cannot export, as `ArtefactError`."""
    try:
        yield
    except (ArtefactError, OSError):
        raise
    except Exception as error:  # each of these tools has exceptions of its own
        cause = _cause(error)
        lines = str(cause).strip().splitlines() or [type(cause).__name__]
        raise ArtefactError(f"{what} says: {lines[0]}") from error


def _cause(error: BaseException) -> BaseException:
    """What an error is about: that of a conversion to ONNX is a form letter around another."""
    while type(error).__name__ == "ConversionError" and error.__cause__ is not None:
        error = error.__cause__
    return error


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporting warns about PyTorch's own affairs."""
    levels = {name: logging.getLogger(name).level for name in TALKATIVE}
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
