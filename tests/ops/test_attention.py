"""MultiheadAttention, TransformerEncoderLayer and ScaledDotProductAttention against torch."""

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from archspec.ops import Construct, Function, Layer, apply, find
from archspec.sizes import Domain, Expr
from archspec.tensors import FLOATS, Tensor
from tests.ops.against_torch import Verdict, agree, ask

NAN = float("nan")


def make(kind: str, args: Mapping[str, Any]) -> Layer:
    cls = find(kind)
    assert cls is not None
    return cls.model_validate(dict(args))


def twice(module: torch.nn.Module, *tensors: torch.Tensor, **extra: Any) -> Any:
    """In eval without gradients, where fused code may run, and in training."""
    with torch.no_grad():
        fused = module.eval()(*tensors, **extra)
    trained = module.train()(*tensors, **extra)
    pairs = zip(fused, trained, strict=True) if isinstance(fused, tuple) else [(fused, trained)]
    assert all(a.shape == b.shape for a, b in pairs)
    return trained


def mha(args: Mapping[str, Any]) -> Callable[..., Any]:
    def run(*tensors: torch.Tensor) -> Any:
        query, key, value = tensors * 3 if len(tensors) == 1 else tensors
        widths = {"embed_dim": query, "kdim": key, "vdim": value}
        full = {name: x.shape[-1] for name, x in widths.items()} | dict(args)
        if len(tensors) == 1:  # what self-attention leaves out is the default of torch
            full = {name: v for name, v in full.items() if name in args or name == "embed_dim"}
        return twice(torch.nn.MultiheadAttention(**full, batch_first=True), query, key, value)

    return run


def encoder(args: Mapping[str, Any]) -> Callable[..., Any]:
    def run(x: torch.Tensor) -> Any:
        full = {"d_model": x.shape[-1], **args, "batch_first": True}
        return twice(torch.nn.TransformerEncoderLayer(**full), x)

    return run


def sdpa(args: Mapping[str, Any]) -> Callable[..., Any]:
    def run(*tensors: torch.Tensor) -> Any:
        query, key, value, *mask = tensors
        own = {"attn_mask": mask[0] if mask else None, **args}
        evaluated = F.scaled_dot_product_attention(query, key, value, **{**own, "dropout_p": 0.0})
        trained = F.scaled_dot_product_attention(query, key, value, **own)
        assert evaluated.shape == trained.shape
        return trained

    return run


