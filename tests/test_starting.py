"""`archspec new` and `archspec zoo`: the library as a list, and as files to start from."""

import json
import tomllib
from pathlib import Path

import pytest

import archspec
from archspec import SpecError, library, zoo
from archspec.cli import main
from archspec.diagnostics import Collector, Source
from archspec.spec.flatten import flatten
from archspec.spec.including import is_block_file
from archspec.spec.opening import open_spec
from archspec.starting import expanded, starter
from archspec.syntax import Mapping, read
from archspec.syntax.writing import flow, quoted
from tests.helpers import raises, runs, same

LIBRARIES = library.folders()
ENTRIES = list(zoo.entries(LIBRARIES))
QUICK = ("alexnet", "resnet50", "densenet121", "mobilenet_v3_small", "regnet_x_400mf", "vgg11_bn")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def as_top(tree: object) -> Mapping:
    assert isinstance(tree, Mapping)
    return tree


def says(capsys: pytest.CaptureFixture[str], *words: str) -> None:
    captured = capsys.readouterr()
    for word in words:
        assert word in captured.out + captured.err


# -- new ------------------------------------------------------------------------------------------


def test_a_new_spec_is_sound_and_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "mine"]) == 0
    says(capsys, "mine.yaml written")
    assert archspec.check("mine.yaml").diagnostics == ()
    for variant in (None, "wide"):
        runs(archspec.load("mine.yaml", variant=variant))
    assert archspec.load("mine.yaml").name == "mine"


def test_a_start_from_a_variant_is_that_network(folder: Path) -> None:
    assert main(["new", "mine", "--from", "torchvision/resnet", "--variant", "resnet34"]) == 0
    text = Path("mine.yaml").read_text()
    assert "extends: torchvision/resnet.yaml\nvariant: resnet34\n" in text
    assert "  num_classes: 1000\n" in text
    ours, theirs = (
        archspec.load("mine.yaml"),
        archspec.load("torchvision/resnet", variant="resnet34"),
    )
    assert ours.name == "mine"
    unnamed = archspec.loads(text.replace("name: mine\n", ""))
    assert same(unnamed, theirs)
    Path("mine.yaml").write_text(text.replace("num_classes: 1000", "num_classes: 7"))
    assert archspec.load("mine.yaml").outputs == {"output": (7,)}
    assert [d for d in archspec.check("mine.yaml").diagnostics if d.severity != "note"] == []


def test_a_start_without_a_variant_has_all_of_them(folder: Path) -> None:
    assert main(["new", "mine", "--from", "torchvision/vgg"]) == 0
    assert "variant:" not in Path("mine.yaml").read_text()
    assert archspec.load("mine.yaml", variant="vgg19").parameter_count == 143_667_240


def test_a_full_copy_needs_no_other_file(folder: Path) -> None:
    args = ["new", "mine", "--from", "torchvision/regnet", "--variant", "regnet_x_400mf", "--full"]
    assert main(args) == 0
    text = Path("mine.yaml").read_text()
    assert "extends" not in text
    assert "include" not in text
    assert "variants" not in text
    assert "  depth: 22                                  # d: blocks\n" in text
    theirs = archspec.load("torchvision/regnet", variant="regnet_x_400mf")
    named = archspec.loads(text.replace("name: mine", "name: regnet_x_400mf"))
    assert same(named, theirs)
    assert [d for d in archspec.check("mine.yaml").diagnostics if d.severity == "error"] == []


def test_nothing_is_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text("precious")
    assert main(["new", "mine"]) == 2
    says(capsys, "--force overwrites it")
    assert Path("mine.yaml").read_text() == "precious"
    assert main(["new", "mine", "--force"]) == 0
    assert Path("mine.yaml").read_text() == starter("mine")


def test_where_it_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "mine", "-o", "-"]) == 0
    assert capsys.readouterr().out == starter("mine")
    Path("sub").mkdir()
    assert main(["new", "mine", "-o", "sub/other.yaml"]) == 0
    assert archspec.load("sub/other.yaml").name == "mine"
    assert main(["new", "mine", "-o", "nowhere/other.yaml"]) == 2
    says(capsys, "cannot be written")


def test_a_base_of_ones_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("sub").mkdir()
    Path("sub/base.yaml").write_text(starter("base"))
    assert main(["new", "mine", "--from", "sub/base.yaml", "--variant", "wide"]) == 0
    assert "extends: sub/base.yaml\nvariant: wide\n" in Path("mine.yaml").read_text()
    assert archspec.load("mine.yaml").params["width"] == 128
    Path("other").mkdir()
    assert main(["new", "mine", "--from", "sub/base.yaml", "-o", "other/mine.yaml"]) == 2
    says(capsys, "--full copies it")
    assert main(["new", "mine", "--from", "sub/base.yaml", "-o", "other/mine.yaml", "--full"]) == 0
    assert set(archspec.check("other/mine.yaml").variants) == {"wide"}


