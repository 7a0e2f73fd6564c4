"""YAML text → tree: places, values, and what is refused."""

import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from archspec.diagnostics import Collector, Refused, Source
from archspec.syntax import Mapping, Node, Scalar, Sequence, lift, plain, read, read_file
from archspec.syntax.tree import MAX_DEPTH


def tree(text: str) -> Node:
    return read(Source("t.yaml", text), Collector())


def value(text: str) -> Any:
    """The value of a plain scalar, as the reader sees it."""
    node = tree(f"k: {text}\n")
    assert isinstance(node, Mapping)
    return plain(node)["k"]


def refusal(text: str) -> str:
    """The one error of a text that has no tree, as `CODE line:column`."""
    found = Collector()
    with pytest.raises(Refused):
        read(Source("t.yaml", text), found)
    (only,) = found
    return f"{only.code} {only.line}:{only.column}"


def places(node: Node) -> list[tuple[int, int, int]]:
    """Line, column and width of every node, keys included, in file order."""
    place = node.place
    found = [(place.line, place.column, place.end_column - place.column)]
    if isinstance(node, Sequence):
        for item in node.items:
            found += places(item)
    if isinstance(node, Mapping):
        for key, each in node.items():
            found += [*places(key), *places(each)]
    return found


# Places.


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ab: cde", [(1, 1, 1), (1, 1, 2), (1, 5, 3)]),
        ("a: [b, 10]", [(1, 1, 1), (1, 1, 1), (1, 4, 1), (1, 5, 1), (1, 8, 2)]),
        ("- 'q r'\n- \"s\"", [(1, 1, 1), (1, 3, 5), (2, 3, 3)]),
        ("é: ü😀x\n", [(1, 1, 1), (1, 1, 1), (1, 4, 3)]),
        ("a: {é: 1}", [(1, 1, 1), (1, 1, 1), (1, 4, 1), (1, 5, 1), (1, 8, 1)]),
        ("a: |\n  one\n  two\nb: 1\n", [(1, 1, 1), (1, 1, 1), (1, 4, 1), (4, 1, 1), (4, 4, 1)]),
        ("a:\n  b:\n    - c", [(1, 1, 1), (1, 1, 1), (2, 3, 1), (2, 3, 1), (3, 5, 1), (3, 7, 1)]),
        ("a: &x 1\nb: *x\n", [(1, 1, 1), (1, 1, 1), (1, 4, 4), (2, 1, 1), (1, 4, 4)]),
        ("\ufeffa: b", [(1, 1, 1), (1, 1, 1), (1, 4, 1)]),
        ("a: b\r\nc: d\r\n", [(1, 1, 1), (1, 1, 1), (1, 4, 1), (2, 1, 1), (2, 4, 1)]),
        ("a: 'x\n  y'\nb: 1", [(1, 1, 1), (1, 1, 1), (1, 4, 1), (3, 1, 1), (3, 4, 1)]),
    ],
)  # fmt: skip
def test_every_node_knows_its_place(text: str, wanted: list[tuple[int, int, int]]) -> None:
    assert places(tree(text)) == wanted


def test_an_alias_is_the_node_of_its_anchor() -> None:
    node = tree("a: &x [1, 2]\nb: *x\n")
    assert isinstance(node, Mapping)
    assert node.get("a") is node.get("b")


# Values: YAML 1.2's core schema, with `_` in numbers.


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no", "no"), ("on", "on"), ("yes", "yes"), ("off", "off"), ("y", "y"), ("N", "N"),
        ("true", True), ("True", True), ("TRUE", True), ("tRue", "tRue"), ("false", False),
        ("null", None), ("~", None), ("", None), ("NULL", None), ("None", "None"),
        ("010", 10), ("0x10", 16), ("0o17", 15), ("0b11", "0b11"), ("0xg", "0xg"),
        ("12:30", "12:30"), ("190:20:30", "190:20:30"), ("2024-01-01", "2024-01-01"),
        ("1e-3", 0.001), ("1E3", 1000.0), ("1.", 1.0), (".5", 0.5), ("+1", 1), ("-1", -1),
        ("1_000", 1000), ("11_689_512", 11689512), ("1__0", "1__0"), ("_1", "_1"), ("1_", "1_"),
        (".inf", math.inf), ("-.inf", -math.inf), ("+.INF", math.inf), (".", "."),
        ("e3", "e3"), ("1e", "1e"), ("=1 + 1", "=1 + 1"), ("1 2", "1 2"), ("0", 0), ("-0", 0),
        ("'1'", "1"), ('"true"', "true"), ("'null'", "null"), ("1e400", math.inf),
        ("9" * 401, "9" * 401), ("1:2", "1:2"), ("infinity", "infinity"), ("nan", "nan"),
    ],
)  # fmt: skip
def test_plain_scalars_are_yaml_1_2(text: str, wanted: Any) -> None:
    found = value(text)
    assert found == wanted
    assert type(found) is type(wanted)


def test_nan_is_a_number() -> None:
    assert math.isnan(value(".nan"))


def test_keys_are_text() -> None:
    node = tree("{0: a, true: b, null: c, '1': d}")
    assert isinstance(node, Mapping)
    assert list(node.entries) == ["0", "true", "null", "1"]


