"""Upsample and its like, the shuffles, Fold and Unfold against torch."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from archspec.ops import apply, find
from archspec.sizes import Domain, Expr
from archspec.tensors import DTYPES, Tensor
from tests.ops.against_torch import agree, ask

NAN, INF = float("nan"), float("inf")
MODES = ("nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area")


def reference(kind: str, args: Mapping[str, Any]) -> Callable[..., Any]:
    return lambda x: getattr(torch.nn, kind)(**args)(x)


CASES: dict[str, tuple[str, dict[str, Any], tuple[int, ...], Any]] = {
    "size": ("Upsample", {"size": 7}, (3, 5, 6), (3, 7, 7)),
    "sizes": ("Upsample", {"size": (7, 2)}, (3, 5, 6), (3, 7, 2)),
    "factor": ("Upsample", {"scale_factor": 2}, (3, 5), (3, 10)),
    "factors": ("Upsample", {"scale_factor": (2, 0.5)}, (3, 5, 6), (3, 10, 3)),
    "rounded down": ("Upsample", {"scale_factor": 1.7}, (3, 5, 6, 7), (3, 8, 10, 11)),
    "product rounded up": ("Upsample", {"scale_factor": 2.3}, (3, 10), (3, 23)),
    "product rounded down": ("Upsample", {"scale_factor": 0.29}, (3, 100), (3, 28)),
    "bilinear": (
        "Upsample",
        {"scale_factor": 2, "mode": "bilinear", "align_corners": True},
        (3, 5, 6),
        (3, 10, 12),
    ),
    "recomputed": (
        "Upsample",
        {"scale_factor": 1.7, "mode": "bicubic", "recompute_scale_factor": True},
        (3, 5, 6),
        (3, 8, 10),
    ),
    "area to nothing": ("Upsample", {"size": 0, "mode": "area"}, (3, 5, 6), (3, 0, 0)),
    "area without channels": ("Upsample", {"size": 2, "mode": "area"}, (0, 5, 6), (0, 2, 2)),
    "neither": ("Upsample", {}, (3, 5, 6), "E208"),
    "both": ("Upsample", {"size": 7, "scale_factor": 2}, (3, 5, 6), "E208"),
    "factor 0": ("Upsample", {"scale_factor": 0.0}, (3, 5, 6), "E208"),
    "factor 0 beside a size": ("Upsample", {"scale_factor": 0.0, "size": 3}, (3, 5), (3, 3)),
    "factor negative": ("Upsample", {"scale_factor": -1.0}, (3, 5, 6), "E208"),
    "factor nan": ("Upsample", {"scale_factor": NAN}, (3, 5, 6), "E208"),
    "factor infinite": ("Upsample", {"scale_factor": INF}, (3, 5, 6), "E208"),
    "to nothing": ("Upsample", {"scale_factor": 0.1}, (3, 5, 6), "E208"),
    "size 0": ("Upsample", {"size": 0}, (3, 5, 6), "E208"),
    "size negative": ("Upsample", {"size": -1, "mode": "area"}, (3, 5, 6), "E208"),
    "size huge": ("Upsample", {"size": 2**40}, (3, 5, 6), "E005"),
    "too many sizes": ("Upsample", {"size": (7, 7)}, (3, 5), "E201"),
    "too few factors": ("Upsample", {"scale_factor": (2.0,)}, (3, 5, 6), "E201"),
    "corners of nearest": ("Upsample", {"size": 7, "align_corners": False}, (3, 5), "E208"),
    "recomputed from a size": (
        "Upsample",
        {"size": 7, "recompute_scale_factor": True},
        (3, 5),
        "E208",
    ),
    "bilinear of a sequence": ("Upsample", {"size": 7, "mode": "bilinear"}, (3, 5), "E203"),
    "linear of an image": ("Upsample", {"size": 7, "mode": "linear"}, (3, 5, 6), "E203"),
    "from nothing": ("Upsample", {"size": 7}, (3, 0, 6), "E211"),
    "area from nothing": ("Upsample", {"size": 7, "mode": "area"}, (3, 0, 6), "E211"),
    "area, the mean of nothing": ("Upsample", {"size": 1, "mode": "area"}, (3, 0, 6), "E503"),
    "without channels": ("Upsample", {"size": 7}, (0, 5, 6), "E211"),
    "no sizes": ("Upsample", {"size": 7}, (3,), "E203"),
    "a word for a mode": ("Upsample", {"size": 7, "mode": "cubic"}, (3, 5), "E105"),
    "nearest2d": ("UpsamplingNearest2d", {"scale_factor": 1.5}, (3, 5, 6), (3, 7, 9)),
    "nearest2d of a volume": ("UpsamplingNearest2d", {"size": 3}, (3, 5, 6, 4), (3, 3, 3, 3)),
    "bilinear2d": ("UpsamplingBilinear2d", {"size": (3, 9)}, (3, 5, 6), (3, 3, 9)),
    "bilinear2d of a sequence": ("UpsamplingBilinear2d", {"size": 3}, (3, 5), "E203"),
    "shuffle": ("PixelShuffle", {"upscale_factor": 2}, (8, 3, 4), (2, 6, 8)),
    "shuffle, more dimensions": ("PixelShuffle", {"upscale_factor": 2}, (5, 4, 3, 1), (5, 1, 6, 2)),
    "shuffle of nothing": ("PixelShuffle", {"upscale_factor": 2}, (8, 0, 4), (2, 0, 8)),
    "shuffle does not divide": ("PixelShuffle", {"upscale_factor": 3}, (8, 3, 4), "E206"),
    "shuffle by 0": ("PixelShuffle", {"upscale_factor": 0}, (8, 3, 4), "E208"),
    "shuffle by too much": ("PixelShuffle", {"upscale_factor": 2**40}, (8, 3, 4), "E005"),
    "shuffle a sample short": ("PixelShuffle", {"upscale_factor": 2}, (3, 4), "E501"),
    "shuffle a sequence": ("PixelShuffle", {"upscale_factor": 2}, (4,), "E203"),
    "unshuffle": ("PixelUnshuffle", {"downscale_factor": 2}, (3, 4, 6), (12, 2, 3)),
    "unshuffle does not divide": ("PixelUnshuffle", {"downscale_factor": 2}, (3, 5, 6), "E206"),
    "unshuffle a width": ("PixelUnshuffle", {"downscale_factor": 2}, (3, 6, 5), "E206"),
    "unshuffle nothing": ("PixelUnshuffle", {"downscale_factor": 2}, (3, 0, 4), (3, 0, 4)),
    "unshuffle by -1": ("PixelUnshuffle", {"downscale_factor": -1}, (3, 4, 4), "E208"),
    "unshuffle a sample short": ("PixelUnshuffle", {"downscale_factor": 2}, (4, 4), "E501"),
    "channels": ("ChannelShuffle", {"groups": 2}, (4, 3, 3), (4, 3, 3)),
    "channels of a sequence": ("ChannelShuffle", {"groups": 4}, (4, 5), (4, 5)),
    "channels do not divide": ("ChannelShuffle", {"groups": 3}, (4, 5), "E206"),
    "channels in 0 groups": ("ChannelShuffle", {"groups": 0}, (4, 5), "E208"),
    "channels alone": ("ChannelShuffle", {"groups": 2}, (4,), "E203"),
    "unfold": ("Unfold", {"kernel_size": 2}, (3, 5, 6), (12, 20)),
    "unfold with all": (
        "Unfold",
        {"kernel_size": (2, 3), "dilation": 2, "padding": (1, 0), "stride": (2, 1)},
        (3, 5, 6),
        (18, 6),
    ),
    "unfold does not fit": ("Unfold", {"kernel_size": 6}, (3, 5, 6), "E204"),
    "unfold does not fit by one, stride 2": (
        "Unfold",
        {"kernel_size": 6, "stride": 2},
        (3, 5, 6),
        "E204",
    ),
    "unfold padding -1": ("Unfold", {"kernel_size": 2, "padding": -1}, (3, 5, 6), "E208"),
    "unfold stride 0": ("Unfold", {"kernel_size": 2, "stride": 0}, (3, 5, 6), "E208"),
    "unfold kernel 0": ("Unfold", {"kernel_size": 0}, (3, 5, 6), "E208"),
    "unfold nothing": ("Unfold", {"kernel_size": 2, "padding": 1}, (3, 0, 6), "E211"),
    "unfold integers": ("Unfold", {"kernel_size": 2}, Tensor((3, 5, 6), "int64"), "E207"),  # type: ignore[dict-item]
    "unfold a sample short": ("Unfold", {"kernel_size": 2}, (5, 6), "E501"),
    "fold": ("Fold", {"output_size": (4, 5), "kernel_size": 2}, (12, 12), (3, 4, 5)),
    "fold with padding": (
        "Fold",
        {"output_size": 1, "kernel_size": 3, "padding": 1},
        (9, 1),
        (1, 1, 1),
    ),
    "fold wrong length": ("Fold", {"output_size": (4, 5), "kernel_size": 2}, (12, 11), "E209"),
    "fold does not divide": ("Fold", {"output_size": (4, 5), "kernel_size": 2}, (11, 12), "E206"),
    "fold does not fit": ("Fold", {"output_size": 1, "kernel_size": 3}, (9, 1), "E204"),
    "fold to nothing": ("Fold", {"output_size": 0, "kernel_size": 2, "padding": 1}, (4, 1), "E208"),
    "fold nothing": ("Fold", {"output_size": 4, "kernel_size": 2}, (0, 9), "E211"),
    "fold a sample short": ("Fold", {"output_size": 4, "kernel_size": 2}, (9,), "E501"),
}


@pytest.mark.parametrize(("kind", "args", "given", "expected"), CASES.values(), ids=CASES)
def test_cases(kind: str, args: dict[str, Any], given: Any, expected: Any) -> None:
    x = given if isinstance(given, Tensor) else Tensor(given)
    verdict = agree(kind, args, [x], reference(kind, args))
    if isinstance(expected, str):
        assert verdict.code == expected
    else:
        assert verdict.outputs == (Tensor(expected),)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes_of_upsample(mode: str, dtype: str) -> None:
    for shape in ((2, 3), (0, 3), (2, 3, 4), (0, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5)):
        for size in (3, 1, 0):
            args = {"size": size, "mode": mode}
            agree("Upsample", args, [Tensor(shape, dtype)], reference("Upsample", args))


@pytest.mark.parametrize("scale", [0.1, 0.29, 0.3, 1.1, 1.7, 2.3, 2.675, 3.3, 1 / 3, 2 / 3])
def test_rounding(scale: float) -> None:
    for size in range(1, 130):
        args = {"scale_factor": scale, "mode": "area"}
        agree("Upsample", args, [Tensor((1, size))], reference("Upsample", args), emitted=False)


SYMBOLIC: dict[str, tuple[str, dict[str, Any], tuple[Any, ...]]] = {
    "twice": ("Upsample", {"scale_factor": 2}, (3, "H", "W")),
    "a half": ("Upsample", {"scale_factor": 0.5, "mode": "bilinear"}, (3, "H", "W")),
    "fractions": ("Upsample", {"scale_factor": (1.375, 0.625)}, (3, "H", "W")),
    "a size": ("Upsample", {"size": 7}, (3, "H", "W")),
    "area": ("Upsample", {"scale_factor": 0.25, "mode": "area"}, (3, "H", "W")),
    "shuffle": ("PixelShuffle", {"upscale_factor": 2}, ("H", 3, "W")),
    "unshuffle": ("PixelUnshuffle", {"downscale_factor": 3}, (2, "H", "W")),
    "channels": ("ChannelShuffle", {"groups": 3}, ("H", "W")),
    "unfold": ("Unfold", {"kernel_size": 3, "stride": 2, "dilation": 2}, (3, "H", "W")),
    "fold": ("Fold", {"output_size": 4, "kernel_size": 2}, ("H", "W")),
}


@pytest.mark.parametrize(("kind", "args", "shape"), SYMBOLIC.values(), ids=SYMBOLIC)
def test_symbolic(kind: str, args: dict[str, Any], shape: tuple[Any, ...]) -> None:
    """The same sizes, and the requirements that it takes down are what torch requires."""
    domain = Domain()
    symbols = {name: domain.symbol(name) for name in ("H", "W")}
    cls = find(kind)
    assert cls is not None
    _, (out,) = apply(cls.model_validate(args), Tensor(tuple(symbols.get(s, s) for s in shape)))
    for size in range(1, 41):
        for other in (size, 9, 3 * size):
            values = {"H": size, "W": other}
            concrete = ask(kind, args, Tensor(tuple(values.get(s, s) for s in shape)))
            assert (concrete.outputs is not None) == all(c.at(values) for c in domain.requirements)
            if concrete.outputs is not None:
                sizes = tuple(s.at(values) if isinstance(s, Expr) else s for s in out.shape)
                assert sizes == concrete.outputs[0].shape


FACTORS = (0.7, 1.4, 2.3, 0.29, 1 / 3, 1.7, 1.1, 0.1, 2 / 3, 3.3, 0.123456, math.pi, 1e-3)


@pytest.mark.parametrize("scale", FACTORS)
def test_any_factor_is_exact_up_to_the_table_at_least(scale: float) -> None:
    """PyTorch says what a size becomes; nothing is computed for it on the meta device."""
    domain = Domain()
    verdict = ask("Upsample", {"scale_factor": scale}, Tensor((3, domain.symbol("H"))))
    assert verdict.outputs is not None
    size = verdict.outputs[0].shape[1]
    assert isinstance(size, Expr)
    for h in (*range(1, 4097), *range(10**6, 10**6 + 1000)):
        taken = all(c.at({"H": h}) for c in domain.requirements)
        try:
            resized = F.interpolate(torch.empty(1, 1, h, device="meta"), scale_factor=scale)
        except RuntimeError:  # nothing would be left
            assert not taken
            continue
        assert taken or h > 4096
        assert not taken or size.at({"H": h}) == resized.shape[2]


def test_what_is_decided_of_a_factor() -> None:
    """A note where larger sizes are not decided, and none where every size is."""
    assert _notes(1.1) == _notes(0.5) == _notes(2) == _notes(1 / 3) == []
    assert _notes(0.7) == ["N405"]
    assert _notes(math.pi) == ["N405"]


def _notes(scale: float) -> list[str]:
    cls = find("Upsample")
    assert cls is not None
    layer = cls.model_validate({"scale_factor": scale})
    return [fault.code for fault in layer.remarks(Tensor((3, Domain().symbol("H"))))]


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """`usual` in nine cases of ten."""
    return st.integers(0, 9).flatmap(lambda n: odd if n == 9 else usual)


SIZES = mostly(st.integers(1, 8), st.just(0))
FACTORS = mostly(
    st.one_of(st.sampled_from([0.5, 1.5, 2.0, 3, 0.29, 2.3]), st.floats(0.1, 4)),
    st.sampled_from([0.0, -0.0, -1.0, -0.1, 1e-9, NAN, INF, 0]),
)
SOME_DTYPE = mostly(st.just("float32"), st.sampled_from(DTYPES))


@st.composite
def upsample_cases(draw: st.DrawFn) -> tuple[str, dict[str, Any], Tensor]:
    kind = draw(st.sampled_from(["Upsample"] * 5 + ["UpsamplingNearest2d", "UpsamplingBilinear2d"]))
    args: dict[str, Any] = {}
    usual = 2
    if kind == "Upsample" and draw(mostly(st.just(True), st.just(False))):
        args["mode"] = draw(st.sampled_from(MODES))
        fixed = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
        usual = fixed.get(args["mode"]) or draw(st.integers(1, 3))
        if draw(mostly(st.just(args["mode"] in fixed), st.booleans())):
            args["align_corners"] = draw(st.booleans())
        if draw(st.integers(0, 5)) == 0:
            args["recompute_scale_factor"] = draw(st.booleans())
    spatial = draw(mostly(st.just(usual), st.integers(0, 4)))
    count = 2 if kind != "Upsample" else draw(mostly(st.just(spatial), st.integers(0, 4)))
    which = draw(mostly(st.sampled_from(["size", "scale_factor"]), st.sampled_from(["", "both"])))
    for name, values in (
        ("size", mostly(st.integers(1, 9), st.integers(-1, 0))),
        ("scale_factor", FACTORS),
    ):
        if which in (name, "both"):
            lists = st.lists(values, min_size=count, max_size=count).map(tuple)
            args[name] = draw(st.one_of(values, lists))
    shape = (draw(SIZES), *(draw(SIZES) for _ in range(spatial)))
    return kind, args, Tensor(shape, draw(SOME_DTYPE))


@given(upsample_cases())
def test_upsample_agrees_with_torch(case: tuple[str, dict[str, Any], Tensor]) -> None:
    kind, args, x = case
    agree(kind, args, [x], reference(kind, args))


@st.composite
def shuffle_cases(draw: st.DrawFn) -> tuple[str, dict[str, Any], Tensor]:
    name, kind = draw(
        st.sampled_from(
            [
                ("upscale_factor", "PixelShuffle"),
                ("downscale_factor", "PixelUnshuffle"),
                ("groups", "ChannelShuffle"),
            ]
        )
    )
    factor = draw(mostly(st.integers(1, 3), st.integers(-2, 5)))
    rank = draw(mostly(st.integers(2 + (kind[0] == "P"), 4), st.integers(0, 5)))
    sizes = [draw(mostly(st.integers(1, 5), st.just(0))) for _ in range(rank)]
    if draw(mostly(st.just(True), st.just(False))):  # what divides
        factors = {"P": factor**2, "C": factor}
        for at in {"PixelShuffle": [-3], "PixelUnshuffle": [-1, -2], "ChannelShuffle": [0]}[kind]:
            if rank >= abs(at or 1):
                by = factor if kind == "PixelUnshuffle" else factors[kind[0]]
                sizes[at] *= max(by, 1)
    return kind, {name: factor}, Tensor(tuple(sizes), draw(SOME_DTYPE))


@given(shuffle_cases())
def test_shuffles_agree_with_torch(case: tuple[str, dict[str, Any], Tensor]) -> None:
    kind, args, x = case
    agree(kind, args, [x], reference(kind, args))


@st.composite
def fold_cases(draw: st.DrawFn) -> tuple[str, dict[str, Any], Tensor]:
    def pair(values: st.SearchStrategy[int]) -> Any:
        return draw(st.one_of(values, st.tuples(values, values)))

    args: dict[str, Any] = {"kernel_size": pair(mostly(st.integers(1, 3), st.integers(-1, 6)))}
    for name, low in (("dilation", 1), ("padding", 0), ("stride", 1)):
        if draw(st.booleans()):
            args[name] = pair(mostly(st.integers(low, low + 2), st.integers(-1, 5)))
    sizes = mostly(st.integers(1, 8), st.just(0))
    dtype = draw(SOME_DTYPE)
    if draw(st.booleans()):
        rank = draw(mostly(st.just(3), st.integers(0, 4)))
        return "Unfold", args, Tensor(tuple(draw(sizes) for _ in range(rank)), dtype)
    args["output_size"] = pair(mostly(st.integers(2, 7), st.integers(-1, 7)))
    shape = draw(mostly(st.just(blocks(draw(st.integers(1, 2)), args)), ANY_SHAPE))
    return "Fold", args, Tensor(tuple(max(size, 0) for size in shape), dtype)


ANY_SHAPE = st.lists(st.integers(0, 9), max_size=3).map(tuple)


def blocks(channels: int, args: Mapping[str, Any]) -> tuple[int, int]:
    """What fits an image: blocks counted one by one. Zero where there is none."""
    names = ("output_size", "kernel_size", "dilation", "padding", "stride")
    values = [args.get(name, 0 if name == "padding" else 1) for name in names]
    pairs = [(v, v) if isinstance(v, int) else v for v in values]
    places = 1
    for size, kernel, dilation, padding, stride in zip(*pairs, strict=True):
        last = size + padding - dilation * (kernel - 1)
        places *= len(range(-padding, last, stride)) if stride else 0
    return channels * pairs[1][0] * pairs[1][1], places


@given(fold_cases())
def test_folds_agree_with_torch(case: tuple[str, dict[str, Any], Tensor]) -> None:
    kind, args, x = case
    agree(kind, args, [x], reference(kind, args))