def test_a_start_from_a_start_says_every_parameter_once(folder: Path) -> None:
    assert main(["new", "a", "--from", "torchvision/resnet", "--variant", "resnet34"]) == 0
    assert main(["new", "b", "--from", "a.yaml"]) == 0
    text = Path("b.yaml").read_text()
    assert "extends: a.yaml" in text
    assert [line for line in text.splitlines() if "depth:" in line] == ["  depth: [3, 4, 6, 3]"]
    assert archspec.load("b.yaml").parameter_count == 21_797_672


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a/b"], "is not called 'a/b'"),
        (["x.yaml"], "`archspec new x` writes x.yaml"),
        (["x", "--full"], "--from names"),
        (["x", "--variant", "y"], "--from names"),
        (["x", "--from", "torchvision/resnte"], "did you mean `torchvision/resnet`?"),
        (["x", "--from", "torchvision/resnet", "--variant", "resnet55"], "has no variant"),
    ],
)
def test_what_cannot_be_made(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["new", *arguments]) == 2
    says(capsys, words)
    assert list(folder.iterdir()) == []


def test_a_refused_base_makes_no_file(folder: Path) -> None:
    Path("base.yaml").write_text(starter("base").replace("ReLU", "RelU"))
    assert main(["new", "mine", "--from", "base.yaml"]) == 1
    assert not Path("mine.yaml").exists()


# -- one file of several --------------------------------------------------------------------------


def check_copies(entry: zoo.Entry) -> None:
    """Both ways of writing a spec as one file give an equal network."""
    spec = entry.spec.with_variant(entry.variant)
    network = archspec.load(spec)
    for comments in (True, False):
        text = flatten(spec, spec.title, comments=comments)
        assert same(archspec.loads(text), network)
    assert expanded(spec, spec.title, network) == flatten(spec, spec.title)  # comments are kept


@pytest.mark.parametrize("variant", QUICK)
def test_a_library_spec_as_one_file(variant: str) -> None:
    check_copies(next(entry for entry in ENTRIES if entry.variant == variant))


@pytest.mark.soak
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.name}-{entry.variant}")
def test_every_library_spec_as_one_file(entry: zoo.Entry) -> None:
    check_copies(entry)


def test_extensions_become_one_file(tmp_path: Path) -> None:
    (tmp_path / "blocks.yaml").write_text(
        "archspec: 1\n"
        "blocks:\n"
        "  # two of them\n"
        "  Two:\n"
        "    layers: [ReLU, Unit]\n"
        "\n"
        "  Unit: {layers: [GELU]}\n"
        "  Spare: {layers: [SiLU]}\n"
    )
    (tmp_path / "base.yaml").write_text(
        "# The base.\n"
        "archspec: 1\n"
        "include: blocks.yaml\n"
        "params: {p: float, n: 3}\n"
        "inputs: {x: [4]}\n"
        "defaults: {Linear: {bias: false}}\n"
        "variants: {half: {p: 1}}\n"
        "layers:\n"
        "  a: Two  # the first\n"
        "  b: {Linear: {out_features: =n}}\n"
        "  c:\n"
        "  - Dropout: {p: =p}\n"
        "  - ReLU\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "archspec: 1\n"
        "extends: base.yaml\n"
        "variant: half\n"
        "params: {m: 5}\n"
        "defaults: {Dropout: {inplace: true}}\n"
        "layers:\n"
        "  b: {Linear: {out_features: =m}}\n"
        "  d: Identity\n"
        "outputs: {y: c}\n"
    )
    network = archspec.load(tmp_path / "mine.yaml")
    text = expanded(network.spec, "mine", network)
    assert text.startswith("# The base.\n\narchspec: 1\nname: mine\n")
    assert "  p: 1.0\n" in text
    assert "  a: Two  # the first\n" in text
    assert "  # two of them\n  Two:\n" in text
    assert "Spare" not in text
    assert archspec.loads(text, params={"p": 0.5})


def test_a_spec_that_reads_odd_is_written_anew() -> None:
    text = """archspec: 1
name: odd
params: {
  n: &n 3,
  m: "4"}
inputs: {x: [*n, 4]}
layers: {a: {Linear: {out_features: "=max(n,
    2)"}}, "b {n}": ReLU}
"""
    network = archspec.loads(text)
    copy = expanded(network.spec, "odd", network)
    assert same(archspec.loads(copy), network)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "=a + b",
        "=max(a, b)",
        "",
        "1",
        "true",
        "a: b",
        "a #b",
        "- a",
        "[",
        "*a",
        "é",
        "a\nb",
        "0x1f",
        "=a ? b",
    ],
)
def test_texts_are_quoted_where_they_must_be(text: str) -> None:
    tree = read(Source("x", f"[{quoted(text)}]"), Collector())
    assert flow(tree) == f"[{quoted(text)}]"
    assert tree.items[0].value == text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("path", "help"),
    [
        ("resnet50", "it is a variant: `torchvision/resnet --variant resnet50`"),
        ("torchvision/vgg16_bn", "it is a variant: `torchvision/vgg --variant vgg16_bn`"),
        ("torchvision", "it is a folder of specs: `archspec zoo torchvision` lists them"),
        ("torchvision/resnte", "did you mean `torchvision/resnet`?"),
        ("resnet50.yaml", None),
        ("", None),
    ],
)
def test_a_network_by_another_name_of_it(folder: Path, path: str, help: str | None) -> None:
    (found,) = archspec.check(path).diagnostics
    assert (found.code, found.help) == ("E001", help)


