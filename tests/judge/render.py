"""Abstract network → spec: plain data, and its text as YAML."""

from collections.abc import Mapping
from typing import Any

import yaml

from tests.judge.dice import Dice
from tests.judge.model import (
    Again,
    Block,
    BlockUse,
    Body,
    Entry,
    Expr,
    Input,
    Loop,
    Net,
    Output,
    Param,
    Use,
)


def spec(net: Net) -> dict[str, Any]:
    """The spec as plain data, in the words of the language."""
    data: dict[str, Any] = {"archspec": 1}
    if net.params:
        data["params"] = {name: _param(param) for name, param in net.params.items()}
    data["inputs"] = {name: _input(each) for name, each in net.inputs.items()}
    if net.defaults:
        data["defaults"] = written(net.defaults)
    if net.blocks:
        data["blocks"] = {block.name: _block(block) for block in net.blocks}
    data |= _body(net.body)
    if net.outputs is not None:
        data["outputs"] = _outputs(net.outputs, net.style)
    return data


def text(data: Mapping[str, Any], dice: Dice) -> str:
    """The spec as YAML, in flow or block style."""
    flow = dice.pick((False, None, None, True))
    options = {"sort_keys": False, "width": 1000, "allow_unicode": True}
    written: str = yaml.dump(data, Dumper=_Dumper, default_flow_style=flow, **options)
    return written


class _Dumper(yaml.SafeDumper):
    """Spells out what is written twice: a spec has no anchors here."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def written(value: Any) -> Any:
    """An argument as it is written."""
    if isinstance(value, Expr):
        return value.text
    if isinstance(value, Use):
        return {value.kind: written(value.args)} if value.args else value.kind
    if isinstance(value, list):
        return [written(each) for each in value]
    if isinstance(value, dict):
        return {key: written(each) for key, each in value.items()}
    return value


def _param(param: Param) -> Any:
    return param.kind if param.kind is not None else written(param.default)


def _input(each: Input) -> Any:
    shape = written(each.shape)
    return {"shape": shape, "dtype": "int64"} if each.integer else shape


def _block(block: Block) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if block.params:
        data["params"] = {name: _param(param) for name, param in block.params.items()}
    if block.inputs:
        data["inputs"] = list(block.inputs)
    data |= _body(block.body)
    if block.outputs is not None:
        data["outputs"] = _outputs(block.outputs, "list")
    return data


def _outputs(outputs: list[Output], style: str) -> Any:
    if style == "list" and not any(each.training for each in outputs):
        names = [each.source for each in outputs]
        if names == [each.name for each in outputs]:
            return names[0] if len(names) == 1 else names
    entries: dict[str, Any] = {"as": "dict"} if style == "dict" else {}
    for each in outputs:
        entries[each.name] = (
            {"from": each.source, "only": "training"} if each.training else each.source
        )
    return entries


def _body(body: Body) -> dict[str, Any]:
    entries = _entries(body.entries, body.numbered)
    if body.merge is None:
        return {"layers": entries}
    return {"merge": written(body.merge), "branches": entries}


def _entries(entries: list[Entry], numbered: bool) -> Any:
    if numbered:
        return [_entry(entry) for entry in entries]
    return {written(entry.name): _entry(entry) for entry in entries}


def _entry(entry: Entry) -> Any:
    data = _what(entry)
    if entry.sources is not None and not entry.listed:
        refs = written(entry.sources)
        data["from"] = refs[0] if len(refs) == 1 else refs
    if entry.when is not None:
        data["when"] = written(entry.when)
    if entry.repeat is not None:
        data["repeat"] = written(entry.repeat)
    if entry.names is not None:
        data["names"] = entry.names.text
    if entry.dense:
        data["connect"] = "dense"
    if entry.shape is not None:
        data["shape"] = list(entry.shape)
    return _shortest(data)


def _shortest(data: dict[str, Any]) -> Any:
    """A type alone is a word; a list of layers alone is a list."""
    if len(data) == 1:
        ((key, value),) = data.items()
        if key == "layers" and isinstance(value, list):
            return value
        if value is None:
            return key
    return data


def _what(entry: Entry) -> dict[str, Any]:
    what = entry.what
    if isinstance(what, Body):
        return _body(what)
    if isinstance(what, Loop):
        return {
            "for": f"{what.variables} in {what.over}",
            "layers": _entries(what.entries, what.numbered),
        }
    if isinstance(what, Again):
        return {"Reuse": what.name}
    if isinstance(what, BlockUse):
        return {what.block.name: written(what.args) or None}
    kind = written(what.kind)
    return {kind: written(entry.sources) if entry.listed else written(what.args) or None}
