"""Where the files of a spec may lie: its own folder, and library folders."""

from pathlib import Path

import pytest

import archspec
from archspec import Spec, library
from archspec.cli import main
from tests.files import BLOCK, NET, told, write
from tests.helpers import same


def outside(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with a spec to be written, and a file of blocks beside it."""
    return tmp_path / "in", write(tmp_path, secret__blocks=BLOCK)


@pytest.mark.parametrize(
    "path", ["../secret/blocks.yaml", "a/../../secret/blocks.yaml", "../nothing.yaml", ".."]
)
def test_no_path_leads_out(tmp_path: Path, path: str) -> None:
    folder, _ = outside(tmp_path)
    spec = write(folder, net=NET.replace("blocks.yaml", path), a__b=BLOCK)
    assert told(spec) == [("E121", "net.yaml", 2)]


def test_no_absolute_path(tmp_path: Path) -> None:
    folder, secret = outside(tmp_path)
    for path in (str(secret), f"{folder}/blocks.yaml", "C:/blocks.yaml", "'\\\\host\\a.yaml'"):
        spec = write(folder, net=NET.replace("blocks.yaml", path), blocks=BLOCK)
        assert told(spec) == [("E121", "net.yaml", 2)]


def test_no_link_leads_out_but_links_inside_are_fine(tmp_path: Path) -> None:
    folder, secret = outside(tmp_path)
    spec = write(folder, net=NET, real=BLOCK)
    (folder / "blocks.yaml").symlink_to(secret)
    assert told(spec) == [("E121", "net.yaml", 2)]
    (folder / "blocks.yaml").unlink()
    (folder / "blocks.yaml").symlink_to(folder / "real.yaml")
    assert archspec.check(spec).ok
    (folder / "blocks.yaml").unlink()
    (folder / "blocks.yaml").symlink_to(folder / "blocks.yaml")
    assert told(spec) == [("E120", "net.yaml", 2)]


def test_a_linked_folder_is_a_way_out_too(tmp_path: Path) -> None:
    folder, secret = outside(tmp_path)
    spec = write(folder, net=NET.replace("blocks.yaml", "linked/blocks.yaml"))
    (folder / "linked").symlink_to(secret.parent)
    assert told(spec) == [("E121", "net.yaml", 2)]


def test_library_folders_are_named_by_the_caller(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, secret = outside(tmp_path)
    spec = write(folder, net=NET)
    assert told(spec) == [("E120", "net.yaml", 2)]
    libraries = [secret.parent]
    assert archspec.load(spec, libraries=libraries).outputs == {"output": (4,)}
    assert archspec.check(spec, libraries=libraries).ok
    assert archspec.loads(NET, libraries=libraries)
    data = {"archspec": 1, "include": "blocks.yaml", "inputs": {"x": [4]}, "layers": ["Act"]}
    assert archspec.from_dict(data, libraries=libraries)
    for command in ("check", "show", "sizes"):
        assert main([command, str(spec), "--library", str(secret.parent)]) == 0
    assert main(["check", str(spec)]) == 1
    assert "there is no file `blocks.yaml`" in capsys.readouterr().err


def test_a_library_file_sees_its_library_only(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    spec = write(folder, net=NET.replace("blocks.yaml", "lib.yaml"), own=BLOCK)
    write(tmp_path, shelf__lib="archspec: 1\ninclude: ../in/own.yaml\n")
    assert told(spec, libraries=[tmp_path / "shelf"]) == [("E121", "lib.yaml", 2)]


def test_a_library_file_relies_on_its_own_library_first(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    write(mine, blocks__act=BLOCK.replace("ReLU", "GELU"))
    write(theirs, nets__net=NET.replace("blocks.yaml", "blocks/act.yaml"), blocks__act=BLOCK)
    network = archspec.load("nets/net", libraries=[mine, theirs])
    assert network.layers[0].type == "ReLU"


def test_the_folder_of_the_spec_comes_first(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    spec = write(folder, net=NET, blocks=BLOCK)
    write(tmp_path, shelf__blocks=BLOCK.replace("ReLU", "GELU"))
    network = archspec.load(spec, libraries=[tmp_path / "shelf"])
    assert network.layers[0].type == "ReLU"


def test_a_text_has_a_folder_only_with_a_file_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, blocks=BLOCK)
    monkeypatch.chdir(tmp_path)
    (found,) = archspec.check(NET).diagnostics
    assert (found.code, found.help) == (
        "E120",
        "a text without a file name brings in files of library folders only",
    )
    assert archspec.loads(NET, filename=str(tmp_path / "unsaved.yaml"))
    assert archspec.loads(NET, filename="unsaved.yaml")
    assert archspec.check(NET, filename="unsaved.yaml").ok
    assert archspec.check(NET, filename="not\0a path").diagnostics[0].code == "E120"


def test_standard_input_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import io

    write(tmp_path, blocks=BLOCK)

    class Input:
        buffer = io.BytesIO(NET.encode())

    monkeypatch.setattr("sys.stdin", Input())
    assert main(["check", "-", "--stdin-filename", str(tmp_path / "net.yaml")]) == 0
    Input.buffer.seek(0)
    assert main(["check", "-"]) == 1


def test_a_library_spec_goes_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert archspec.load("torchvision/alexnet").parameter_count == 61_100_840
    assert archspec.load("torchvision/alexnet.yaml").parameter_count == 61_100_840
    assert archspec.load(Path("torchvision/alexnet")).parameter_count == 61_100_840
    assert main(["check", "torchvision/alexnte"]) == 2
    assert "did you mean `torchvision/alexnet`?" in capsys.readouterr().err
    write(
        tmp_path,
        torchvision__alexnet=NET.replace("include: blocks.yaml\n", "").replace("Act", "ReLU"),
    )
    assert archspec.load("torchvision/alexnet.yaml").parameter_count == 0  # what lies here wins


def test_library_names_do_not_lead_out(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    write(tmp_path, secret=BLOCK, shelf__a=BLOCK)
    assert library.find("a", (shelf,)) == shelf / "a.yaml"
    assert library.find("../secret", (shelf,)) is None
    assert library.find(str(tmp_path / "secret"), (shelf,)) is None


def test_python_specs_extend_library_specs() -> None:
    spec = Spec(
        archspec=1,
        extends="torchvision/resnet.yaml",
        variant="resnet18",
        params={"num_classes": 7},
    )
    network = archspec.load(spec)
    assert (network.name, network.outputs["output"]) == ("resnet18", (7,))
    made = archspec.from_dict(
        {
            "archspec": 1,
            "extends": "torchvision/resnet.yaml",
            "variant": "resnet18",
            "params": {"num_classes": 7},
        }
    )
    assert same(made, network)