# -- the list -------------------------------------------------------------------------------------


def test_the_zoo_lists_what_a_spec_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "torchvision/resnet", "50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[2:]] == ["3×224×224"] * 3
    assert "torchvision/resnet  resnet50" in lines[2]
    assert "25,557,032  4.09 G" in lines[2]
    assert max(map(len, lines)) <= 100


def test_the_zoo_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "alexnet", "torchvision", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["variant"]) == ("torchvision/alexnet", "alexnet")
    assert (row["parameters"], row["macs"]) == (61_100_840, 714_188_480)
    assert row["inputs"] == {"image": [3, 224, 224]}
    assert row["sizes"] == {"H": 224, "W": 224}


def test_figures_are_those_of_the_network_at_the_sizes_said() -> None:
    (entry,) = zoo.entries(LIBRARIES, ["inception_v3"])
    network = entry.network()
    assert network is not None
    known = zoo.facts(network)
    assert known.inputs == {"image": (3, 299, 299)}
    assert known.macs == network.at(H=299, W=299).macs


def test_no_such_spec(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "resnet", "51"]) == 2
    says(capsys, "no such spec")


def test_a_library_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.yaml").write_text(starter("own"))
    (tmp_path / "blocks.yaml").write_text("archspec: 1\nblocks: {A: {layers: [ReLU]}}\n")
    (tmp_path / "bad.yaml").write_text("{")
    (tmp_path / "wrong.yaml").write_text(starter("wrong").replace("stride: 2", "stride: 0"))
    found = list(zoo.entries((tmp_path,)))
    assert [(e.name, e.variant, e.network() is None) for e in found] == [
        ("own", "wide", False),
        ("wrong", "wide", True),
    ]
    assert main(["zoo", "own", "--library", str(tmp_path)]) == 0
    says(capsys, "image 3×224×224")
    assert main(["zoo", "wrong", "--library", str(tmp_path)]) == 0
    says(capsys, "refused")


@pytest.mark.parametrize(
    ("base", "size"), [("torchvision/googlenet", 224), ("segmentation/fcn", 520)]
)
def test_a_copy_is_made_to_be_changed(folder: Path, base: str, size: int) -> None:
    """So it claims no figures of the original; sizes that a network is made for are kept."""
    (variant, *_) = archspec.load(base).spec.variants
    assert main(["new", "mine", "--from", base, "--variant", variant, "--full"]) == 0
    text = (folder / "mine.yaml").read_text()
    before, name, after = text.partition("  num_classes: ")
    assert name
    network = archspec.loads(before + name + "7" + after.lstrip("0123456789"))
    assert set(zoo.facts(network).sizes.values()) == {size}


def test_a_variant_that_does_not_take_the_sizes_of_the_defaults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd_sizes.yaml").write_text(
        "archspec: 1\nparams: {k: 3}\ninputs: {x: [3, H, W]}\nexpect: {at: {H: 8, W: 8}}\n"
        "variants: {small: {}, big: {k: 11}}\n"
        "layers: {c: {Conv2d: {out_channels: 4, kernel_size: =k}}}\n"
    )
    assert main(["zoo", "odd_sizes", "--library", str(tmp_path)]) == 0
    small, big = capsys.readouterr().out.splitlines()[-2:]
    assert small.endswith("x 3×8×8")
    assert big.endswith("x 3×224×224")


def test_every_spec_of_the_library_is_listed() -> None:
    folder = library.shipped()
    assert folder is not None
    files = {name.rpartition(".")[0]: folder / name for name in library.names(folder)}
    trees = {
        name: read(Source(name, path.read_text()), Collector()) for name, path in files.items()
    }
    networks = {name for name, tree in trees.items() if not is_block_file(as_top(tree))}
    assert {entry.name for entry in ENTRIES} == networks


def test_specs_that_need_a_choice_say_so(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(starter("net").replace("width: 32", "width: int"))
    spec = open_spec(path, Collector(), LIBRARIES)
    assert "none was chosen" in str(raises(SpecError, lambda: archspec.load(spec)))


def test_the_library_comes_with_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a wheel it lies inside of the package, in a clone beside it; elsewhere is none."""
    project = Path(__file__).parent.parent / "pyproject.toml"
    wheel = tomllib.loads(project.read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"specs": "archspec/specs"}
    package = tmp_path / "archspec"
    (tmp_path / "specs").mkdir()
    monkeypatch.setattr(library, "_PACKAGE", package)
    found = library.shipped.__wrapped__
    assert found() is None  # somebody else's folder beside an installed package
    (tmp_path / "pyproject.toml").touch()
    assert found() == tmp_path / "specs"
    (package / "specs").mkdir(parents=True)
    assert found() == package / "specs"
