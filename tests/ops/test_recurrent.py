"""RNN, LSTM and GRU against torch: batch-first, with their states."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archspec.ops import Construct, apply, find
from archspec.sizes import Domain, Expr
from archspec.tensors import Tensor
from tests.ops.against_torch import agree, ask

KINDS = ("RNN", "LSTM", "GRU")
pytestmark = [
    pytest.mark.filterwarnings("ignore:dropout option adds dropout"),
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]


def reference(kind: str, args: Mapping[str, Any], free: bool = False) -> Callable[..., Any]:
    """The layer in plain torch: states go in and come out with the batch first."""

    def run(x: torch.Tensor, *states: torch.Tensor) -> tuple[torch.Tensor, ...]:
        full = {"input_size": x.shape[-1], **args, "batch_first": True}
        module = getattr(torch.nn, kind)(**full)
        if free:
            states = tuple(state.expand(len(x), *state.shape) for state in states)
        turned = [state.transpose(0, 1).contiguous() for state in states]
        given = [tuple(turned) if len(turned) > 1 else turned[0]] if turned else []
        with torch.no_grad():
            module.eval()(x, *given)
        output, hidden = module.train()(x, *given)
        hidden = hidden if isinstance(hidden, tuple) else (hidden,)
        return output, *(h.transpose(0, 1) for h in hidden)

    return run


VALID = {
    "plain": ({"hidden_size": 6}, [(5, 6), (1, 6)]),
    "size given": ({"input_size": 4, "hidden_size": 6}, [(5, 6), (1, 6)]),
    "two layers": ({"hidden_size": 6, "num_layers": 2, "dropout": 0.5}, [(5, 6), (2, 6)]),
    "bidirectional": ({"hidden_size": 6, "bidirectional": True}, [(5, 12), (2, 6)]),
    "both": ({"hidden_size": 3, "num_layers": 2, "bidirectional": True}, [(5, 6), (4, 3)]),
    "no bias": ({"hidden_size": 6, "bias": False}, [(5, 6), (1, 6)]),
    "dropout without effect": ({"hidden_size": 6, "dropout": 1}, [(5, 6), (1, 6)]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("args", "shapes"), VALID.values(), ids=VALID)
def test_valid(kind: str, args: dict[str, Any], shapes: list[tuple[int, ...]]) -> None:
    verdict = agree(kind, args, [Tensor((5, 4))], reference(kind, args))
    assert verdict.outputs is not None
    shapes = [*shapes, shapes[1]] if kind == "LSTM" else shapes
    assert [x.shape for x in verdict.outputs] == shapes


INVALID = {
    "hidden_size 0": ({"hidden_size": 0}, (5, 4), "E208"),
    "input_size -1": ({"input_size": -1, "hidden_size": 2}, (5, 4), "E208"),
    "input_size wrong": ({"input_size": 5, "hidden_size": 2}, (5, 4), "E205"),
    "num_layers 0": ({"hidden_size": 2, "num_layers": 0}, (5, 4), "E208"),
    "dropout negative": ({"hidden_size": 2, "dropout": -0.1}, (5, 4), "E208"),
    "dropout above 1": ({"hidden_size": 2, "dropout": 1.1}, (5, 4), "E208"),
    "dropout nan": ({"hidden_size": 2, "dropout": float("nan")}, (5, 4), "E208"),
    "no steps": ({"hidden_size": 2}, (0, 4), "E211"),
    "no features": ({"hidden_size": 2}, (5, 0), "E211"),
    "an image": ({"hidden_size": 2}, (3, 5, 4), "E203"),
    "a number": ({"hidden_size": 2}, (), "E203"),
    "without its batch": ({"hidden_size": 2}, (4,), "E501"),
    "batch second": ({"hidden_size": 2, "batch_first": False}, (5, 4), "E105"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("args", "shape", "code"), INVALID.values(), ids=INVALID)
def test_invalid(kind: str, args: dict[str, Any], shape: tuple[int, ...], code: str) -> None:
    assert agree(kind, args, [Tensor(shape)], reference(kind, args)).code == code


def test_the_second_reading_of_a_sample_is_real() -> None:
    """Torch would run a sample without its batch: as a sequence of its own."""
    output, _ = torch.nn.GRU(4, 6, batch_first=True)(torch.randn(2, 4))
    assert output.shape == (2, 6)


LSTM_ONLY = {
    "projected": ({"hidden_size": 6, "proj_size": 3}, None, [(5, 3), (1, 3), (1, 6)]),
    "projected, two ways, two layers": (
        {"hidden_size": 6, "proj_size": 5, "bidirectional": True, "num_layers": 2},
        None,
        [(5, 10), (4, 5), (4, 6)],
    ),
    "projected, no bias": ({"hidden_size": 6, "proj_size": 3, "bias": False}, None, None),
    "projected to all": ({"hidden_size": 6, "proj_size": 6}, "E208", None),
    "projected negatively": ({"hidden_size": 6, "proj_size": -1}, "E208", None),
}


@pytest.mark.parametrize(("args", "code", "shapes"), LSTM_ONLY.values(), ids=LSTM_ONLY)
def test_projections(args: dict[str, Any], code: str | None, shapes: list[Any] | None) -> None:
    verdict = agree("LSTM", args, [Tensor((5, 4))], reference("LSTM", args))
    assert verdict.code == code
    if shapes:
        assert [x.shape for x in verdict.outputs or ()] == shapes


@pytest.mark.parametrize(("word", "code"), [("relu", None), ("tanh", None), ("gelu", "E105")])
def test_nonlinearity(word: str, code: str | None) -> None:
    args = {"hidden_size": 3, "nonlinearity": word}
    assert agree("RNN", args, [Tensor((5, 4))], reference("RNN", args)).code == code


STATES = {
    "right": ((2, 3), None),
    "layers wrong": ((1, 3), "E201"),
    "features wrong": ((2, 4), "E201"),
    "rank wrong": ((3,), "E203"),
    "one too many": ((1, 2, 3), "E203"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("free", [False, True], ids=["batched", "free"])
@pytest.mark.parametrize(("shape", "code"), STATES.values(), ids=STATES)
def test_initial_states(kind: str, free: bool, shape: tuple[int, ...], code: str | None) -> None:
    args = {"hidden_size": 3, "num_layers": 2}
    count = 2 if kind == "LSTM" else 1
    inputs = [Tensor((5, 4)), *[Tensor(shape, batched=not free)] * count]
    assert agree(kind, args, inputs, reference(kind, args, free)).code == code


def test_inputs_that_are_no_use() -> None:
    x, h = Tensor((5, 4)), Tensor((1, 3))
    args = {"hidden_size": 3}
    assert ask("LSTM", args, x, h).code == "E112"
    assert ask("GRU", args, x, h, h).code == "E112"
    assert ask("GRU", args, Tensor((5, 4), batched=False)).code == "E117"
    assert ask("GRU", args, Tensor((5, 4), "float16")).code == "E207"
    assert ask("GRU", args, x, Tensor((1, 3), "float64")).code == "E207"


def values(kind: str, args: dict[str, Any], *tensors: torch.Tensor) -> tuple[Any, Any]:
    """The emitted module's first result and the same module called plainly, on the same weights."""
    inputs = [Tensor(tuple(t.shape[1:])) for t in tensors]
    layer, _ = apply(find(kind).model_validate(args), *inputs)  # type: ignore[union-attr]
    emission = layer.emit(tuple(inputs))
    assert isinstance(emission, Construct)
    assert emission.first is not None
    module = getattr(torch.nn, kind)(*emission.args, **emission.kwargs)
    call = emission.first.replace("{self}", "module").format("x", "h", "c")
    names = dict(zip("xhc", tensors, strict=False))
    return eval(call, {"module": module, **names}), module