MHA = {
    "self": ({"num_heads": 2}, [(5, 4)], None, [(5, 4), (5, 5)]),
    "one head": ({"num_heads": 1}, [(5, 4)], None, [(5, 4), (5, 5)]),
    "given": ({"embed_dim": 4, "num_heads": 4}, [(5, 4)], None, [(5, 4), (5, 5)]),
    "no bias": ({"num_heads": 2, "bias": False}, [(5, 4)], None, [(5, 4), (5, 5)]),
    "bias_kv": ({"num_heads": 2, "add_bias_kv": True}, [(5, 4)], None, [(5, 4), (5, 6)]),
    "zero_attn": ({"num_heads": 2, "add_zero_attn": True}, [(5, 4)], None, [(5, 4), (5, 6)]),
    "both": (
        {"num_heads": 2, "add_bias_kv": True, "add_zero_attn": True, "bias": False},
        [(5, 4)],
        None,
        [(5, 4), (5, 7)],
    ),
    "dropout": ({"num_heads": 2, "dropout": 1}, [(5, 4)], None, [(5, 4), (5, 5)]),
    "cross": ({"num_heads": 2}, [(5, 4), (3, 4), (3, 4)], None, [(5, 4), (5, 3)]),
    "other widths": ({"num_heads": 2}, [(5, 4), (3, 6), (3, 7)], None, [(5, 4), (5, 3)]),
    "other widths, biased": (
        {"num_heads": 2, "add_bias_kv": True, "kdim": 6},
        [(5, 4), (3, 6), (3, 4)],
        None,
        [(5, 4), (5, 4)],
    ),
    "no queries": ({"num_heads": 2}, [(0, 4)], "E503", None),
    "no keys": ({"num_heads": 2}, [(5, 4), (0, 4), (0, 4)], None, [(5, 4), (5, 0)]),
    "key without features": ({"num_heads": 2}, [(5, 4), (3, 0), (3, 4)], None, None),
    "heads do not divide": ({"num_heads": 3}, [(5, 4)], "E206", None),
    "no heads": ({"num_heads": 0}, [(5, 4)], "E208", None),
    "no features": ({"num_heads": 2}, [(5, 0)], "E208", None),
    "embed_dim wrong": ({"embed_dim": 6, "num_heads": 2}, [(5, 4)], "E205", None),
    "embed_dim 0": ({"embed_dim": 0, "num_heads": 2}, [(5, 4)], "E208", None),
    "kdim of self-attention": ({"num_heads": 2, "kdim": 3}, [(5, 4)], "E205", None),
    "kdim negative": ({"num_heads": 2, "kdim": -1}, [(5, 4)], "E208", None),
    "vdim wrong": ({"num_heads": 2, "vdim": 5}, [(5, 4), (3, 6), (3, 7)], "E205", None),
    "lengths differ": ({"num_heads": 2}, [(5, 4), (3, 4), (2, 4)], "E201", None),
    "value of length 1": ({"num_heads": 2}, [(5, 4), (3, 4), (1, 4)], "E201", None),
    "two inputs": ({"num_heads": 2}, [(5, 4), (3, 4)], "E112", None),
    "an image": ({"num_heads": 2}, [(3, 5, 4)], "E203", None),
    "without its batch": ({"num_heads": 2}, [(4,)], "E501", None),
    "key without its batch": ({"num_heads": 2}, [(5, 4), (4,), (4,)], "E203", None),
    "dropout above 1": ({"num_heads": 2, "dropout": 1.5}, [(5, 4)], "E208", None),
    "dropout ignored": ({"num_heads": 2, "dropout": -0.5}, [(5, 4)], "E503", None),
    "dropout nan": ({"num_heads": 2, "dropout": NAN}, [(5, 4)], "E503", None),
    "batch second": ({"num_heads": 2, "batch_first": False}, [(5, 4)], "E105", None),
}


@pytest.mark.parametrize(("args", "shapes", "code", "outputs"), MHA.values(), ids=MHA)
def test_multihead(args: Any, shapes: Any, code: str | None, outputs: Any) -> None:
    verdict = agree("MultiheadAttention", args, list(map(Tensor, shapes)), mha(args))
    assert verdict.code == code
    if outputs:
        assert [x.shape for x in verdict.outputs or ()] == outputs
    check_first(verdict, list(map(Tensor, shapes)))


def check_first(verdict: Verdict, inputs: list[Tensor]) -> None:
    """The call for the output alone runs too, with weights and without."""
    if verdict.layer is None or verdict.outputs is None:
        return
    emission = verdict.layer.emit(tuple(inputs))
    assert isinstance(emission, Construct)
    assert emission.first is not None
    module = torch.nn.MultiheadAttention(*emission.args, **emission.kwargs)
    tensors = [torch.randn(2, *x.shape) for x in inputs]
    call = emission.first.replace("{self}", "module").format(*(f"x[{n}]" for n in range(3)))
    assert "need_weights=False" in call
    alone = eval(call, {"module": module, "x": tensors})
    assert tuple(alone.shape) == (2, *verdict.outputs[0].shape)


def test_equal_widths_are_not_emitted() -> None:
    """Torch then has one weight for all three; kdim and vdim say nothing."""
    x = Tensor((5, 4))
    layer, _ = apply(make("MultiheadAttention", {"num_heads": 2}), x, x, x)
    emission = layer.emit((x, x, x))
    assert isinstance(emission, Construct)
    said = {k: v for k, v in emission.kwargs.items() if (k, v) not in emission.usual.items()}
    assert (emission.args, said) == ((4, 2), {"batch_first": True})
    assert "kdim" not in emission.kwargs


def test_a_query_without_steps_loses_its_weights() -> None:
    """Why the rule refuses it: the fused path of eval gives None."""
    module, x = torch.nn.MultiheadAttention(4, 2, batch_first=True).eval(), torch.zeros(2, 0, 4)
    with torch.no_grad():
        assert module(x, x, x)[1] is None


