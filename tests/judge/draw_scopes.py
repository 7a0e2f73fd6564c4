"""Scopes drawn at random: groups, repetitions, loops, parallel bodies and blocks."""

from typing import Any

from torch import Tensor

from tests.judge.draft import Drawing
from tests.judge.draw_blocks import draw_block, used_again
from tests.judge.draw_layers import channels, keeping, layer
from tests.judge.draw_steps import FLAT, Step, a_kept_layer, use
from tests.judge.model import Body, Entry, Expr, Loop, Use
from tests.judge.spell import condition, expression

DEPTH = 3


def fill(drawing: Drawing, steps: int, depth: int) -> None:
    """Draw so many entries, as far as the network may grow."""
    for _ in range(steps):
        if drawing.draft.left <= 0:
            return
        drawing.draft.left -= 1
        step = drawing.dice.pick(STEPS if depth < DEPTH else FLAT)
        step(drawing, depth)


def inside(drawing: Drawing, x: Tensor, **names: Any) -> Drawing:
    """A group to draw into."""
    env = {**drawing.scope.env, **names, "input": x}
    scope = drawing.draft.scope(env, {"input": x})
    return Drawing(drawing.draft, scope, numbered=drawing.dice.chance(50))


def a_group(drawing: Drawing, depth: int) -> None:
    inner = inside(drawing, drawing.current())
    fill(inner, drawing.dice.int(1, 4), depth + 1)
    if inner.entries:
        drawing.fits(Entry(inner.body(), drawing.name()))


def a_repetition(drawing: Drawing, depth: int) -> None:
    """Something several times, in a chain or densely connected."""
    dice, x = drawing.dice, drawing.current()
    env = {**drawing.scope.env, "i": 0}
    dense = x.ndim > 2 and dice.chance(40)
    names = dice.pick((None, None, Expr("l{i + 1}", lambda e: f"l{e['i'] + 1}")))
    count: Any = dice.int(1, 3) if dice.chance(95) else 0
    if dice.chance(30):
        count = expression(dice, count, drawing.scope.env)
    what: Any = use(drawing, keeping(dice, x) if dense or dice.chance(50) else layer(dice, x), env)
    if dice.chance(40):
        inner = inside(drawing, x, i=0)
        if dense or dice.chance(50):
            a_kept_layer(inner, depth)
        else:
            fill(inner, dice.int(1, 2), depth + 1)
        what = inner.body() if inner.entries else what
    entry = Entry(what, drawing.name(), repeat=count, names=names, dense=dense)
    drawing.fits(entry)


def a_loop(drawing: Drawing, depth: int) -> None:
    """A layer a turn, spliced in."""
    dice, x = drawing.dice, drawing.current()
    if len(drawing.scope.inputs) > 1:
        return  # a loop has no `from:`
    widths = [channels(dice) for _ in range(dice.int(1, 3))]
    if dice.chance(50):
        clause = ("k, c", f"enumerate({widths})")
        turns = [{"k": k, "c": c} for k, c in enumerate(widths)]
    else:
        clause = ("k", f"range({len(widths)})")
        turns = [{"k": k} for k in range(len(widths))]
    stem = f"turn{drawing.draft.fresh()}"
    env = {**drawing.scope.env, **turns[0]}
    name = None if drawing.numbered else Expr(f"{stem}_{{k}}", lambda e: f"{stem}_{e['k']}")
    drawn = use(drawing, keeping(dice, x) if dice.chance(60) else layer(dice, x), env)
    if "c" in turns[0] and "out_channels" in drawn.args:
        drawn.args["out_channels"] = Expr("=c", lambda e: e["c"])
    entries = [Entry(drawn, name)]
    if name is not None and dice.chance(40):
        own = Expr(f"{stem}_{{k}}", lambda e: f"{stem}_{e['k']}")
        act = Expr(f"{stem}_act{{k}}", lambda e: f"{stem}_act{e['k']}")
        entries.append(Entry(Use("ReLU"), act, sources=[own]))
    loop = Loop(*clause, turns, entries, drawing.numbered)
    drawing.fits(Entry(loop, drawing.name()))


def a_parallel(drawing: Drawing, depth: int) -> None:
    """Arms side by side, and what joins them."""
    dice, x = drawing.dice, drawing.current()
    joint = dice.pick((Use("Concat"), Use("Concat"), Use("Concat", {"dim": 1}), Use("Add")))
    scope = drawing.draft.scope({**drawing.scope.env, "input": x}, {"input": x}, parallel=True)
    arms = Drawing(drawing.draft, scope, numbered=dice.chance(30))
    for _ in range(dice.int(1, 3)):
        size = None if joint.kind == "Concat" or x.ndim < 2 else x.shape[1 if x.ndim > 2 else -1]
        entry = Entry(use(arms, keeping(dice, x, size)), arms.name())
        if dice.chance(20):
            entry.what = Body([Entry(entry.what), Entry(Use("ReLU"))], True)
        if dice.chance(20):
            entry.when = condition(dice, dice.chance(60), scope.env)
        arms.fits(entry)
    if arms.entries:
        drawing.fits(Entry(arms.body(joint), drawing.name()))


def a_block(drawing: Drawing, depth: int) -> None:
    """A use of a block: of a new one, or of one that is there already."""
    if drawing.draft.net.blocks and drawing.dice.chance(50):
        used_again(drawing)
    else:
        draw_block(drawing, depth, fill)


STEPS: tuple[Step, ...] = (
    *FLAT,
    a_group,
    a_repetition,
    a_repetition,
    a_loop,
    a_parallel,
    a_block,
    a_block,
    a_block,
)
"""All steps."""
