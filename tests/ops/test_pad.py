from typing import Any

import pytest
import torch
from hypothesis import event, given
from hypothesis import strategies as st

from archspec.tensors import Tensor
from tests.ops.tensor_cases import batch, free, laws, same, tensors


@pytest.mark.parametrize(
    ("args", "x", "wanted"),
    [
        ({"pad": [1, 2, 3, 4]}, batch(3, 4, 5), (3, 11, 8)),
        ({"pad": [0, 0, 0, 1, 0, 1]}, batch(7, 7, 3), (8, 8, 3)),
        ({"pad": [1, 1, 0, 0]}, batch(3), (5,)),
        ({"pad": [-1, 2]}, batch(3), (4,)),
        ({"pad": [-1, -2]}, batch(3), (0,)),
        ({"pad": [1, 1], "value": float("-inf")}, batch(3), (5,)),
        ({"pad": [1, 1], "value": 1}, batch(3, dtype="bool"), (5,)),
        ({"pad": []}, batch(3), (3,)),
        ({"pad": [1, 1]}, free(3), (5,)),
        ({"pad": [2, 2], "mode": "reflect"}, batch(3), (7,)),
        ({"pad": [1, 1, 2, 2], "mode": "reflect"}, batch(2, 3, 4), (2, 7, 6)),
        ({"pad": [9, 9], "mode": "replicate"}, batch(2, 1), (2, 19)),
        ({"pad": [3, 3], "mode": "circular"}, batch(2, 3), (2, 9)),
        ({"pad": [1, 1, 1, 0]}, batch(3), "E502"),
        ({"pad": [1]}, batch(3), "E208"),
        ({"pad": [0] * 6}, batch(3), "E208"),
        ({"pad": [-2, -2]}, batch(3), "E204"),
        ({"pad": [4, -5]}, batch(3), "E204"),
        ({"pad": [1, 1], "value": 1e5}, batch(3, dtype="float16"), "E208"),
        ({"pad": [1, 1], "value": -1}, batch(3, dtype="uint8"), "E208"),
        ({"pad": [-1, 0], "value": -1}, batch(3, dtype="uint8"), (2,)),
        ({"pad": [3, 3], "mode": "reflect"}, batch(3), "E204"),
        ({"pad": [4, 0], "mode": "circular"}, batch(3), "E204"),
        ({"pad": [1, 1], "mode": "reflect"}, batch(3, 4, 5), "E203"),
        ({"pad": [], "mode": "reflect"}, batch(3), "E203"),
        ({"pad": [1, 1], "mode": "reflect"}, batch(3, dtype="bool"), "E207"),
        ({"pad": [1, 1], "mode": "reflect", "value": 1}, batch(3), "E208"),
        ({"pad": [1, 1], "mode": "replicate"}, batch(0, 3), "E204"),
        ({"pad": [-1, 0, 0, 0], "mode": "replicate"}, batch(2, 1, 1), "E503"),
        ({"pad": [1, -1], "mode": "circular"}, batch(3), (3,)),
        ({"pad": [2, -2], "mode": "circular"}, batch(3), "E503"),
        ({"pad": [1, 1], "mode": "zeros"}, batch(3), "E105"),
    ],
)
def test_cases(args: dict[str, Any], x: Tensor, wanted: Any) -> None:
    verdict = same("Pad", args, [x], lambda t: torch.nn.functional.pad(t, **args))
    assert (verdict.outputs[0].shape if verdict.outputs else verdict.code) == wanted


values = st.one_of(
    st.none(),
    st.none(),
    st.just(0),
    st.floats(-3, 3),
    st.sampled_from([float("inf"), float("nan"), 1e5, 255.5, 127.5, -128.5, 3.39e38, 1e39, 300]),
)


@given(tensors(low=1), values, st.data())
def test_constant_agrees(x: Tensor, value: Any, data: Any) -> None:
    ends = st.sampled_from([0, 0, 1, 1, 2, 3, -1, -1, -2, -3])
    pairs = data.draw(st.lists(st.tuples(ends, ends), max_size=len(x.shape)))
    pad = [end for pair in pairs for end in pair]
    pad += data.draw(st.sampled_from([[]] * 6 + [[0, 0], [1, 0], [1]]))
    verdict = same(
        "Pad",
        {"pad": pad, "value": value},
        [x],
        lambda t: torch.nn.functional.pad(t, pad, value=value),
    )
    event(str(verdict.code))


@given(
    st.sampled_from(["reflect", "replicate", "circular"]),
    tensors(low=1, sizes=st.sampled_from([1, 2, 3, 3, 4])) | tensors(low=1),
    st.sampled_from([*[None] * 8, 0.0, 1.0]),
    st.data(),
)
def test_other_modes_agree(mode: str, x: Tensor, value: Any, data: Any) -> None:
    count = data.draw(st.sampled_from([max(1, x.ndim - 1), max(1, x.ndim - 2), 1, 2, 3]))
    ends = st.sampled_from([0, 0, 0, 1, 1, 2, 3, -1, -2])
    pad = data.draw(st.lists(ends, min_size=2 * count, max_size=2 * count))
    verdict = same(
        "Pad",
        {"pad": pad, "mode": mode, "value": value},
        [x],
        lambda t: torch.nn.functional.pad(t, pad, mode, value),
    )
    event(f"{mode} {verdict.code}")


def test_symbols() -> None:
    sizes = range(1, 41)
    laws("Pad", {"pad": [1, 2]}, lambda h: [Tensor((3, h))], sizes)
    laws("Pad", {"pad": [-1, -2]}, lambda h: [Tensor((3, h))], sizes)
    for mode in ("reflect", "replicate", "circular"):
        laws("Pad", {"pad": [3, 2], "mode": mode}, lambda h: [Tensor((3, h))], sizes)
        laws("Pad", {"pad": [-3, 2], "mode": mode}, lambda h: [Tensor((3, h // 2))], sizes)