def test_the_states_start_each_sample_from_its_own() -> None:
    x, h, c = torch.randn(3, 5, 4), torch.randn(3, 1, 6), torch.randn(3, 1, 6)
    output, module = values("LSTM", {"hidden_size": 6}, x, h, c)
    for n in range(3):
        alone, _ = module(x[n], (h[n], c[n]))
        torch.testing.assert_close(output[n], alone)


def test_dropout_without_effect_is_remarked() -> None:
    layer = find("GRU").model_validate({"hidden_size": 3, "dropout": 0.5})  # type: ignore[union-attr]
    assert [fault.code for fault in layer.remarks(Tensor((5, 4)))] == ["W305"]
    two = find("GRU").model_validate({"hidden_size": 3, "dropout": 0.5, "num_layers": 2})  # type: ignore[union-attr]
    assert two.remarks(Tensor((5, 4))) == ()


# Per step: gates * hidden * (input + hidden), by hand.
MACS = {
    "RNN": ("RNN", {"hidden_size": 6}, 5 * 6 * (4 + 6)),
    "GRU": ("GRU", {"hidden_size": 6}, 5 * 3 * 6 * (4 + 6)),
    "LSTM": ("LSTM", {"hidden_size": 6}, 5 * 4 * 6 * (4 + 6)),
    "both ways": ("LSTM", {"hidden_size": 6, "bidirectional": True}, 5 * 2 * 4 * 6 * (4 + 6)),
    "two layers": ("GRU", {"hidden_size": 6, "num_layers": 2}, 5 * 3 * 6 * (4 + 6 + 6 + 6)),
    "projected": (
        "LSTM",
        {"hidden_size": 6, "proj_size": 2},
        5 * (4 * 6 * (4 + 2) + 2 * 6),
    ),
}


