"""What `torch.export` does not follow: the plan drops it, and what is left runs."""

import pytest

from archspec.exportable import CHOOSES
from archspec.exporting import Progression
from tests.test_exporting import IMAGE, exports, line


@pytest.mark.parametrize("kind", CHOOSES)
def test_adaptive_maxima_give_the_size_of_the_example(kind: str) -> None:
    """A size that is given by a number is no matter."""
    rank = int(kind[-2])
    head = f"archspec: 1\ninputs: {{x: [2, {', '.join('DHW'[-rank:])}]}}\nlayers:\n"
    halves = ", ".join(["=W // 2"] * rank)
    plan = line(f"  pool: {{{kind}: {{output_size: [{halves}]}}}}\n", head).export_plan()
    assert "W" not in plan.kept
    assert any(f"`pool` ({kind}) gives" in each for each in plan.dropped)
    fixed = exports(line(f"  pool: {{{kind}: {{output_size: 3}}}}\n", head))
    assert set(fixed.kept) == set("DHW"[-rank:])


@pytest.mark.parametrize(
    "layers",
    [
        '  part: {Slice: {dim: 3, start: "=W // 2"}}\n',
        '  part: {Slice: {dim: 3, end: "=W // 2"}}\n',
        '  part: {Pad: {pad: [0, "=-W % 3", 0, "=-H % 3"]}}\n'
        '  cut: {Rearrange: {pattern: "b c (h p) (w q) -> b (h w) (p q c)", p: 3, q: 3}}\n',
        '  part: {Split: {dim: 2, split_size: ["=H // 2", "=H - H // 2"]}}\n'
        "  turned: {Concat: {dim: 2}, from: [part.1, part.0]}\n",
    ],
    ids=["start", "end", "pad", "split"],
)
def test_layers_that_compare_sizes_are_left_to_export(layers: str) -> None:
    plan = exports(line(layers, IMAGE))
    assert plan.automatic
    assert set(plan.kept) == {"H", "W"}
    assert any("computes with sizes" in each for each in plan.dropped)


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        (
            '  a: {ChannelShuffle: {groups: 3}}\n  b: {Reshape: {shape: [3, "=H * H"]}}\n',
            "a product such as H*H, which `b` (Reshape) makes, is beyond its solver",
        ),
        (
            "  a: {Upsample: {scale_factor: 2}}\n  b: {Upsample: {scale_factor: 0.5}}\n"
            "  c: {Concat: [b, x]}\n",
            "a comparison with what `b` rounds is beyond its solver",
        ),
    ],
    ids=["power", "rounded"],
)
def test_guards_beyond_its_solver(layers: str, why: str) -> None:
    plan = exports(line(layers, IMAGE.replace("H, W", "H, H")))
    assert plan.dropped[-1] == f"the bounds, which export finds itself: {why}"


def test_sizes_on_the_way_count_too() -> None:
    """One row of blocks is taken for a constant, though the output tells only of all blocks."""
    plan = exports(line("  blocks: {Unfold: {kernel_size: 2}}\n", IMAGE))
    assert [each.first for each in plan.kept.values()] == [3, 3]


def test_a_minimum_over_two_symbols_is_exported_from_where_it_is_settled() -> None:
    cut = (
        '  rows: {Rearrange: {pattern: "b c h w -> b (h w) c"}}\n  cut: {Slice: {dim: 1, end: 8}}\n'
    )
    plan = exports(line(cut, IMAGE))
    assert [each.first for each in plan.kept.values()] == [3, 3]
    crop = line('  cut: {Slice: {dim: 2, end: "=W"}}\n', IMAGE).export_plan()
    assert not crop.kept
    assert "export goes one way" in crop.dropped[0]


def test_steps_before_a_view_are_fixed() -> None:
    """Whether a part of the rows fills its memory depends on how many there are."""
    cut = "  a: {Slice: {dim: 2, step: 3}}\n"
    assert set(exports(line(cut + "  b: ReLU\n", IMAGE)).kept) == {"H", "W"}
    assert not exports(line(cut + "  b: {ChannelShuffle: {groups: 3}}\n", IMAGE)).kept


def test_amounts_that_go_around_are_fixed() -> None:
    network = line('  pad: {Pad: {pad: [0, "=-W % 3", 0, 0], mode: circular}}\n', IMAGE)
    assert set(exports(network).kept) == {"H"}


def test_a_minimum_is_exported_from_where_it_is_settled() -> None:
    """`[-5:]` of T - 7 steps is all of them up to T = 12."""
    plan = exports(
        line('  cut: {Slice: {dim: 2, end: "=T - 7"}}\n  last: {Slice: {dim: 2, start: -5}}\n')
    )
    assert plan.kept["T"].first == 13


def test_a_table_of_positions_keeps_the_lengths_that_it_has_open() -> None:
    """`[:T]` of 16 rows is T of them for every T that works, up to 16 itself."""
    table = "  table: {Parameter: {shape: [1, 2, 16], init: ones_}}\n"
    plan = exports(
        line(table + "  rows: {Slice: {dim: 2, end: =T}, from: table}\n  sum: {Add: [x, rows]}\n")
    )
    assert plan.kept["T"] == Progression(2, 1, 16)


def test_only_the_sign_of_a_difference_counts() -> None:
    """Halves of what a minimum cuts do not split the sizes into even and odd ones."""
    plan = exports(
        line("  cut: {Slice: {dim: 2, start: 3}}\n  pool: {AvgPool1d: {kernel_size: 2}}\n")
    )
    assert plan.kept["T"].step == 1


def test_maxima_in_a_row_fix_nothing_else() -> None:
    """The symbols of other dimensions stay open."""
    plan = exports(line("  pool: {AdaptiveMaxPool2d: {output_size: [null, 2]}}\n", IMAGE))
    assert set(plan.kept) == {"W"}
