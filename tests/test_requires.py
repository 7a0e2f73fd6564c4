"""`requires:`: what is declared of input sizes, against what the layers need."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archspec
from archspec import SpecError
from archspec.network import Network
from archspec.sizes.members import first_outside, is_all_from, nearest_above, nearest_below
from archspec.sizes.periodic import SizeSet
from tests.helpers import error, place_of
from tests.test_network_sizes import accepts, specs
from tests.test_valid_sizes import STRETCHES, set_of

# A join of what was halved and doubled: even sizes work.
EVEN = """archspec: 1
params: {{k: 2}}
inputs: {{image: [3, H, W]}}
requires: {{{requires}}}
layers:
  down: {{Conv2d: {{out_channels: 8, kernel_size: =k, stride: 2}}}}
  up: {{ConvTranspose2d: {{out_channels: 3, kernel_size: 2, stride: 2}}}}
  join: {{Concat: [image, up]}}
"""
# As many tokens as there are.
SIX = """archspec: 1
inputs: {{x: [1, H, W]}}
requires: {{{requires}}}
layers:
  flat: {{Flatten: {{start_dim: 1}}}}
  rows: {{Unflatten: {{dim: 1, unflattened_size: [6, -1]}}}}
"""
PINNED = """archspec: 1
inputs: {{image: [3, H, W]}}
requires: {{{requires}}}
layers:
  flat: Flatten
  fc: {{Linear: {{in_features: 147, out_features: 2}}}}
