"""Layers and wiring drawn at random: one function for each construct without a scope of its own."""

from collections.abc import Callable
from typing import Any

from tests.judge.draft import Drawing
from tests.judge.draw_layers import keeping, layer
from tests.judge.layers import FUNCTIONS
from tests.judge.model import Again, BlockUse, Body, Entry, Expr, Loop, Use
from tests.judge.mutate import change_one
from tests.judge.spell import condition, spelled

Step = Callable[[Drawing, int], None]


def use(drawing: Drawing, drawn: Use, env: dict[str, Any] | None = None) -> Use:
    """A drawn layer, with some numbers spelled as expressions."""
    if drawn.kind == "Embedding":
        return drawn  # which indices it takes is not a matter of shapes
    own = dict(drawing.scope.env) if env is None else env
    if drawing.draft.spoil and not drawing.draft.spoiled and drawing.dice.chance(45):
        change_one(drawn.args, drawing.dice)
    return Use(drawn.kind, spelled(drawing.dice, drawn.args, own))


def a_layer(drawing: Drawing, depth: int) -> None:
    for _ in range(6):
        drawn = use(drawing, layer(drawing.dice, drawing.current()))
        if drawing.fits(Entry(drawn, drawing.name())):
            return


def a_kept_layer(drawing: Drawing, depth: int) -> None:
    drawing.fits(Entry(use(drawing, keeping(drawing.dice, drawing.current())), drawing.name()))


def a_branch(drawing: Drawing, depth: int) -> None:
    """A layer that takes something earlier."""
    name, x = drawing.dice.pick(drawing.known())
    drawing.fits(Entry(use(drawing, layer(drawing.dice, x)), drawing.name(), sources=[name]))


def a_join(drawing: Drawing, depth: int) -> None:
    """A merge of two or three tensors."""
    dice, known = drawing.dice, drawing.known()
    kind = dice.pick(("Add", "Add", "Mul", "Sub", "Div", "Concat", "Concat", "Stack"))
    first = known[-1] if dice.chance(70) else dice.pick(known)
    same = [name for name, x in known if x.shape[1:] == first[1].shape[1:]]
    other = dice.pick(same) if dice.chance(60) else dice.pick(known)[0]
    refs: list[str | Expr] = [first[0], other]
    if kind in ("Add", "Mul") and drawing.absent() and dice.chance(40):
        refs[1] = dice.pick(drawing.absent())
    if kind in ("Add", "Mul", "Concat") and dice.chance(20):
        refs.append(dice.pick(same))
    args = {}
    if kind in ("Concat", "Stack") and dice.chance(30):
        args["dim"] = dice.int(1, max(1, first[1].ndim - 1))
    entry = Entry(
        Use(kind, args), drawing.name(), sources=refs, listed=not args and dice.chance(70)
    )
    drawing.fits(entry)


def a_skip(drawing: Drawing, depth: int) -> None:
    """A residual connection around a layer."""
    x, known = drawing.current(), drawing.known()
    if x.ndim < 2:
        return
    start = next((name for name, each in reversed(known) if each is x), None)
    drawn = keeping(drawing.dice, x, x.shape[1] if x.ndim != 2 else x.shape[-1])
    if start is not None and drawing.fits(Entry(use(drawing, drawn), drawing.name())):
        end = drawing.known()[-1][0]
        drawing.fits(Entry(Use("Add"), drawing.name(), sources=[end, start], listed=True))


def a_condition(drawing: Drawing, depth: int) -> None:
    """A layer with `when:`; an absent one may be anything."""
    dice = drawing.dice
    holds = dice.chance(50)
    drawn = use(drawing, layer(dice, drawing.current()))
    entry = Entry(drawn, drawing.name(), when=condition(dice, holds, drawing.scope.env))
    if not holds and dice.chance(50):
        entry.sources = [dice.pick(drawing.known())[0]]
    drawing.fits(entry)


