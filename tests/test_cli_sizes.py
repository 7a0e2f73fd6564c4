"""`archspec sizes`: its lines, its JSON, its exit codes."""

import json
from pathlib import Path

import pytest

import archspec
from archspec.cli import main
from tests.conformance import ROOT

ODD_AND_EVEN = ROOT / "tests/cases/symbolic_contradiction.yaml"
LINE = "archspec: 1\ninputs: {x: [1, T]}\nlayers:\n"


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main(["sizes", *arguments])
    except SystemExit as left:
        code = int(str(left.code))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


UNET = str(ROOT / "specs/unet.yaml")


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = command(capsys, UNET, "--set", "width=4")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "unet: image 1×H×W → output 2×H×W",
        "takes H >= 16 and H divisible by 16",
        "takes W >= 16 and W divisible by 16",
        "smallest: H = 16, W = 16",
        "strides: 16 (down4), 8 (up1), 4 (up2), 2 (up3), 1 (outc)",
    ]


def test_command_tries(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = command(capsys, UNET, "--try", "32,225", "--try", "W=48,H=16")
    assert code == 1
    works, fails, why, mixed = out.splitlines()[-4:]
    assert works == "H = 32, W = 32 works: output 2×32×32"
    assert fails == "H = 225, W = 225 does not work (E202, line 25):"
    assert why.startswith("  Concat along dimension 1: ")
    assert mixed == "H = 16, W = 48 works: output 2×16×48"
    assert command(capsys, UNET, "--try", "32")[0] == 0


@pytest.mark.parametrize(
    "text", ["a", "", "0", "-3", "H=32", "H=3,W=4,D=5", "3,H=4", "²", "1" * 19]
)
def test_command_usage(capsys: pytest.CaptureFixture[str], text: str) -> None:
    code, out, err = command(capsys, UNET, f"--try={text}")
    assert (code, out) == (2, "")
    assert err.startswith("archspec: --try")


def test_command_without_symbols(capsys: pytest.CaptureFixture[str]) -> None:
    file = str(ROOT / "specs/lenet.yaml")
    code, out, _ = command(capsys, file)
    assert code == 0
    assert "no symbolic sizes" in out
    assert command(capsys, file, "--try", "3")[0] == 2
    data = json.loads(command(capsys, file, "--json")[1])
    assert (data["sizes"], data["smallest"]) == ({}, None)


def test_command_errors(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command(capsys, str(tmp_path / "missing.yaml"))[0] == 2
    code, out, err = command(capsys, str(ODD_AND_EVEN))
    assert code == 1
    assert "E116" in err
    code, out, _ = command(capsys, str(ODD_AND_EVEN), "--json")
    assert (code, out) == (1, "")


def test_command_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = command(capsys, UNET, "--json", "--table", "--try", "16,17")
    assert code == 1
    data = json.loads(out)
    assert data["sizes"]["H"] == {
        "words": "H >= 16 and H divisible by 16",
        "smallest": 16,
        "stretches": [{"from": 1, "period": 16, "remainders": [0]}],
    }
    assert data["outputs"] == {"output": [2, "H", "W"]}
    assert data["smallest"] == {"H": 16, "W": 16}
    assert data["ties"] == []
    assert len(data["layers"]) == len(archspec.load(UNET).layers)
    good, bad = data["tried"]
    assert good == {"sizes": {"H": 16, "W": 16}, "works": True, "outputs": {"output": [2, 16, 16]}}
    assert bad["error"]["code"] == "E202"


def test_command_table(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = command(capsys, str(ROOT / "specs/nin.yaml"), "--table")
    assert "8    AdaptiveAvgPool2d  10×1×1" in out
    assert "5    MaxPool2d          384×((H + 29) // 32 - 2)×((W + 29) // 32 - 2)" in out


def test_command_says_what_is_not_decided(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "rare.yaml"
    pool = "{{AvgPool1d: {{kernel_size: 1, stride: {0}}}, from: x}}"
    layers = "".join(f"  a{n}: {pool.format(n)}\n" for n in (99_989, 99_991))
    file.write_text(f"{LINE}{layers}  join: {{Concat: [a99989, a99991]}}\n")
    code, out, err = command(capsys, str(file))
    assert code == 0, err
    assert "not decided" in out


HALVED = """archspec: 1
name: halved
inputs: {image: [3, H, W]}
layers:
  down: {Conv2d: {out_channels: 8, kernel_size: 2, stride: 2}}
  up: {ConvTranspose2d: {out_channels: 3, kernel_size: 2, stride: 2}}
  join: {Concat: [image, up]}
"""


def test_command_tells_what_is_declared(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "halved.yaml"
    file.write_text(HALVED.replace("layers:", 'requires: {H: "% 4 == 0"}\nlayers:'))
    code, out, err = command(capsys, str(file), "--try", "8,6,5")
    assert (code, err) == (1, "")
    assert out.splitlines()[1:] == [
        "takes H >= 4 and H divisible by 4",
        "takes W >= 2 and W even",
        "as `requires:` declares; its layers take H >= 2 and H even, and W >= 2 and W even",
        "smallest: H = 4, W = 2",
        "strides: 2 (down), 1 (join)",
        "",
        "H = 8, W = 8 works: output 6×8×8",
        "H = 6, W = 6 does not work (E125, line 4):",
        "  `requires:` says `% 4 == 0` of H, which is 6 here",
        "H = 5, W = 5 does not work (E202, line 8):",
        "  Concat along dimension 1: 3×5×5 and 3×4×4 differ in dimension 2 (5 and 4)",
    ]
    data = json.loads(command(capsys, str(file), "--json")[1])
    assert data["declared"] == ["H"]
    assert data["layers_take"]["H"]["words"] == "H >= 2 and H even"


def test_command_says_once_which_sizes_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "halved.yaml"
    file.write_text(HALVED)
    assert command(capsys, str(file))[::2] == (0, "")
    assert main(["check", "--strict", str(file)]) == 0
    captured = capsys.readouterr()
    assert captured.out.endswith("takes H >= 2 and H even, takes W >= 2 and W even\n")
    assert captured.err.startswith("note[N403]: works only where H >= 2 and H even, and W >= 2")
