"""A network being drawn: every entry is tried in torch as soon as it is drawn."""

from typing import Any

import torch
from torch import Tensor

from tests.judge.dice import Dice
from tests.judge.interpreter import Item, Judge, Scope
from tests.judge.model import Body, Entry, Expr, Loop, Net, TooBig, Use

WORDS = ("conv", "relu", "a", "b_1", "Norm", "x-1", "head", "lambda", "ü", "1a", "two words")


class Draft:
    """What all scopes of a network share while it is drawn."""

    def __init__(self, dice: Dice) -> None:
        self.dice = dice
        self.net = Net()
        self.judge = Judge(self.net)
        self.judge.training = True
        self.spoil = dice.chance(80)
        """Whether to keep the first layer that torch refuses."""
        self.spoiled = False
        self.left = dice.int(2, 14)
        """How many layers may still come."""
        self.number = 0

    def fresh(self) -> int:
        self.number += 1
        return self.number

    def scope(
        self, env: dict[str, Any], inputs: dict[str, Tensor], *, parallel: bool = False
    ) -> Scope:
        """A scope to draw into; its modules are made again where it is used."""
        path = (f"draft{self.fresh()}",)
        return Scope(self.judge, dict(env), inputs, path, path, parallel)


class Drawing:
    """The entries of one scope while they are drawn."""

    def __init__(self, draft: Draft, scope: Scope, *, numbered: bool, root: bool = False) -> None:
        self.draft, self.scope, self.numbered, self.root = draft, scope, numbered, root
        self.dice = draft.dice
        self.entries: list[Entry] = []

    def name(self) -> str | None:
        """A new name, if entries have names here."""
        if self.numbered:
            return None
        return f"{self.dice.pick(WORDS)}{self.draft.fresh()}"

    def current(self) -> Tensor:
        """What the next layer takes."""
        before = [item for item in self.scope.items if not item.entry.free]
        if not before and len(self.scope.inputs) > 1:
            return next(iter(self.scope.inputs.values()))
        end = Item("", Entry(Use("Identity")), {}, False, before[-1] if before else None)
        return self.scope.before(end)

    def fits(self, entry: Entry) -> bool:
        """Add an entry, if torch takes it, or if this network is to be spoilt here."""
        first = all(item.entry.free for item in self.scope.items)
        several = len(self.scope.inputs) > 1
        if first and several and entry.sources is None and not entry.free:
            entry.sources = [next(iter(self.scope.inputs))]
        before, count = len(self.scope.items), self.scope.count
        x = self.current()
        try:
            with torch.no_grad():
                self.scope.add(entry, numbered=self.numbered)
        except Exception as error:
            keep = self.draft.spoiled or (self.draft.spoil and self.dice.chance(60))
            if not keep or isinstance(error, TooBig):
                self.forget(before, count)
                return False
            self.draft.spoiled = True
            for item in self.scope.items[before:]:
                item.results = item.results or {"0": x}
        self.entries.append(entry)
        self.annotate(entry, before)
        return True

    def forget(self, before: int, count: int) -> None:
        """Take back what was tried."""
        path, names = self.scope.path, {item.name for item in self.scope.items[before:]}
        del self.scope.items[before:]
        self.scope.count = count
        judge = self.draft.judge
        judge.children[path] = [n for n in judge.children.get(path, []) if n not in names]
        depth = len(path)
        for key in list(judge.modules):
            if key[:depth] == path and len(key) > depth and key[depth] in names:
                del judge.modules[key]

    def annotate(self, entry: Entry, before: int) -> None:
        """Now and then, say the shape beside a layer."""
        items = self.scope.items[before:]
        plain = self.root and not self.draft.spoiled and not isinstance(entry.what, Loop)
        if not plain or entry.free or not items[0].results:
            return
        if self.dice.chance(8):
            entry.shape = list(next(iter(items[0].results.values())).shape[1:])

    def body(self, merge: Use | None = None) -> Body:
        """What was drawn, in any order that means the same."""
        if merge is None and self.entries and not self.numbered and self.dice.chance(35):
            self.entries = reordered(self.dice, self.entries, self.scope)
        return Body(self.entries, self.numbered, merge)

    def known(self) -> list[tuple[str, Tensor]]:
        """What can be referred to: the results of layers, and the inputs."""
        found = [(name, x) for name, x in self.scope.inputs.items()]
        for item in self.scope.items:
            if item.absent or item.results is None or item.entry.free:
                continue
            if len(item.results) == 1:
                found.append((item.name, next(iter(item.results.values()))))
            else:
                found += [(f"{item.name}.{key}", x) for key, x in item.results.items()]
        return found

    def absent(self) -> list[str]:
        """Layers that are not there, but may be referred to."""
        return [i.name for i in self.scope.items if i.absent and i.name]


def reordered(dice: Dice, entries: list[Entry], scope: Scope) -> list[Entry]:
    """The entries in another order, with `from:` where that is needed. The last stays the last."""
    if any(isinstance(each.what, Loop) or isinstance(each.name, Expr) for each in entries):
        return entries
    first = next(iter(scope.inputs)) if len(scope.inputs) > 1 else "input"
    previous = first
    for entry in entries:
        if not entry.free:
            entry.sources = entry.sources or [previous]
            previous = str(entry.name)
    last = next((n for n in range(len(entries) - 1, -1, -1) if not entries[n].free), len(entries))
    order = [entries[n] for n in dice.order(last)] + entries[last:]
    previous = first if len(scope.inputs) == 1 else None
    for entry in order:
        if entry.free:
            continue
        needless = entry.sources == [previous] and not entry.listed and entry.when is None
        if needless and dice.chance(80):
            entry.sources = None
        previous = str(entry.name)
    return order
