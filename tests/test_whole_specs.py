"""Whole specs, drawn at random, judged by PyTorch: both directions of the contract.

`tests/judge` draws an abstract network, writes it down as a spec, and runs it in plain torch. Here
archspec reads that spec. Accepted: the built module has the judge's shapes at every layer, its
state dict, its numbers, its parameters and multiply-adds. Refused with a torch-class error: the
judge raises too.
"""

import ast
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from hypothesis import event, given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

import archspec
from archspec.diagnostics import CODES
from tests.judge.dice import Dice, Drawn
from tests.judge.draw import network
from tests.judge.layers import RANDOM
from tests.judge.model import Net, TooBig
from tests.judge.mutate import mutated
from tests.judge.render import spec, text
from tests.judge.verdict import Run, Verdict, judged

CLASSES = {"E118": "meaning", "E110": "torch"}
"""Codes of the language class that are no mistakes here: torch runs the first for some batches
only; the second comes where a block asks for the height of what has none (torch raises too)."""
EVAL = ((1, False), (2, False))


@st.composite
def networks(draw: Any) -> tuple[Net, str]:
    """An abstract network, and its spec."""
    dice = _dice(draw)
    net = network(dice)
    return net, text(spec(net), dice)


@st.composite
def broken_networks(draw: Any) -> tuple[Net, str]:
    """A network with one number changed, and its spec."""
    dice = _dice(draw)
    net = network(dice)
    mutated(net, dice)
    return net, text(spec(net), dice)


def _dice(draw: Any) -> Dice:
    """Choices by hypothesis, which shrink, or from a seed, which are more varied."""
    return Drawn(draw) if draw(st.booleans()) else Dice(draw(st.integers(0, 2**32)))


@given(networks())
def test_archspec_and_torch_agree(drawn: tuple[Net, str]) -> None:
    net, written = drawn
    event("accepted" if agree(net, written) is None else "refused")


@given(broken_networks())
def test_one_number_changed_gets_the_same_verdict(drawn: tuple[Net, str]) -> None:
    net, written = drawn
    event("accepted" if agree(net, written, strict=False) is None else "refused")


@given(networks())
def test_symbolic_sizes_hold_at_these_sizes(drawn: tuple[Net, str]) -> None:
    event(agree_symbolically(drawn[0]))


def agree_symbolically(net: Net) -> str:
    """Assert that with symbols for the input sizes the conditions say what torch says of these."""
    data = spec(net)
    sizes = symbols_for(data["inputs"])
    try:
        read = archspec.from_dict(data)
    except archspec.SpecError:
        return "refused"  # a size must be known, or none of those that were tried works
    verdict = judged(net)
    if isinstance(verdict.error, TooBig):
        return "too big"
    holds = all(condition.at(sizes) for condition in read.conditions)
    assert holds == (verdict.error is None), f"{sizes}\n{text(data, Dice(0))}{verdict.error!r}"
    if holds:
        found = Counter(call.result.shape[1:] for call in verdict.runs[2, False].calls)
        at = (known(call.outputs[0].shape, sizes) for call in read.applications)
        assert Counter(at) == found or any(not c.outputs[0].batched for c in read.applications)
    return f"holds: {holds}"


def symbols_for(inputs: dict[str, Any]) -> dict[str, int]:
    """Put symbols in place of all but the first size of every input; gives what they stand for."""
    sizes = {}
    for name, shape in inputs.items():
        for place in range(1, len(shape) if isinstance(shape, list) else 0):
            if isinstance(shape[place], int):
                sizes[f"S_{name}_{place}"] = shape[place]
                shape[place] = f"S_{name}_{place}"
    return sizes


def known(shape: tuple[Any, ...], sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(size if isinstance(size, int) else size.at(sizes) for size in shape)


def test_about_half_of_the_networks_are_valid() -> None:
    accepted = [judged(network(Dice(seed))).error is None for seed in range(150)]
    assert 0.3 < sum(accepted) / len(accepted) < 0.7


def test_a_mapping_gives_the_same_network_as_its_text() -> None:
    for seed in range(20):
        dice = Dice(seed)
        data = spec(network(dice))
        assert _read(lambda: archspec.from_dict(data)) == _read(  # noqa: B023
            lambda: archspec.loads(text(data, dice))  # noqa: B023
        )


def _read(load: Callable[[], archspec.Network]) -> Any:
    """The layers of a network, or the codes of its errors."""
    try:
        return load().layers
    except archspec.SpecError as error:
        return [d.code for d in error.diagnostics if d.severity == "error"]


def test_the_judge_shares_nothing_with_archspec() -> None:
    for path in (Path(__file__).parent / "judge").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "archspec" for name in names), path


# Agreement.