ENCODER = {
    "plain": ({"nhead": 2, "dim_feedforward": 8}, (5, 4), None),
    "given": ({"nhead": 2, "d_model": 4, "dim_feedforward": 8}, (5, 4), None),
    "gelu": ({"nhead": 1, "dim_feedforward": 8, "activation": "gelu"}, (5, 4), None),
    "norm_first": ({"nhead": 4, "dim_feedforward": 8, "norm_first": True}, (5, 4), None),
    "no bias": ({"nhead": 2, "dim_feedforward": 8, "bias": False}, (5, 4), None),
    "no hidden features": ({"nhead": 2, "dim_feedforward": 0}, (5, 4), None),
    "eps 0": ({"nhead": 2, "dim_feedforward": 8, "layer_norm_eps": 0}, (5, 4), None),
    "no steps": ({"nhead": 2, "dim_feedforward": 8}, (0, 4), None),
    "dropout 1": ({"nhead": 2, "dim_feedforward": 8, "dropout": 1}, (5, 4), None),
    "heads do not divide": ({"nhead": 3}, (5, 4), "E206"),
    "no heads": ({"nhead": 0}, (5, 4), "E208"),
    "no features": ({"nhead": 2}, (5, 0), "E208"),
    "d_model wrong": ({"nhead": 2, "d_model": 6}, (5, 4), "E205"),
    "d_model negative": ({"nhead": 2, "d_model": -4}, (5, 4), "E208"),
    "dim_feedforward negative": ({"nhead": 2, "dim_feedforward": -1}, (5, 4), "E208"),
    "dropout negative": ({"nhead": 2, "dropout": -0.1}, (5, 4), "E208"),
    "dropout above 1": ({"nhead": 2, "dropout": 1.1}, (5, 4), "E208"),
    "dropout nan": ({"nhead": 2, "dropout": NAN}, (5, 4), "E208"),
    "silu": ({"nhead": 2, "activation": "silu"}, (5, 4), "E105"),
    "batch second": ({"nhead": 2, "batch_first": False}, (5, 4), "E105"),
    "an image": ({"nhead": 2}, (3, 5, 4), "E203"),
    "without its batch": ({"nhead": 2}, (4,), "E501"),
}


@pytest.mark.parametrize(("args", "shape", "code"), ENCODER.values(), ids=ENCODER)
def test_encoder_layer(args: Any, shape: tuple[int, ...], code: str | None) -> None:
    x = Tensor(shape)
    verdict = agree("TransformerEncoderLayer", args, [x], encoder(args))
    assert verdict.code == code
    assert verdict.outputs in (None, (x,))


