"""`include:`: blocks of other files, and files that cannot be read."""

import os
from pathlib import Path

import pytest

import archspec
from archspec import SpecError
from archspec.cli import main
from archspec.spec import files as trust
from tests.files import BLOCK, NET, told, write
from tests.helpers import raises, runs


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


@pytest.mark.parametrize(
    ("path", "help"),
    [
        ("blokcs.yaml", "did you mean `blocks.yaml`?"),
        ("blocks", "did you mean `blocks.yaml`?"),
        ("a/blokcs.yaml", "did you mean `a/blocks.yaml`?"),
        ("torchvision/resnte.yaml", "did you mean `torchvision/resnet.yaml`?"),
        (
            "resnet50",
            "it is a variant: `extends: torchvision/resnet.yaml` with `variant: resnet50`",
        ),
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
