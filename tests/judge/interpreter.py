"""The judge: runs an abstract network in plain torch, module by module, and keeps what it saw."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from tests.judge.layers import Made, Results, make
from tests.judge.model import (
    MOST_ELEMENTS,
    Again,
    BlockUse,
    Body,
    Entry,
    Env,
    Loop,
    Net,
    Output,
    TooBig,
    Use,
    bind,
    chosen,
    refuse_big,
    seen,
    value,
)

Path = tuple[str, ...]


@dataclass(eq=False)
class Item:
    """An entry in its place: loops spliced, its name filled in, its condition decided."""

    name: str
    entry: Entry
    env: Env
    absent: bool
    previous: "Item | None"
    results: dict[str, Tensor] | None = None


@dataclass(frozen=True)
class Called:
    """One call of a layer: where, of what kind, and its result."""

    path: Path
    kind: str
    result: Tensor


class Judge:
    """A network in plain torch. Modules are made when they are first applied."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.modules: dict[Path, Made] = {}
        self.children: dict[Path, list[str]] = {}
        """The names in every scope, in file order."""
        self.decisions: dict[Any, Any] = {}
        """Conditions and counts: decided when a module is made, and kept when it is used again."""
        self.calls: list[Called] = []
        self.training = False

    def run(self, inputs: Mapping[str, Tensor], *, training: bool = False) -> dict[str, Tensor]:
        """Run every layer; gives the outputs of this mode. Raises what torch raises."""
        self.training, self.calls = training, []
        for made in self.modules.values():
            if made.module is not None:
                made.module.train(training)
        env: dict[str, Any] = bind(self.net.params, {}, {})
        env.update(inputs)
        scope = Scope(self, env, dict(inputs), (), (), parallel=False)
        scope.fill(self.net.body)
        found = scope.finish(self.net.body, self.net.outputs)
        aside = {each.name for each in self.net.outputs or () if each.training}
        return {name: x for name, x in found.items() if training or name not in aside}

    def decided(self, key: Any, given: Any, env: Env) -> Any:
        """The worth of a condition or count, as it was the first time."""
        if key not in self.decisions:
            self.decisions[key] = value(given, env)
        return self.decisions[key]

    def layer(
        self, kind: str, args: Mapping[str, Any], inputs: Results, path: Path, shown: Path
    ) -> dict[str, Tensor]:
        """Apply a layer, made at its first call: its results, by number."""
        if path not in self.modules:
            refuse_big(args)
            self.modules[path] = make(kind, {**self.net.defaults.get(kind, {}), **args}, inputs)
            module = self.modules[path].module
            if module is not None:
                module.train(self.training)
        result = self.modules[path].call(*inputs)
        if self.modules[path].free is not None:
            result.judged_free = True
        results = result if isinstance(result, tuple | list) else (result,)
        if results[0].numel() > MOST_ELEMENTS:
            raise TooBig
        self.calls.append(Called(shown, kind, results[0]))
        return {str(number): each for number, each in enumerate(results)}

    def state(self) -> dict[str, Tensor]:
        """The state dict, as the module tree gives it."""
        return dict(self._state(()))

    def _state(self, path: Path) -> Iterator[tuple[str, Tensor]]:
        names = self.children.get(path, [])
        frees = [(n, self.modules[(*path, n)].free) for n in names if (*path, n) in self.modules]
        own = [(name, free) for name, free in frees if free is not None]
        for parameters in (True, False):  # PyTorch saves parameters before buffers
            for name, free in own:
                if isinstance(free, torch.nn.Parameter) is parameters:
                    yield ".".join((*path, name)), free
        for name in names:
            below = (*path, name)
            made = self.modules.get(below)
            if made is None:
                yield from self._state(below)
            elif made.module is not None:
                for key, tensor in made.module.state_dict().items():
                    yield ".".join((*below, key)), tensor


