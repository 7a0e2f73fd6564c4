"""Abstract networks drawn at random: parameters, inputs, defaults and outputs around the layers."""

from typing import Any

from tests.judge.dice import Dice
from tests.judge.draft import Draft, Drawing
from tests.judge.draw_layers import channels, some
from tests.judge.draw_scopes import fill
from tests.judge.model import Entry, Expr, Input, Net, Output, Param, Use
from tests.judge.verdict import samples


def network(dice: Dice) -> Net:
    """A network; about half of all can be run."""
    draft = Draft(dice)
    net = draft.net
    _params(dice, net)
    env: dict[str, Any] = {name: param.default for name, param in net.params.items()}
    for name in ("image",) if dice.chance(85) else ("left", "right"):
        net.inputs[name] = _input(dice, env)
    inputs = samples(net, 2)
    net.defaults = _defaults(dice)
    scope = draft.scope({**env, **inputs}, inputs)
    drawing = Drawing(draft, scope, numbered=dice.chance(25) and len(inputs) == 1, root=True)
    fill(drawing, dice.int(2, 8), 0)
    while all(item.absent or item.entry.free for item in scope.items):
        drawing.fits(Entry(Use("Identity"), drawing.name()))
    if dice.chance(40):
        net.outputs, net.style = _outputs(drawing)
    net.body = drawing.body()
    return net


def _params(dice: Dice, net: Net) -> None:
    if dice.chance(60):
        net.params["width"] = Param(None, dice.int(1, 8))
    if dice.chance(30):
        net.params["flag"] = Param(None, dice.chance(50))
    if dice.chance(30):
        net.params["n"] = Param(None, dice.int(1, 3))
    if dice.chance(20):
        net.params["act"] = Param(None, dice.pick(("ReLU", "GELU", {"ELU": {"alpha": 0.5}})))


def _input(dice: Dice, env: dict[str, Any]) -> Input:
    rank = dice.pick((3, 3, 3, 3, 2, 2, 1, 4))
    if dice.chance(8):
        return Input([dice.int(1, 5)], integer=True)
    sizes: list[Any] = [channels(dice)]
    sizes += [dice.pick((1, 2, 3, 5, 6, 8, 8, 9, 12)) for _ in range(rank - 1)]
    if rank == 4:
        sizes = [min(size, 4) for size in sizes]
    if "width" in env and dice.chance(40):
        sizes[dice.int(0, rank - 1)] = Expr("width", lambda e: e["width"])
    return Input(sizes)


def _defaults(dice: Dice) -> dict[str, dict[str, Any]]:
    if dice.chance(75):
        return {}
    return some(
        dice,
        50,
        BatchNorm2d=lambda: {"eps": 0.01, "momentum": 0.3},
        Conv2d=lambda: {"bias": False},
        LeakyReLU=lambda: {"negative_slope": 0.3},
        MaxPool2d=lambda: {"ceil_mode": True},
    )


def _outputs(drawing: Drawing) -> tuple[list[Output], str]:
    """Some layers as outputs, in one of the ways to write them."""
    dice = drawing.dice
    names = [name for name, _ in drawing.known()][len(drawing.scope.inputs) :]
    plain = [name for name in names if "." not in name] or [next(iter(drawing.scope.inputs))]
    chosen = [plain[n] for n in dice.order(len(plain))[: dice.pick((1, 1, 2, 3))]]
    style = dice.pick(("list", "mapping", "dict"))
    if style == "list" and all(name.isidentifier() for name in chosen):
        return [Output(name, name) for name in chosen], style
    outputs = [Output(f"out_{n}", name) for n, name in enumerate(chosen)]
    for each in outputs[1:]:
        each.training = dice.chance(30)
    return outputs, style
