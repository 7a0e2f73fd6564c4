"""`shape:` of symbolic sizes: it holds wherever the network works and is declared to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archspec
from archspec.network import at
from tests.helpers import error, place_of
from tests.test_network_sizes import specs

# A join of what was halved and doubled: sizes divisible by 4 work, whatever is declared.
UNET = """archspec: 1
inputs: {{image: [3, H, W]}}
layers:
  down: {{AvgPool2d: {{kernel_size: 2}}, shape: [3, H // 2, W // 2]}}
  again: {{AvgPool2d: {{kernel_size: 2}}}}
  up: {{Upsample: {{scale_factor: 4}}}}
  join: {{Concat: [up, image], shape: {shape}}}
"""
CONV = """archspec: 1
inputs: {{image: [3, H, W]}}
requires: {{{requires}}}
layers:
  conv: {{Conv2d: {{out_channels: 8, kernel_size: 3, stride: 2, padding: 1}}, shape: {shape}}}
"""
# Works where H * W is a multiple of 6.
SIX = """archspec: 1
inputs: {{x: [1, H, W]}}
layers:
  flat: {{Flatten: {{start_dim: 1}}}}
  rows: {{Unflatten: {{dim: 1, unflattened_size: [6, -1]}}, shape: {shape}}}
"""
# Equal sizes meet.
PAIR = """archspec: 1
inputs: {{left: [3, A], right: [3, B]}}
layers:
  add: {{Add: [left, right], shape: {shape}}}
"""


@pytest.mark.parametrize(
    "shape", ["[6, H, W]", "[6, 4 * (H // 4), W]", "[6, 2 * (H // 2), -(-W // 4) * 4]"]
)
def test_a_claim_needs_to_hold_where_the_layers_work(shape: str) -> None:
    network = archspec.loads(UNET.format(shape=shape))
    assert not network.sizes.valid(H=6, W=8)
    assert network.at(H=8, W=12).outputs == {"output": (6, 8, 12)}


@pytest.mark.parametrize(
    ("requires", "shape"),
    [
        ('H: "% 2 == 0", W: "% 2 == 0"', "[8, H // 2, W // 2]"),
        ('H: "% 4 == 2", W: "% 2 == 1"', "[8, H // 4 + -(-H // 4) - H // 4 + H // 4, W // 2 + 1]"),
        ('H: "<= 2", W: "== 5"', "[8, 1, 3]"),
        ("", "[8, -(-H // 2), (W + 1) // 2]"),
    ],
)
def test_a_claim_needs_to_hold_for_declared_sizes(requires: str, shape: str) -> None:
    archspec.loads(CONV.format(requires=requires, shape=shape))


CLAIM = CONV.replace("requires: {{{requires}}}\n", "")


def test_a_claim_that_fails_says_where_and_what_to_declare() -> None:
    text, place = place_of(CLAIM.format(shape="^[8, H // 2, -(-W // 2)]"), "^")
    found = error(text)
    assert (found.code, f"{found.line}:{found.column}") == ("E113", place)
    assert found.message == (
        "`shape:` says 8×(H // 2)×((W + 1) // 2), but the output is 8×((H + 1) // 2)×((W + 1) // 2)"
    )
    assert found.notes == ("at H = 1, W = 1 it is 8×1×1, not 8×0×1",)
    declared = '`requires: {H: "% 2 == 0"}`'
    assert found.help == f"where only such sizes are meant, declare them: {declared}"
    assert archspec.check(text.replace("layers:", f"{declared.strip('`')}\nlayers:")).ok


@pytest.mark.parametrize(
    ("spec", "shape", "note"),
    [
        (CLAIM, "[8, H // 2, W]", "at H = 1, W = 1 it is 8×1×1, not 8×0×1"),  # no such W
        (UNET, "[6, W, H]", "at H = 8, W = 4 it is 6×8×4, not 6×4×8"),
        (SIX, "[6, H // 6 * W]", "at H = 3, W = 2 it is 6×1, not 6×0"),
        (PAIR, "[3, A]", "at A = 1, B = 2 it is 3×2, not 3×1"),  # it is stretched
        (PAIR, "[3, 5]", "at A = 1, B = 1 it is 3×1, not 3×5"),
    ],
)
def test_a_claim_that_fails_at_some_sizes(spec: str, shape: str, note: str) -> None:
    found = error(spec.format(shape=shape))
    assert (found.code, found.notes) == ("E113", (note,))


def test_a_claim_on_several_symbols_that_holds() -> None:
    archspec.loads(SIX.format(shape="[6, H * W // 6]"))
    declared = PAIR.replace("layers:", 'requires: {{A: "== B"}}\nlayers:')
    archspec.loads(declared.format(shape="[3, A]"))
    archspec.loads(declared.format(shape="[3, B]"))


def test_a_claim_that_never_holds_names_no_sizes() -> None:
    found = error(UNET.format(shape="[6, H + 1, W]"))
    assert (found.code, found.notes, found.help) == ("E113", (), None)


def test_a_block_that_is_used_often_is_told_once() -> None:
    found = error(
        """archspec: 1
inputs: {x: [4, H, W]}
blocks:
  Down:
    layers:
      pool: {MaxPool2d: {kernel_size: 2, ceil_mode: true}, shape: [4, input.height // 2, _]}
layers:
  stem: ReLU
  downs: {repeat: 3, Down: {}}
"""
    )
    assert (found.code, found.line) == ("E113", 6)
    assert [label.place.line for label in found.labels] == [9]


def test_sizes_that_do_not_work_are_told_by_their_layer() -> None:
    network = archspec.loads(UNET.format(shape="[6, H, W]"))
    with pytest.raises(archspec.SpecError) as refused:
        network.at(H=6, W=8)
    assert "E202" in [each.code for each in refused.value.diagnostics]
    (note,) = (each for each in archspec.check(network.spec).diagnostics if each.code == "N403")
    assert "meet at `join`" in note.message


def test_sizes_that_are_not_declared_are_told_by_the_declaration() -> None:
    network = archspec.loads(CONV.format(requires='H: "% 2 == 0"', shape="[8, H // 2, w]"))
    assert str(network.at(H=6).outputs["output"]) == "(8, 3, (W + 1) // 2)"
    for sizes in ({"H": 5}, {"H": 5, "W": 8}):
        with pytest.raises(archspec.SpecError) as refused:
            network.at(**sizes)
        assert [each.code for each in refused.value.diagnostics] == ["E125"]


def test_what_is_not_decided_is_said() -> None:
    text = """archspec: 1
inputs: {audio: [1, T]}
layers:
  a: {AvgPool1d: {kernel_size: 1, stride: 4999}}
  b: {AvgPool1d: {kernel_size: 1, stride: 5003}, from: audio}
  join: {Concat: [a, b], shape: [2, -(-T // 4999)]}
"""
    for shape, codes in {"4999": ["N403"], "5003": ["N403"], "5001": ["N403", "N404"]}.items():
        report = archspec.check(text.replace("-(-T // 4999)]", f"-(-T // {shape})]"))
        assert report.ok
        assert [each.code for each in report.diagnostics] == codes


FORMULAS = st.builds(
    lambda a, b, c, d: f"{d} * ((T + {a}) // {b}) + {c}",
    st.integers(-3, 3),
    st.integers(1, 4),
    st.integers(-2, 2),
    st.integers(1, 4),
)


@given(specs(), FORMULAS)
def test_law_refused_exactly_if_a_size_that_works_gives_another_shape(text: str, said: str) -> None:
    network = archspec.check(text).network
    if network is None or not network.sizes.sets["T"].decided:
        return
    *rest, last = network.outputs["output"]
    works = [size for size in range(1, 400) if network.sizes.valid(T=size)]
    wrong = [T for T in works if eval(said, {"T": T}) != at(last, {"T": T})]
    head, comma, tail = text.rstrip().rpartition("\n")
    shape = ", ".join([*(f"s{number}" for number in range(len(rest))), said])
    report = archspec.check(f"{head}{comma}{tail[:-1]}, shape: [{shape}]}}\n")
    assert report.ok == (not wrong), report
    if wrong:
        (found,) = (each for each in report.diagnostics if each.severity == "error")
        assert found.code == "E113"
        assert not found.notes or found.notes[0].startswith(f"at T = {wrong[0]} ")
