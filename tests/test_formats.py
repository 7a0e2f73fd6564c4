"""Diagnostics for machines: every format says the same, and says it validly."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import pytest

import archspec
from archspec.cli import main
from archspec.diagnostics import CODES, Diagnostic, Place, Source
from archspec.diagnostics.formats import FORMATS, as_json, concise, github, sarif

CASES = Path(__file__).parent / "cases"
GOOD = "archspec: 1\ninputs: {x: [16]}\nlayers: [ReLU]\n"
BAD = GOOD.replace("ReLU", "{Linear: {out_featurs: 3}}")
LINTED = GOOD.replace("[ReLU]", "[ReLU, {Softmax: {dim: 1}}]")

AWKWARD = Diagnostic(
    "E103", "100 % wrong,\nreally: yes\r", Place(Source("a b,c:d%.yaml", "x\n"), 1, 1, 2)
)


def corpus() -> list[Diagnostic]:
    """What there is to say about a good part of the corpus."""
    files = sorted(CASES.glob("*.yaml"))[::7]
    return [d for file in files for d in archspec.check(file).diagnostics]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    (tmp_path / "sub" / "linted.yml").write_text(LINTED)
    (tmp_path / "sub" / "deep" / "good.yaml").write_text(GOOD)
    (tmp_path / "sub" / "notes.txt").write_text("not a spec")
    return tmp_path


def test_concise_is_a_line_each() -> None:
    found = corpus()
    lines = concise(found).splitlines()
    assert len(lines) == len(found) > 20
    for line, diagnostic in zip(lines, found, strict=True):
        assert line.startswith(f"{diagnostic.file}:{diagnostic.line}:{diagnostic.column}: ")
        assert f"{diagnostic.severity}[{diagnostic.code}]" in line


def test_json_has_everything() -> None:
    found = corpus()
    read = json.loads(as_json(found))
    assert [each["message"] for each in read] == [d.message for d in found]
    for each, diagnostic in zip(read, found, strict=True):
        assert (each["line"], each["column"]) == (diagnostic.line, diagnostic.column)
        assert each["end_column"] > each["column"]
        assert len(each["labels"]) == len(diagnostic.labels)
        assert each["help"] == diagnostic.help


def test_github_escapes_what_would_end_a_command() -> None:
    line = github([AWKWARD])
    assert line.splitlines() == [line]
    assert line.startswith("::error file=a b%2Cc%3Ad%25.yaml,title=archspec E103,line=1,")
    assert line.endswith("::100 %25 wrong,%0Areally: yes%0D")


def test_github_knows_three_kinds() -> None:
    place = AWKWARD.place
    kinds = [github([Diagnostic(code, "x", place)]).split()[0] for code in ("E103", "W301", "N401")]
    assert kinds == ["::error", "::warning", "::notice"]


def results(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The results of a SARIF document, after what the schema requires of its frame."""
    assert document["version"] == "2.1.0"
    assert set(document) == {"$schema", "version", "runs"}
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "archspec"
    rules = {rule["id"] for rule in driver["rules"]}
    assert rules <= set(CODES)
    assert len(rules) == len(driver["rules"])
    for result in run["results"]:
        assert result["ruleId"] in rules
        yield result


def test_sarif_has_the_shape_of_its_schema() -> None:
    """https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"""
    found = [*corpus(), AWKWARD, *archspec.check({"archspec": 1, "layers": ["Nope"]}).diagnostics]
    read = list(results(json.loads(sarif(found))))
    assert len(read) == len(found)
    for result, diagnostic in zip(read, found, strict=True):
        assert set(result) <= {"ruleId", "level", "message", "locations", "relatedLocations"}
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"].startswith(diagnostic.message)
        assert len(result["locations"]) == 1
        for location in [*result["locations"], *result.get("relatedLocations", [])]:
            check_location(location)