@pytest.mark.parametrize(("kind", "args", "expected"), MACS.values(), ids=MACS)
def test_macs(kind: str, args: dict[str, Any], expected: int) -> None:
    x = Tensor((5, 4))
    layer, outputs = apply(find(kind).model_validate(args), x)  # type: ignore[union-attr]
    assert layer.macs((x,), outputs) == expected


def test_symbolic_lengths() -> None:
    steps = Domain().symbol("T")
    cls = find("LSTM")
    assert cls is not None
    for args in ({"hidden_size": 3}, {"hidden_size": 3, "bidirectional": True, "proj_size": 2}):
        layer, symbolic = apply(cls.model_validate(args), Tensor((steps, 4)))
        work = layer.macs((Tensor((steps, 4)),), symbolic)
        assert isinstance(work, Expr)
        for size in range(1, 41):
            concrete = apply(layer, Tensor((size, 4)))[1]
            assert [evaluated(x, size) for x in symbolic] == [x.shape for x in concrete]
            assert work.at({"T": size}) == layer.macs((Tensor((size, 4)),), concrete)
    assert ask("LSTM", {"hidden_size": 3}, Tensor((4, steps))).code == "E114"


def evaluated(x: Tensor, value: int) -> tuple[int, ...]:
    return tuple(s.at({"T": value}) if isinstance(s, Expr) else s for s in x.shape)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, dict[str, Any], list[Tensor], bool]:
    kind = draw(st.sampled_from(KINDS))
    args: dict[str, Any] = {"hidden_size": draw(mostly(st.integers(1, 5), st.integers(-1, 0)))}
    optional = {
        "num_layers": mostly(st.integers(1, 3), st.integers(-1, 0)),
        "bias": st.booleans(),
        "dropout": mostly(st.floats(0, 1), st.sampled_from([-0.5, 1.5, float("nan"), 1])),
        "bidirectional": st.booleans(),
        "input_size": mostly(st.just(4), st.integers(-1, 5)),
    }
    if kind == "LSTM":
        optional["proj_size"] = st.integers(-1, 4)
    if kind == "RNN":
        optional["nonlinearity"] = st.sampled_from(["tanh", "relu"])
    args |= {name: draw(s) for name, s in optional.items() if draw(st.booleans())}
    ranks = mostly(st.tuples(st.integers(1, 4), st.just(4)), st.tuples(st.integers(0, 4)))
    odd = mostly(ranks, st.lists(st.integers(0, 4), max_size=3).map(tuple))
    dtype = draw(mostly(st.just("float32"), st.sampled_from(["float64", "int64", "bool"])))
    inputs = [Tensor(draw(odd), dtype)]
    free = draw(st.booleans())
    if draw(st.booleans()):
        rows = args.get("num_layers", 1) * (2 if args.get("bidirectional") else 1)
        fed = args.get("proj_size") or args["hidden_size"]
        widths = [fed, args["hidden_size"]] if kind == "LSTM" else [fed]
        exact = draw(mostly(st.just(True), st.just(False)))
        for width in widths:
            shape = (max(rows, 0), max(width, 0))
            if not exact:
                shape = tuple(draw(st.lists(st.integers(0, 4), max_size=3)))
            inputs.append(Tensor(shape, batched=not free))
    return kind, args, inputs, free


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """`usual` in nine cases of ten."""
    return st.integers(0, 9).flatmap(lambda n: odd if n == 9 else usual)


@given(cases())
def test_agrees_with_torch(case: tuple[str, dict[str, Any], list[Tensor], bool]) -> None:
    kind, args, inputs, free = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(kind, args, inputs, reference(kind, args, free))
