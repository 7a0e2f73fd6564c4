"""`archspec solve`: any one unknown, against PyTorch's own layers and against brute force."""

import itertools

import pytest
import torch

from archspec.cli import main
from archspec.solve import KINDS, output, solve

LAYERS = {
    "conv": lambda **given: torch.nn.Conv1d(1, 1, **given),
    "pool": torch.nn.MaxPool1d,
    "transposed": lambda **given: torch.nn.ConvTranspose1d(1, 1, **given),
}


def real(kind: str, size: int, arguments: dict[str, int]) -> int | None:
    """The output size of PyTorch's layer, or None if it refuses."""
    try:
        with torch.no_grad():
            return int(LAYERS[kind](**arguments)(torch.zeros(1, 1, size)).shape[-1])
    except (RuntimeError, ValueError):
        return None


def arguments() -> list[dict[str, int]]:
    """A grid of arguments."""
    names = ("kernel_size", "stride", "padding", "dilation")
    grid = itertools.product((1, 2, 3, 5), (1, 2, 3), (0, 1, 2), (1, 2))
    return [dict(zip(names, values, strict=True)) for values in grid]


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_are_those_of_pytorch(kind: str) -> None:
    for given in arguments():
        for size in (1, 2, 7, 8):
            assert output(kind, size, given) == real(kind, size, given), (size, given)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unknown", ["kernel_size", "stride", "padding", "dilation"])
def test_what_solves_is_found_and_nothing_else(kind: str, unknown: str) -> None:
    for given in arguments()[::17]:
        known = {name: value for name, value in given.items() if name != unknown}
        for size, wanted in ((7, 4), (8, 8), (8, 17)):
            found = solve(kind, size=size, wanted=wanted, arguments=known)
            tried = range(unknown != "padding", 20)
            right = [v for v in tried if output(kind, size, {**known, unknown: v}) == wanted]
            assert found.unknown == unknown
            assert [v for v in found.values if v < 20] == right


@pytest.mark.parametrize("kind", KINDS)
def test_the_input_size(kind: str) -> None:
    for given in arguments()[::17]:
        found = solve(kind, size=None, wanted=9, arguments=given)
        assert found.unknown == "in"
        assert list(found.values) == [s for s in range(60) if output(kind, s, given) == 9]


QUESTIONS = {
    "conv --in 32 --out 32 --kernel 5": "padding 2",
    "conv --in 224 --out 112 --kernel 7 --stride 2": "padding 3",
    "conv --in 32 --kernel 3": "out 30",
    "conv --in 32 --out 16 --kernel 3 --padding 1": "stride 2",
    "conv --in 32 --out 32 --padding 3": "kernel 7",
    "conv --in 32 --out 28 --kernel 3 --padding 0 --stride 1": "dilation 2",
    "conv --out 112 --kernel 7 --stride 2 --padding 3": "in 223, 224",
    "pool --in 32 --kernel 2": "out 16",
    "transposed --in 16 --out 32 --kernel 2": "stride 2",
    "transposed --in 16 --out 32 --kernel 4 --stride 2": "padding 1",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_people_look_up(question: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", *question.split()]) == 0
    answer, formula = capsys.readouterr().out.splitlines()
    assert answer == QUESTIONS[question]
    left, _, right = formula.rpartition(" = ")
    assert eval(left) == int(right)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("conv --in 32 --out 32 --kernel 4", "no padding does it: padding 1 gives 31, padding 2"),
        ("conv --in 32 --out 32 --kernel 4", "`padding: same` does it"),
        ("pool --in 4 --kernel 7", "no out does it"),
    ],
)
def test_no_answer_is_one_too(
    question: str, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["solve", *question.split()]) == 1
    assert answer in capsys.readouterr().out


@pytest.mark.parametrize(
    "question",
    [
        "conv",
        "conv --kernel 3",
        "conv --in 32",
        "conv --in 32 --out 32 --kernel 3 --padding 1 --stride 1 --dilation 1",
    ],
)
def test_what_is_no_question(question: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", *question.split()]) == 2
    assert capsys.readouterr().err.startswith("archspec: ")


@pytest.mark.parametrize(
    "question",
    [
        "conv --in 0 --kernel 1",
        "conv --in -5 --kernel 3",
        "conv --in 32 --kernel 0",
        "conv --in 32 --kernel 3 --stride 0",
        "conv --in 32 --out -4 --kernel 3",
        "conv --in 99999999999999999999 --kernel 3",
        "transposed --in 32 --out 99999999999 --kernel 3",
    ],
)
def test_odd_numbers_do_no_harm(question: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", *question.split()]) in (0, 1, 2)
    assert "Traceback" not in capsys.readouterr().err
