"""Variants: named configurations of a spec, chosen, checked together, and counted."""

import json
from pathlib import Path

import pytest

import archspec
from archspec import Spec, SpecError
from archspec.cli import main
from archspec.diagnostics.formats import as_json, github, sarif
from tests.helpers import error, errors, keys, raises, runs

FAMILY = """archspec: 1
name: family
params: {width: 8, depth: 1, act: ReLU}
inputs: {image: [3, 16, 16]}
variants:
  wide: {width: 16}
  deep: {params: {depth: 3}, expect: {parameters: 224, outputs: {output: [8, 14, 14]}}}
  gelu: {act: GELU, width: =4 * 5}
layers:
  stem: {Conv2d: {out_channels: =width, kernel_size: 3}}
  body: {=act, repeat: =depth}
"""
REQUIRED = FAMILY.replace("width: 8, depth: 1", "width: int, depth: 1").replace(
    "deep: {params: {depth: 3}, expect", "deep: {params: {depth: 3, width: 8}, expect"
)


def types(network: archspec.Network) -> list[str]:
    return [row.type for row in network.layers]


def test_a_variant_wins_over_defaults_and_values_win_over_it() -> None:
    assert archspec.loads(FAMILY).params == {"width": 8, "depth": 1, "act": "ReLU"}
    wide = archspec.loads(FAMILY, variant="wide")
    assert wide.params == {"width": 16, "depth": 1, "act": "ReLU"}
    assert archspec.loads(FAMILY, variant="wide", params={"width": 4}).params["width"] == 4
    assert types(archspec.loads(FAMILY, variant="deep")) == ["Conv2d", "ReLU", "ReLU", "ReLU"]
    gelu = archspec.loads(FAMILY, variant="gelu")
    assert (types(gelu), gelu.params["width"]) == (["Conv2d", "GELU"], 20)
    runs(wide)


def test_a_network_is_called_after_its_variant() -> None:
    assert archspec.loads(FAMILY).name == "family"
    assert archspec.loads(FAMILY, variant="wide").name == "wide"
    assert type(archspec.loads(FAMILY, variant="wide").build()).__name__ == "Wide"


def test_a_typed_spec_takes_one_variant_at_a_time() -> None:
    spec = archspec.loads(FAMILY).spec
    deep = spec.with_variant("wide").with_variant("deep")
    assert archspec.load(deep).params == {"width": 8, "depth": 3, "act": "ReLU"}
    assert archspec.load(deep.with_variant(None)).name == "family"
    assert archspec.load(deep.with_params(width=2)).params["width"] == 2
    assert archspec.load(spec, variant="wide").name == "wide"


def test_sizes_keep_the_variant() -> None:
    text = FAMILY.replace("16, 16", "H, W").replace(", outputs: {output: [8, 14, 14]}", "")
    network = archspec.loads(text, variant="wide").at(H=20, W=30)
    assert (network.name, network.outputs["output"]) == ("wide", (16, 18, 28))


def test_a_mapping_and_a_python_spec_have_variants() -> None:
    data = {
        "archspec": 1,
        "params": {"width": 8},
        "inputs": {"tokens": [4]},
        "variants": {"wide": {"width": 16}},
        "layers": [{"Linear": {"out_features": "=width"}}],
    }
    assert archspec.from_dict(data, variant="wide").outputs == {"output": (16,)}
    assert archspec.load(Spec(**data), variant="wide").outputs == {"output": (16,)}
    assert archspec.load(Spec(**data).with_variant("wide")).outputs == {"output": (16,)}


def test_an_unknown_variant_is_told_with_the_nearest() -> None:
    found = raises(SpecError, lambda: archspec.loads(FAMILY, variant="wied"))
    assert isinstance(found, SpecError)
    (told,) = found.diagnostics
    assert (told.code, told.help) == ("E119", "did you mean `wide`?")
    spec = archspec.loads(FAMILY).spec
    assert "there are wide, deep, gelu" in repr(
        [d.help for d in raises(SpecError, lambda: spec.with_variant("x")).diagnostics]  # type: ignore[attr-defined]
    )
    assert not archspec.check(FAMILY, variant="x").ok
    assert "has no variant" in str(
        raises(SpecError, lambda: archspec.loads("archspec: 1\nlayers: [ReLU]", variant="x"))
    ) or errors("archspec: 1\nlayers: [ReLU]", variant="x")


def test_a_check_looks_at_the_defaults_and_every_variant() -> None:
    report = archspec.check(FAMILY)
    assert report.ok
    assert report.network is not None
    assert report.network.name == "family"
    assert {name: each.params["width"] for name, each in report.variants.items()} == {
        "wide": 16,
        "deep": 8,
        "gelu": 20,
    }
    assert archspec.check(FAMILY, variant="wide").variants == {}


