"""Numbers as expressions: other spellings of a value, over the names that are in sight."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from tests.judge.dice import Dice
from tests.judge.model import Env, Expr

Word = tuple[Expr, int]
"""An expression without its `=`, and what it is worth here."""


def spelled(dice: Dice, args: Any, env: Env, percent: int = 20) -> Any:
    """Arguments, with some of their numbers as expressions of the same worth."""
    if isinstance(args, dict):
        return {key: spelled(dice, each, env, percent) for key, each in args.items()}
    if isinstance(args, list):
        return [spelled(dice, each, env, percent) for each in args]
    if type(args) is int and dice.chance(percent):
        return expression(dice, args, env)
    return args


def expression(dice: Dice, number: int, env: Env) -> Any:
    """An expression that is worth a number here; the number itself where nothing is in sight."""
    words = list(_words(env))
    if not words:
        return Expr(f"={number - 1} + 1", lambda e: number)
    word, worth = dice.pick(words)
    forms = list(_forms(word, worth, number))
    return dice.pick(forms)


def _words(env: Env) -> Iterator[Word]:
    for name, value in env.items():
        if type(value) is int:
            yield Expr(name, lambda e, n=name: e[n]), value
        elif isinstance(value, Tensor) and value.ndim > 1:
            yield Expr(f"{name}.channels", lambda e, n=name: e[n].shape[1]), value.shape[1]
            yield Expr(f"{name}.size(-1)", lambda e, n=name: e[n].shape[-1]), value.shape[-1]
            if value.ndim == 4:
                height = Expr(f"{name}.height", lambda e, n=name: e[n].shape[-2])
                yield height, value.shape[-2]


def _forms(word: Expr, worth: int, number: int) -> Iterator[Expr]:
    text, of = word.text, word.of
    apart = number - worth
    if apart == 0:
        yield Expr(f"={text}", of)
        yield Expr(f"={text}", of)
    else:
        sign = "+" if apart > 0 else "-"
        yield Expr(f"={text} {sign} {abs(apart)}", lambda e: of(e) + apart)
    if worth and number % worth == 0:
        factor = number // worth
        yield Expr(f"={text} * {factor}", lambda e: of(e) * factor)
    if worth >= number > 0 and worth // (worth // number) == number:
        part = worth // number
        yield Expr(f"={text} // {part}", lambda e: of(e) // part)
    yield Expr(
        f"={number} if {text} == {worth} else {number + 1}",
        lambda e: number if of(e) == worth else number + 1,
    )
    if worth <= number:
        yield Expr(f"=max({text}, {number})", lambda e: max(of(e), number))


def condition(dice: Dice, holds: bool, env: Env) -> Any:
    """A condition that holds here, or does not."""
    flags = [name for name, value in env.items() if isinstance(value, bool)]
    if flags and dice.chance(50):
        name = dice.pick(flags)
        if env[name] is holds:
            return Expr(f"={name}", lambda e: e[name])
        return Expr(f"=not {name}", lambda e: not e[name])
    words = list(_words(env))
    if not words or dice.chance(20):
        return holds
    word, worth = dice.pick(words)
    if holds:
        return Expr(f"={word.text} < {worth + 1}", lambda e: word.of(e) < worth + 1)
    return Expr(f"={word.text} != {worth}", lambda e: word.of(e) != worth)
