"""Layers that work in place: what is refused raises in PyTorch, what is accepted runs."""

import pytest
import torch

import archspec

HEAD = "archspec: 1\ninputs: {x: [4, 6]}\nlayers:\n"
LINEAR = "  a: {Linear: {out_features: 8}}\n"
HALVES = f"{LINEAR}  b: {{Chunk: {{chunks: 2, dim: 2}}}}\n"
COLUMN = "  a: {Mean: {dim: 2, keepdim: true}}\n"
STRETCHED = f"{COLUMN}  b: {{Expand: {{shape: [4, 3]}}}}\n"
REFUSED = {
    "a part": ("E118", f"{HALVES}  act: {{ReLU: {{}}, from: b.1}}\n"),
    "a list of parts": (
        "E118",
        f"{LINEAR}  b: {{Split: {{split_size: [2, 6], dim: 2}}}}\n  act: {{SiLU: {{}}}}\n",
    ),
    "a view of a part": (
        "E118",
        f"{HALVES}  c: {{Unsqueeze: {{dim: 1}}, from: b.0}}\n  act: {{ELU: {{}}}}\n",
    ),
    "a part, in training": ("E118", f"{HALVES}  act: {{Dropout: {{}}}}\n"),
    "a part, behind a dropout": ("E118", f"{HALVES}  c: Dropout\n  act: {{Mish: {{}}}}\n"),
    "stretched": ("E208", f"{STRETCHED}  act: {{ReLU: {{}}}}\n"),
    "a view of what is stretched": (
        "E208",
        f"{STRETCHED}  c: {{Transpose: {{dim0: 1, dim1: 2}}}}\n  act: {{ReLU: {{}}}}\n",
    ),
}
ACCEPTED = {
    "parts of an input": "  b: {Chunk: {chunks: 2, dim: 2}}\n  act: {ReLU: {}}\n",
    "a copy of a part": f"{HALVES}  c: {{Flatten: {{}}}}\n  act: {{ReLU: {{}}}}\n",
    "what is computed of a part": f"{HALVES}  c: Tanhshrink\n  act: {{ReLU: {{}}}}\n",
    "a view": f"{LINEAR}  b: {{Transpose: {{dim0: 1, dim1: 2}}}}\n  act: {{ReLU: {{}}}}\n",
    "not stretched": f"{LINEAR}  b: {{Expand: {{shape: [4, -1]}}}}\n  act: {{ReLU: {{}}}}\n",
    "a copy of what is stretched": (f"{STRETCHED}  c: {{Flatten: {{}}}}\n  act: {{ReLU: {{}}}}\n"),
}


def runs(text: str) -> bool:
    """Whether the module runs in both modes once `act` works in place, set by hand."""
    module = archspec.loads(HEAD + text).build()
    module.get_submodule("act").inplace = True
    try:
        for training in (False, True):
            module.train(training)(torch.randn(3, 4, 6))
    except RuntimeError as error:
        if "inplace" not in str(error) and "single memory location" not in str(error):
            raise
        return False
    return True


def in_place(text: str) -> str:
    before, _, after = text.partition("act: {")
    return f"{HEAD}{before}act: {{{after.replace('{}', '{inplace: true}', 1)}"


@pytest.mark.parametrize(("code", "text"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_raises(code: str, text: str) -> None:
    (found,) = archspec.check(in_place(text)).diagnostics
    assert found.code == code
    assert found.help == "leave inplace out"
    assert not runs(text)


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_what_is_accepted_runs(text: str) -> None:
    assert archspec.check(in_place(text)).ok
    assert runs(text)


def test_one_layer_is_told_once() -> None:
    text = in_place(f"{HALVES}  act: {{ReLU: {{}}, from: b.1}}\n")
    text += "  again: {Reuse: act, from: b.0}\n  end: {Add: [act, again]}\n"
    assert [each.code for each in archspec.check(text).diagnostics] == ["E118"]


def test_what_is_stretched_to_an_open_size_is_stretched() -> None:
    text = """archspec: 1
inputs: {column: [4, 1], wide: [4, N]}
layers:
  b: {Expand: {shape: [4, =N]}, from: column}
  act: {ReLU: {inplace: true}}
  end: {Add: [act, wide]}
"""
    assert [each.code for each in archspec.check(text).diagnostics] == ["E208"]
