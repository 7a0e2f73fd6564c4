"""`check_input` and `guard`: why a tensor cannot go in, before PyTorch crashes over it."""

import copy
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec import InputError
from archspec.network import Network

HALVED = """archspec: 1
inputs: {image: [3, H, W]}
layers:
  down: {Conv2d: {out_channels: 8, kernel_size: 2, stride: 2}}
  up: {ConvTranspose2d: {out_channels: 3, kernel_size: 2, stride: 2}}
  join: {Concat: [image, up]}
"""
PAIR = """archspec: 1
inputs:
  left: [3, H, W]
  right: [3, H, 2 * W]
  words: {shape: [T], dtype: int64}
layers:
  tall: {Concat: {dim: 3}, from: [left, right]}
  embed: {Embedding: {num_embeddings: 9, embedding_dim: 4}, from: words}
outputs: [tall, embed]
"""


@pytest.fixture(scope="module")
def halved() -> Network:
    return archspec.loads(HALVED.replace("layers:", 'requires: {W: "% 4 == 0"}\nlayers:'))


@pytest.fixture(scope="module")
def pair() -> Network:
    return archspec.loads(PAIR)


def refused(network: Network, *tensors: Any, **named: Any) -> str:
    with pytest.raises(InputError) as caught:
        network.check_input(*tensors, **named)
    return str(caught.value)


# One tensor.


def test_what_fits_may_go_in(halved: Network) -> None:
    halved.check_input(torch.zeros(1, 3, 2, 4))
    halved.check_input(image=torch.zeros(5, 3, 200, 80))
    halved.check_input(np.zeros((1, 3, 2, 4), np.float32))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            (1, 3, 33, 32),
            "H = 33 cannot go in: the network takes H >= 2 and H even; the nearest are 32 and 34",
        ),
        (
            (1, 3, 1, 32),
            "H = 1 cannot go in: the network takes H >= 2 and H even; the nearest is 2",
        ),
        (
            (1, 3, 32, 6),
            "W = 6 cannot go in: `requires:` declares W >= 4 and W divisible by 4; "
            "the nearest are 4 and 8",
        ),
        ((0, 3, 32, 32), "`image` is 0×3×32×32: the batch is empty"),
        (
            (2, 4, 32, 32),
            "`image` is 2×4×32×32: dimension 1 is 4, and the network takes batch×3×H×W",
        ),
        (
            (2, 32, 36, 3),
            "`image` is 2×32×36×3: dimension 1 is 32, and the network takes batch×3×H×W: "
            "channels come first, as `permute(0, 3, 1, 2)` puts them",
        ),
        (
            (3, 32, 32),
            "`image` is 3×32×32, and the network takes batch×3×H×W: "
            "the batch is missing, `image[None]` has one",
        ),
        ((32, 32), "`image` is 32×32, and the network takes batch×3×H×W"),
        ((), "`image` is a scalar, and the network takes batch×3×H×W"),
    ],
)
def test_shapes(halved: Network, shape: tuple[int, ...], message: str) -> None:
    assert refused(halved, torch.zeros(shape)) == message


def test_dtypes(halved: Network) -> None:
    image = torch.zeros(1, 3, 2, 4)
    wanted = "and the network takes float32"
    assert refused(halved, image.double()) == f"`image` has dtype float64, {wanted}"
    assert refused(halved, image.long()) == f"`image` has dtype int64, {wanted}"
    assert refused(halved, np.zeros((1, 3, 2, 4))) == f"`image` has dtype float64, {wanted}"
    assert refused(halved, [[1.0]]) == "`image` is a list, not a tensor"
    plain = archspec.loads("archspec: 1\ninputs: {x: [3]}\nlayers: [ReLU]\n")
    plain.check_input(torch.zeros(1, 3).double())  # no parameters: any floating dtype
    assert "takes float32" in refused(plain, torch.zeros(1, 3).long())


def test_what_is_said_is_what_pytorch_does(halved: Network) -> None:
    """Size by size: what cannot go in crashes, but for what is only not declared."""
    module = halved.build().eval()
    for h, w in ((h, w) for h in range(1, 10) for w in (4, 8, 9)):
        image = torch.zeros(1, 3, h, w)
        try:
            halved.check_input(image)
        except InputError:
            with pytest.raises(RuntimeError):
                module(image)
        else:
            module(image)


# Several tensors.


def tensors(h: int = 4, w: int = 5, batch: int = 2) -> dict[str, Tensor]:
    return {
        "left": torch.zeros(batch, 3, h, w),
        "right": torch.zeros(batch, 3, h, 2 * w),
        "words": torch.zeros(batch, 7, dtype=torch.int64),
    }


def test_several_by_position_and_name(pair: Network) -> None:
    given = tensors()
    pair.check_input(**given)
    pair.check_input(*given.values())
    pair.check_input(given["left"], words=given["words"], right=given["right"])


