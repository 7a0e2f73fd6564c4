"""One number of a network broken: a channel, a kernel, a stride, a size."""

from collections.abc import Callable
from typing import Any

from tests.judge.dice import Dice
from tests.judge.model import Net, all_uses

Place = tuple[Any, Any, int]
"""A mapping or list, a key of it, and the number that stands there."""


def mutated(net: Net, dice: Dice) -> bool:
    """Change exactly one number, in place; False if there is none. Annotations go."""
    for entry in net.body.entries:
        entry.shape = None
    places = _places(net)
    if places:
        holder, key, _ = place = dice.pick(places)
        _change(place, dice)
        if any(holder is each.shape for each in net.inputs.values()):
            holder[key] = max(1, holder[key])
    return bool(places)


def change_one(args: dict[str, Any], dice: Dice) -> None:
    """Change one number of these arguments, if there is one."""
    places: list[Place] = []
    _collect(args, places)
    if places:
        _change(dice.pick(places), dice)


def _change(place: Place, dice: Dice) -> None:
    holder, key, old = place
    change: Callable[[int], int] = dice.pick(
        (lambda n: n + 1, lambda n: n - 1, lambda n: 2 * n + 1, lambda n: n + 5, lambda n: -n)
    )
    holder[key] = change(old) if change(old) != old else old + 1


def _places(net: Net) -> list[Place]:
    """Every plain number in arguments and input shapes."""
    found: list[Place] = []
    for use in all_uses(net):
        if use.kind not in ("Buffer", "Parameter", "Embedding"):
            _collect(use.args, found)
    for each in net.inputs.values():
        _collect(each.shape, found)
    return found


def _collect(holder: Any, found: list[Place]) -> None:
    pairs = holder.items() if isinstance(holder, dict) else enumerate(holder)
    for key, each in pairs:
        if type(each) is int:
            found.append((holder, key, each))
        elif isinstance(each, dict | list):
            _collect(each, found)
