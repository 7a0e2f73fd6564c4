"""Any spec, extended or split into files, is the same network."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import archspec
from tests.files import write
from tests.helpers import same

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