def test_sizes_of_several_must_agree(pair: Network) -> None:
    given = tensors()
    assert refused(pair, **{**given, "right": torch.zeros(2, 3, 5, 10)}) == (
        "H is one size: dimension 2 of `right` is 5, and dimension 2 of `left` is 4"
    )
    assert refused(pair, **{**given, "right": torch.zeros(2, 3, 4, 11)}) == (
        "`right` is 2×3×4×11: dimension 3 is 11, and 2*W is 10 with H = 4, W = 5, T = 7"
    )
    assert refused(pair, **{**given, "words": given["words"][:1]}) == (
        "`words` has a batch of 1, and `left` one of 2"
    )
    assert refused(pair, **{**given, "words": given["words"].int()}) == (
        "`words` has dtype int32, and the network takes int64"
    )


def test_ties() -> None:
    network = archspec.loads(
        "archspec: 1\ninputs: {x: [3, H, W]}\nlayers:\n  flat: Flatten\n"
        "  fc: {Linear: {in_features: 147, out_features: 2}}\n"
    )
    network.check_input(torch.zeros(1, 3, 7, 7))
    network.check_input(torch.zeros(1, 3, 1, 49))
    assert refused(network, torch.zeros(1, 3, 7, 8)) == (
        "H = 7, W = 8 cannot go in together: the network needs H*W == 49"
    )


@pytest.mark.parametrize(
    ("arguments", "named", "message"),
    [
        ((), {}, "an input is missing: left, right, words"),
        ((1, 2, 3, 4), {}, "the network takes 3 inputs, not 4"),
        ((1,), {"left": 1}, "the input `left` is given twice"),
        ((), {"middle": 1}, "the network has no input `middle`: it has left, right, words"),
    ],
)
def test_calls_that_are_none(
    pair: Network, arguments: tuple[Any, ...], named: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        pair.check_input(*arguments, **named)


def test_it_does_not_need_torch() -> None:
    program = (
        "import sys, archspec\n"
        f"network = archspec.loads({HALVED!r})\n"
        "class Array: shape, dtype = (1, 3, 3, 4), 'float32'\n"
        "try: network.check_input(Array())\n"
        "except archspec.InputError as error: print(error)\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "H = 3 cannot go in" in done.stdout
    assert done.stdout.endswith("False\n")


# The guard.


def test_a_guard_speaks_before_forward(halved: Network) -> None:
    module = halved.build().eval()
    before = set(vars(module))
    handle = archspec.guard(module, halved)
    assert set(vars(module)) == before
    module(torch.zeros(1, 3, 4, 4))
    module(image=torch.zeros(1, 3, 4, 4))
    with pytest.raises(InputError, match="H = 5 cannot go in"):
        module(torch.zeros(1, 3, 5, 4))
    with pytest.raises(InputError, match="H = 5 cannot go in"):
        module(image=torch.zeros(1, 3, 5, 4))
    handle.remove()
    module(torch.zeros(1, 3, 4, 6))  # not declared, and works


def test_copies_and_pickles_keep_it(halved: Network) -> None:
    module = halved.build().eval()
    archspec.guard(module, halved)
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert other is not module
        other(torch.zeros(1, 3, 4, 4))
        with pytest.raises(InputError):
            other(torch.zeros(1, 3, 5, 4))


def test_it_asks_the_module_for_its_dtype(halved: Network) -> None:
    module = halved.build(dtype="bfloat16").eval()
    archspec.guard(module, halved)
    image = torch.zeros(1, 3, 4, 4)
    module(image.bfloat16())
    with pytest.raises(InputError, match="has dtype float32, and the network takes bfloat16"):
        module(image)
    module.float()
    module(image)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        module(image.bfloat16())


def test_any_module_with_these_inputs_can_be_guarded(halved: Network) -> None:
    module = nn.Sequential(nn.Identity())
    archspec.guard(module, halved)
    module(torch.zeros(1, 3, 4, 4))
    with pytest.raises(InputError):
        module(torch.zeros(1, 2, 4, 4))


def test_compiled_modules_are_guarded_from_outside(halved: Network) -> None:
    torch._dynamo.reset()
    module = halved.build().eval()
    archspec.guard(module, halved)  # nothing of it in the graph, and no break
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    compiled(torch.zeros(1, 3, 4, 4))
    compiled(torch.zeros(1, 3, 4, 6))
    outer = torch.compile(halved.build().eval(), backend="eager", fullgraph=True)
    archspec.guard(outer, halved)
    outer(torch.zeros(1, 3, 4, 4))
    with pytest.raises(InputError):
        outer(torch.zeros(1, 3, 4, 6))


def test_export_and_trace_pass_a_guard(halved: Network) -> None:
    module = halved.build().eval()
    archspec.guard(module, halved)
    image = torch.zeros(2, 3, 8, 8)
    exported = torch.export.export(module, (image,)).module()
    assert torch.equal(exported(image), module(image))
    traced = torch.jit.trace(module, image)
    assert torch.equal(traced(image), module(image))


def test_channels_of_a_sequence_come_first_too() -> None:
    network = archspec.loads(
        "archspec: 1\ninputs: {x: [3, T]}\nlayers: [{Conv1d: {out_channels: 2, kernel_size: 1}}]\n"
    )
    with pytest.raises(archspec.InputError, match=r"`permute\(0, 2, 1\)` puts them"):
        network.check_input(torch.zeros(1, 50, 3))