Q, K, V = (3, 5, 4), (3, 6, 4), (3, 6, 7)
MASK = Tensor((5, 6), batched=False)
SDPA = {
    "heads": ({}, [Q, K, V], None, (3, 5, 7)),
    "no heads": ({}, [Q[1:], K[1:], V[1:]], None, (5, 7)),
    "two leading": ({}, [(2, *Q), (2, *K), (2, *V)], None, (2, 3, 5, 7)),
    "leading broadcast": ({}, [(1, 5, 4), K, (1, 6, 4)], None, (3, 5, 4)),
    "value gives the heads": ({}, [(1, 5, 4), (1, 6, 4), V], None, (3, 5, 7)),
    "no keys": ({}, [Q, (3, 0, 4), (3, 0, 4)], None, (3, 5, 4)),
    "no features": ({}, [(3, 5, 0), (3, 6, 0), V], None, (3, 5, 7)),
    "scale 0": ({"scale": 0}, [Q, K, V], None, (3, 5, 7)),
    "causal": ({"is_causal": True}, [Q, K, K], None, (3, 5, 4)),
    "dropout": ({"dropout_p": 0.5}, [Q, K, K], None, (3, 5, 4)),
    "groups": ({"enable_gqa": True}, [(6, 5, 4), K, K], None, (6, 5, 4)),
    "one group": ({"enable_gqa": True}, [(6, 5, 4), (1, 6, 4), (1, 6, 7)], None, (6, 5, 7)),
    "mask": ({}, [Q, K, V, MASK], None, (3, 5, 7)),
    "mask of booleans": ({}, [Q, K, V, Tensor((5, 6), "bool", False)], None, (3, 5, 7)),
    "mask for each head": ({}, [Q, K, V, Tensor((3, 5, 6), batched=False)], None, (3, 5, 7)),
    "mask for each sample": ({}, [Q, K, V, (1, 1, 6)], None, (3, 5, 7)),
    "mask over keys": ({}, [Q, K, V, Tensor((1, 6), batched=False)], None, (3, 5, 7)),
    "free query": ({}, [Tensor(Q, batched=False), K, V], None, (3, 5, 7)),
    "free query, one head": ({}, [Tensor((5, 4), batched=False), K, V], None, (3, 5, 7)),
    "free query, leading 1": ({}, [Tensor((1, *Q), batched=False), K, V], None, (3, 5, 7)),
    "groups differ": ({"enable_gqa": True}, [(6, 5, 4), K, (2, 6, 4)], None, (6, 5, 4)),
    "features differ": ({}, [Q, (3, 6, 5), V], "E201", None),
    "features differ, empty": ({}, [Q, (3, 6, 5), (3, 6, 0)], "E503", None),
    "heads broadcast, empty": ({}, [(1, 5, 4), (3, 0, 4), (3, 0, 4)], "E503", None),
    "one feature": ({}, [Q, (3, 6, 1), V], "E201", None),
    "heads differ": ({}, [(2, 5, 4), K, V], "E201", None),
    "value's heads differ": ({}, [Q, K, (2, 6, 7)], "E201", None),
    "lengths differ": ({}, [Q, K, (3, 5, 4)], "E503", None),
    "mask too narrow": ({}, [Q, K, V, Tensor((5, 5), batched=False)], "E201", None),
    "mask with a rank more": ({}, [Q, K, V, (1, 3, 5, 6)], "E201", None),
    "mask larger than the products": ({}, [(1, 5, 4), (1, 6, 4), V, (3, 5, 6)], "E201", None),
    "mask of one dimension": ({}, [Q, K, V, Tensor((6,), batched=False)], "E503", None),
    "mask in another rank": ({}, [Q, K, V, (5, 6)], "E201", None),
    "mask of integers": ({}, [Q, K, V, Tensor((5, 6), "int64", False)], "E207", None),
    "mask in float64": ({}, [Q, K, V, Tensor((5, 6), "float64", False)], "E207", None),
    "mask beside is_causal": ({"is_causal": True}, [Q, K, V, MASK], "E503", None),
    "dropout above 1": ({"dropout_p": 1.5}, [Q, K, V], "E208", None),
    "dropout ignored": ({"dropout_p": -0.5}, [Q, K, V], "E503", None),
    "query of booleans": ({}, [Tensor(Q, "bool"), K, V], "E207", None),
    "key in float64": ({}, [Q, Tensor(K, "float64"), V], "E207", None),
    "all integers": ({}, [Tensor(x, "int64") for x in (Q, K, V)], "E207", None),
    "without batch": ({}, [(4,), (4,), (4,)], "E501", None),
    "numbers": ({}, [(), (), ()], "E203", None),
    "ranks differ": ({}, [Q, (6, 4), (6, 4)], "E201", None),
    "ranks differ, unnoticed": ({}, [(1, 5, 4), (6, 4), (6, 4)], "E502", None),
    "groups do not divide": ({"enable_gqa": True}, [(4, 5, 4), K, K], "E206", None),
    "more key heads": ({"enable_gqa": True}, [Q, (6, 6, 4), (6, 6, 4)], "E206", None),
    "groups without a head": ({"enable_gqa": True}, [(6, 5, 4), (0, 6, 4), K], "E503", None),
    "groups without heads": ({"enable_gqa": True}, [(5, 4), (6, 4), (6, 4)], "E502", None),
}


def tensors_of(inputs: list[Any]) -> list[Tensor]:
    return [x if isinstance(x, Tensor) else Tensor(x) for x in inputs]


