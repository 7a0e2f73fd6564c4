"""What layer types say of memory, held against PyTorch: sharing with inputs, and its order."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import pytest
import torch

from archspec.diagnostics import Fault
from archspec.ops import Layer, apply, find, names
from archspec.parallel.stages import IMAGES
from archspec.tensors import Tensor
from tests.ops.against_torch import run_emitted, sample
from tests.ops.tensor_cases import listed

USUAL: Mapping[str, Any] = {
    "chunks": 2,
    "dim": 1,
    "dim0": 1,
    "dim1": 2,
    "dims": 1,
    "downscale_factor": 2,
    "embedding_dim": 5,
    "factor": 1.0,
    "groups": 1,
    "hidden_size": 4,
    "index": 0,
    "kernel_size": 1,
    "nhead": 2,
    "norm_type": 2.0,
    "num_embeddings": 9,
    "num_groups": 2,
    "num_heads": 2,
    "out_channels": 8,
    "out_features": 8,
    "output_size": 3,
    "p": 0.0,
    "padding": 0,
    "pad": [0, 0],
    "scale_factor": 1,
    "shifts": 0,
    "size": 3,
    "split_size": 4,
    "threshold": 0.1,
    "upscale_factor": 1,
    "value": 0.5,
}
"""Values for arguments that must be given: mostly those with which a layer changes least."""
OWN: Mapping[str, Mapping[str, Any]] = {
    "Clamp": {"min": 0.0},
    "Expand": {"shape": [8, 6, 8]},
    "Fold": {"output_size": [6, 8], "kernel_size": 2},
    "IndexSelect": {"dim": 1},
    "Permute": {"dims": [0, 2, 1, 3]},
    "Rearrange": {"pattern": "b c h w -> b h c w"},
    "Reshape": {"shape": [8, 6, 8]},
    "Slice": {"dim": 1, "end": 4},
    "Unflatten": {"dim": 1, "unflattened_size": [2, 4]},
    "Upsample": {"scale_factor": 1},
    "UpsamplingBilinear2d": {"scale_factor": 1},
    "UpsamplingNearest2d": {"scale_factor": 1},
}
SIZES = (8, 6, 8, 4)
SHAPES = {"Expand": (8, 1, 8), "Fold": (32, 35), "MatMul": (6, 6), "Squeeze": (1, 6, 8)}
TYPES = [
    name
    for name in names()
    if (cls := find(name)) and cls.arity[1] != 0 and cls.__module__.startswith("archspec.ops.")
]
"""All but those that make a tensor."""


def case(kind: str, rank: int) -> tuple[Layer, list[Tensor]] | None:
    """A layer of a type, and inputs for it; None if it takes no such rank."""
    cls = find(kind)
    assert cls is not None
    shape = SHAPES.get(kind, SIZES[:rank])
    required = (info.alias or name for name, info in cls.model_fields.items() if info.is_required())
    args = OWN.get(kind) or {name: USUAL[name] for name in required}
    dtype = "float32" if cls.dtypes is None or "float32" in cls.dtypes else "int64"
    inputs = [Tensor(shape, dtype)] * max(cls.arity[0], 1)
    if kind == "IndexSelect":
        inputs[1] = Tensor((3,), "int64", batched=False)
    layer = cls.model_validate(dict(args))
    try:
        return apply(layer, *inputs)[0], inputs
    except Fault:
        return None


LAYOUTS: Sequence[Callable[[torch.Tensor], torch.Tensor]] = (
    lambda x: x,
    lambda x: x.transpose(1, -1).contiguous().transpose(1, -1),
    lambda x: x.permute(*range(x.dim())[::-1]).contiguous().permute(*range(x.dim())[::-1]),
)
"""Ways in which a tensor may lie in memory: as it is, channels last, the other way round."""


@pytest.mark.parametrize("kind", TYPES)
def test_what_a_type_says_of_memory_holds(kind: str) -> None:
    cases = [made for rank in (1, 2, 3, 4) if (made := case(kind, rank)) is not None]
    assert cases
    view = cases[0][0].result_view
    shared = False
    for (layer, inputs), lay, training in product(cases, LAYOUTS, (True, False)):
        given = [lay(sample(x, 2)) if x.batched else sample(x, 2) for x in inputs]
        results = listed(run_emitted(layer, inputs, given, training=training))
        homes = {x.untyped_storage().data_ptr() for x in given}
        shares = [y.untyped_storage().data_ptr() in homes for y in results]
        shared |= any(shares)
        assert all(shares) or not view or training
        said = layer.result_layout
        for y in results:
            own = said == "own" or (said == "joined" and y.dim() not in IMAGES)
            assert y.is_contiguous() or not (own or (said != "any" and lay is LAYOUTS[0]))
    assert shared == (view is not False)