def a_type_parameter(drawing: Drawing, depth: int) -> None:
    if "act" not in drawing.scope.env:
        return a_layer(drawing, depth)
    entry = Entry(Use(Expr("=act", lambda e: e["act"])), drawing.name())
    if drawing.scope.env["act"] is None or drawing.dice.chance(50):
        entry.when = Expr("=act != null", lambda e: e["act"] is not None)
    drawing.fits(entry)
    return None


def a_reuse(drawing: Drawing, depth: int) -> None:
    """A module of this scope, applied again."""
    owners = [
        item.name
        for item in drawing.scope.items
        if not item.absent
        and not item.entry.free
        and not isinstance(item.entry.what, Again)
        and not (isinstance(item.entry.what, Use) and item.entry.what.kind in FUNCTIONS)
        and not cuts(item.entry)
        and (item.entry.sources is None or len(item.entry.sources) == 1)
    ]
    if owners:
        drawing.fits(Entry(Again(drawing.dice.pick(owners)), drawing.name()))


def cuts(entry: Entry) -> bool:
    """Whether a Chunk is below: how many results it gives may differ between two applications."""
    what = entry.what
    if isinstance(what, Use):
        return what.kind == "Chunk"
    body = what.block.body if isinstance(what, BlockUse) else what
    return isinstance(body, Body | Loop) and any(map(cuts, body.entries))


def a_split(drawing: Drawing, depth: int) -> None:
    """A cut into parts, some of them used and joined."""
    dice, x = drawing.dice, drawing.current()
    name = drawing.name()
    if name is None or x.ndim < 2:
        return
    drawn = Use("Chunk", {"chunks": 2})
    if dice.chance(40):
        part = dice.int(1, x.shape[1])
        drawn = Use("Split", {"split_size": [part, x.shape[1] - part]})
    fits = drawing.fits(Entry(use(drawing, drawn), name))
    if fits and len(drawing.scope.items[-1].results or ()) > 1:
        parts: list[Any] = [f"{name}.1", f"{name}.0"]
        if dice.chance(50):
            left = f"half{drawing.draft.fresh()}"
            if drawing.fits(Entry(Use("ReLU"), left, sources=[parts[0]])):
                parts[0] = left
        drawing.fits(Entry(Use("Concat"), drawing.name(), sources=parts, listed=dice.chance(50)))


def a_free_tensor(drawing: Drawing, depth: int) -> None:
    """A learned scale, or a constant ramp along the last dimension."""
    dice, x, name = drawing.dice, drawing.current(), drawing.name()
    known = [known for known, each in drawing.known() if each is x]
    if name is None or x.ndim < 2 or not x.is_floating_point() or not known:
        return
    if dice.chance(70):
        shape = list(x.shape[dice.int(1, x.ndim - 1) :])
        shape = [1 if dice.chance(30) else size for size in shape]
        tensor = Use("Parameter", spelled(dice, {"shape": shape}, drawing.scope.env))
        tensor.args["init"] = dice.pick(("ones_", {"normal_": {"std": 0.5}}))
    else:
        formula = Expr("=n * 2 + 1", lambda e: lambda n: n * 2 + 1)
        tensor = Use("Buffer", {"shape": [x.shape[-1]], "index": ["n"], "value": formula})
    if drawing.fits(Entry(tensor, name)):
        kind = dice.pick(("Mul", "Add"))
        refs: list[Any] = [name, known[-1]] if dice.chance(50) else [known[-1], name]
        drawing.fits(Entry(Use(kind), drawing.name(), sources=refs, listed=True))


FLAT: tuple[Step, ...] = (
    *(a_layer,) * 9,
    a_kept_layer,
    a_branch,
    a_join,
    a_join,
    a_skip,
    a_condition,
    a_type_parameter,
    a_reuse,
    a_split,
    a_free_tensor,
)
"""The steps that open no scope, common ones several times."""
