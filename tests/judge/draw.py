"""Abstract networks drawn at random: the constructs of the language, one method each."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tests.judge.dice import Dice
from tests.judge.draft import Draft, Drawing
from tests.judge.draw_blocks import draw_block, used_again
from tests.judge.draw_layers import channels, keeping, layer, some
from tests.judge.layers import FUNCTIONS
from tests.judge.model import Again, Body, Entry, Expr, Input, Loop, Net, Output, Param, Use, value
from tests.judge.spell import condition, expression, spelled

DEPTH = 3


def network(dice: Dice) -> Net:
    """A network; about half of all can be run."""
    draft = Draft(dice)
    net = draft.net
    _params(dice, net)
    env: dict[str, Any] = {name: param.default for name, param in net.params.items()}
    inputs = {}
    for name in ("image",) if dice.chance(85) else ("left", "right"):
        net.inputs[name] = _input(dice, env)
        inputs[name] = sample(net.inputs[name], env, 2)
    net.defaults = _defaults(dice)
    scope = draft.scope({**env, **inputs}, inputs)
    drawing = Drawing(draft, scope, numbered=dice.chance(25) and len(inputs) == 1, root=True)
    fill(drawing, dice.int(2, 8), 0)
    while not drawing.entries:
        drawing.fits(Entry(Use("Identity"), drawing.name()))
    if dice.chance(40):
        net.outputs, net.style = _outputs(drawing)
    net.body = drawing.body()
    return net


def sample(spec: Input, env: dict[str, Any], batch: int) -> Tensor:
    """A random tensor for an input."""
    shape = (batch, *value(spec.shape, env))
    return torch.randint(0, 2, shape) if spec.integer else torch.randn(shape)


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
    count = min(dice.pick((1, 1, 2, 3)), len(plain))
    chosen = [plain[n] for n in dice.order(len(plain))[:count]]
    style = dice.pick(("list", "mapping", "dict")) if len(plain) > 1 or plain[0] in names else "dict"
    if style == "list":
        if all(name.isidentifier() for name in chosen):
            return [Output(name, name) for name in chosen], style
        style = "mapping"
    outputs = [Output(f"out_{n}", name) for n, name in enumerate(chosen)]
    for each in outputs[1:]:
        each.training = dice.chance(30)
    return outputs, style


def fill(drawing: Drawing, steps: int, depth: int) -> None:
    """Draw so many entries, as far as the network may grow."""
    for _ in range(steps):
        if drawing.draft.left <= 0:
            return
        drawing.draft.left -= 1
        step = drawing.dice.pick(_STEPS if depth < DEPTH else _FLAT)
        step(drawing, depth)


def use(drawing: Drawing, drawn: Use, env: dict[str, Any] | None = None) -> Use:
    """A drawn layer, with some numbers spelled as expressions."""
    own = dict(drawing.scope.env) if env is None else env
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
    entry = Entry(Use(kind, args), drawing.name(), sources=refs, listed=not args and dice.chance(70))
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


def inside(drawing: Drawing, x: Tensor, depth: int, *, names: dict[str, Any] | None = None) -> Drawing:
    """A group to draw into."""
    env = {**drawing.scope.env, **(names or {}), "input": x}
    scope = drawing.draft.scope(env, {"input": x})
    return Drawing(drawing.draft, scope, numbered=drawing.dice.chance(50))


def a_group(drawing: Drawing, depth: int) -> None:
    inner = inside(drawing, drawing.current(), depth)
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
        inner = inside(drawing, x, depth, names={"i": 0})
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
        and (item.entry.sources is None or len(item.entry.sources) == 1)
    ]
    if owners:
        drawing.fits(Entry(Again(drawing.dice.pick(owners)), drawing.name()))


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
    if drawing.fits(Entry(use(drawing, drawn), name)) and len(drawing.scope.items[-1].results or ()) > 1:
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


Step = Callable[[Drawing, int], None]
_FLAT: tuple[Step, ...] = (
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
_STEPS: tuple[Step, ...] = (
    *_FLAT,
    a_group,
    a_repetition,
    a_repetition,
    a_loop,
    a_parallel,
    a_block,
    a_block,
    a_block,
)
