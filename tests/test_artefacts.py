"""`archspec build -o` and `Network.export`: files of all kinds, whole or not there."""

import copy
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

import archspec
from archspec.backends.files import artefacts, programs
from archspec.backends.files.artefacts import KINDS, ArtefactError
from archspec.backends.files.weights import load_weights
from archspec.cli import main
from tests.helpers import spec

TINY = spec(
    """
    name: tiny
    params: {width: 4}
    layers:
      conv: {Conv2d: {out_channels: =width, kernel_size: 3, padding: 1}}
      norm: BatchNorm2d
      drop: {Dropout: {p: 0.5}}
      left: {Tanh: , from: norm}
      right: {Sigmoid: , from: drop}
    outputs: {left: left, right: right}
    """,
    "inputs: {image: [3, H, W]}\n",
)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    file = tmp_path / "tiny.yaml"
    file.write_text(TINY)
    return file


def network() -> archspec.Network:
    return archspec.loads(TINY)


def fresh(code: str, *arguments: object) -> str:
    """What code prints in a process that cannot import archspec."""
    script = f"import sys\nsys.modules['archspec'] = None\n{code}"
    words = [sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("suffix", [".pt2", ".onnx", ".safetensors", ".pth"])
def test_a_module_without_values_is_not_written(suffix: str, tiny: Path, tmp_path: Path) -> None:
    need(suffix)
    path = tmp_path / f"net{suffix}"
    with pytest.raises(ArtefactError, match="on the meta device, where they have no values"):
        network().export(path, network().build(device="meta"))
    assert main(["build", str(tiny), "--device", "meta", "-o", str(path)]) in (1, 2)
    assert not path.exists()


def need(suffix: str) -> None:
    for package in KINDS[suffix].packages:
        pytest.importorskip(package)


# Each kind, in a process of its own that has no archspec.


def test_a_program_runs_anywhere_for_every_size_and_names_its_outputs(tmp_path: Path) -> None:
    module = network().build().eval()
    made = network().export(tmp_path / "tiny.pt2", module)
    assert made.words == "an exported program for every batch, H >= 2, W >= 2"
    fed = torch.randn(3, 3, 11, 7)
    torch.save([fed, module(fed)._asdict()], tmp_path / "fed.pt")
    code = """
import torch
program = torch.export.load(sys.argv[1]).module()
fed, wanted = torch.load(sys.argv[2])
found = program(fed)
assert list(found) == list(wanted) == ["left", "right"]
assert all(torch.allclose(found[name], wanted[name], atol=1e-6) for name in wanted)
"""
    fresh(code, tmp_path / "tiny.pt2", tmp_path / "fed.pt")


def test_an_onnx_model_runs_for_every_size(tmp_path: Path) -> None:
    need(".onnx")
    onnxruntime = pytest.importorskip("onnxruntime")
    module = network().build().eval()
    made = network().export(tmp_path / "tiny.onnx", module)
    assert made.words == "an ONNX model for every batch, H >= 2, W >= 2"
    session = onnxruntime.InferenceSession(tmp_path / "tiny.onnx")
    assert session.get_inputs()[0].shape == ["batch", 3, "H", "W"]
    assert [each.name for each in session.get_outputs()] == ["left", "right"]
    fed = torch.randn(5, 3, 9, 13)
    for found, wanted in zip(session.run(None, {"image": fed.numpy()}), module(fed), strict=True):
        assert torch.allclose(torch.from_numpy(found), wanted, atol=1e-5)


def test_an_onnx_model_takes_no_sizes_at_which_it_would_compute_something_else(
    tmp_path: Path,
) -> None:
    """Adaptive averages are taken apart into windows as the example has them, in silence."""
    need(".onnx")
    body = """
    layers:
      pool: {AdaptiveAvgPool2d: {output_size: [1, 3]}, from: image}
      side: {Tanh: , from: other}
    outputs: [pool, side]
    """
    # Small: the converter writes a node for every element of a window.
    inputs = "inputs: {image: [3, H, W], other: [3, N]}\n"
    inputs += 'requires: {H: ">= 5 and <= 6", W: ">= 8 and <= 9"}\n'
    read = archspec.loads(spec(body, inputs))
    module, path = read.build(), tmp_path / "net.onnx"
    said = str(read.export(path, module))
    assert "for every batch, N >= 2, H = 5, W = 8" in said
    assert "ONNX keeps no length open that `pool` (AdaptiveAvgPool2d) takes" in said
    fed = {"image": torch.randn(3, 3, 5, 8), "other": torch.randn(3, 3, 7)}
    for found, wanted in zip(programs.run_onnx(path, fed), module(*fed.values()), strict=True):
        torch.testing.assert_close(found, wanted)
    assert "H in {5, 6}, W in {8, 9}, N >= 2" in str(read.export(tmp_path / "net.pt2", module))


@pytest.mark.parametrize("shape", ["[4, 8]", "[2, 4, 8]", "[3, 2, 4, 8]"])
def test_attention_of_every_rank_goes_into_onnx(shape: str, tmp_path: Path) -> None:
    need(".onnx")
    attention = "{ScaledDotProductAttention: {scale: 0.3}, from: [input, input, input]}"
    read = archspec.loads(spec(f"layers: {{attention: {attention}}}", f"inputs: {{x: {shape}}}\n"))
    read.export(tmp_path / "net.onnx")  # which compares it with the module


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
def test_weights_come_back(suffix: str, tmp_path: Path) -> None:
    need(suffix)
    module, other = network().build(), network().build()
    made = network().export(tmp_path / f"tiny{suffix}", module)
    assert made.words == "the state dict, 7 tensors, 520 bytes"
    assert load_weights(other, made.path).ok
    for key, value in module.state_dict().items():
        assert torch.equal(other.state_dict()[key], value)


def test_tied_weights_go_into_safetensors(tmp_path: Path) -> None:
    need(".safetensors")
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    module[1].weight = module[0].weight
    network().export(tmp_path / "tied.safetensors", module)
    assert load_weights(module, tmp_path / "tied.safetensors").ok


def test_source_is_written_without_torch(tiny: Path) -> None:
    code = """
import sys
sys.modules["torch"] = None
from archspec.cli import main
assert main(["build", sys.argv[1], "-o", sys.argv[2]]) == 0
"""
    out = tiny.with_name("net.py")
    done = subprocess.run(
        [sys.executable, "-c", code, tiny, out], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{out}: Python source")
    fresh("import runpy\nassert 'Tiny' in runpy.run_path(sys.argv[1])", out)


# The command.


def test_several_files_of_one_module(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [tiny.with_name(f"net{suffix}") for suffix in (".py", ".pth")]
    words = [word for file in files for word in ("-o", str(file))]
    assert main(["build", str(tiny), *words, "-o", "-", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.endswith(files[0].read_text())
    torch.manual_seed(3)
    module = network().build()
    assert torch.equal(torch.load(files[1])["conv.weight"], module.state_dict()["conv.weight"])


def test_the_source_is_alone_on_standard_output(
    tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tiny.with_name("net.pth"))
    assert main(["build", str(tiny), "-o", out]) == 0
    capsys.readouterr()
    assert main(["build", str(tiny), "--weights", out, "-o", "-", "-o", out]) == 0
    printed = capsys.readouterr()
    compile(printed.out, "net.py", "exec")
    assert f"{out}: 7 of 7 keys loaded" in printed.err


def test_a_model_that_onnxruntime_cannot_run_is_kept_and_says_so(tmp_path: Path) -> None:
    need(".onnx")
    module = network().build(dtype="float64")
    said = str(network().export(tmp_path / "net.onnx", module))
    assert "; not run: onnxruntime says" in said
    assert (tmp_path / "net.onnx").stat().st_size


def test_what_export_cannot_solve_and_does_without_is_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pool = "{MaxPool2d: {kernel_size: 3, stride: 2, ceil_mode: true}}"
    conv = "{Conv2d: {out_channels: 2, kernel_size: 7, stride: 2, padding: 3}}"
    layers = f"layers: [{conv}, {pool}, {pool}, {pool}]"
    read = archspec.loads(spec(layers, "inputs: {image: [1, H, W]}\n"))
    with told("torch.fx.experimental.symbolic_shapes", caplog) as warnings:
        read.export(tmp_path / "net.pt2")
    assert not warnings


def test_a_constant_that_onnx_does_not_fold_is_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    need(".onnx")
    body = """
    layers:
      ramp: {Buffer: {shape: [8], index: [k], value: =k + 0.5}}
      halves: {Split: {split_size: [4, 4], dim: 0}, from: ramp}
      add: {Add: [halves.0, input]}
      mul: {Mul: [halves.1, add]}
    """
    read = archspec.loads(spec(body, "inputs: {x: [4]}\n"))
    with told("onnxscript", caplog) as warnings:
        read.export(tmp_path / "net.onnx")
    assert not warnings


@contextmanager
def told(name: str, caplog: pytest.LogCaptureFixture) -> Iterator[list[logging.LogRecord]]:
    """What a logger says from a warning on; torch's do not pass it on to pytest."""
    found: list[logging.LogRecord] = []
    logger = logging.getLogger(name)
    logger.addHandler(caplog.handler)
    try:
        yield found
    finally:
        logger.removeHandler(caplog.handler)
        found += [each for each in caplog.records if each.levelno >= logging.WARNING]


def test_an_operation_that_onnx_lacks_is_named(tmp_path: Path) -> None:
    need(".onnx")
    read = archspec.loads(spec("layers: [RReLU]"))
    with pytest.raises(ArtefactError, match=r"torch.onnx says: No ONNX function found for .*rrelu"):
        read.export(tmp_path / "net.onnx")


def test_weights_go_in_before_anything_is_made(
    tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = network().build()
    torch.save(
        {"module.conv.weight": 0 * module.conv.weight, **module.state_dict()},
        tiny.parent / "odd.pth",
    )
    state = {f"module.{key}": 0 * value for key, value in module.state_dict().items()}
    torch.save({"model": state}, tiny.parent / "in.pth")
    out = tiny.with_name("out.pth")
    assert main(["build", str(tiny), "--weights", str(tiny.parent / "in.pth"), "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "in.pth: 7 of 7 keys loaded" in printed
    assert "stripped: the entry `model`, `module.` before the keys" in printed
    assert not torch.load(out)["conv.weight"].any()
    assert main(["build", str(tiny), "--weights", str(tiny.parent / "odd.pth")]) == 1
    assert "unexpected in the file: module.conv.weight" in capsys.readouterr().err


def test_weights_that_do_not_fit(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tiny.with_name("out.pth")
    assert main(["build", str(tiny), "-o", str(out)]) == 0
    wide = ["build", str(tiny), "--set", "width=8", "--weights", str(out)]
    assert main(wide) == 1
    error = capsys.readouterr().err
    assert "conv.weight: 4×3×3×3 in the file, 8×3×3×3 in the module" in error
    assert error.endswith("--partial loads what fits\n  was the file made with --set width=4?\n")
    assert main([*wide, "--partial"]) == 0
    assert f"{out}: 1 of 7 keys loaded" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "net.onx"], "did you mean `.onnx`?"),
        (["-o", "net"], "the suffix is one of .py, .pt2, .onnx, .safetensors, .pt, .pth"),
        (["-o", "nowhere/net.py"], "there is no folder nowhere"),
        (["--partial"], "--partial says how to load --weights"),
        (["--weights", "missing.pth"], "missing.pth cannot be read: No such file"),
        (["-o", "net.py", "--weights", "net.pth"], "--weights has no effect on source"),
        (["-o", ""], "the suffix is one of"),
        (["--weights", ""], "--weights takes a file, and its name is empty"),
        (["--device", "hpu"], "--device 'hpu' is not to be had here: there are cpu, meta"),
        (["--device", "privateuseone"], "--device 'privateuseone' is not to be had here"),
    ],
)
def test_usage(words: list[str], said: str, tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(tiny), *words]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""


def test_a_missing_package_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artefacts, "find_spec", lambda name: None)
    with pytest.raises(ArtefactError) as raised:
        network().export(tmp_path / "net.onnx")
    assert str(raised.value).endswith(
        "needs onnx and onnxscript: pip install 'archspec-nn[torch,onnx]'"
    )


def test_without_onnxruntime_the_model_is_written_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(".onnx")
    monkeypatch.setattr(programs, "find_spec", lambda name: None)
    made = network().export(tmp_path / "net.onnx")
    assert made.words.endswith("not run: onnxruntime is not installed")
    assert made.path.exists()


@pytest.mark.parametrize("suffix", [".pt2", ".onnx"])
def test_a_module_in_half_precision(suffix: str, tmp_path: Path) -> None:
    need(suffix)
    made = network().export(tmp_path / f"net{suffix}", network().build(dtype="bfloat16"))
    assert ("not run" in made.words) == (suffix == ".onnx")
    assert made.path.exists()


# Whole, or as before.


def test_what_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "net.pt2"
    old.write_text("old")

    def broken(program: Any, path: Path) -> None:
        path.write_text("half")
        raise RuntimeError("the disk\nis full")

    monkeypatch.setattr(torch.export, "save", broken)
    with pytest.raises(ArtefactError, match=r"torch\.export says: the disk$"):
        network().export(old)
    assert old.read_text() == "old"
    assert os.listdir(tmp_path) == ["net.pt2"]


def test_a_program_that_computes_something_else_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = programs.exported

    def wrong(net: Any, module: Any, inputs: Any, plan: Any) -> Any:
        other = copy.deepcopy(module)
        with torch.no_grad():
            other.conv.weight.add_(1)
        return right(net, other, inputs, plan)

    monkeypatch.setattr(programs, "exported", wrong)
    with pytest.raises(ArtefactError, match="other values than the module"):
        network().export(tmp_path / "net.pt2")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("odd", ["nan", "inf"])
def test_a_value_that_is_no_number_hides_no_others(odd: str) -> None:
    network = archspec.loads(spec("layers: [Identity]", "inputs: {x: [2]}\n"))
    inputs = {"x": torch.tensor([[float(odd), 1.0]])}
    module = network.build()
    programs._compare(network, module, inputs["x"].clone(), inputs, "it")
    with pytest.raises(ArtefactError, match="other values than the module"):
        programs._compare(network, module, torch.tensor([[float(odd), 2.0]]), inputs, "it")


def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "net.py").mkdir()
    with pytest.raises(ArtefactError, match="it is a folder"):
        network().export(tmp_path / "net.py")
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(ArtefactError, match="Permission denied"):
        network().export(tmp_path / "other.py")


@pytest.mark.parametrize("suffix", [".py", ".pth", ".safetensors"])
def test_files_have_the_rights_that_the_user_gives_files(suffix: str, tmp_path: Path) -> None:
    need(suffix)
    network().export(tmp_path / f"net{suffix}")
    (tmp_path / "other").touch()
    modes = {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "net.py"
    link.symlink_to(tmp_path / "there" / "real.py")
    network().export(link)
    assert link.is_symlink()
    assert "class Tiny" in (tmp_path / "there" / "real.py").read_text()


def test_the_module_stays_as_it_was(tmp_path: Path) -> None:
    module = network().build()
    module.conv.eval()
    modes = [part.training for part in module.modules()]
    network().export(tmp_path / "net.pt2", module)
    assert [part.training for part in module.modules()] == modes
    assert type(module).__name__ == "Tiny"


def test_large_models_have_their_weights_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need(".onnx")
    monkeypatch.setattr(programs, "LARGEST_MODEL", 100)
    network().export(tmp_path / "net.onnx")
    assert sorted(os.listdir(tmp_path)) == ["net.onnx", "net.onnx.data"]