"""


def made(requires: str, spec: str = EVEN) -> Network:
    return archspec.loads(spec.format(requires=requires))


def refused(requires: str, spec: str = EVEN) -> archspec.Diagnostic:
    """The only error, which stands where the marker ^ does."""
    text, place = place_of(spec.format(requires=requires), "^")
    found = error(text)
    assert f"{found.line}:{found.column}" == place, found
    return found


def codes(requires: str, spec: str = EVEN) -> list[str]:
    return [each.code for each in archspec.check(spec.format(requires=requires)).diagnostics]


# Declarations that hold.


@pytest.mark.parametrize(
    ("requires", "words"),
    [
        ('H: "% 2 == 0", W: "% 2 == 0"', ["H >= 2 and H even", "W >= 2 and W even"]),
        ('H: "% 32 == 0 and >= 64"', ["H >= 64 and H divisible by 32", "W >= 2 and W even"]),
        ('H: ["% 32 == 0", ">= 64"]', ["H >= 64 and H divisible by 32", "W >= 2 and W even"]),
        ('H: "% (2 * k) == k"', ["H >= 2 and H mod 4 = 2", "W >= 2 and W even"]),
        ('H: "== 8", W: "== 2 ** 4"', ["H = 8", "W = 16"]),
        ('H: "<= 9 and > 5 and != 7 and != 9"', None),
        (
            'H: "== W", W: "% 4 == 0"',
            ["H >= 2 and H even", "W >= 4 and W divisible by 4", "H == W"],
        ),
        ('W: "% 2 == 0 and <= H", H: "% 2 == 0"', None),
    ],
)
def test_what_is_declared_is_the_valid_set(requires: str, words: list[str] | None) -> None:
    network = made(requires)
    assert words is None or network.sizes.words() == words
    assert network.layer_sizes.words() == ["H >= 2 and H even", "W >= 2 and W even"]
    assert network.sizes.valid(**network.example_sizes)
    for h, w in ((6, 6), (8, 16), (64, 4), (66, 66), (96, 2), (7, 6), (3, 3)):
        assert accepts(network, H=h, W=w) == network.sizes.valid(H=h, W=w), (h, w)


def test_ties_are_decided_by_remainders_and_by_few_sizes() -> None:
    assert codes('H: "% 2 == 0", W: "% 3 == 0"', SIX) == []
    assert codes('H: "% 2 == 0 and >= 5", W: "% 6 != 0 and % 3 == 0"', SIX) == []
    assert codes('H: "% 6 == 0"', SIX) == []
    assert codes('H: "== 7", W: "== 7"', PINNED) == []
    assert codes('H: "== W", W: "== 7"', PINNED) == []


def test_sizes_that_are_not_declared_are_refused_by_name() -> None:
    network = made('H: "% 4 == 0", W: "== H"')
    with pytest.raises(SpecError, match="`requires:` says `% 4 == 0` of H, which is 6 here"):
        network.at(H=6, W=6)
    with pytest.raises(SpecError, match="`requires:` says `== H` of W, which is 8 here"):
        network.at(H=4, W=8)
    assert network.at(H=4).sizes.words() == ["W = 4"]
    with pytest.raises(SpecError) as caught:  # what the layers say is told first, and alone
        network.at(H=5, W=5)
    assert [each.code for each in caught.value.diagnostics] == ["E202"]


def test_parameters_of_requirements_are_used() -> None:
    spec = EVEN.replace("kernel_size: =k", "kernel_size: 2")
    assert codes('H: "% k == 0", W: "% (1 * k) == 0"', spec) == []
    assert codes('H: "% 2 == 0", W: "% 2 == 0"', spec) == ["W302"]


# Declarations that do not hold.


def test_a_declaration_that_allows_more_than_works() -> None:
    found = refused('H: ^">= 32", W: "% 2 == 0"')
    assert found.code == "E125"
    assert found.message == "`requires:` lets H = 33 pass, which does not work"
    clash, image, up = found.labels
    assert "differ in dimension 2 (33 and 32)" in clash.text
    assert (clash.place.line, image.place.line, up.place.line) == (8, 3, 7)
    assert found.notes == ("its layers take H >= 2 and H even",)
    assert found.help == 'write `H: ">= 32 and % 2 == 0"`'
    assert codes('H: "% 2 == 0", W: "% 2 == 0"') == []


@pytest.mark.parametrize(
    ("requires", "smallest"),
    [
        ('H: ^"% 3 == 0"', "H = 3"),
        ('H: ^"% 2 == 1 and >= 100"', "H = 101"),
        ('H: ^"!= 7"', "H = 1"),
        ('H: ^"== 1000001"', "H = 1000001"),
        ('H: ^"== W"', "H = 1"),
        ('H: "% 2 == 0", W: ^"> H"', "W = 3"),
    ],
)
def test_the_smallest_size_that_breaks_it(requires: str, smallest: str) -> None:
    found = refused(requires)
    assert found.message == f"`requires:` lets {smallest} pass, which does not work"


@pytest.mark.parametrize(
    ("requires", "smallest"),
    [
        ('H: ^"% 2 == 0", W: "% 2 == 0"', "H = 2, W = 2"),
        ('H: ^">= 1", W: "% 3 == 0"', "H = 1, W = 3"),
    ],
)
def test_sizes_that_fail_together(requires: str, smallest: str) -> None:
    found = refused(requires, SIX)
    assert found.message == f"`requires:` lets {smallest} pass, which does not work"
    assert found.notes == ("they need H*W % 6 == 0",)


@pytest.mark.parametrize(
    ("requires", "message"),
    [
        ('H: ^"% 2 == 1 and % 2 == 0"', "no H meets `% 2 == 1` and `% 2 == 0`"),
        ('H: ^[">= 8", "<= 7"]', "no H meets `>= 8` and `<= 7`"),
        ('H: "^% 4 == 7"', "`% 4 == 7` holds for no H"),
        ('H: "% 2 == 0 and ^< 1"', "`< 1` holds for no H"),
    ],
)
def test_a_declaration_of_nothing(requires: str, message: str) -> None:
    found = refused(requires)
    assert (found.code, found.message) == ("E125", message)


@pytest.mark.parametrize(
    ("requires", "code", "help"),
    [
        ('^h: "% 2 == 0"', "E108", "did you mean `H`?"),
        ('^k: "% 2 == 0"', "E108", "the symbols are H, W"),
        ('^depth: "% 2 == 0"', "E108", "the symbols are H, W"),
        ('H: "% ^kk == 0"', "E108", None),
        ('H: ">= 2 and % 2 == ^zero"', "E108", None),
        ('H: "% ^0 == 0"', "E105", None),
        ('H: "% ^W == 0"', "E105", None),
        ('H: ">= ^1.5"', "E105", None),
        ("H: ^8", "E105", 'write `"== 8"`'),
        ("H: ^null", "E105", None),
        ("H: ^even", "E109", "write `% 2 == 0`"),
        ('H: "^% 32"', "E109", "write `% 32 == 0`"),
        ('H: "^divisible by 32"', "E109", "write `% 32 == 0`"),
        ('H: "^multiple of 32"', "E109", "write `% 32 == 0`"),
        ('H: ">= 2 and ^=> 3"', "E109", "write `>= 3`"),
        ('H: "^= 3"', "E109", "write `== 3`"),
        ('H: "^H >= 3"', "E109", "leave `H` out: `>= 3`"),
        ('H: "^3 <= 5"', "E109", 'for example `"% 32 == 0"` or `">= 64 and % 2 == 0"`'),
        ('H: "^>="', "E109", 'for example `"% 32 == 0"` or `">= 64 and % 2 == 0"`'),
        ('H: ">= ^(3"', "E109", None),
        ('H: ^"and"', "E109", None),
        ('H: ^">= 3 and"', "E109", None),
        (f'H: ^"{" and ".join(["!= 7"] * 17)}"', "E005", None),
    ],
)
def test_what_cannot_be_read(requires: str, code: str, help: str | None) -> None:
    found = refused(requires)
    assert found.code == code
    assert help is None or found.help == help


def test_a_network_without_symbols_declares_nothing() -> None:
    text = EVEN.format(requires='H: ">= 2"').replace("[3, H, W]", "[3, 8, 8]")
    found = error(text)
    assert (found.code, found.line) == ("E108", 4)
    assert "inputs: {image: [3, H, W]}" in str(found.help)


def test_requires_must_be_a_mapping() -> None:
    found = error(EVEN.replace("{{{requires}}}", "[H]").format())
    assert (found.code, found.line) == ("E105", 4)


# The law: refused exactly if some declared size does not work.


def comparisons() -> st.SearchStrategy[str]:
    number, divisor = st.integers(0, 40), st.integers(1, 9)
    relations = st.sampled_from(["==", "!=", "<=", ">=", "<", ">"])
    plain = st.tuples(relations, number).map(lambda drawn: f"{drawn[0]} {drawn[1]}")
    rest = st.tuples(divisor, st.sampled_from(["==", "!="]), st.integers(0, 8))
    return st.one_of(plain, rest.map(lambda drawn: f"% {drawn[0]} {drawn[1]} {drawn[2]}"))


@given(specs(), st.lists(comparisons(), min_size=1, max_size=3))
def test_law_refused_exactly_if_a_declared_size_does_not_work(text: str, said: list[str]) -> None:
    network = archspec.check(text).network
    if network is None:
        return
    valid = network.sizes.sets["T"]
    written = text.replace("layers:", f'requires: {{T: "{" and ".join(said)}"}}\nlayers:')
    declared = [n for n in range(1, 600) if all(eval(f"{n} {each}") for each in said)]
    failing = [n for n in declared if n not in valid]
    report = archspec.check(written)
    assert "N404" not in [each.code for each in report.diagnostics]
    assert report.ok == (bool(declared) and not failing)
    if failing:
        (found,) = [each for each in report.diagnostics if each.severity == "error"]
        assert found.message.startswith(f"`requires:` lets T = {failing[0]} pass")
    elif report.network is not None:
        mine = report.network.sizes.sets["T"]
        assert [n for n in range(1, 600) if n in mine] == declared


# What is not decided.

RARE = """archspec: 1
inputs: {{audio: [1, T]}}
requires: {{{requires}}}
layers:
  a: {{AvgPool1d: {{kernel_size: 1, stride: 4999}}}}
  b: {{AvgPool1d: {{kernel_size: 1, stride: 5003}}, from: audio}}
  join: {{Concat: [a, b]}}