def test_without_defaults_variants_alone_are_checked() -> None:
    text = REQUIRED
    report = archspec.check(text)
    assert report.ok
    assert report.network is None
    assert set(report.variants) == {"wide", "deep", "gelu"}
    found = raises(SpecError, lambda: archspec.loads(text))
    assert "none was chosen" in str(found)
    assert archspec.loads(text, params={"width": 3}).params["width"] == 3
    assert archspec.loads(text, variant="wide").params["width"] == 16


def test_a_variant_without_a_value_is_to_blame() -> None:
    found = error(FAMILY.replace("width: 8", "width: int"))
    assert (found.code, found.line) == ("E104", 7)
    assert "`deep` has no value for the parameter `width`" in found.message


def test_bad_values_are_told_whichever_variant_is_chosen() -> None:
    text = FAMILY.replace("width: 16", "width: big")
    assert errors(text) == errors(text, variant="deep") == errors(text, variant="wide")
    assert errors(text) == ["E105 6:17"]
    text = FAMILY.replace("width: 16", "widht: 16")
    assert errors(text) == errors(text, variant="deep") == ["E108 6:10"]


def test_a_mistake_of_some_variants_names_them() -> None:
    text = FAMILY.replace("kernel_size: 3", "kernel_size: =depth if depth < 2 else 17")
    told = error(text)
    assert told.code == "E204"
    assert told.notes == ("in variant `deep`",)
    everywhere = error(text.replace("=depth if depth < 2 else 17", "17"))
    assert everywhere.notes == ()


def test_lints_of_all_variants_are_told_once() -> None:
    found = archspec.check(FAMILY.replace("depth: 1", "depth: 2"))
    assert [d.code for d in found.diagnostics] == ["W308"]
    only = archspec.check(FAMILY)
    assert [(d.code, d.notes) for d in only.diagnostics] == [("W308", ("in variant `deep`",))]


def test_a_block_that_one_variant_uses_is_used() -> None:
    text = """archspec: 1
params: {block: A}
inputs: {x: [4]}
variants: {b: {block: B}}
blocks:
  A: {layers: [ReLU]}
  B: {layers: [GELU]}
  C: {layers: [SiLU]}
layers: {one: {A}, two: {=block}}
"""
    assert archspec.check(text).diagnostics == ()  # any block may be asked for
    text = text.replace("two: {=block}", "two: {A, when: \"=block == 'A'\"}")
    unused = [d.message for d in archspec.check(text).diagnostics]
    assert unused == ["nothing uses the block `C`"]


def test_a_word_that_is_a_parameter_is_no_section() -> None:
    text = """archspec: 1
params: {params: 8, expect: 1}
inputs: {x: [4]}
variants: {a: {params: 3}, b: {expect: 2}}
layers: [{Linear: {out_features: =params * expect}}]
"""
    assert archspec.loads(text, variant="a").outputs == {"output": (3,)}
    assert archspec.loads(text, variant="b").outputs == {"output": (16,)}


def test_variants_that_take_long_are_checked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    many = "".join(f"  v{n}: {{}}\n" for n in range(101))
    found = error(FAMILY.replace("variants:\n", f"variants:\n{many}"))
    assert (found.code, found.help) == ("E005", "check them one by one, with --variant")
    monkeypatch.setattr("archspec.configurations.MAX_WORK", 100)
    text = FAMILY.replace(
        "variants:\n", "variants:\n" + "".join(f"  v{n}: {{}}\n" for n in range(60))
    )
    assert "steps together" in error(text, max_layers=5).message
    assert errors(text, max_layers=5, variant="deep") == []
    assert errors(text, max_layers=500) == []


# -- facts ----------------------------------------------------------------------------------------


def test_facts_hold_for_the_spec_as_it_stands() -> None:
    text = FAMILY.replace("variants:", "expect: {parameters: 224, macs: 42_336}\nvariants:")
    assert archspec.check(text).ok
    wrong = text.replace("224, macs", "225, macs")
    assert errors(wrong) == ["E123 5:22"]
    assert errors(wrong, variant="wide") == []  # other facts
    assert errors(wrong, params={"width": 3}) == []
    assert str(raises(SpecError, lambda: archspec.loads(wrong))).endswith("but there are 224")


def test_the_parameters_claimed_are_those_that_the_module_has() -> None:
    for variant in (None, "wide", "deep", "gelu"):
        network = archspec.loads(FAMILY, variant=variant)
        count = sum(each.numel() for each in network.build().parameters())
        claim = f"expect: {{parameters: {count}}}\n"
        text = FAMILY if variant else FAMILY + claim
        if variant:
            head, _, tail = FAMILY.partition("  deep:")
            text = f"{head}  mine: {{params: {{}}, {claim.strip()}}}\n  deep:{tail}"
            text = text.replace("{params: {}", f"{{params: {json.dumps(dict(network.params))}")
        assert archspec.check(text, variant="mine" if variant else None).ok


