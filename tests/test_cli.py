"""The command line: exit codes, standard input, colour, pipes, and what `build` ran."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from archspec.cli import main

GOOD = """archspec: 1
name: tiny
params: {width: 4, sizes: [1, 2], act: ReLU}
inputs: {image: [3, 8, 8]}
layers:
  - Conv2d: {out_channels: =width, kernel_size: 3}
  - =act
  - BatchNorm2d: {eps: "=sizes[0]"}
"""
BAD = GOOD.replace("Conv2d", "Convv2d")


@pytest.fixture
def good(tmp_path: Path) -> str:
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    return str(file)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    return str(file)


def run(
    *arguments: str, stdin: str | bytes = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(
        [sys.executable, "-m", "archspec", *arguments],
        input=data,
        capture_output=True,
        env={**kept, **environment},
    )


def code(*arguments: str) -> int:
    """The exit code of `main`, however it leaves."""
    try:
        return main(list(arguments))
    except SystemExit as left:
        return int(left.code or 0)


def test_exit_codes(
    good: str, bad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "missing.yaml")
    for command in ("check", "show", "build"):
        assert code(command, good) == 0
        assert code(command, bad) == 1
        assert code(command, missing) == 2
        assert code(command, str(tmp_path / "no" / "where")) == 2
    assert code("check", good, bad) == 1
    assert code("check", bad, missing, good) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "build"])
def test_a_directory_is_no_spec(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code(command, str(tmp_path)) == 2
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["nonsense"], ["check"], ["show"], ["--nonsense"], ["show", "a", "b"], ["ops", "Nope"],
        ["check", "--set", "x", "F"], ["check", "--set", "=3", "F"], ["check", "--set",
        "sizes=[1,", "F"],
        ["check", "--set", "sizes=[1]]", "F"], ["check", "--set", "x: y", "F"],
        ["check", "--plugin", "no.such.module", "F"], ["check", "--plugin", "", "F"],
        ["check", "--max-layers", "many", "F"], ["build", "--batch", "0", "F"], ["build",
        "--batch", "x", "F"],
        ["check", "--library", "no/such/folder", "F"], ["zoo", "--library", "no/such/folder"],
        ["show", "--at", "H=" + "9" * 5000, "F"], ["check", "x" * 400], ["new", "x" * 400],
        ["build", "--dtype", "float99", "F"], ["build", "--dtype", "int64", "F"],
        ["build", "--device", "nonsense", "F"], ["build", "--seed", "9" * 30, "F"],
    ],
)  # fmt: skip
def test_usage_errors_leave_with_2(
    arguments: list[str], good: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code(*(good if each == "F" else each for each in arguments)) == 2
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert printed.err or printed.out


def test_no_cuda_is_a_plain_message(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has it")
    assert code("build", "--device", "cuda", good) == 2
    error = capsys.readouterr().err
    assert error.startswith("archspec: ")
    assert "Traceback" not in error


def test_parameters_from_the_command_line(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        code(
            "show",
            "--json",
            "--set",
            "width=6",
            "--set",
            "act={LeakyReLU: {negative_slope: 1}}",
            good,
        )
        == 0
    )
    rows = json.loads(capsys.readouterr().out)["layers"]
    assert rows[0]["output_shape"] == [6, 6, 6]
    assert rows[1]["type"] == "LeakyReLU"
    assert code("check", "--set", "widht=3", good) == 1
    assert "did you mean `width`?" in capsys.readouterr().err
    assert code("check", "--set", "width=", "--set", "act=", good) == 1


def test_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, wanted in ((GOOD, 0), (BAD, 1), ("", 1)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert code("check", "-") == wanted
    assert "<stdin>:6:5" in capsys.readouterr().err


def test_standard_input_that_is_no_text() -> None:
    done = run("check", "-", stdin=b"archspec: 1\nname: \xff\xfe\n")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_json_is_json_even_when_something_is_to_be_said(
    good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    symbolic = tmp_path / "symbolic.yaml"
    symbolic.write_text(GOOD.replace("[3, 8, 8]", "[3, H, W]"))
    for file in (good, str(symbolic)):
        assert code("show", "--json", file) == 0
        assert json.loads(capsys.readouterr().out)["name"] == "tiny"


def test_version_and_help() -> None:
    assert run("--version").stdout.startswith(b"archspec ")
    for arguments in (["--help"], ["build", "--help"]):
        done = run(*arguments)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False)],
)
def test_colour(environment: dict[str, str], coloured: bool, bad: str) -> None:
    done = run("check", bad, **environment)
    assert (b"\x1b[" in done.stderr) is coloured
    assert b"\x1b[" not in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_cannot_show_everything(encoding: str, good: str, bad: str) -> None:
    for file in (good, bad):
        done = run("show", file, PYTHONIOENCODING=encoding)
        assert b"Traceback" not in done.stderr
        assert done.returncode == (0 if file == good else 1)


def test_a_file_that_may_not_be_written(
    bad: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: Path, data: bytes) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    assert code("check", "--fix", "--unsafe-fixes", bad) == 2
    assert f"archspec: {bad}: Permission denied" in capsys.readouterr().err


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    file.write_text(
        "archspec: 1\ninputs: {x: [3]}\nlayers: {r: {Linear: {out_features: 3}, repeat: 3000}}\n"
    )
    for command in ("show", "show --json"):
        shell = f"{sys.executable} -m archspec {command} {file} | head -1"
        done = subprocess.run(["sh", "-c", shell], capture_output=True)
        assert (done.stderr, done.stdout.count(b"\n")) == (b"", 1)


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff.yaml"
    with open(name, "w") as file:
        file.write(GOOD)
    done = subprocess.run([sys.executable, "-m", "archspec", "check", name], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "options",
    [
        ["--dtype", "float64"], ["--dtype", "bfloat16"], ["--channels-last"], ["--batch", "1"],
        ["--seed", "7"], ["--seed", "-1"], ["--dtype", "float16", "--channels-last", "--batch",
        "3"],
    ],
)  # fmt: skip
def test_build_says_what_it_ran(
    options: list[str], good: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code("build", *options, good) == 0
    printed = capsys.readouterr().out
    batch = options[options.index("--batch") + 1] if "--batch" in options else "2"
    dtype = options[options.index("--dtype") + 1] if "--dtype" in options else "float32"
    assert f"{batch}×4×6×6  as predicted" in printed
    assert f"cpu, {dtype}" in printed


def test_ops(capsys: pytest.CaptureFixture[str]) -> None:
    assert code("ops") == 0
    assert "Conv2d" in capsys.readouterr().out
    assert code("ops", "Conv2d") == 0
    assert "kernel_size" in capsys.readouterr().out
    assert code("ops", "conv2d") == 2
    assert "did you mean `Conv2d`?" in capsys.readouterr().err


def test_a_machine_without_numpy_gets_no_warning(good: str, tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ModuleNotFoundError('no numpy', name='numpy')")
    done = run("build", good, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr.decode()) == (0, "")
