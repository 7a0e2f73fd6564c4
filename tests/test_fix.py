"""`check --fix`: certain help is applied, doubtful help only when asked, layout stays."""

from pathlib import Path

import pytest

import archspec
from archspec.cli import main
from archspec.diagnostics import Remedy, did_you_mean
from archspec.fix import apply

SPEC = """archspec: 1
name: slips   # what a morning brings
params: {width: 16, num_classes: 10}
inputs: {image: [3, 32, 32]}

layers:
  conv1: {Conv2D: {out_channels: =widht, kernal_size: 3}}   # two slips, and this comment
  act:   {relu, from: conv1}
  down:  {Conv2d: {in_channels: 17, out_channels: 8, kernel_size: 3}}
  flat: Flatten
  fc: {Linear: {out_feature: =num_classes}}
"""
SAFE = SPEC.replace("Conv2D", "Conv2d").replace("relu", "ReLU").replace("widht", "width")
SAFE = SAFE.replace("kernal_size", "kernel_size").replace("out_feature:", "out_features:")
UNSAFE = SAFE.replace("in_channels: 17", "in_channels: 16")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "slips.yaml"
    path.write_text(SPEC)
    return path


def test_fix_applies_what_is_certain(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--fix", str(file)]) == 1  # a wrong in_channels is left
    assert file.read_text() == SAFE
    assert "5 fixes applied" in capsys.readouterr().out


def test_unsafe_fixes_apply_the_rest(file: Path) -> None:
    assert main(["check", "--unsafe-fixes", str(file)]) == 0
    assert file.read_text() == UNSAFE


def test_diff_changes_nothing(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "--diff", str(file)])
    assert file.read_text() == SPEC
    out = capsys.readouterr().out
    assert "-  act:   {relu, from: conv1}" in out
    assert "+  act:   {ReLU, from: conv1}" in out


def test_line_ends_stay(tmp_path: Path) -> None:
    file = tmp_path / "dos.yaml"
    file.write_bytes(SPEC.replace("\n", "\r\n").encode())
    main(["check", "--fix", str(file)])
    assert file.read_bytes().decode() == SAFE.replace("\n", "\r\n")


def test_a_good_file_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "good.yaml"
    file.write_text(UNSAFE)
    before = file.stat().st_mtime_ns
    assert main(["check", "--fix", str(file)]) == 0
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("name", "known", "match", "certain"),
    [
        ("Conv2D", ["Conv1d", "Conv2d", "Conv3d"], "Conv2d", True),
        ("batch_norm2d", ["BatchNorm1d", "BatchNorm2d"], "BatchNorm2d", True),
        ("kernal_size", ["kernel_size", "stride"], "kernel_size", True),
        ("filters", ["out_channels", "in_channels"], "out_channels", True),
        ("batchnorm", ["BatchNorm1d", "BatchNorm2d"], "BatchNorm2d", False),
        ("conv5", ["conv1", "conv2", "conv3"], "conv3", False),
        ("form", ["for", "from", "when"], "from", True),
        ("conv12", ["conv13", "pool"], "conv13", False),
    ],
)
def test_what_is_certain(name: str, known: list[str], match: str, certain: bool) -> None:
    help = did_you_mean(name, known)
    assert isinstance(help, Remedy)
    assert (help.replacement, help.certain) == (match, certain)


def test_overlapping_edits_wait() -> None:
    report = archspec.check(SPEC)
    text, count = apply(SPEC, [*report.diagnostics, *report.diagnostics], unsafe=True)
    assert count >= 1
    assert len(text.splitlines()) == len(SPEC.splitlines())