@pytest.mark.parametrize(("args", "inputs", "code", "output"), SDPA.values(), ids=SDPA)
def test_dot_product(args: Any, inputs: Any, code: str | None, output: Any) -> None:
    kind, tensors = "ScaledDotProductAttention", tensors_of(inputs)
    verdict = agree(kind, args, tensors, sdpa(args))
    assert verdict.code == code
    if output:
        assert [(x.shape, x.batched) for x in verdict.outputs or ()] == [(output, True)]


def test_free_tensors_alone_stay_free() -> None:
    free = [Tensor(x, batched=False) for x in (Q, K, V)]
    verdict = agree("ScaledDotProductAttention", {}, free, sdpa({}))
    assert verdict.outputs == (Tensor((3, 5, 7), batched=False),)


def test_dropout_is_for_training() -> None:
    x = Tensor(K)
    emission = make("ScaledDotProductAttention", {"dropout_p": 0.9}).emit((x, x, x))
    assert isinstance(emission, Function)
    code = emission.template.format("q", "q", "q", dropout_p=0.9)
    q, module = torch.randn(2, *K), torch.nn.Module()
    scope = {"F": F, "q": q, "self": module}
    plain = F.scaled_dot_product_attention(q, q, q)
    assert not torch.allclose(eval(code, scope), plain)
    module.eval()
    torch.testing.assert_close(eval(code, scope), plain)


@contextmanager
def counted() -> Any:
    """Counts as `FlopCounterMode` does, with the fused paths of attention switched off."""
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        math = torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)
        with FlopCounterMode(display=False) as counter, torch.no_grad(), math:
            yield counter
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


COUNTED: dict[str, Any] = {
    "self": ("MultiheadAttention", {"num_heads": 2}, [(5, 4)]),
    "cross": ("MultiheadAttention", {"num_heads": 2}, [(5, 4), (3, 4), (3, 4)]),
    "other widths": ("MultiheadAttention", {"num_heads": 2}, [(5, 4), (3, 6), (3, 7)]),
    "extra steps": (
        "MultiheadAttention",
        {"num_heads": 2, "add_bias_kv": True, "add_zero_attn": True},
        [(5, 4), (3, 4), (3, 4)],
    ),
    "encoder": ("TransformerEncoderLayer", {"nhead": 2, "dim_feedforward": 9}, [(5, 4)]),
    "dot product": ("ScaledDotProductAttention", {}, [Q, K, V]),
    "broadcast": ("ScaledDotProductAttention", {}, [(1, 5, 4), K, V]),
    "groups": ("ScaledDotProductAttention", {"enable_gqa": True}, [(6, 5, 4), K, V]),
}


@pytest.mark.parametrize(("kind", "args", "shapes"), COUNTED.values(), ids=COUNTED)
def test_macs(kind: str, args: dict[str, Any], shapes: list[tuple[int, ...]]) -> None:
    run = {"MultiheadAttention": plain_mha, "TransformerEncoderLayer": plain_encoder}
    inputs = tuple(map(Tensor, shapes))
    layer, outputs = apply(make(kind, args), *inputs)
    tensors = [torch.randn(1, *shape) for shape in shapes]
    with counted() as counter:
        run.get(kind, lambda a, *x: sdpa(a)(*x))(args, *tensors)
    calls = 2 if kind == "ScaledDotProductAttention" else 1
    assert layer.macs(inputs, outputs) == counter.get_total_flops() / 2 / calls


def plain_mha(args: Mapping[str, Any], *tensors: torch.Tensor) -> Any:
    query, key, value = tensors * 3 if len(tensors) == 1 else tensors
    widths = {"kdim": key.shape[-1], "vdim": value.shape[-1]}
    module = torch.nn.MultiheadAttention(query.shape[-1], **args, **widths, batch_first=True)
    return module.eval()(query, key, value)


def plain_encoder(args: Mapping[str, Any], x: torch.Tensor) -> Any:
    module = torch.nn.TransformerEncoderLayer(x.shape[-1], **args, batch_first=True)
    return module.eval()(x)