@dataclass(eq=False)
class Scope:
    """One scope while it runs."""

    judge: Judge
    env: dict[str, Any]
    inputs: dict[str, Tensor]
    path: Path
    """Where its modules are."""
    shown: Path
    """Where it is called."""
    parallel: bool
    items: list[Item] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        if len(self.inputs) == 1:
            self.env["input"] = next(iter(self.inputs.values()))

    # Entries → items.

    def fill(self, body: Body) -> None:
        """Place all entries, then run them; what they need is run before them."""
        for entry in body.entries:
            self.place(entry, self.env, body.numbered)
        for item in self.items:
            self.results(item)

    def add(self, entry: Entry, *, numbered: bool) -> None:
        """Place one more entry, and run it."""
        before = len(self.items)
        self.place(entry, self.env, numbered)
        for item in self.items[before:]:
            self.results(item)

    def place(self, entry: Entry, env: Env, numbered: bool, turns: tuple[int, ...] = ()) -> None:
        key = (self.path, entry, turns)
        absent = entry.when is not None and not self.judge.decided(key, entry.when, env)
        if isinstance(entry.what, Loop):
            for number, turn in enumerate(entry.what.turns if not absent else ()):
                for each in entry.what.entries:
                    self.place(each, {**env, **turn}, entry.what.numbered, (*turns, number))
            return
        name = "" if numbered else value(entry.name, env)
        if numbered and not absent:
            name, self.count = str(self.count), self.count + 1
        before = [item for item in self.items if not item.entry.free]
        self.items.append(Item(name, entry, env, absent, before[-1] if before else None))
        names = self.judge.children.setdefault(self.path, [])
        if not absent and not isinstance(entry.what, Again) and name not in names:
            names.append(name)

    # References → tensors.

    def refer(self, ref: str) -> Tensor:
        """The tensor that a reference names."""
        name, _, result = ref.partition(".")
        for item in self.items:
            if item.name == name and not item.absent:
                found = self.results(item)
                return found[result] if result else next(iter(found.values()))
        for item in self.items:
            if item.name == name:
                return self.sources(item)[0]
        return self.env["input"] if name == "input" else self.inputs[name]

    def sources(self, item: Item) -> Results:
        """The tensors that an item takes."""
        if item.entry.free:
            return ()
        if item.entry.sources is not None:
            return tuple(self.refer(value(ref, item.env)) for ref in item.entry.sources)
        return (self.before(item),)

    def before(self, item: Item) -> Tensor:
        """What comes before an item; an absent one stands for what it would take."""
        if self.parallel or item.previous is None:
            return self.env["input"]
        if item.previous.absent:
            return self.sources(item.previous)[0]
        return next(iter(self.results(item.previous).values()))

    # Items → results.

    def results(self, item: Item) -> dict[str, Tensor]:
        """Run an item, once."""
        if item.absent:
            return {}
        if item.results is None:
            name = item.entry.what.name if isinstance(item.entry.what, Again) else item.name
            inputs = self.sources(item)
            owner = next(each for each in self.items if each.name == name and not each.absent)
            shown = (*self.shown, item.name)
            item.results = self.apply(owner, inputs, (*self.path, name), shown)
        return item.results

    def apply(self, item: Item, inputs: Results, path: Path, shown: Path) -> dict[str, Tensor]:
        entry = item.entry
        if entry.repeat is None:
            return self.single(entry.what, item.env, inputs, path, shown)
        features, current = [inputs[0]], inputs
        self.judge.children[path] = []
        for turn in range(self.judge.decided((path, entry), entry.repeat, item.env)):
            env = {**item.env, "i": turn}
            name = value(entry.names, env) if entry.names is not None else str(turn)
            self.judge.children[path].append(name)
            if entry.dense:
                current = (self.joined(features, (*path, "concat"), shown),)
            found = self.single(entry.what, env, current, (*path, name), (*shown, name))
            current = (next(iter(found.values())), *current[1:])
            features.append(current[0])
        last = self.joined(features, (*path, "concat"), shown) if entry.dense else current[0]
        return {"0": last}

    def joined(self, features: list[Tensor], path: Path, shown: Path) -> Tensor:
        if len(features) == 1:
            return features[0]
        return self.judge.layer("Concat", {}, tuple(features), path, (*shown, "concat"))["0"]

    def single(
        self, what: Any, env: Env, inputs: Results, path: Path, shown: Path
    ) -> dict[str, Tensor]:
        """One module: a layer, a group or a block."""
        if isinstance(what, Use):
            kind, args = chosen(what, env)
            return self.judge.layer(kind, value(args, seen(env, inputs)), inputs, path, shown)
        if isinstance(what, Body):
            return self.inner(what, dict(env), {"input": inputs[0]}, path, shown, None)
        assert isinstance(what, BlockUse)
        block = what.block
        facts = dict(zip(block.inputs or ["input"], inputs, strict=True))
        if len(facts) == 1:
            facts["input"] = inputs[0]
        own = bind(block.params, value(what.args, seen(env, inputs)), facts)
        given = {name: facts[name] for name in block.inputs or ["input"]}
        return self.inner(block.body, own, given, path, shown, block.outputs)

    def inner(
        self,
        body: Body,
        env: dict[str, Any],
        inputs: dict[str, Tensor],
        path: Path,
        shown: Path,
        outputs: list[Output] | None,
    ) -> dict[str, Tensor]:
        self.judge.children[path] = []
        scope = Scope(self.judge, env, inputs, path, shown, body.merge is not None)
        scope.fill(body)
        return scope.finish(body, outputs)

    def finish(self, body: Body, outputs: list[Output] | None) -> dict[str, Tensor]:
        """The outputs of a scope."""
        if outputs is not None:
            return {each.name: self.refer(each.source) for each in outputs}
        if body.merge is not None:
            return {"0": self.merged(body.merge)}
        kept = [item for item in self.items if not item.entry.free]
        end = Item("", Entry(Use("Identity")), self.env, False, kept[-1] if kept else None)
        return {"0": self.before(end)}

    def merged(self, joint: Use) -> Tensor:
        arms = [item for item in self.items if not item.absent and not item.entry.free]
        found = tuple(next(iter(self.results(item).values())) for item in arms)
        if not found:
            return self.env["input"]
        if len(found) == 1 and joint.kind != "Concat":
            return found[0]
        kind, args = chosen(joint, self.env)
        path, shown = (*self.path, "merge"), (*self.shown, "merge")
        return self.judge.layer(kind, value(args, self.env), found, path, shown)["0"]