def check_location(location: dict[str, Any]) -> None:
    """A place with a valid URI reference, and a region that counts from 1."""
    assert set(location) <= {"physicalLocation", "logicalLocations", "message"}
    physical = location["physicalLocation"]
    uri = physical["artifactLocation"]["uri"]
    assert uri.isascii()
    assert not set(uri) & set(' <>"{}|\\^`')
    assert urlparse(uri).scheme == ""
    assert unquote(uri)
    region = physical.get("region", {"startLine": 1, "startColumn": 1, "endColumn": 2})
    assert set(region) == {"startLine", "startColumn", "endColumn"}
    assert region["startLine"] >= 1
    assert 1 <= region["startColumn"] < region["endColumn"]


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_to_say_is_said_validly(name: str) -> None:
    text = FORMATS[name]([])
    if name in ("json", "sarif"):
        read = json.loads(text)
        assert read == [] or read["runs"][0]["results"] == []
    else:
        assert text == ""


@pytest.mark.parametrize("name", FORMATS)
def test_a_spec_of_python_data_has_no_line(name: str) -> None:
    found = archspec.check({"archspec": 1, "inputs": {"x": [3]}, "layers": ["Nope"]}).diagnostics
    text = FORMATS[name](found)
    assert "there is no layer type or block `Nope`" in text
    if name == "github":
        assert "line=" not in text


@pytest.mark.parametrize("name", ["json", "sarif"])
def test_machines_get_one_document(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--format", name, "bad.yaml", "good.yaml", "sub"]) == 1
    printed = capsys.readouterr()
    read = json.loads(printed.out)
    found = read if name == "json" else read["runs"][0]["results"]
    assert len(found) == 2
    assert printed.err == ""


@pytest.mark.parametrize(
    ("arguments", "checked"),
    [
        (["sub"], 2),
        (["."], 4),
        (["good.yaml", "./good.yaml"], 2),
        (["good.yaml", "good.yaml", "bad.yaml"], 2),
        (["**/*.yaml"], 3),
        (["*.yaml", "sub/*.yml"], 3),
    ],
)
def test_folders_and_patterns(
    arguments: list[str], checked: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["check", "--format", "concise", *arguments])
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"{checked} specs, ")


def test_the_summary_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "."]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "4 specs, 3 ok: 1 error, 1 warning"
    assert main(["check", "good.yaml"]) == 0
    assert "specs" not in capsys.readouterr().out


@pytest.mark.parametrize("pattern", ["none*.yaml", "empty"])
def test_nothing_found_is_a_usage_error(
    pattern: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "empty").mkdir()
    assert main(["check", pattern]) == 2
    assert f"there are no specs in {pattern}" in capsys.readouterr().err


def test_a_file_may_be_called_like_a_pattern(folder: Path) -> None:
    (folder / "net[1].yaml").write_text(GOOD)
    assert main(["check", "net[1].yaml"]) == 0


def test_strict_makes_errors_of_warnings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "sub/linted.yml"]) == 0
    captured = capsys.readouterr()
    assert "warning[W311]" in captured.err
    assert "ok" in captured.out
    assert main(["check", "--strict", "sub/linted.yml"]) == 1
    captured = capsys.readouterr()
    assert "error[W311]" in captured.err
    assert "ok" not in captured.out
    assert main(["check", "--strict", "--format", "json", "sub/linted.yml"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["severity"] == "error"


def test_strict_leaves_notes_and_silence_alone(folder: Path) -> None:
    noted = "archspec: 1\ninputs: {x: [16]}\nlayers: [BatchNorm1d]\n"
    assert [d.code for d in archspec.check(noted).diagnostics] == ["N401"]
    (folder / "noted.yaml").write_text(noted)
    silenced = LINTED.replace("]\n", "]  # archspec: ignore[W311] it is deployed as it is\n")
    (folder / "silenced.yaml").write_text(silenced)
    assert main(["check", "--strict", "noted.yaml", "silenced.yaml"]) == 0


@pytest.mark.parametrize("command", ["check", "show", "build"])
@pytest.mark.parametrize(
    ("choice", "variable", "coloured"),
    [
        ("always", "NO_COLOR", True),
        ("never", "FORCE_COLOR", False),
        ("auto", "FORCE_COLOR", True),
        ("auto", "NO_COLOR", False),
    ],
)
def test_colour_is_a_choice(
    command: str,
    choice: str,
    variable: str,
    coloured: bool,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "1")
    assert main([command, "bad.yaml", "--color", choice]) == 1
    assert ("\x1b[" in capsys.readouterr().err) is coloured
