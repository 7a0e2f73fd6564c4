"""`extends:`: a spec that is another one with changes."""

import json
from pathlib import Path

import archspec
from archspec.diagnostics.formats import as_json, github, sarif
from archspec.diagnostics.render import render
from tests.files import BASE, told, write
from tests.helpers import runs, same


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


def test_a_layer_that_a_loop_makes_is_replaced_with_the_loop(tmp_path: Path) -> None:
    base = """archspec: 1
inputs: {x: [4]}
layers:
  stages: {for: k in range(2), layers: {"layer{k}": {Linear: {out_features: 4}}}}
"""
    mine = "archspec: 1\nextends: base.yaml\nlayers: {KEY: Identity}\n"
    path = write(tmp_path, mine=mine.replace("KEY", "layer1"), base=base)
    (found,) = archspec.check(path).diagnostics
    assert (found.code, found.line, found.help is not None) == ("E111", 3, True)
    assert "only the whole loop is replaced, by its key" in (found.help or "")
    path = write(tmp_path, mine=mine.replace("KEY", "stages"), base=base)
    assert [row.path for row in archspec.load(path).layers] == ["stages"]


def test_an_error_in_the_other_file_names_the_value_that_led_to_it(tmp_path: Path) -> None:
    mine = "archspec: 1\nextends: torchvision/resnet.yaml\nparams:\n  VALUE\n"
    for value, code, place in (
        ("block: BasicBlok", "E102", (4, 10)),
        ("depth: [2, 2, 2]", "E110", (4, 10)),
    ):
        path = write(tmp_path, mine=mine.replace("VALUE", value))
        (found,) = archspec.check(path).diagnostics
        assert (found.code, Path(found.file).name) == (code, "resnet.yaml")
        (label,) = found.labels
        name = value.partition(":")[0]
        assert (label.text, Path(label.place.source.name).name) == (
            f"`{name}` is given here",
            "mine.yaml",
        )
        assert (label.place.line, label.place.column) == place


def test_a_value_from_the_command_line_is_named_in_place_of_the_variant_s() -> None:
    params = {"depth": [3, 4, 6]}
    (found,) = archspec.check("torchvision/resnet", variant="resnet50", params=params).diagnostics
    (label,) = found.labels
    assert (label.text, label.place.source.name) == ("`depth` is given here", "--set")


def test_the_value_behind_a_computed_parameter_is_named(tmp_path: Path) -> None:
    base = """archspec: 1
inputs: {x: [4]}
params: {widths: [4, 4], more: "=widths + [8]", all: "=[2] + more"}
layers:
  - for: a, b in zip(all, [1, 2, 3, 4])
    layers: [{Linear: {out_features: =a * b}}]
"""
    path = write(
        tmp_path, mine="archspec: 1\nextends: base.yaml\nparams: {widths: [4]}\n", base=base
    )
    (found,) = archspec.check(path).diagnostics
    (label,) = found.labels
    assert (found.code, found.line, label.text) == ("E110", 5, "`widths` is given here")
    assert (Path(label.place.source.name).name, label.place.line) == ("mine.yaml", 3)


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