def test_macs_by_hand() -> None:
    """Projections of query, key, value and output; then products with the keys and the values."""
    inputs = tuple(map(Tensor, [(5, 4), (3, 6), (3, 7)]))
    layer, outputs = apply(make("MultiheadAttention", {"num_heads": 2}), *inputs)
    by_hand = 5 * 4 * 4 + 3 * 6 * 4 + 3 * 7 * 4 + 5 * 4 * 4 + 5 * 3 * 4 + 5 * 3 * 4
    assert layer.macs(inputs, outputs) == by_hand


SYMBOLIC: dict[str, Any] = {
    "self": ("MultiheadAttention", {"num_heads": 2, "add_zero_attn": True}, [("T", 4)]),
    "cross": ("MultiheadAttention", {"num_heads": 2}, [(5, 4), ("T", 4), ("T", 6)]),
    "encoder": ("TransformerEncoderLayer", {"nhead": 2}, [("T", 4)]),
    "dot product": ("ScaledDotProductAttention", {}, [(3, 5, "T"), (3, 6, "T"), (3, 6, 7)]),
    "lengths": ("ScaledDotProductAttention", {}, [("T", 4), ("T", 4), ("T", 5), ("T", "T")]),
}


@pytest.mark.parametrize(("kind", "args", "shapes"), SYMBOLIC.values(), ids=SYMBOLIC)
def test_symbolic(kind: str, args: dict[str, Any], shapes: list[Any]) -> None:
    symbol = Domain().symbol("T")

    def put(value: Any) -> tuple[Tensor, ...]:
        shape = [tuple(value if s == "T" else s for s in shape) for shape in shapes]
        mask = kind == "ScaledDotProductAttention"
        return tuple(Tensor(s, batched=not (mask and n == 3)) for n, s in enumerate(shape))

    layer, symbolic = apply(make(kind, args), *put(symbol))
    work = layer.macs(put(symbol), symbolic)
    assert isinstance(work, Expr)
    for size in range(1, 41):
        concrete = apply(layer, *put(size))[1]
        for x, y in zip(symbolic, concrete, strict=True):
            assert (
                tuple(s.at({"T": size}) if isinstance(s, Expr) else s for s in x.shape) == y.shape
            )
        assert work.at({"T": size}) == layer.macs(put(size), concrete)


def test_symbolic_lengths_must_agree() -> None:
    domain = Domain()
    keys, values = Tensor((domain.symbol("S"), 4)), Tensor((domain.symbol("V"), 4))
    assert ask("MultiheadAttention", {"num_heads": 2}, Tensor((5, 4)), keys, values).code is None
    assert len(domain.requirements) == 1


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """`usual` in nine cases of ten."""
    return st.integers(0, 9).flatmap(lambda n: odd if n == 9 else usual)


FLAGS = st.booleans()
RATES = mostly(st.floats(0, 1), st.sampled_from([-0.5, 1.5, NAN, 1]))
SOME_DTYPE = mostly(st.just("float32"), st.sampled_from(["float16", "float64", "int64", "bool"]))
ANY_SHAPE = st.lists(st.integers(0, 6), max_size=4).map(tuple)


@st.composite
def mha_cases(draw: st.DrawFn) -> tuple[dict[str, Any], list[Tensor]]:
    heads = draw(mostly(st.integers(1, 3), st.integers(-1, 5)))
    width = draw(mostly(st.just(abs(heads) * 2), st.integers(0, 6)))
    args: dict[str, Any] = {"num_heads": heads}
    optional = {
        "embed_dim": mostly(st.just(width), st.integers(-1, 6)),
        "dropout": RATES,
        "bias": FLAGS,
        "add_bias_kv": FLAGS,
        "add_zero_attn": FLAGS,
    }
    args |= {name: draw(values) for name, values in optional.items() if draw(st.booleans())}
    shapes = [(draw(mostly(st.integers(1, 4), st.just(0))), width)]
    if draw(st.booleans()):
        steps = draw(st.integers(0, 4))
        for name in ("kdim", "vdim"):
            own = draw(mostly(st.just(width), st.integers(0, 6)))
            shapes.append((draw(mostly(st.just(steps), st.integers(0, 4))), own))
            if draw(st.integers(0, 3)) == 0:
                args[name] = draw(mostly(st.just(own), st.integers(-1, 6)))
    shapes = [draw(mostly(st.just(shape), ANY_SHAPE)) for shape in shapes]
    return args, [Tensor(shape, draw(SOME_DTYPE)) for shape in shapes]