# What is refused, and where.


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "E115 1:1"),
        ("# a\n# b\n", "E115 1:1"),
        ("---\n", "E105"),
        ("a: 1\n---\nb: 2\n", "E004 2:1"),
        ("a: !!int 1\n", "E004 1:4"),
        ("a: !x [1]\n", "E004 1:4"),
        ("a: !!python/object:os.system x\n", "E004 1:4"),
        ("a: {<<: {b: 1}}\n", "E004 1:5"),
        ("a: &x [*x]\n", "E004 1:8"),
        ("a: *x\n", "E004 1:4"),
        ("? [a]\n: b\n", "E004 1:3"),
        ("? {a: b}\n: b\n", "E004 1:3"),
        ("a:\n\tb: 1\n", "E002 2:1"),
        ("a: b\nc: d\0e\n", "E002 2:5"),
        ("a: é\x07\n", "E002 1:5"),
        ("a:\n  - '\ud800'\n", "E002 2:6"),
        ("a: \ufffe\n", "E002 1:4"),
        ("[" * (MAX_DEPTH + 1), f"E005 1:{MAX_DEPTH + 1}"),
        ("- " * 300 + "a", f"E005 1:{2 * MAX_DEPTH + 1}"),
        ("[" * 100_000, f"E005 1:{MAX_DEPTH + 1}"),
        ("{a: " * 200, f"E005 1:{4 * MAX_DEPTH + 1}"),
    ],
)  # fmt: skip
def test_refused_texts(text: str, wanted: str) -> None:
    if wanted == "E105":
        assert plain(tree(text)) is None  # no mapping: the next stage says so
        return
    assert refusal(text) == wanted


def test_duplicate_keys_are_told_and_the_first_stays() -> None:
    found = Collector()
    node = read(Source("t", "a: 1\nb: 2\n'a': 3\n0: x\n'0': y\n"), found)
    assert [(d.code, d.line, d.labels[0].place.line) for d in found] == [
        ("E003", 3, 1),
        ("E003", 5, 4),
    ]
    assert plain(node) == {"a": 1, "b": 2, "0": "x"}


def test_alias_bombs_are_bounded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert refusal("\n".join(lines)).startswith("E005 7:")


def test_aliases_do_not_nest_deeper_than_brackets_may() -> None:
    lines = ["a0: &a0 " + "[" * 60 + "]" * 60]
    lines += [f"a{n}: &a{n} {'[' * 30}*a{n - 1}{']' * 30}" for n in range(1, 20)]
    assert refusal("\n".join(lines)) == "E005 3:" + str(lines[2].index("*") + 1)
    assert tree("\n".join(lines[:2])) is not None


def test_as_deep_as_allowed() -> None:
    assert tree("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None


def test_a_large_file_is_refused_before_it_is_read(tmp_path: Any) -> None:
    file = tmp_path / "large.yaml"
    file.write_bytes(b"a" * 8_000_001)
    found = Collector()
    with pytest.raises(Refused):
        read_file(file, found)
    assert [d.code for d in found] == ["E005"]
    assert refusal("a" * 8_000_001) == "E005 1:1"


def test_a_file_that_is_no_text_says_which_byte(tmp_path: Any) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes(b"a: b\nc: \xe9\n")
    found = Collector()
    with pytest.raises(Refused):
        read_file(file, found)
    (only,) = found
    assert (only.code, only.line) == ("E002", 2)
    assert "0xe9" in only.message


# Python data.


def test_data_has_key_paths_as_places() -> None:
    node = lift({"a": [{"b": 1}]}, Source("<dict>"), Collector())
    assert isinstance(node, Mapping)
    item = node.get("a")
    assert isinstance(item, Sequence)
    inner = item.items[0]
    assert isinstance(inner, Mapping)
    assert str(inner.entries["b"][1].place) == "<dict>:a.0.b"


def endless() -> dict[str, Any]:
    data: dict[str, Any] = {}
    data["a"] = data
    return data


def bomb() -> list[Any]:
    data: list[Any] = [1]
    for _ in range(40):
        data = [data, data]
    return data


@pytest.mark.parametrize("data", [endless(), [[[endless()]]], bomb()])
def test_data_without_end_is_refused(data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archspec.syntax.data.MAX_VALUES", 20_000)
    found = Collector()
    with pytest.raises(Refused):
        lift(data, Source("<dict>"), found)
    assert [d.code for d in found] == ["E005"]


def test_keys_of_data_that_are_the_same_text() -> None:
    found = Collector()
    assert plain(lift({0: "a", "0": "b"}, Source("<dict>"), found)) == {"0": "a"}
    assert [d.code for d in found] == ["E003"]


def test_leaves_of_data_keep_their_objects() -> None:
    thing = object()
    node = lift((thing, "=x", None), Source("<dict>"), Collector())
    assert isinstance(node, Sequence)
    assert [each.value for each in node.items if isinstance(each, Scalar)] == [thing, "=x", None]


# Properties.

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**18), 10**18), st.floats(allow_nan=False), WORDS
)
DATA = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4)
)


@given(DATA, st.sampled_from([True, False, None]))
def test_what_yaml_dumps_we_read(data: Any, flow: bool | None) -> None:
    dumped = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, width=60)
    assert plain(tree(dumped)) == _as_text_keys(data)


def _as_text_keys(data: Any) -> Any:
    if isinstance(data, list):
        return [_as_text_keys(each) for each in data]
    if isinstance(data, dict):
        return {key: _as_text_keys(each) for key, each in data.items()}
    return data


@given(
    st.text(st.characters(), max_size=60) | st.text("ab:-[]{}&*!|>'\"#% \n\t?,<=@`é\0", max_size=40)
)
def test_any_text_has_a_tree_or_a_reason(text: str) -> None:
    found = Collector()
    try:
        places(read(Source("t", text), found))
    except Refused:
        assert found.failed
