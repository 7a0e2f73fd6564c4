"""Rows: function transforms, devices, dtypes, memory, quantisation."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.utils.checkpoint import checkpoint

import archspec
from tests.matrix.nets import Case
from tests.matrix.registry import Subject, loss_of, quiet, row, same, tensors, without_dropout

FUNC = "torch.func"
WHERE = "Devices, dtypes, formats"
MEMORY = "Memory"
QUANTISE = "Quantisation"
SAMPLES = 3


@row(FUNC, "`functional_call` with other weights")
def is_a_function(case: Subject) -> None:
    module, fed = case.build(), case.inputs()
    weights = {name: each.detach() + 0.125 for name, each in module.named_parameters()}
    found = functional_call(module, weights, fed)
    with torch.no_grad():
        for name, each in module.named_parameters():
            each.copy_(weights[name])
    same(found, module(*fed))


@row(FUNC, "`vmap` over samples")
def maps_over_samples(case: Subject) -> None:
    module, fed = case.build(), case.inputs(SAMPLES)
    with torch.no_grad(), quiet():
        found = vmap(lambda *one: module(*(each.unsqueeze(0) for each in one)))(*fed)
        same([each.squeeze(1) for each in tensors(found)], tensors(module(*fed)))


@row(FUNC, "per-sample gradients in eval: `vmap(grad(...))`")
def has_gradients_for_samples(case: Subject) -> None:
    module, fed = case.build(), case.inputs(SAMPLES)
    found = _sample_gradients(module, fed)
    for number in range(SAMPLES):
        module.zero_grad()
        loss_of(module(*(each[number : number + 1] for each in fed))).backward()
        for name, each in module.named_parameters():
            wanted = torch.zeros_like(each) if each.grad is None else each.grad
            same(found[name][number], wanted, 1e-4)


@row(FUNC, "per-sample gradients in training")
def has_gradients_for_samples_in_training(case: Subject) -> None:
    found = _sample_gradients(case.build().train(), case.inputs(SAMPLES))
    assert all(len(each) == SAMPLES for each in found.values())


def _sample_gradients(module: nn.Module, fed: tuple[Tensor, ...]) -> dict[str, Tensor]:
    weights = {name: each.detach() for name, each in module.named_parameters()}
    buffers = dict(module.named_buffers())

    def loss(weights: Any, *one: Tensor) -> Tensor:
        result = functional_call(
            module, (weights, buffers), tuple(each.unsqueeze(0) for each in one)
        )
        return loss_of(result)

    each = (None, *(0 for _ in fed))
    with quiet():
        found: dict[str, Tensor] = vmap(grad(loss), each, randomness="different")(weights, *fed)
    return found


@row(WHERE, '`.to("meta")`: shapes without work')
def runs_on_meta(case: Subject) -> None:
    module, fed = case.build(), case.inputs()
    wanted = [each.shape for each in tensors(module(*fed))]
    result = module.to("meta")(*(each.to("meta") for each in fed))
    assert [each.shape for each in tensors(result)] == wanted
    assert all(each.is_meta for each in tensors(result))


@row(WHERE, '`build(device="meta")`, `to_empty`, `load_state_dict`')
def is_built_on_meta(case: Case) -> None:
    module, fed = case.build(), case.inputs()
    other = case.network.build(device="meta").eval()
    assert all(each.is_meta for each in other.state_dict().values())
    other.to_empty(device="cpu").load_state_dict(module.state_dict())
    _refill(module, other)
    same(other(*fed), module(*fed), 0)


def _refill(module: nn.Module, other: nn.Module) -> None:
    """Buffers that no state dict holds."""
    kept = set(module.state_dict())
    for name, value in module.named_buffers():
        if name not in kept:
            other.get_buffer(name).copy_(value)


@row(WHERE, '`build(device="meta")`, `to_empty`, `archspec.initialise`: the weights of `build`')
def is_initialised_after_meta(case: Case) -> None:
    module = case.build()
    other = case.network.build(device="meta").to_empty(device="cpu").eval()
    torch.manual_seed(0)
    archspec.initialise(other)
    for name, value in module.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name
    fed = case.inputs()
    same(other(*fed), module(*fed), 0)


@row(WHERE, "float16, bfloat16 and float64: built so or converted")
def runs_in_other_dtypes(case: Case) -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        built = case.build(dtype=dtype)
        fed = [each.to(dtype) if each.is_floating_point() else each for each in case.inputs()]
        for module in (built, case.build().to(dtype)):
            assert all(each.dtype == dtype for each in tensors(module(*fed)))
        wanted = case.build()(*(each.float() if each.is_floating_point() else each for each in fed))
        same(built(*fed), wanted, 0.05)


@row(WHERE, "channels-last")
def runs_in_channels_last(case: Subject) -> None:
    module, fed = case.build(), case.inputs()
    wanted = module(*fed)
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    same(module(*map(_last, fed)), wanted)


def _last(fed: Tensor) -> Tensor:
    return fed.contiguous(memory_format=torch.channels_last) if fed.dim() == 4 else fed


@row(WHERE, '`torch.autocast("cpu", torch.bfloat16)`, forward and backward')
def runs_under_autocast(case: Subject) -> None:
    module, fed = case.build(), case.inputs()
    with torch.autocast("cpu", torch.bfloat16):
        result = module(*fed)
    same([each.float() for each in tensors(result)], tensors(module(*fed)), 0.1)
    loss_of(result).backward()
    assert any(each.grad is not None for each in module.parameters())


@row(WHERE, "CUDA: the same values within 1e-3", cuda=True)
def runs_on_cuda(case: Subject) -> None:
    module, fed = case.build(), case.inputs()
    wanted = module(*fed)
    found = module.cuda()(*(each.cuda() for each in fed))
    same([each.cpu() for each in tensors(found)], tensors(wanted), 1e-3)


@row(WHERE, "CUDA, bfloat16, channels-last, `torch.compile`: forward and backward", cuda=True)
def trains_on_cuda(case: Subject) -> None:
    module = without_dropout(case.build()).cuda().bfloat16()
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    fed = [
        _last(each.cuda().bfloat16() if each.is_floating_point() else each.cuda())
        for each in case.inputs()
    ]
    torch._dynamo.reset()
    with quiet():
        result = torch.compile(module)(*fed)
        loss_of(result).backward()
    assert all(each.isfinite().all() for each in tensors(result))


@row(MEMORY, "activation checkpointing of each block: the same gradients", blocks=True)
def checkpoints_blocks(case: Subject) -> None:
    plain, module, fed = without_dropout(case.build()), without_dropout(case.build()), case.inputs()
    calls = []
    for path in case.blocks:
        block = module.get_submodule(path)
        calls.append(_checkpointed(block))
    loss_of(plain(*fed)).backward()
    loss_of(module(*fed)).backward()
    for (name, each), (_, wanted) in zip(
        module.named_parameters(), plain.named_parameters(), strict=True
    ):
        assert (each.grad is None) == (wanted.grad is None), name
        if each.grad is not None and wanted.grad is not None:
            same(each.grad, wanted.grad, 1e-5)
    assert all(count[0] >= 2 for count in calls)  # in forward, and again in backward


def _checkpointed(block: nn.Module) -> list[int]:
    """Let a block run under `checkpoint`; gives a count of its runs."""
    forward, count = block.forward, [0]

    def run(*arguments: Any) -> Any:
        count[0] += 1
        return forward(*arguments)

    block.forward = lambda *arguments: checkpoint(run, *arguments, use_reentrant=False)
    return count


@row(QUANTISE, "`torchao.quantization.quantize_` to int8 weights")
def quantises_weights(case: Subject) -> None:
    with quiet():
        torchao = pytest.importorskip("torchao.quantization", reason="needs torchao")
        module, fed = case.build(), case.inputs()
        wanted = module(*fed)
        torchao.quantize_(module, torchao.Int8WeightOnlyConfig())
        same(module(*fed), wanted, 0.1)


@row(QUANTISE, "`torchao` `prepare_pt2e`, calibrated and converted", soak=True)
def prepares_for_quantisation(case: Subject) -> None:
    with quiet():
        pytest.importorskip("torchao.quantization", reason="needs torchao")
        from torchao.quantization.pt2e import quantize_pt2e
        from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

        module, fed = case.build(), case.inputs()
        quantizer = x86.X86InductorQuantizer()
        quantizer.set_global(x86.get_default_x86_inductor_quantization_config())
        prepared = quantize_pt2e.prepare_pt2e(torch.export.export(module, fed).module(), quantizer)
        prepared(*fed)
        converted = quantize_pt2e.convert_pt2e(prepared)
        same(converted(*fed), module(*fed), 0.2)