@given(mha_cases())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_multihead_agrees_with_torch(case: tuple[dict[str, Any], list[Tensor]]) -> None:
    args, inputs = case
    check_first(agree("MultiheadAttention", args, inputs, mha(args)), inputs)


@st.composite
def encoder_cases(draw: st.DrawFn) -> tuple[dict[str, Any], Tensor]:
    heads = draw(mostly(st.integers(1, 3), st.integers(-1, 5)))
    width = draw(mostly(st.just(abs(heads) * 2), st.integers(0, 6)))
    args: dict[str, Any] = {"nhead": heads}
    args["dim_feedforward"] = draw(mostly(st.integers(0, 6), st.integers(-2, 0)))
    optional = {
        "d_model": mostly(st.just(width), st.integers(-1, 6)),
        "dropout": RATES,
        "activation": st.sampled_from(["relu", "gelu"]),
        "layer_norm_eps": st.sampled_from([0.0, 1e-5, -1.0, 1, NAN]),
        "norm_first": FLAGS,
        "bias": FLAGS,
    }
    args |= {name: draw(values) for name, values in optional.items() if draw(st.booleans())}
    shape = draw(mostly(st.tuples(st.integers(0, 4), st.just(width)), ANY_SHAPE))
    return args, Tensor(shape, draw(SOME_DTYPE))


@given(encoder_cases())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_encoder_layer_agrees_with_torch(case: tuple[dict[str, Any], Tensor]) -> None:
    args, x = case
    agree("TransformerEncoderLayer", args, [x], encoder(args))


@st.composite
def sdpa_cases(draw: st.DrawFn) -> tuple[dict[str, Any], list[Tensor]]:
    args = {"dropout_p": draw(RATES)} if draw(st.booleans()) else {}
    if draw(st.integers(0, 3)) == 0:
        args["is_causal"] = draw(st.booleans())
    if draw(st.integers(0, 3)) == 0:
        args["scale"] = draw(st.sampled_from([0.0, 1, -2.0, NAN, 1e30]))
    size = mostly(st.integers(1, 3), st.just(0))
    queries, keys, features, width = (draw(size) for _ in range(4))
    leading = draw(st.lists(size, max_size=2).map(tuple))
    width = draw(st.sampled_from([features, width]))
    sizes = [(queries, features), (keys, features), (keys, width)]
    if draw(st.booleans()):
        sizes.append((queries, keys))
    dtype = draw(mostly(st.just("float32"), st.sampled_from([*FLOATS, "int64", "bool"])))
    inputs = [some_input(draw, leading, pair, dtype) for pair in sizes]
    if len(inputs) == 4 and draw(st.booleans()):
        inputs[3] = Tensor(
            inputs[3].shape, draw(st.sampled_from(["bool", "float32"])), inputs[3].batched
        )
    if draw(mostly(st.just(bool(leading)), st.booleans())) and draw(st.booleans()):
        args["enable_gqa"] = True
        if leading and draw(st.booleans()):
            many = leading[-1] * draw(st.integers(1, 3))
            inputs[0] = Tensor((*leading[:-1], many, *sizes[0]), dtype)
    return args, inputs


def some_input(
    draw: st.DrawFn, leading: tuple[int, ...], last: tuple[int, int], dtype: str
) -> Tensor:
    """These dimensions, less of the leading ones for a free tensor; now and then another shape."""
    ones = tuple(draw(mostly(st.just(n), st.just(1))) for n in leading)
    shape = draw(mostly(st.just((*ones, *last)), ANY_SHAPE))
    if draw(mostly(st.just(True), st.just(False))):
        return Tensor(shape, draw(mostly(st.just(dtype), SOME_DTYPE)))
    return Tensor(shape[draw(st.integers(0, len(leading))) :], dtype, batched=False)


@given(sdpa_cases())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_dot_product_agrees_with_torch(case: tuple[dict[str, Any], list[Tensor]]) -> None:
    args, inputs = case
    agree("ScaledDotProductAttention", args, inputs, sdpa(args))