def test_facts_about_symbolic_networks_hold_at_sizes() -> None:
    text = """archspec: 1
params: {width: 4}
inputs: {image: [3, H, W]}
expect: {macs: 97_200, outputs: {output: [4, 30, 30]}, at: {H: 32, W: 32}}
variants:
  wide: {params: {width: 8}, expect: {macs: 194_400}}
layers: [{Conv2d: {out_channels: =width, kernel_size: 3}}]
"""
    assert archspec.check(text).ok
    assert errors(text.replace("194_400", "194_401")) == ["E123 6:45"]
    assert archspec.loads(text).at(H=32, W=32).macs == 97_200


def test_the_sizes_may_follow_from_parameters() -> None:
    text = """archspec: 1
params: {width: 4, side: 32}
inputs: {image: [3, H, W]}
expect: {macs: 97_200, at: {H: =side, W: 32}}
variants:
  large: {params: {side: 64}, expect: {macs: 200_880}}
layers: [{Conv2d: {out_channels: =width, kernel_size: 3}}]
"""
    report = archspec.check(text)
    assert (report.ok, report.diagnostics) == (True, ())
    assert report.variants["large"].at(H=64, W=32).macs == 200_880
    assert errors(text.replace("200_880", "97_200")) == ["E123 6:46"]
    assert errors(text.replace("=side,", "=sid,")) == ["E108 4:32"]
    assert errors(text.replace("=side,", "=side / 2,")) == ["E105 4:32"]
    assert errors(text.replace("=side,", "=side // 0,")) == ["E110 4:32"]
    assert errors(text.replace("=side,", "side,")) == ["E105 4:32"]


# -- the command line -----------------------------------------------------------------------------


def test_commands_take_a_variant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "family.yaml"
    file.write_text(FAMILY)
    assert main(["check", str(file)]) == 0
    assert "ok, 2 layers, 224 parameters, 3 variants" in capsys.readouterr().out
    assert main(["check", str(file), "--variant", "wide"]) == 0
    assert "448 parameters\n" in capsys.readouterr().out
    for command in ("show", "sizes", "build"):
        assert main([command, str(file), "--variant", "wide"]) == 0
        assert "wide" in capsys.readouterr().out
    assert main(["show", str(file), "--variant", "wide", "--set", "width=2"]) == 0
    assert "2×14×14" in capsys.readouterr().out


def test_an_unknown_variant_is_a_mistake_of_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "family.yaml"
    file.write_text(FAMILY)
    for command in ("check", "show", "sizes", "build"):
        assert main([command, str(file), "--variant", "wied"]) == 2
        assert "did you mean `wide`?" in capsys.readouterr().err


def test_facts_are_mended_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "family.yaml"
    file.write_text(FAMILY.replace("parameters: 224", "parameters: 1_000"))
    assert main(["check", str(file), "--fix"]) == 1
    assert main(["check", str(file), "--unsafe-fixes"]) == 0
    assert file.read_text() == FAMILY


def test_machines_are_told_which_variants(capsys: pytest.CaptureFixture[str]) -> None:
    found = archspec.check(FAMILY).diagnostics
    assert json.loads(as_json(found))[0]["notes"] == ["in variant `deep`"]
    assert "in variant `deep`" in sarif(found)
    assert github(found).startswith("::warning file=<text>")


def test_keys_follow_the_variant() -> None:
    assert keys(FAMILY) == ["stem.weight", "stem.bias"]


FOLLOWING = """archspec: 1
params: {width: 4}
inputs: {x: [8]}
layers:
  - {Linear: {out_features: =width}, from: input}
  - {Unflatten: {dim: 1, unflattened_size: "=[width // width, 4]"}}
  - {Linear: {out_features: =width * 2}}
"""


@pytest.mark.parametrize(("value", "line"), [(None, 5), ([1, 2], 5), (-1, 5)])
def test_a_value_that_was_given_and_breaks_much_is_one_mistake(value: object, line: int) -> None:
    report = archspec.check(FOLLOWING, params={"width": value})
    found = [each for each in report.diagnostics if each.severity == "error"]
    assert [each.line for each in found] == [line]
    assert found[0].notes == ("with the spec's own value of `width`, it is accepted",)


def test_mistakes_of_the_spec_itself_are_all_told_whatever_was_given() -> None:
    wrong = FOLLOWING.replace("width * 2", "1.5").replace("[8]", "[0]")
    report = archspec.check(wrong, params={"width": -1})
    assert len([each for each in report.diagnostics if each.severity == "error"]) == 1
    both = FOLLOWING.replace("=width * 2", "1.5")
    lines = [each.line for each in archspec.check(both, params={"width": None}).diagnostics]
    assert lines == [5, 6, 7]
    typo = FOLLOWING.replace("Unflatten: {", "Unflatten: {dims: 1, ")
    assert {d.code for d in archspec.check(typo, params={"width": -1}).diagnostics} >= {"E103"}