"""


def test_what_is_not_decided_is_said() -> None:
    assert codes('T: "% 2 == 0"', RARE) == ["N404"]
    assert codes('T: "<= 4999"', RARE) == ["N404"]
    assert codes('T: "<= 2000"', RARE) == []
    assert codes('T: ">= 4999"', RARE) == ["E125"]


# Which sizes are larger than those that were tried: 2 * H is known up to 4096.
TABLED = """archspec: 1
inputs: {{x: [2, H, W]}}
requires: {{{requires}}}
layers:
  larger: {{ConvTranspose2d: {{out_channels: 2, kernel_size: [2, 1], stride: [2, 1]}}}}
  smaller: {{Upsample: {{scale_factor: [0.7, 1.0]}}}}
"""


def test_what_is_beyond_a_table_is_not_decided() -> None:
    network = made('H: ">= 32"', TABLED)
    assert codes('H: ">= 32"', TABLED) == ["N404", "N405"]
    assert codes('H: ">= 32 and <= 2048"', TABLED) == ["N405"]
    assert network.at(H=3000, W=1).outputs == {"output": (2, 4200, 1)}
    assert codes('H: "<= 4", W: "< 1"', TABLED) == ["E125", "N405"]
    assert [d.code for d in archspec.check(undeclared(TABLED)).diagnostics] == ["N405"]


@pytest.mark.parametrize("one", ["% 4 == 1", ">= 1", "<= 2"])
def test_symbols_that_depend_on_each_other_may_fail_together(one: str) -> None:
    """Where W is 1, H is 2: that neither is among the sizes that work is no reason to pass it."""
    text = f'archspec: 1\ninputs: {{x: [1, H, W]}}\nrequires: {{H: "== 2 * W", W: "{one}"}}\n'
    found = error(text + "layers: [{PixelUnshuffle: {downscale_factor: 3}}]\n")
    assert found.message == "`requires:` lets H = 2 pass, which does not work"


def test_sizes_that_no_declaration_ties_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archspec.sizes.declaration.ENOUGH", 100)
    text = (
        "archspec: 1\ninputs: {image: [3, H, W], x: [T, 4]}\n"
        'requires: {W: "== 3 * T", T: ">= 301"}\nlayers:\n'
        "  rows: {Unflatten: {dim: 1, unflattened_size: [-1, 7]}, from: x}\n"
        "  keep: {ReLU, from: image}\noutputs: [rows, keep]\n"
    )
    assert error(text).message == "`requires:` lets T = 302 pass, which does not work"


# The note, where nothing is declared.


def note(text: str) -> archspec.Diagnostic | None:
    found = archspec.check(text).diagnostics
    assert {each.code for each in found} <= {"N403"}
    return found[0] if found else None


def undeclared(spec: str) -> str:
    return spec.format(requires="R").replace("requires: {R}\n", "")


def test_only_some_sizes_work() -> None:
    found = note(undeclared(EVEN).replace("=k", "2").replace("params: {k: 2}\n", ""))
    assert found is not None
    assert (found.line, found.column) == (2, 21)
    assert found.message == (
        "works only where H >= 2 and H even, and W >= 2 and W even; "
        "225 is the first H above 224 that does not: 225 and 224 meet at `join`"
    )
    assert [label.place.line for label in found.labels] == [6, 2, 5]
    assert found.help == 'declare what is meant: `requires: {H: "% 2 == 0", W: "% 2 == 0"}`'


def test_channels_that_are_joined_do_not_clash() -> None:
    """They differ at every size; what meets is the height."""
    found = note(
        "archspec: 1\ninputs: {image: [3, H, 32]}\nlayers:\n"
        "  down: {Conv2d: {out_channels: 8, kernel_size: 2, stride: 2}}\n"
        "  up: {Upsample: {scale_factor: 2}}\n"
        "  join: {Concat: [image, up]}\n"
    )
    assert found is not None
    assert "does not: 225 and 224 meet at `join`" in found.message


def test_sizes_that_a_layer_does_not_compare_do_not_clash() -> None:
    """A product compares the last size of the first with the one before it of the second."""
    found = note(
        "archspec: 1\ninputs: {a: [3, 7, W], b: [3, K, 5]}\nlayers: {z: {MatMul: [a, b]}}\n"
    )
    assert found is not None
    assert "does not: 3×7×225 and 3×224×5 do not multiply: 225 meets 224" in found.message


def test_the_note_speaks_of_what_is_not_declared() -> None:
    found = note(EVEN.format(requires='W: "% 2 == 0"'))
    assert found is not None
    assert found.message.startswith("works only where H >= 2 and H even; 225 is the first H")
    assert found.help == 'declare what is meant: `requires: {H: "% 2 == 0"}`'


def test_the_help_says_that_it_leaves_out_smaller_sizes() -> None:
    """Five parts of 9 are 2, 2, 2, 2 and 1, which is stretched."""
    found = note(
        "archspec: 1\nname: parts\ninputs: {x: [T, 3]}\nlayers:\n"
        "  cut: {Chunk: {chunks: 5, dim: 1}}\n  add: {Add: [cut.0, cut.4]}\n"
    )
    assert found is not None
    assert "works only where T in {5, 9, 10, 13, 15, 17, 20, 21}, or T >= 25" in found.message
    assert found.help == (
        'declare what is meant: `requires: {T: ">= 25 and % 5 == 0"}`, without some smaller T'
    )


def test_ties_are_told() -> None:
    found = note(undeclared(PINNED))
    assert found is not None
    assert found.message == (
        "works only where H*W == 49; 8 is the first H above 7 that does not: "
        "in_features is 147, but the input has 168"
    )


def test_no_help_that_would_not_do() -> None:
    """Even sizes are not enough: a map is multiplied with itself."""
    layers = "  a: {PixelUnshuffle: {downscale_factor: 2}}\n  b: {MatMul: [a, a]}\n"
    found = note("archspec: 1\ninputs: {image: [3, H, W]}\nlayers:\n" + layers)
    assert found is not None
    assert "and H // 2 == W // 2" in found.message
    assert found.help is None


def test_sizes_that_are_merely_too_small_get_no_note() -> None:
    head = "archspec: 1\ninputs: {image: [3, H, W]}\nlayers:\n"
    assert note(head + "  a: {Conv2d: {out_channels: 2, kernel_size: 7}}\n") is None
    assert note(head + "  a: InstanceNorm2d\n") is None
    assert note(head + "  a: ReLU\n") is None


def test_the_note_can_be_silenced() -> None:
    text = undeclared(EVEN).replace("H, W]}", "H, W]}  # archspec: ignore[N403]")
    assert note(text) is None


# Laws of sets.


@given(STRETCHES, STRETCHES)
def test_law_inclusion_has_the_smallest_witness(first: object, second: object) -> None:
    inner, outer = set_of(first), set_of(second)  # type: ignore[arg-type]
    size, certain = first_outside(inner, outer)
    assert certain
    lacking = [n for n in range(1, 400) if inner.contains(n) and not outer.contains(n)]
    assert size == (lacking[0] if lacking else None) or (size or 0) >= 400


@given(STRETCHES)
def test_law_nearest_members(drawn: object) -> None:
    sizes: SizeSet = set_of(drawn)  # type: ignore[arg-type]
    members = [n for n in range(1, 400) if sizes.contains(n)]
    for size in range(1, 60):
        assert nearest_below(sizes, size) == max((n for n in members if n < size), default=None)
        assert nearest_above(sizes, size) == min((n for n in members if n > size), default=None)
    from_there = not members or members == list(range(members[0], 400))
    assert is_all_from(sizes) <= from_there
