"""Blocks drawn at random, and their uses."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from tests.judge.dice import Dice
from tests.judge.draft import Drawing
from tests.judge.draw_layers import channels, keeping
from tests.judge.model import Block, BlockUse, Entry, Output, Param, Use, bind
from tests.judge.spell import expression, spelled

Fill = Callable[[Drawing, int, int], None]
TYPES: tuple[Any, ...] = ("ReLU", "Tanh", {"LeakyReLU": {"negative_slope": 0.2}}, None)


def draw_block(drawing: Drawing, depth: int, fill: Fill) -> None:
    """A new block, and its first use."""
    dice, draft = drawing.dice, drawing.draft
    known = drawing.known()
    inputs: list[str] = []
    sources: list[Any] | None = None
    tensors = [drawing.current()]
    if dice.chance(25) and len(known) > 1:
        inputs = ["x", "skip"]
        chosen = [dice.pick(known), known[-1]]
        sources, tensors = [name for name, _ in chosen], [x for _, x in chosen]
    facts = dict(zip(inputs or ["input"], tensors, strict=True))
    params, given = _params(dice, facts)
    env = bind(params, given, facts)
    scope = draft.scope(env, dict(facts))
    inner = Drawing(draft, scope, numbered=not inputs and dice.chance(30))
    if dice.chance(60) and "k" in env:
        first = keeping(dice, tensors[0], env["k"])
        kept = Use(first.kind, spelled(dice, first.args, env, 60))
        inner.fits(Entry(kept, inner.name(), sources=inputs[:1] or None))
    fill(inner, dice.int(1, 4), depth + 1)
    if inner.entries:
        outputs = None if inner.numbered or dice.chance(70) else _outputs(dice, inner)
        block = Block(f"Block{draft.fresh()}", params, inputs, inner.body(), outputs)
        args = spelled(dice, given, drawing.scope.env)
        if drawing.fits(Entry(BlockUse(block, args), drawing.name(), sources=sources)):
            draft.net.blocks.append(block)


def _params(dice: Dice, facts: dict[str, Tensor]) -> tuple[dict[str, Param], dict[str, Any]]:
    """Parameters, and the arguments of a first use."""
    params: dict[str, Param] = {}
    given: dict[str, Any] = {}
    if dice.chance(70):
        params["k"], given["k"] = Param("int"), channels(dice)
    if dice.chance(40):
        params["stride"] = Param(None, dice.int(1, 2))
        if dice.chance(40):
            given["stride"] = dice.int(1, 3)
    if dice.chance(40):
        params["wide"] = Param(None, expression(dice, channels(dice), bind(params, given, facts)))
    if dice.chance(40):
        params["act"] = Param("layer") if dice.chance(30) else Param(None, dice.pick(TYPES))
        if params["act"].kind is not None or dice.chance(50):
            given["act"] = dice.pick(TYPES)
    if dice.chance(30):
        params["flag"] = Param(None, dice.chance(50))
    return params, given


def _outputs(dice: Dice, inner: Drawing) -> list[Output] | None:
    names = [name for name, _ in inner.known()][len(inner.scope.inputs) :]
    plain = [name for name in names if "." not in name]
    if not plain:
        return None
    chosen = [plain[n] for n in dice.order(len(plain))[: dice.pick((1, 2))]]
    if len(chosen) > 1 and not all(name.isidentifier() for name in chosen):
        return [Output(f"out_{n}", name) for n, name in enumerate(chosen)]
    return [Output(name, name) for name in chosen]


def used_again(drawing: Drawing) -> None:
    """Another use of a block, with other arguments or the same."""
    dice = drawing.dice
    block = dice.pick(drawing.draft.net.blocks)
    given: dict[str, Any] = {}
    for name, param in block.params.items():
        if param.kind == "int":
            given[name] = channels(dice)
        elif param.kind == "layer" or (name == "act" and dice.chance(40)):
            given[name] = dice.pick(TYPES)
        elif type(param.default) is int and dice.chance(40):
            given[name] = dice.int(1, 3)
        elif isinstance(param.default, bool) and dice.chance(40):
            given[name] = not param.default
    sources: list[Any] | None = None
    if block.inputs:
        known = drawing.known()
        sources = [dice.pick(known)[0] for _ in block.inputs]
    args = spelled(dice, given, drawing.scope.env)
    repeat = dice.int(1, 3) if not block.inputs and dice.chance(25) else None
    drawing.fits(Entry(BlockUse(block, args), drawing.name(), sources=sources, repeat=repeat))