def agree(net: Net, written: str, *, strict: bool = True) -> str | None:
    """Assert that archspec and the judge agree; the code of the first error, or None.

    `strict`: no network is refused for its language. A number changed may well be a mistake of
    that kind (a result that is not there any more), but then it does not run either.
    """
    verdict = judged(net)
    if isinstance(verdict.error, TooBig):
        return "too big"
    try:
        read = archspec.loads(written)
    except archspec.SpecError as error:
        codes = [d.code for d in error.diagnostics if d.severity == "error"]
        classes = {CLASSES.get(code, CODES[code].cls) for code in codes}
        shown = f"{error}\n{written}"
        if classes != {"meaning"}:
            assert verdict.error is not None, f"refused, but torch runs it\n{shown}"
        assert not strict or "language" not in classes, f"refused for its language\n{shown}"
        return codes[0]
    assert verdict.error is None, f"accepted, but torch says {verdict.error!r}\n{written}"
    compare(read, verdict, written)
    return None


def compare(read: archspec.Network, verdict: Verdict, written: str) -> None:
    """Assert that the network is the judge's, in all that can be seen."""
    module = read.build()
    state = verdict.judge.state()
    assert list(module.state_dict()) == list(state), f"state dict\n{written}"
    count = sum(parameter.numel() for parameter in module.parameters())
    assert read.parameter_count == count, f"parameters\n{written}"
    frees = [key for key, made in verdict.judge.modules.items() if made.free is not None]
    for key in frees:
        name = ".".join(key)
        if not isinstance(verdict.judge.modules[key].free, torch.nn.Parameter):
            assert torch.equal(module.state_dict()[name], state[name]), f"buffer\n{written}"
    module.load_state_dict(state)
    same_layers(read, verdict, written)
    kinds = {call.kind for call in verdict.runs[2, True].calls}
    for (batch, training), run in rerun(verdict).items():
        outputs = ours(module.train(training), run, read, training=training)
        numbers = not (training and kinds & RANDOM)
        where = f"batch {batch}, training {training}\n{written}"
        same_outputs(outputs, run.outputs, where, numbers)
    same_work(read, module, verdict.runs[1, False], written)


def rerun(verdict: Verdict) -> Mapping[tuple[int, bool], Run]:
    """The judge once more in eval, now that its statistics are those that were copied."""
    runs = dict(verdict.runs)
    for key in EVAL:
        run = runs[key]
        with torch.no_grad():
            fed = {name: x.clone() for name, x in run.inputs.items()}
            run.outputs = verdict.judge.run(fed, training=False)
    return {key: runs[key] for key in (*EVAL, *(k for k in runs if k[1]))}


def ours(
    module: torch.nn.Module, run: Run, read: archspec.Network, *, training: bool
) -> dict[str, torch.Tensor]:
    """Our module's outputs by name."""
    with torch.no_grad():
        result = module(*(x.clone() for x in run.inputs.values()))
    names = list(read.output_tensors(training=training))
    if isinstance(result, dict):
        assert list(result) == names
        return result
    if isinstance(result, tuple):
        assert list(result._fields) == names  # type: ignore[attr-defined]
        return dict(zip(names, result, strict=True))
    return {names[0]: result}


def same_outputs(
    found: Mapping[str, torch.Tensor],
    wanted: Mapping[str, torch.Tensor],
    where: str,
    numbers: bool,
) -> None:
    for mine, theirs in zip(found.values(), wanted.values(), strict=True):
        assert (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype), where
        if numbers:
            close = torch.allclose(mine, theirs, rtol=1e-5, atol=1e-6, equal_nan=True)
            assert close, f"{(mine - theirs).abs().max()} at {where}"


def same_layers(read: archspec.Network, verdict: Verdict, written: str) -> None:
    """Every predicted shape, by the path of its layer."""
    predicted = Counter(
        (call.path, call.leaf.type, x.shape, x.dtype, x.batched)
        for call in read.applications
        for x in call.outputs[:1]
    )
    for (batch, _), run in verdict.runs.items():
        seen = Counter(
            (call.path, call.kind, *_without_batch(call.result, batch, call.path, read))
            for call in run.calls
        )
        assert predicted == seen, f"batch {batch}: {predicted - seen} {seen - predicted}\n{written}"


def _without_batch(
    x: torch.Tensor, batch: int, path: tuple[str, ...], read: archspec.Network
) -> tuple[tuple[int, ...], str, bool]:
    kind = str(x.dtype).removeprefix("torch.")
    if getattr(x, "judged_free", False):
        return tuple(x.shape), kind, False
    assert x.shape[0] == batch, path
    return tuple(x.shape[1:]), kind, True


def same_work(read: archspec.Network, module: torch.nn.Module, run: Run, written: str) -> None:
    """Multiply-adds, as `FlopCounterMode` counts them."""
    module.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*run.inputs.values())
    macs = counter.get_total_flops() / 2
    assert read.macs == macs, f"{read.macs} multiply-adds, not {macs}\n{written}"
