"""Numbers that a spec writes as `3 * dim`: they are no arguments, where uses of a class differ."""

import re

import pytest

import archspec
from archspec.backends.source import print_file
from archspec.backends.source.written import formula
from tests.source_files import CHECKS, agree_here, complaints, is_installed, load

ATTENTION = """
archspec: 1
name: net
inputs: {x: [8, 12]}
blocks:
  Mlp:
    params: {hidden: int}
    layers: [{Linear: {out_features: =hidden}}, GELU, {Linear: {out_features: =input.size(-1)}}]
  Attention:
    params: {dim: int, ratio: 4.0, inner: =dim // 2, k: 3}
    layers:
      enter: {Linear: {out_features: =dim}}
      qkv: {Linear: {out_features: =3 * dim}}
      narrow: {Linear: {out_features: =inner}}
      mlp: {Mlp: {hidden: =int(dim * ratio)}}
      leave: {Linear: {out_features: =(dim - 1) // k}}
layers:
  a: {Attention: {dim: 16}}
  b: {Attention: {dim: 32}}
"""


def heads(text: str) -> dict[str, str]:
    """By class: the arguments of its constructor."""
    found = re.findall(
        r"class (\w+)\(.*?def __init__\(\s*self,?\s*(.*?)\) -> None", text, re.DOTALL
    )
    return {name: " ".join(arguments.split()) for name, arguments in found}


def test_an_expression_over_an_argument_is_written_where_it_stands() -> None:
    network = archspec.loads(ATTENTION)
    text = print_file(network)
    assert heads(text)["Attention"] == "in_features: int, dim: int"
    assert "self.qkv = nn.Linear(dim, 3 * dim)" in text
    assert "self.narrow = nn.Linear(3 * dim, dim // 2)" in text
    assert "self.mlp = Mlp(dim // 2, dim * 4)" in text
    assert "self.leave = nn.Linear(dim // 2, (dim - 1) // 3)" in text
    assert "self.b = Attention(5, 32)" in text
    agree_here(network)


def test_equal_numbers_are_no_formula() -> None:
    """All that the spec says is two numbers: that one is three times the other is a coincidence."""
    given = ATTENTION.replace("ratio: 4.0", "ratio: 4.0, wide: int").replace("=3 * dim", "=wide")
    given = given.replace("{dim: 16}", "{dim: 16, wide: 48}")
    text = print_file(archspec.loads(given.replace("{dim: 32}", "{dim: 32, wide: 96}")))
    assert "self.qkv = nn.Linear(dim, wide)" in text


def test_another_value_for_a_formula_is_an_argument() -> None:
    """A use gives what the block would have computed: the name of the parameter stays."""
    network = archspec.loads(ATTENTION.replace("{dim: 32}", "{dim: 32, inner: 20}"))
    assert "self.narrow = nn.Linear(3 * dim, inner)" in print_file(network)
    agree_here(network)


def test_what_a_method_reads_is_an_argument() -> None:
    rolled = "rolled: {Roll: {shifts: =3 * dim, dims: 2}}"
    network = archspec.loads(ATTENTION.replace("narrow: {", f"{rolled}\n      narrow: {{"))
    assert "torch.roll" not in (text := print_file(network))
    assert "x.roll(self.out_features, 2)" in text
    assert "self.qkv = nn.Linear(dim, out_features)" in text
    agree_here(network)


@pytest.mark.parametrize(
    ("text", "column", "code"),
    [
        ("3 * a", (3, 6), "3 * {}"),
        ("a * b // 64 * 2", (4, 8), "{} * 4"),
        ("int(a * r)", (4, 8), "{} * 4"),
        ("a * one", (1, 2), None),
        ("a // one + 2", (3, 4), "{} + 2"),
        ("(a + 1) // 2", (1, 1), "({} + 1) // 2"),
        ("8 // a", (8, 4), "8 // {}"),
        ("a + a", (2, 4), None),
        ("a * c", (5, 12), None),
        ("3 * a", (3, 7), None),
        ("3 * a", (3.0, 6.0), None),
        ("a * half", (0.5, 1.0), None),
        ("3 * i", (0, 3), None),
        ("a // zero", (1, 2), None),
        ("8 // z", (8, 4), None),
        ("3 * name", (1, 2), None),
        ("3 * many", (1, 2), None),
        ("max(a * 3)", (3, 6), None),
        ("1 + a * 3 - 2 + 1", (3, 6), None),
        ("a *", (3, 6), None),
    ],
)
def test_formulas(text: str, column: tuple[int, ...], code: str | None) -> None:
    params = {
        "a": (1, 2), "b": (128, 128), "c": (5, 6), "r": (4.0, 4.0), "one": (1, 1),
        "half": (0.5, 0.5), "zero": (0, 0), "z": (0, 2), "name": ("n", "m"), "many": ([1], [2]),
    }  # fmt: skip
    found = formula(text, column, params)
    assert found == (None if code is None else ("a", code))


@pytest.mark.parametrize("check", CHECKS)
def test_tools_have_nothing_to_say(check: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    if not is_installed(check):
        pytest.skip(f"{check} is not installed")
    folder = tmp_path_factory.mktemp("formulas")
    (folder / "attention.py").write_text(print_file(archspec.loads(ATTENTION)))
    assert complaints(check, folder) == ""


def test_networks_read_as_their_papers() -> None:
    mobilenet = print_file(load("specs/mobilenet_v2.yaml"))
    assert "padding=kernel_size // 2," in mobilenet
    resnet = archspec.load("specs/torchvision/resnet.yaml", variant="wide_resnet50_2")
    text = print_file(resnet)
    assert heads(text)["Bottleneck"] == "planes: int"
    assert "self.conv1 = nn.Conv2d(planes * 4, planes * 2, 1, bias=False)" in text
