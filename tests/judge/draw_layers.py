"""Layers drawn at random: a kind that often goes with a tensor, and explicit arguments."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from tests.judge.dice import Dice
from tests.judge.model import Use

Args = dict[str, Any]

ACTIVATIONS: tuple[tuple[str, Args], ...] = (
    ("ReLU", {}),
    ("GELU", {}),
    ("SiLU", {}),
    ("Tanh", {}),
    ("Sigmoid", {}),
    ("LeakyReLU", {"negative_slope": 0.1}),
    ("ELU", {"alpha": 0.5}),
    ("PReLU", {}),
    ("Hardswish", {}),
    ("ReLU6", {}),
    ("Softplus", {"beta": 2.0}),
    ("Softmax", {"dim": -1}),
    ("LogSoftmax", {"dim": 1}),
)
DROPOUTS = ("Dropout", "AlphaDropout", "Identity", "RReLU")
MODES = ("zeros", "zeros", "reflect", "replicate", "circular")


def some(dice: Dice, percent: int = 40, **options: Callable[[], Any]) -> Args:
    """Some of these arguments."""
    return {name: make() for name, make in options.items() if dice.chance(percent)}


def each(dice: Dice, dims: int, options: tuple[int, ...]) -> Any:
    """One number for all dimensions, or one for each."""
    if dice.chance(60):
        return dice.pick(options)
    return [dice.pick(options) for _ in range(dims)]


def channels(dice: Dice) -> int:
    return dice.pick((1, 2, 3, 4, 4, 6, 8))


def groups(dice: Dice, x: Tensor) -> int:
    size = x.shape[1]
    return dice.pick((1, 2, 2, 3, size))


def conv(dice: Dice, x: Tensor) -> Use:
    dims = x.ndim - 2
    args = {"out_channels": channels(dice), "kernel_size": each(dice, dims, (1, 2, 3, 3, 4))}
    args |= some(
        dice,
        stride=lambda: each(dice, dims, (1, 2, 2, 3)),
        dilation=lambda: each(dice, dims, (1, 2, 3)),
        bias=lambda: False,
    )
    args |= some(dice, 60, padding=lambda: each(dice, dims, (0, 1, 1, 2)))
    args |= some(
        dice, 15, padding=lambda: dice.pick(("same", "valid")), groups=lambda: groups(dice, x)
    )
    if "groups" in args and dice.chance(70):
        args["out_channels"] = args["groups"] * dice.pick((1, 1, 2))
    args |= some(dice, 25, padding_mode=lambda: dice.pick(MODES))
    args |= some(dice, 15, in_channels=lambda: x.shape[1])
    return Use(f"Conv{dims}d", args)


def transposed(dice: Dice, x: Tensor) -> Use:
    dims = x.ndim - 2
    args = {"out_channels": channels(dice), "kernel_size": each(dice, dims, (1, 2, 3, 4))}
    args |= some(
        dice,
        stride=lambda: each(dice, dims, (1, 2, 3)),
        padding=lambda: each(dice, dims, (0, 1, 1, 2)),
    )
    args |= some(
        dice,
        20,
        dilation=lambda: each(dice, dims, (1, 2)),
        output_padding=lambda: each(dice, dims, (0, 1, 1, 2)),
        groups=lambda: groups(dice, x),
        bias=lambda: False,
    )
    return Use(f"ConvTranspose{dims}d", args)


def pool(dice: Dice, x: Tensor) -> Use:
    dims = x.ndim - 2
    kind = dice.pick(("Max", "Max", "Avg", "Avg", "LP"))
    args: Args = {"kernel_size": each(dice, dims, (1, 2, 2, 3))}
    args |= some(
        dice, stride=lambda: each(dice, dims, (1, 2, 3)), ceil_mode=lambda: dice.chance(70)
    )
    if kind == "LP" and dims == 1:
        return Use("LPPool1d", {"norm_type": 2.0, "kernel_size": dice.int(1, 3)})
    if kind == "LP":
        return Use(f"LPPool{dims}d", {"norm_type": 2.0, **args})
    args |= some(dice, padding=lambda: each(dice, dims, (0, 1, 1)))
    if kind == "Max":
        args |= some(dice, 30, dilation=lambda: each(dice, dims, (1, 2)))
    else:
        args |= some(dice, 30, count_include_pad=lambda: dice.chance(50))
    return Use(f"{kind}Pool{dims}d", args)


def adaptive(dice: Dice, x: Tensor) -> Use:
    dims = x.ndim - 2
    options: tuple[Any, ...] = (1, 1, 2, 3, None) if dims > 1 else (1, 2, 3)
    size = each(dice, dims, options)
    kind = dice.pick(("Avg", "Max"))
    return Use(f"Adaptive{kind}Pool{dims}d", {"output_size": 1 if size is None else size})


def norm(dice: Dice, x: Tensor) -> Use:
    dims = min(max(1, x.ndim - 2), 3)
    kinds = [f"BatchNorm{dims}d"] * 3 + ["LayerNorm", "RMSNorm", "GroupNorm"]
    kinds += [f"InstanceNorm{dims}d", "LocalResponseNorm"] * (x.ndim > 2)
    kind = dice.pick(kinds)
    args: Args = some(dice, 30, eps=lambda: dice.pick((0.001, 0.1)))
    if kind.startswith(("Batch", "Instance")):
        args |= some(
            dice,
            25,
            affine=lambda: dice.chance(50),
            track_running_stats=lambda: dice.chance(50),
            momentum=lambda: 0.3,
            num_features=lambda: x.shape[1],
        )
    elif kind == "GroupNorm":
        args |= {"num_groups": groups(dice, x)} | some(dice, 25, num_channels=lambda: x.shape[1])
    elif kind == "LocalResponseNorm":
        return Use(kind, {"size": dice.int(1, 3)})
    else:
        args |= some(dice, 25, elementwise_affine=lambda: dice.chance(50))
        if dice.chance(30):
            args["normalized_shape"] = list(x.shape[-dice.int(1, x.ndim - 1) :])
        elif dice.chance(30):
            args["dim"] = dice.int(1, x.ndim - 1)
    return Use(kind, args)


def activation(dice: Dice, x: Tensor) -> Use:
    if dice.chance(15):
        return Use(dice.pick(DROPOUTS))
    if x.ndim == 4 and dice.chance(10):
        return Use(dice.pick(("Softmax2d", "Dropout2d")))
    if dice.chance(8):
        return Use("GLU", {"dim": dice.int(1, x.ndim - 1)})
    if dice.chance(8):
        return Use("PReLU", {"num_parameters": dice.pick((1, x.shape[1], 2))})
    kind, args = dice.pick(ACTIVATIONS)
    return Use(kind, dict(args))


def linear(dice: Dice, x: Tensor) -> Use:
    args = {"out_features": channels(dice), **some(dice, 25, bias=lambda: False)}
    return Use("Linear", args | some(dice, 25, in_features=lambda: x.shape[-1]))


def border(dice: Dice, x: Tensor) -> Use:
    dims = x.ndim - 2
    kind = dice.pick(("Zero", "Constant", "Reflection", "Replication", "Circular"))
    pads: Any = dice.pick((0, 1, 1, 2))
    if dice.chance(40):
        low = -1 if dice.chance(20) else 0
        pads = [dice.int(low, 2) for _ in range(2 * dims)]
    args = {"padding": pads} | ({"value": 0.5} if kind == "Constant" else {})
    return Use(f"{kind}Pad{dims}d", args)


def resize(dice: Dice, x: Tensor) -> Use:
    dims = x.ndim - 2
    smooth = ("linear", "bilinear", "trilinear")[dims - 1]
    args: Args = {"mode": dice.pick(("nearest", smooth, "nearest-exact", "area"))}
    if dice.chance(60):
        args["scale_factor"] = dice.pick((1, 2, 2, 2, 3, 1.5, 0.5))
    else:
        args["size"] = each(dice, dims, (1, 2, 4, 5))
    if args["mode"] == smooth:
        args |= some(dice, 50, align_corners=lambda: dice.chance(50))
    return Use("Upsample", args)


def shuffle(dice: Dice, x: Tensor) -> Use:
    kind = dice.pick(("PixelShuffle", "PixelUnshuffle", "ChannelShuffle", "Unfold"))
    if kind == "Unfold":
        args: Args = {"kernel_size": each(dice, 2, (1, 2, 3))}
        return Use(kind, args | some(dice, 30, stride=lambda: 2, padding=lambda: 1))
    name = {"PixelShuffle": "upscale_factor", "PixelUnshuffle": "downscale_factor"}
    return Use(kind, {name.get(kind, "groups"): dice.pick((1, 2, 2, 2, 3))})


def view(dice: Dice, x: Tensor) -> Use:
    last = x.ndim - 1
    kind = dice.pick(("Flatten", "Flatten", "Permute", "Transpose", "Unsqueeze", "Squeeze"))
    if kind == "Flatten":
        return Use(kind, some(dice, 30, start_dim=lambda: dice.int(1, last)))
    if kind == "Permute":
        return Use(kind, {"dims": [0, *(n + 1 for n in dice.order(last))]})
    if kind == "Transpose":
        return Use(kind, {"dim0": dice.int(1, last), "dim1": dice.pick((-1, dice.int(1, last)))})
    return Use(kind, {"dim": dice.int(1, last + (kind == "Unsqueeze"))})


def cut(dice: Dice, x: Tensor) -> Use:
    last, kind = x.ndim - 1, dice.pick(("Slice", "Select", "Roll", "Mean", "Sum", "Amax", "Pad"))
    dim = dice.int(1, last)
    if kind == "Slice":
        args = some(dice, 50, start=lambda: dice.int(-2, 2), end=lambda: dice.int(-1, 4))
        return Use(kind, {"dim": dim, **args, **some(dice, 30, step=lambda: 2)})
    if kind == "Select":
        return Use(kind, {"dim": dim, "index": dice.pick((0, -1, 1))})
    if kind == "Roll":
        return Use(kind, {"shifts": dice.int(-1, 2), "dims": dim})
    if kind == "Pad":
        return Use(kind, {"pad": [dice.int(-1, 2) for _ in range(2 * dice.int(1, last))]})
    return Use(kind, {"dim": dim, **some(dice, 40, keepdim=lambda: True)})


def regroup(dice: Dice, x: Tensor) -> Use:
    """Reshape or Unflatten, mostly into what fits."""
    size = x[0].numel()
    part = dice.pick([n for n in (1, 2, 3, 4) if size % n == 0] if dice.chance(85) else (2, 3, 5))
    if dice.chance(50):
        return Use("Reshape", {"shape": dice.pick(([part, -1], [part, size // part, 1], [-1]))})
    return Use("Unflatten", {"dim": dice.int(1, x.ndim - 1), "unflattened_size": [part, -1]})


def embedding(dice: Dice, x: Tensor) -> Use:
    return Use("Embedding", {"num_embeddings": 100, "embedding_dim": channels(dice)})


Drawer = Callable[[Dice, Tensor], Use]
_ANY: tuple[Drawer, ...] = (activation, activation, norm, norm, linear, view, cut, regroup)
_WINDOWS: tuple[Drawer, ...] = (conv, conv, conv, conv, transposed, pool, pool, border, resize)


def layer(dice: Dice, x: Tensor) -> Use:
    """A layer for this tensor: one that has a chance to fit."""
    if not x.is_floating_point():
        return embedding(dice, x) if dice.chance(90) else view(dice, x)
    if x.ndim < 2:
        return Use(dice.pick(("ReLU", "Identity", "Tanh")))
    drawers = _ANY
    if 3 <= x.ndim <= 5:
        drawers += (*_WINDOWS, adaptive)
    if x.ndim == 4:
        drawers += (*_WINDOWS, shuffle, shuffle)
    return dice.pick(drawers)(dice, x)


def keeping(dice: Dice, x: Tensor, size: int | None = None) -> Use:
    """A layer that keeps the spatial sizes; with `size`, one that gives so many channels."""
    if x.ndim < 3 or x.ndim > 5 or not x.is_floating_point():
        if not x.is_floating_point() or x.ndim < 2:
            return Use("Identity")
        return Use("Linear", {"out_features": channels(dice) if size is None else size})
    reach, padding, dilation = dice.pick(((1, 0, 1), (3, 1, 1), (3, 2, 2), (3, "same", 2)))
    args: Args = {"out_channels": channels(dice) if size is None else size, "kernel_size": reach}
    args |= {"padding": padding} if padding else {}
    args |= {"dilation": dilation} if dilation > 1 else {}
    return Use(f"Conv{x.ndim - 2}d", args)
