"""Specs of several files: `extends:` and `include:`, where files lie, and what is told of them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from archspec import Spec, SpecError, library
from archspec.cli import main
from archspec.diagnostics.formats import as_json, github, sarif
from archspec.diagnostics.render import render
from archspec.spec import files as trust
from tests.helpers import raises, runs, same

BASE = """archspec: 1
name: base
params: {width: 8, classes: 10}
inputs: {image: [3, 16, 16]}
variants:
  wide: {width: 16}
defaults: {Conv2d: {bias: false}, BatchNorm2d: {eps: 1e-3, momentum: 0.2}}
blocks:
  Unit:
    params: {out: int}
    layers: [{Conv2d: {out_channels: =out, kernel_size: 3, padding: 1}}, BatchNorm2d, ReLU]
layers:
  stem: {Unit: {out: =width}}
  pool: {AdaptiveAvgPool2d: {output_size: 1}}
  flatten: Flatten
  fc: {Linear: {out_features: =classes}}
"""
BLOCK = "archspec: 1\nblocks: {Act: {layers: [ReLU]}}\n"
NET = "archspec: 1\ninclude: blocks.yaml\ninputs: {x: [4]}\nlayers: [Act]\n"


def write(folder: Path, **texts: str) -> Path:
    """Files by name; `a__b` is b.yaml in folder a. Gives the path of the first."""
    paths = []
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        paths.append(path)
    return paths[0]


def told(path: Path, **options: Any) -> list[tuple[str, str, int]]:
    """Code, file and line of everything that is said about a file."""
    found = archspec.check(path, **options).diagnostics
    return [(d.code, Path(d.file).name, d.line) for d in found]


# -- extending ------------------------------------------------------------------------------------


def extended(tmp_path: Path, text: str) -> archspec.Network:
    path = write(tmp_path, mine=f"archspec: 1\nextends: base.yaml\n{text}", base=BASE)
    return archspec.load(path)


def test_a_file_that_changes_nothing_is_the_same_network(tmp_path: Path) -> None:
    network = extended(tmp_path, "")
    assert network.name == "base"
    assert same(network, archspec.loads(BASE))
    runs(network)


def test_values_replace_defaults_and_variants_win_over_both(tmp_path: Path) -> None:
    network = extended(tmp_path, "params: {width: 4, classes: =width * 2}\n")
    assert network.params == {"width": 4, "classes": 8}
    path = tmp_path / "mine.yaml"
    assert archspec.load(path, variant="wide").params == {"width": 16, "classes": 32}
    assert archspec.load(path, variant="wide", params={"width": 2}).params["width"] == 2
    assert archspec.check(path).variants.keys() == {"wide"}


def test_a_variant_of_the_other_file_is_the_new_default(tmp_path: Path) -> None:
    network = extended(tmp_path, "variant: wide\nparams: {classes: 5}\nvariants: {w: {width: 2}}\n")
    assert (network.name, network.params) == ("wide", {"width": 16, "classes": 5})
    report = archspec.check(tmp_path / "mine.yaml")
    assert list(report.variants) == ["w"]  # the choice among the others is made
    assert report.variants["w"].params == {"width": 2, "classes": 5}


def test_layers_are_replaced_in_place_or_added_behind(tmp_path: Path) -> None:
    network = extended(
        tmp_path,
        "params: {hidden: 12}\n"
        "layers:\n"
        "  fc: [{Linear: {out_features: =hidden}}, ReLU, {Linear: {out_features: =classes}}]\n"
        "  last: {Softmax: {dim: 1}}\n"
        "  stem: {Conv2d: {out_channels: 6, kernel_size: 1}}\n",
    )
    assert [row.path for row in network.layers] == [
        *("stem", "pool", "flatten", "fc.0", "fc.1", "fc.2", "last")
    ]
    assert network.layers[0].args["bias"] is False  # the defaults of the other file
    assert network.graph.root.calls[-1].name == "last"
    runs(network)


def test_a_head_is_cut_off_as_in_pytorch(tmp_path: Path) -> None:
    assert extended(tmp_path, "layers: {fc: Identity}\n").outputs == {"output": (8,)}


def test_other_sections_take_the_place_of_those_of_the_other_file(tmp_path: Path) -> None:
    network = extended(
        tmp_path,
        "name: mine\n"
        "inputs: {photo: [1, 32, 32]}\n"
        "outputs: {map: stem, y: fc}\n"
        "defaults: {BatchNorm2d: {eps: 1e-5}, ReLU: {inplace: true}}\n",
    )
    assert network.name == "mine"
    assert network.inputs == {"photo": (1, 32, 32)}
    assert network.outputs == {"map": (8, 32, 32), "y": (10,)}
    norm, relu = network.layers[1], network.layers[2]
    assert (norm.args["momentum"], norm.args.get("eps", 1e-5)) == (0.2, 1e-5)
    assert relu.args["inplace"] is True


def test_blocks_of_both_files_serve_both(tmp_path: Path) -> None:
    text = "blocks: {Two: {params: {out: int}, layers: [{Unit: {out: =out}, repeat: 2}]}}\n"
    network = extended(tmp_path, f"{text}layers: {{stem: {{Two: {{out: 4}}}}}}\n")
    assert network.layers[0].path == "stem.0.0.0"


def test_facts_are_not_inherited(tmp_path: Path) -> None:
    facts = "expect: {parameters: 1}\n"
    long = "{params: {width: 16}, expect: {macs: 1}}"
    base = BASE.replace("{width: 16}", long) + facts
    path = write(tmp_path, mine="archspec: 1\nextends: base.yaml\nparams: {width: 9}\n", base=base)
    assert archspec.check(path).ok
    assert not archspec.check(tmp_path / "base.yaml").ok


def test_extensions_of_extensions(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        c="archspec: 1\nextends: b.yaml\nlayers: {fc: {Linear: {out_features: 3}}}\n",
        b="archspec: 1\nextends: base.yaml\nparams: {width: 5}\nlayers: {extra: ReLU}\n",
        base=BASE,
    )
    network = archspec.load(path)
    assert network.params["width"] == 5
    assert network.outputs == {"output": (3,)}
    assert network.layers[-1].path == "extra"


def test_a_mistake_of_the_other_file_is_told_there(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        mine="archspec: 1\nextends: base.yaml\nparams: {width: 4}\n",
        base=BASE.replace("kernel_size: 3", "kernal_size: 3"),
    )
    assert told(path) == [("E103", "base.yaml", 11)]


def test_a_mistake_of_the_own_file_is_told_beside_the_other(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        mine="archspec: 1\nextends: base.yaml\nlayers: {stem: {Unit: {out: -4}}}\n",
        base=BASE,
    )
    (found,) = archspec.check(path).diagnostics
    assert (Path(found.file).name, found.line) == ("base.yaml", 11)
    assert [(Path(each.place.source.name).name, each.place.line) for each in found.labels] == [
        ("mine.yaml", 3)
    ]
    shown = render([found])
    assert "base.yaml:11:" in shown
    assert "mine.yaml:3:10" in shown
    assert "layers: {stem: {Unit: {out: -4}}}" in shown
    label = json.loads(as_json([found]))[0]["labels"][0]
    assert (Path(label["file"]).name, label["line"]) == ("mine.yaml", 3)
    run = json.loads(sarif([found]))["runs"][0]["results"][0]
    assert run["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith(
        "mine.yaml"
    )
    assert "base.yaml" in github([found])


# -- including ------------------------------------------------------------------------------------


def test_blocks_come_from_files_below_the_folder(tmp_path: Path) -> None:
    path = write(tmp_path, net=NET.replace("blocks.yaml", "a/b/c.yaml"), a__b__c=BLOCK)
    assert runs(archspec.load(path))


def test_an_included_file_looks_in_its_own_folder(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        net=NET.replace("blocks.yaml", "a/first.yaml"),
        a__first="archspec: 1\ninclude: second.yaml\n",
        a__second=BLOCK,
    )
    assert archspec.check(path).ok


def test_a_diamond_is_read_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        net=NET.replace("blocks.yaml", "[one.yaml, two.yaml, ./two.yaml]"),
        one="archspec: 1\ninclude: both.yaml\nblocks: {One: {layers: [Act]}}\n",
        two="archspec: 1\ninclude: both.yaml\nblocks: {Two: {layers: [Act]}}\n",
        both=BLOCK,
    )
    assert archspec.check(path).diagnostics == ()


def test_two_blocks_of_one_name_are_told_with_both_places(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        net=NET.replace("blocks.yaml", "[one.yaml, two.yaml]"),
        one=BLOCK,
        two=f"# two\n{BLOCK}",
    )
    (found,) = archspec.check(path).diagnostics
    assert (found.code, Path(found.file).name) == ("E111", "one.yaml")
    assert [str(each.place).rpartition("/")[2] for each in found.labels] == ["two.yaml:3:10"]


def test_scopes_stay_closed(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        net=NET.replace("inputs:", "params: {width: 3}\ninputs:"),
        blocks=BLOCK.replace("ReLU", "{Linear: {out_features: =width}}"),
    )
    assert told(path)[0] == ("E108", "blocks.yaml", 2)


def test_a_file_of_blocks_is_checked_and_is_no_network(tmp_path: Path) -> None:
    path = write(tmp_path, blocks=BLOCK)
    report = archspec.check(path)
    assert report.ok
    assert report.blocks == ("Act",)
    assert report.network is None
    assert "blocks only" in str(raises(SpecError, lambda: archspec.load(path)))
    broken = write(tmp_path, broken=BLOCK.replace("layers", "layer"))
    assert [code for code, _, _ in told(broken)] == ["E101"]


def test_circles_are_refused_with_their_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "archspec: 1\ninclude: [{}]\nblocks: {{{}: {{layers: [ReLU]}}}}\n"
    write(
        tmp_path,
        residual=text.format("blocks/norm.yaml", "A"),
        blocks__norm=text.format("../residual.yaml", "B"),
    )
    monkeypatch.chdir(tmp_path)
    assert main(["check", "residual.yaml"]) == 1
    way = "residual.yaml → blocks/norm.yaml → residual.yaml"
    shown = capsys.readouterr().err
    assert f"error[E122]: the files bring in each other: {way}" in shown
    assert "blocks/norm.yaml:2:11" in shown
    write(tmp_path, self="archspec: 1\nextends: self.yaml\n")
    assert told(tmp_path / "self.yaml") == [("E122", "self.yaml", 2)]


# -- where files may lie --------------------------------------------------------------------------


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


# -- what cannot be read --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "help"),
    [
        ("blokcs.yaml", "did you mean `blocks.yaml`?"),
        ("blocks", "did you mean `blocks.yaml`?"),
        ("a/blokcs.yaml", "did you mean `a/blocks.yaml`?"),
        ("torchvision/resnte.yaml", "did you mean `torchvision/resnet.yaml`?"),
    ],
)
def test_missing_files_are_told_with_the_nearest(tmp_path: Path, path: str, help: str) -> None:
    spec = write(tmp_path, net=NET.replace("blocks.yaml", path), blocks=BLOCK, a__blocks=BLOCK)
    (found,) = archspec.check(spec).diagnostics
    assert (found.code, found.line, found.help) == ("E120", 2, help)


def test_a_missing_suffix_is_mended(tmp_path: Path) -> None:
    spec = write(tmp_path, net=NET.replace("blocks.yaml", "blocks"), blocks=BLOCK)
    assert main(["check", str(spec), "--fix"]) == 0
    assert spec.read_text() == NET


def test_files_that_are_no_specs(tmp_path: Path) -> None:
    spec = write(tmp_path, net=NET, blocks="- a\n- b\n")
    assert told(spec) == [("E105", "blocks.yaml", 1)]
    (tmp_path / "blocks.yaml").write_bytes(b"archspec: 1\nblocks: \xff\n")
    assert told(spec) == [("E002", "blocks.yaml", 2)]
    (tmp_path / "blocks.yaml").write_text("a: [")
    assert told(spec)[0][:2] == ("E002", "blocks.yaml")
    (tmp_path / "blocks.yaml").unlink()
    (tmp_path / "blocks.yaml").mkdir()
    assert told(spec) == [("E120", "net.yaml", 2)]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(tmp_path: Path) -> None:
    spec = write(tmp_path, net=NET, blocks=BLOCK)
    (tmp_path / "blocks.yaml").chmod(0)
    assert told(spec) == [("E120", "net.yaml", 2)]


def test_a_broken_file_is_told_once(tmp_path: Path) -> None:
    spec = write(
        tmp_path,
        net=NET.replace("blocks.yaml", "[one.yaml, two.yaml]"),
        one="archspec: 1\ninclude: both.yaml\n",
        two="archspec: 1\ninclude: both.yaml\n",
        both="{",
    )
    assert [code for code, _, _ in told(spec)] == ["E002"]


def test_files_have_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = {f"f{n}": f"archspec: 1\ninclude: f{n + 1}.yaml\n" for n in range(40)}
    spec = write(tmp_path, net=NET.replace("blocks", "f0"), **chain, f40=BLOCK)
    assert [code for code, _, _ in told(spec)] == ["E005"]
    monkeypatch.setattr(trust, "MAX_FILES", 5)
    wide = ", ".join(f"w{n}.yaml" for n in range(9))
    files = {f"w{n}": BLOCK.replace("Act", f"Act{n}") for n in range(9)}
    spec = write(tmp_path, net=NET.replace("blocks.yaml", f"[{wide}]"), **files)
    assert {code for code, _, _ in told(spec)} == {"E005"}
    monkeypatch.setattr(trust, "MAX_FILES", 100)
    monkeypatch.setattr(trust, "MAX_BYTES", 100)
    assert {code for code, _, _ in told(spec)} == {"E005"}


def test_paths_have_a_limit_too() -> None:
    names = ", ".join(f"x{n}.yaml" for n in range(2000))
    found = archspec.check(NET.replace("blocks.yaml", f"[{names}]")).diagnostics
    codes = [each.code for each in found]
    assert codes == ["E120"] * trust.MAX_REFERENCES + ["E005"]


def test_fixes_stay_within_the_file(tmp_path: Path) -> None:
    broken = BLOCK.replace("{layers", "{layerz").replace("ReLU", "ReLu")
    spec = write(tmp_path, net=NET.replace("inputs", "input"), blocks=broken)
    main(["check", str(spec), "--fix", "--unsafe-fixes"])
    assert spec.read_text() == NET
    assert (tmp_path / "blocks.yaml").read_text() == broken


# -- the library ----------------------------------------------------------------------------------


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


# -- any spec, split any way ----------------------------------------------------------------------

FOLDER = Path(__file__).parent.parent / "specs"
SPECS = [
    pytest.param(path, id=path.stem, marks=[] if path.parent == FOLDER else pytest.mark.soak)
    for path in sorted(FOLDER.rglob("*.yaml"))
    if path.parent.name != "blocks"
]


@pytest.mark.parametrize("path", SPECS)
def test_extending_without_changes_gives_an_equal_graph(path: Path, tmp_path: Path) -> None:
    mine = write(tmp_path, mine=f"archspec: 1\nextends: {path.name}\n")
    ours = archspec.load(mine, libraries=[path.parent])
    theirs = archspec.load(path)
    assert same(ours, theirs)
    assert str(ours.outputs) == str(theirs.outputs)
    found = archspec.check(mine, libraries=[path.parent]).diagnostics
    assert [each for each in found if each.severity != "note"] == []  # not its author's to mend


PARTS: Mapping[str, Any] = {
    "archspec": 1,
    "inputs": {"x": [8]},
    "blocks": {
        "A": {"params": {"n": "int"}, "layers": [{"Linear": {"out_features": "=n"}}, "ReLU"]},
        "B": {"params": {"n": 4}, "layers": {"a": {"A": {"n": "=2 * n"}}, "b": {"A": {"n": 3}}}},
        "C": {"layers": [{"A": {"n": 5}}, {"B": {}, "repeat": 2}]},
        "D": {"params": {"kind": "layer"}, "layers": ["=kind", {"Linear": {"out_features": 8}}]},
        "E": {"layers": [{"D": {"kind": "C"}}, {"D": {"kind": "GELU"}}]},
    },
    "layers": {"one": "E", "two": {"C": {}}, "three": {"B": {"n": 2}}},
}


@settings(max_examples=40, deadline=None)
@given(
    homes=st.lists(st.integers(0, 5), min_size=5, max_size=5),
    parents=st.lists(st.integers(0, 4), min_size=5, max_size=5),
    folders=st.lists(st.sampled_from(["", "sub/", "sub/deep/"]), min_size=5, max_size=5),
    ways=st.lists(st.integers(0, 5), max_size=3),
)
def test_blocks_may_lie_in_any_files(
    tmp_path_factory: pytest.TempPathFactory,
    homes: list[int],
    parents: list[int],
    folders: list[str],
    ways: list[int],
) -> None:
    """Blocks are dealt out to the spec (0) and five files, which include each other as a tree."""
    folder = tmp_path_factory.mktemp("split")
    names = [folder / "net.yaml", *(folder / f"{sub}f{n}.yaml" for n, sub in enumerate(folders, 1))]
    texts: list[dict[str, Any]] = [
        {key: value for key, value in PARTS.items() if key != "blocks"},
        *({"archspec": 1} for _ in range(5)),
    ]
    for (name, block), home in zip(PARTS["blocks"].items(), homes, strict=True):
        texts[home].setdefault("blocks", {})[name] = block
    includes: dict[int, list[int]] = {n: [] for n in range(6)}
    for child, parent in enumerate(parents, 1):
        includes[parent % child].append(child)
    for way in ways:
        if way:
            includes[0].append(way)  # a second way to the same file
    for number, children in includes.items():
        if children:
            start = names[number].parent
            texts[number]["include"] = [os.path.relpath(names[c], start) for c in children]
        elif number:
            texts[number].setdefault("blocks", {})
    for path, text in zip(names, texts, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(text, sort_keys=False))
    whole, split = archspec.from_dict(PARTS), archspec.load(names[0])
    assert same(whole, split)
