"""The names that a child may have: exactly those that `nn.Module().add_module` takes."""

import pickle
import unicodedata
from collections import namedtuple

import pytest
import torch
import yaml
from torch import nn

import archspec
from archspec.names import MAX_LENGTH, RESERVED, TAKEN, refusal

ODD = (
    "0",
    "00",
    "-1",
    "class",
    "lambda",
    "None",
    "True",
    "self",
    "torch",
    "nn",
    "F",
    "x",
    "print",
    "list",
    "append",
    "insert",
    "extend",
    "pop",
    "keys",
    "__all__",
    "__name",
    "__debug__",
    "_x",
    "two words",
    " ",
    "\t",
    "new\nline",
    'a "quoted" name',
    "it's",
    "back\\slash",
    '"""',
    "{brace",
    "}",
    "{}",
    "{0}",
    "{self}",
    "#",
    ": ",
    "é",
    "名前",
    "ﬁ",
    "\u202eright",
    "🙂",
    "a/b",
    "a,b",
    "=",
    "null",
    "~",
)
REFUSED = (
    "",
    "a.b",
    ".",
    "a.",
    "forward",
    "training",
    "type",
    "T_destination",
    "half",
    "__class__",
)


def torch_takes(name: str) -> bool:
    try:
        nn.Module().add_module(name, nn.Identity())
    except (KeyError, TypeError):
        return False
    return True


def test_the_list_is_torchs() -> None:
    attributes = set(dir(nn.Module())) | set(vars(nn.Module())) | set(dir(nn.Module))
    attributes.discard("___needs_generation_tag_patch")  # torch.compile puts it there, once it ran
    assert {name for name in attributes if not torch_takes(name)} == TAKEN


@pytest.mark.parametrize("name", sorted({*ODD, *REFUSED, *TAKEN}))
def test_what_torch_refuses_is_refused(name: str) -> None:
    assert (refusal(name) is None) == torch_takes(name)


def test_what_the_language_reserves_is_refused_too() -> None:
    assert all(torch_takes(name) and refusal(name) for name in RESERVED)
    assert refusal("x" * MAX_LENGTH) is None
    assert refusal("x" * (MAX_LENGTH + 1))


@pytest.mark.parametrize("name", sorted({*REFUSED, *RESERVED}))
@pytest.mark.parametrize("shape", ["chain", "graph"])
def test_a_refused_name_is_a_diagnostic(name: str, shape: str) -> None:
    with pytest.raises(archspec.SpecError) as found:
        archspec.loads(spec(name, shape))
    assert {d.code for d in found.value.diagnostics} <= {"E111", "E106"}
    assert found.value.diagnostics[0].code == "E111"


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("shape", ["chain", "graph", "group", "block", "output"])
def test_an_odd_name_works_end_to_end(name: str, shape: str) -> None:
    read = archspec.loads(spec(name, shape))
    module = read.build()
    key = {"group": f"outer.{name}.weight", "block": f"use.{name}.weight"}
    assert key.get(shape, f"{name}.weight") in module.state_dict()
    x = torch.randn(2, 3)
    result = module(x)
    again = pickle.loads(pickle.dumps(module))(x)
    for mine, theirs in zip(parts(result), parts(again), strict=True):
        assert mine.shape == (2, 3)
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("name", sorted({*ODD, *REFUSED, "count", "index"} - {""}))
def test_an_output_of_a_dict_may_have_any_name(name: str) -> None:
    result = archspec.from_dict(two_outputs(name, "dict")).build()(torch.zeros(2, 3))
    assert list(result) == [name, "other"]


@pytest.mark.parametrize("name", sorted({*ODD, *REFUSED, "count", "index", "_fields"} - {""}))
def test_an_output_of_a_tuple_has_a_name_that_a_named_tuple_takes(name: str) -> None:
    try:
        wanted = namedtuple("wanted", [name, "other"])
    except ValueError:
        with pytest.raises(archspec.SpecError) as found:
            archspec.from_dict(two_outputs(name, "tuple"))
        assert [d.code for d in found.value.diagnostics] == ["E111"]
    else:
        result = archspec.from_dict(two_outputs(name, "tuple")).build()(torch.zeros(2, 3))
        assert [unicodedata.normalize("NFKC", n) for n in wanted._fields] == list(result._fields)


def two_outputs(name: str, style: str) -> dict[str, object]:
    outputs = {"as": style, name: "act", "other": "data"}
    return {"archspec": 1, "inputs": {"data": [3]}, "layers": {"act": "ReLU"}, "outputs": outputs}


def parts(result: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


def written(name: str) -> str:
    """A name as a key or reference says it: as an expression, where it looks like one."""
    return f"={name!r}" if "{" in name or name.startswith("=") else name


def spec(name: str, shape: str) -> str:
    """A network with a layer of this name: in a chain, or referred to."""
    name = written(name)
    layer = {"Linear": {"out_features": 3}}
    chain = {"first_": "ReLU", name: layer, "last_": "ReLU"}
    graph = {name: layer, "sum_": {"Add": [name, "input"]}}
    data: dict[str, object] = {
        "chain": {"layers": chain},
        "graph": {"layers": graph},
        "group": {"layers": {"outer": {"layers": chain}}},
        "block": {"blocks": {"Own": {"layers": graph}}, "layers": {"use": "Own"}},
        "output": {"layers": graph, "outputs": {"one": name, "two": "sum_"}},
    }[shape]
    head = {"archspec": 1, "inputs": {"data": [3]}}
    return yaml.safe_dump(head | data, sort_keys=False, allow_unicode=True)


@pytest.mark.parametrize("name", ["self", "torch", "nn", "F", "getattr", "float", "Tensor"])
def test_an_input_cannot_hide_what_forward_reads(name: str) -> None:
    text = f"archspec: 1\ninputs: {{{name}: [3]}}\nlayers: [{{Linear: {{out_features: 3}}}}]\n"
    with pytest.raises(archspec.SpecError) as found:
        archspec.loads(text)
    assert [(d.code, d.line, d.column) for d in found.value.diagnostics] == [("E111", 2, 10)]


def test_help_for_a_clash_is_another_name() -> None:
    text = "archspec: 1\ninputs: {x: [3]}\nlayers: {x: ReLU}\n"
    (found,) = archspec.check(text).diagnostics
    assert (found.code, found.help) == ("E111", "call it `x_`, for example")
