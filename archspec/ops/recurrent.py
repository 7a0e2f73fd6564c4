"""Recurrent layers. Formulas: https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html

They are batch-first always, their states too: a sample of `h` is `[layers, hidden_size]`, where
PyTorch has the batch between the two.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool, Float, Int, Words
from archspec.ops.base import Construct
from archspec.ops.batch_first import BatchFirst, forced
from archspec.ops.registry import register
from archspec.sizes import Size, equal, holds
from archspec.tensors import Tensor


class _Recurrent(BatchFirst):
    """What RNN, LSTM and GRU share."""

    gates: ClassVar[int]
    """Blocks of `hidden_size` rows in every weight."""
    states: ClassVar[tuple[str, ...]] = ("h",)
    arity = (1, 2)
    ranks = (2,)
    unbatched = (1,)
    dtypes = ("float32",)
    free = True
    needs_batch = (0,)
    results: ClassVar[tuple[str, ...]] = ("output", "h")
    positional = ("input_size", "hidden_size")

    input_size: Int | None = Field(None, description="features of every step (inferred)")
    hidden_size: Int = Field(description="features of the hidden state")
    num_layers: Int = Field(1, description="layers that stand on top of each other")
    bias: Bool = Field(True, description="add learned biases")
    dropout: Float = Field(0.0, description="probability of zeroing a value between two layers")
    bidirectional: Bool = Field(False, description="read the sequence backwards too")

    def check(self) -> None:
        super().check()
        for name in ("input_size", "hidden_size", "num_layers"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise Fault("E208", f"{name} must be positive, not {value}", field=name)
        if not 0 <= self.dropout <= 1:
            message = f"dropout is a probability, from 0 to 1, not {self.dropout}"
            raise Fault("E208", message, field="dropout")

    def infer(self, *inputs: Tensor) -> Mapping[str, Size]:
        return {"input_size": inputs[0].shape[-1]}

    def shape(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        x, *states = inputs
        if not holds(x.shape[0] >= 1) or self.input_size == 0:
            message = f"{type(self).__name__} needs a step and a feature at least, not {x}"
            raise Fault("E211", message, input=0)
        if states and len(states) != len(self.states):
            both = " and ".join(self.states)
            message = f"{type(self).__name__} starts from both of {both}, or from neither"
            raise Fault("E112", message, input=len(inputs) - 1)
        expected = [x.sized(self._rows, width) for width in self._state_widths()]
        for number, (state, wanted) in enumerate(zip(states, expected, strict=False), 1):
            self._check_state(number, state, wanted)
        return x.sized(x.shape[0], self._directions * self._fed_back), *expected

    def weights(self) -> Mapping[str, tuple[int, ...]]:
        return dict(self._weights())

    def macs(self, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> Size:
        matrices = (shape for _, shape in self._weights() if len(shape) == 2)
        return inputs[0].shape[0] * sum(rows * columns for rows, columns in matrices)

    def remarks(self, *inputs: Tensor) -> tuple[Fault, ...]:
        if self.dropout and self.num_layers == 1:
            message = "dropout acts between two layers, and there is only one"
            help = "give num_layers 2 or more, or leave dropout out"
            return (Fault("W305", message, field="dropout", help=help),)
        return ()

    def emit(self, inputs: tuple[Tensor, ...]) -> Construct:
        plain = super().emit(inputs)
        assert isinstance(plain, Construct)
        states = ", ".join(f"{{{name}}}" for name in self.states)
        bundle = f"({states})" if len(self.states) > 1 else states
        given = [_layers_first(number, x) for number, x in enumerate(inputs[1:], 1)]
        hx = f", ({', '.join(given)})" if len(given) > 1 else "".join(f", {g}" for g in given)
        return replace(
            forced(plain),
            call=f"{{self}}({{0}}{hx})",
            unpack=f"{{output}}, {bundle}",
            adjust={name: f"{{{name}}}.transpose(0, 1)" for name in self.states},
            first=f"{{self}}({{0}}{hx})[0]",
        )

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def _rows(self) -> int:
        """States of one sample: one for every layer and direction."""
        return self.num_layers * self._directions

    @property
    def _fed_back(self) -> int:
        """Features of `h`."""
        return self.hidden_size

    def _state_widths(self) -> tuple[int, ...]:
        return (self._fed_back,)

    def _check_state(self, number: int, state: Tensor, wanted: Tensor) -> None:
        name = self.states[number - 1]
        message = f"the first {name} is {wanted} (layers × features), not {state}"
        if len(state.shape) != 2:
            raise Fault("E203", message, input=number)
        if not all(holds(equal(a, b)) for a, b in zip(state.shape, wanted.shape, strict=True)):
            raise Fault("E201", message, input=number)

    def _weights(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        assert self.input_size is not None
        rows = self.gates * self.hidden_size
        for layer in range(self.num_layers):
            width = self._directions * self._fed_back if layer else self.input_size
            for suffix in ("", "_reverse")[: self._directions]:
                yield f"weight_ih_l{layer}{suffix}", (rows, width)
                yield f"weight_hh_l{layer}{suffix}", (rows, self._fed_back)
                if self.bias:
                    yield f"bias_ih_l{layer}{suffix}", (rows,)
                    yield f"bias_hh_l{layer}{suffix}", (rows,)
                if self._fed_back != self.hidden_size:
                    yield f"weight_hr_l{layer}{suffix}", (self._fed_back, self.hidden_size)


def _layers_first(number: int, state: Tensor) -> str:
    """The state as PyTorch wants it: layers, batch, features. A free one serves every sample."""
    if state.batched:
        return f"{{{number}}}.transpose(0, 1).contiguous()"
    return f"{{{number}}}.unsqueeze(1).repeat(1, {{0}}.size(0), 1)"


@register
class RNN(_Recurrent):
    """Reads a sequence step by step, with one plain layer of neurons as its memory.

    Shapes: `[T, input_size]` → output `[T, D * hidden_size]`, h `[D * num_layers, hidden_size]`,
    `D = 2` if bidirectional, else 1. A second input is the h to start from (else zeros).
    """

    gates = 1
    nonlinearity: Annotated[Literal["tanh", "relu"], Words("tanh or relu")] = Field(
        "tanh", description="tanh or relu"
    )


@register
class GRU(_Recurrent):
    """Reads a sequence step by step, with gates that say how much of the memory to renew.

    Shapes: `[T, input_size]` → output `[T, D * hidden_size]`, h `[D * num_layers, hidden_size]`,
    `D = 2` if bidirectional, else 1. A second input is the h to start from (else zeros).
    """

    gates = 3


@register
class LSTM(_Recurrent):
    """Reads a sequence step by step, with gates and a memory cell beside its hidden state.

    Shapes: `[T, input_size]` → output `[T, D * P]`, h `[D * num_layers, P]`,
    c `[D * num_layers, hidden_size]`, `D = 2` if bidirectional, else 1; `P = proj_size or
    hidden_size`. A second and third input are the h and c to start from (else zeros).
    """

    gates = 4
    states = ("h", "c")
    arity = (1, 3)
    results = ("output", "h", "c")

    proj_size: Int = Field(0, description="features that h is projected to (0: not projected)")

    def check(self) -> None:
        super().check()
        if not 0 <= self.proj_size < self.hidden_size:
            message = f"proj_size is 0 or less than hidden_size {self.hidden_size}"
            raise Fault("E208", f"{message}, not {self.proj_size}", field="proj_size")

    @property
    def _fed_back(self) -> int:
        return self.proj_size or self.hidden_size

    def _state_widths(self) -> tuple[int, ...]:
        return self._fed_back, self.hidden_size
