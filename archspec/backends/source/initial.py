"""What `init:` says → the statements of `init_weights`, as a person would write them.

Modules of one type that begin alike are found by their type, other parameters by the end of their
name, and what is left one by one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archspec.backends.source.free import Code, initialisation
from archspec.backends.source.literals import is_identifier, literal
from archspec.graph import Composite, Leaf, leaves
from archspec.ops.initialisers import Initialiser

LINE = tuple[int, str]
"""How deep a statement is nested, and the statement."""
MOST = 0.75
"""The part of a type's modules that must begin alike to be initialised by type, others again."""
MOST_CONSTANT = 0.5
"""The same, where that costs nothing: no random numbers are drawn for them."""
_CONSTANT = ("zeros_", "ones_", "constant_")
_RECURRENT = ("nn.RNN", "nn.LSTM", "nn.GRU")
"""Types whose parameters are no attributes that type checkers know."""
MAX_TYPES = 3
"""Types that one `isinstance` asks for."""
MAX_ENDINGS = 4
"""Endings of names that stand for a group of parameters."""

_Setting = tuple[str, tuple[tuple[str, Any], ...]]
"""A function of `torch.nn.init` and its arguments, as a key."""


@dataclass(frozen=True, slots=True)
class _Weight:
    """A parameter of a layer: its path, and what `init:` says of it."""

    module: str
    name: str
    setting: _Setting | None
    general: _Setting | None = None
    """The same with code over the module's attributes, for modules of one type."""
    is_attribute: bool = False
    """Whether type checkers know `self.module.name`."""

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"


def statements(root: Composite) -> list[LINE]:
    """The body of `init_weights`; empty where `init:` says nothing."""
    weights: dict[str, list[_Weight]] = {}
    layers = [(".".join(path), leaf) for path, leaf in leaves(root)]
    for path, leaf in layers:
        weights.setdefault(_type(leaf), []).extend(_weights(path, leaf))
    everything = [weight for each in weights.values() for weight in each]
    if not any(weight.setting for weight in everything):
        return []
    # Within a layer of several modules there may be some of a type that is asked for.
    plain = not weights.get("") and not any("." in weight.name for weight in everything)
    by_type: dict[str, dict[str, _Setting]] = {}
    single: list[_Weight] = []
    for kind, each in weights.items():
        loop = plain and (kind not in _RECURRENT or _alike(each))
        by_type[kind], rest = _common(each) if loop else ({}, [w for w in each if w.setting])
        single += rest
    endings: Counter[str] = Counter()
    if single:
        endings.update(ending for path, leaf in layers for ending in _all_endings(path, leaf))
    order = {path: number for number, (path, _) in enumerate(layers)}
    single.sort(key=lambda weight: order[weight.module])
    return [*_typed(by_type, weights), *_named(single, endings)]


def _type(leaf: Leaf) -> str:
    """The class of a layer as code names it; empty for one that is not PyTorch's own."""
    path = type(leaf.layer).path or f"torch.nn.{leaf.type}"
    return path.removeprefix("torch.") if path.startswith("torch.nn.") else ""


def _weights(path: str, leaf: Leaf) -> list[_Weight]:
    weights = [name for name in leaf.layer.weights() if name]  # a Parameter has its own `init:`
    return [_weight(path, leaf, name, leaf.initialisers.get(name)) for name in weights]


def _weight(path: str, leaf: Leaf, name: str, found: Initialiser | None) -> _Weight:
    if found is None:
        return _Weight(path, name, None)
    codes = {key: Code(code) for key, code in found.formulas.items()}
    general = (found.function, tuple({**found.args, **codes}.items()))
    known = name == "weight" or (name == "bias" and not _may_lack(_type(leaf), name))
    is_attribute = known and is_identifier(path) and bool(_type(leaf))
    setting = (found.function, tuple(found.args.items()))
    return _Weight(path, name, setting, general, is_attribute)


def _call(setting: _Setting, target: str) -> str:
    return initialisation(setting[0], target, dict(setting[1]))


def _common(weights: Iterable[_Weight]) -> tuple[dict[str, _Setting], list[_Weight]]:
    """How most modules of a type begin, by parameter, and the parameters that begin otherwise."""
    columns: dict[str, list[_Weight]] = {}
    for weight in weights:
        columns.setdefault(weight.name, []).append(weight)
    common: dict[str, _Setting] = {}
    rest: list[_Weight] = []
    for name, column in columns.items():
        settings = Counter(weight.general for weight in column)
        ((usual, count), *_), total = settings.most_common(), len(column)
        if usual is not None and None not in settings:
            enough = MOST_CONSTANT if usual[0] in _CONSTANT else MOST
            common |= {name: usual} if count >= enough * total else {}
        rest += [w for w in column if w.setting and w.general != common.get(name)]
    return common, rest


