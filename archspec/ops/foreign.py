"""A user's own `nn.Module` as a layer type: arguments from `__init__`, shapes from a meta run."""

import inspect
import reprlib
import typing
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict, create_model

from archspec.diagnostics import Fault
from archspec.ops.base import Layer
from archspec.ops.own import definition, origin, said
from archspec.sizes import Size
from archspec.tensors import Tensor

BATCHES = (2, 3)
"""Two batches tell the batch from every other size."""


class Foreign(Layer):
    """A layer type whose shapes are found by running it on the meta device."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    arity = (1, None)
    dtypes = None
    module: ClassVar[Any]

    def shape(self, *inputs: Tensor) -> Tensor | tuple[Tensor, ...]:
        for number, x in enumerate(inputs):
            if not all(isinstance(size, int) for size in x.shape):
                message = f"{type(self).__name__} has no shape rule, and {x} is symbolic"
                raise Fault("E114", message, input=number)
        results = [self.run(batch, inputs) for batch in BATCHES]
        found = tuple(self.tensor(*pair) for pair in zip(*results, strict=True))
        return found if len(found) > 1 else found[0]

    def run(self, batch: int, inputs: tuple[Tensor, ...]) -> tuple[Any, ...]:
        """The outputs for one batch, on the meta device."""
        import torch

        module = self.made()
        try:
            tensors = [
                torch.empty(
                    (batch, *(size for size in x.shape if isinstance(size, int))),
                    dtype=getattr(torch, x.dtype),
                    device="meta",
                )
                for x in inputs
            ]
            result = module(*tensors)
        except Exception as error:
            raise self.refusal(error, input=0) from None
        results = tuple(result) if isinstance(result, tuple | list) else (result,)
        for each in results or (result,):
            if not isinstance(each, torch.Tensor):
                message = f"{type(self).__name__} gives {reprlib.repr(each)}, not a tensor"
                raise Fault("E212", message, notes=[f"at {definition(type(self))}"])
        return results

    def refusal(self, error: Exception, input: int | None = None) -> Fault:
        """The fault for what the module raised: when it was made, or for its input."""
        message = f"{type(self).__name__} raises {said(error)}"
        return Fault("E212", message, input=input, notes=[f"at {origin(type(self), error)}"])

    def made(self) -> Any:
        """The module itself, on the meta device."""
        import torch

        arguments = {name: getattr(self, name) for name in type(self).model_fields}
        try:
            with torch.device("meta"):
                return self.module(**arguments).eval()
        except Exception as error:
            raise self.refusal(error) from None

    def tensor(self, *results: Any) -> Tensor:
        """The type of one output, from its results for both batches."""
        shapes = [tuple(result.shape) for result in results]
        if [shape[:1] for shape in shapes] != [(batch,) for batch in BATCHES]:
            message = f"the output of {type(self).__name__} does not begin with the batch"
            raise Fault("E502", f"{message}: {list(shapes[0])} for a batch of {BATCHES[0]}")
        return Tensor(shapes[0][1:], str(results[0].dtype).removeprefix("torch."))

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        return {name: tuple(p.shape) for name, p in self.made().named_parameters()}

    def buffers(self) -> Mapping[str, tuple[int, ...]]:
        module = self.made()
        own = dict(module.named_parameters())
        return {name: tuple(t.shape) for name, t in module.state_dict().items() if name not in own}

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as counter:
            self.run(1, inputs)
        return int(counter.get_total_flops()) // 2

    def remarks(self, *inputs: Tensor) -> tuple[Fault, ...]:
        name = type(self).__name__
        return (Fault("N402", f"{name} has no shape rule: PyTorch ran it on the meta device"),)


def adopt(module: type) -> type[Layer]:
    """The layer type of an `nn.Module` class. Raises `TypeError` for anything else."""
    import torch

    if not issubclass(module, torch.nn.Module):
        raise TypeError(f"{module.__name__} is neither a Layer nor a torch.nn.Module")
    if "." in module.__qualname__:
        raise TypeError(f"{module.__qualname__} must stand at the top of its module")
    fields: dict[str, Any] = {}
    hints = typing.get_type_hints(module.__init__)
    for name, parameter in list(inspect.signature(module.__init__).parameters.items())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[name] = (hints.get(name, Any), default)
    meaning = inspect.getdoc(module) or f"The user's own {module.__name__}."
    layer = create_model(module.__name__, __base__=Foreign, __doc__=meaning, **fields)
    layer.module = module
    layer.path = f"{module.__module__}.{module.__qualname__}"
    return layer