def _typed(
    by_type: Mapping[str, Mapping[str, _Setting]], weights: Mapping[str, list[_Weight]]
) -> list[LINE]:
    """One loop over all modules, with a branch for the types that begin alike."""
    branches: dict[tuple[str, ...], list[str]] = {}
    for kind, common in by_type.items():
        modules = len({weight.module for weight in weights[kind]})
        lines: list[str] = []
        for name, setting in common.items():
            whole = sum(weight.name == name for weight in weights[kind]) == modules
            lines += _guarded(kind, name, setting, surely=whole and not _may_lack(kind, name))
        if lines:
            branches.setdefault(tuple(lines), []).append(kind)
    found: list[LINE] = []
    for body, kinds in branches.items():
        for start in range(0, len(kinds), MAX_TYPES):
            asked = kinds[start : start + MAX_TYPES]
            types = f"({', '.join(asked)})" if len(asked) > 1 else asked[0]
            found.append((1, f"{'elif' if found else 'if'} isinstance(module, {types}):"))
            found += [(2 + line.startswith(" "), line.strip()) for line in body]
    return [(0, "for module in self.modules():"), *found] if found else []


def _alike(weights: Sequence[_Weight]) -> bool:
    """Whether all modules have the same parameters."""
    counts = Counter(weight.name for weight in weights)
    return len(set(counts.values())) == 1


def _may_lack(kind: str, name: str) -> bool:
    """Whether PyTorch's annotations allow None: type checkers ask for a guard."""
    return kind.startswith("nn.Conv") and name == "bias"


def _guarded(kind: str, name: str, setting: _Setting, *, surely: bool) -> list[str]:
    if kind in _RECURRENT:
        return [_call(setting, f"module.get_parameter({literal(name)})")]
    call = _call(setting, f"module.{name}")
    return [call] if surely else [f"if module.{name} is not None:", f" {call}"]


def _named(single: Sequence[_Weight], endings: Mapping[str, int]) -> list[LINE]:
    """The parameters that are found by their names, those that begin alike together."""
    groups: dict[_Setting, list[str]] = {}
    for weight in single:
        assert weight.setting is not None
        groups.setdefault(weight.setting, []).append(weight.path)
    direct = {weight.path: f"self.{weight.path}" for weight in single if weight.is_attribute}
    tests: list[LINE] = []
    rest: list[LINE] = []
    for setting, group in groups.items():
        few = _few_endings(group, endings)
        if few:
            asked = literal(few[0] if len(few) == 1 else tuple(few))
            tests.append((1, f"{'elif' if tests else 'if'} name.endswith({asked}):"))
            tests.append((2, _call(setting, "parameter")))
        left = [path for path in group if not path.endswith(tuple(few))]
        if len(left) > 1:
            rest += [(0, f"names = {literal(left)}"), (0, "for name in names:")]
            rest.append((1, _call(setting, "self.get_parameter(name)")))
        elif left:
            rest.append((0, _call(setting, direct.get(left[0], _parameter(left[0])))))
    head: list[LINE] = [(0, "for name, parameter in self.named_parameters():")] if tests else []
    return [*head, *tests, *rest]


def _parameter(path: str) -> str:
    """The code that reaches a parameter of the network."""
    return f"self.get_parameter({literal(path)})"


def _all_endings(path: str, leaf: Leaf) -> Iterator[str]:
    """The endings of the names of a layer's parameters, from a dot on."""
    for name in leaf.layer.weights():
        yield from _endings(f"{path}.{name}" if name else path)


def _endings(path: str) -> Iterator[str]:
    """The endings of a name that begin with a dot and a word, short ones first.

    Two parts are the least: a layer and its parameter. A number alone would say little.
    """
    parts = path.split(".")
    for count in range(2, len(parts)):
        if not parts[-count].isdigit():
            yield f".{'.'.join(parts[-count:])}"


def _few_endings(group: Sequence[str], endings: Mapping[str, int]) -> list[str]:
    """A few endings that several of these names have, and no others.

    `endings` counts, over all parameters, how many names end so.
    """
    own = Counter(ending for path in group for ending in _endings(path))
    found: list[str] = []
    for path in group:
        if path.endswith(tuple(found)):
            continue
        ending = next((e for e in _endings(path) if 1 < own[e] == endings[e]), None)
        if ending is not None:
            found.append(ending)
    return found if len(found) <= MAX_ENDINGS else []
