"""The printed file: what a person would write, and what `build` runs."""

import inspect
import json
import re
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import archspec
from archspec.backends.source import generate, print_file
from benchmarks.activations import peak
from benchmarks.bytecodes import count
from benchmarks.networks import PAIRS
from tests.helpers import inputs_of, spec
from tests.judge.dice import Dice
from tests.judge.draw import network
from tests.judge.render import spec as written
from tests.source_files import (
    CHECKS,
    GOLDEN,
    NETWORKS,
    SPECS,
    agree_here,
    alone,
    complaints,
    file_name,
    is_installed,
    load,
    namespace,
    outputs_of,
    printed,
)

SMALL = 3_000_000
"""Parameters of networks that are run in CI."""
RUN = """
import importlib.util, json, torch
found = {}
for path in sys.argv[1:]:
    specification = importlib.util.spec_from_file_location("printed", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    network = getattr(module, json.loads(open(path + ".json").read()))()
    case = torch.load(path + ".pt")
    keys = list(network.state_dict())
    network.load_state_dict(case["state"])
    with torch.no_grad():
        outputs = network.eval()(*case["inputs"])
    if isinstance(outputs, torch.Tensor):
        outputs = [outputs]
    values = list(outputs.values()) if isinstance(outputs, dict) else list(outputs)
    same = all(torch.equal(a, b) for a, b in zip(values, case["outputs"], strict=True))
    found[path] = [keys == list(case["state"]), same]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every spec of the repository, and random ones, printed."""
    found = tmp_path_factory.mktemp("printed")
    for path in SPECS:
        (found / file_name(path)).write_text(print_file(load(path)))
    for seed in range(100, 160):
        try:
            read = archspec.from_dict(written(network(Dice(seed))))
        except archspec.SpecError:
            continue
        (found / f"random{seed}.py").write_text(print_file(read))
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_golden_files(name: str) -> None:
    """`python -m tests.source_files` writes them."""
    assert (GOLDEN / f"{name}.py").read_text() == print_file(load(NETWORKS[name]))


@pytest.mark.parametrize("check", CHECKS)
def test_printed_files_are_clean(check: str, folder: Path) -> None:
    if not is_installed(check):
        pytest.skip(f"{check.partition(' ')[0]} is not installed")
    assert complaints(check, folder) == ""


def test_golden_files_run_alone(tmp_path: Path) -> None:
    """As a program: without archspec, on the size of the example."""
    for name in ("resnet18",):
        code = "import runpy\nrunpy.run_path(sys.argv[1], run_name='__main__')\n"
        out = alone(code, str(GOLDEN / f"{name}.py"))
        counted = load(NETWORKS[name])
        assert out.splitlines()[-1] == f"{counted.parameter_count:,} parameters"
        sizes = [counted.at_example(size) for size in next(iter(counted.outputs.values()))]
        assert out.splitlines()[0] == str((1, *sizes))


def agree_alone(paths: list[str], folder: Path) -> None:
    """The printed file, in a process without archspec, gives what the built module gives."""
    files = []
    for path in paths:
        read = load(path)
        module, fed = read.build().eval(), inputs_of(read, batch=1)
        file = folder / file_name(path)
        file.write_text(print_file(read))
        case = {
            "state": module.state_dict(), "inputs": fed, "outputs": outputs_of(module, fed)
        }  # fmt: skip
        torch.save(case, f"{file}.pt")
        factory = re.findall(r"^def (\w+)\(", file.read_text(), re.MULTILINE)[-1]
        Path(f"{file}.json").write_text(json.dumps(factory))
        files.append(str(file))
    found = json.loads(alone(RUN, *files))
    assert found == {file: [True, True] for file in files}


def test_printed_files_give_the_same_numbers_alone(tmp_path: Path) -> None:
    small = [path for path in SPECS if load(path).parameter_count < SMALL]
    assert len(small) > 15
    agree_alone(small, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("path", SPECS)
def test_every_printed_file_gives_the_same_numbers_alone(path: str, tmp_path: Path) -> None:
    agree_alone([path], tmp_path)


def test_what_is_printed_is_what_runs() -> None:
    read = load("specs/resnet18.yaml")
    whole = print_file(read)
    module = read.build(device="meta")
    for part in (module, module.layer1[0], module.layer2[0]):
        assert inspect.getsource(type(part)) in whole


def test_the_same_spec_gives_the_same_bytes() -> None:
    first, second = (print_file(load("specs/unet.yaml")) for _ in range(2))
    assert first == second
    assert str(Path.cwd()) not in first


def test_random_networks_print_what_build_runs() -> None:
    """The file of a random spec, run on its own, has the numbers of the built module."""
    count = 0
    for seed in range(60):
        try:
            read = archspec.from_dict(written(network(Dice(seed))))
        except archspec.SpecError:
            continue
        count += 1
        agree_here(read)
    assert count > 15


@pytest.mark.soak
@given(st.integers(0, 2**32))
def test_many_random_networks_print_what_build_runs(seed: int) -> None:
    try:
        read = archspec.from_dict(written(network(Dice(seed))))
    except archspec.SpecError:
        return
    agree_here(read)


# Arguments of the whole network.


def other_value(value: Any) -> Any:
    return value + 3 if isinstance(value, int) else value / 3


def open_parameters(path: str) -> dict[str, Any]:
    text, cls = generate(load(path))
    signature = inspect.signature(namespace(text)[cls])
    return {name: each.default for name, each in signature.parameters.items()}


QUICK = [path for path in SPECS if path.count("/") == 1 and "vgg" not in path]
SLOW = [path for path in SPECS if path not in QUICK]


@pytest.mark.parametrize(
    "path", [*QUICK, *(pytest.param(path, marks=pytest.mark.soak) for path in SLOW)]
)
def test_open_arguments_mean_the_parameters_of_the_spec(path: str) -> None:
    """The class with another argument is the class of the spec with that parameter."""
    read = load(path)
    text, cls = generate(read)
    for name, value in open_parameters(path).items():
        assert read.params[name] == value
        again = archspec.load(Path(GOLDEN).parents[2] / path, params={name: other_value(value)})
        with torch.device("meta"):
            mine = namespace(text)[cls](**{name: other_value(value)})
        theirs = again.build(device="meta")
        assert str(mine) == str(theirs)
        shapes = [
            [(key, tuple(tensor.shape)) for key, tensor in module.state_dict().items()]
            for module in (mine, theirs)
        ]
        assert shapes[0] == shapes[1]


def test_the_size_of_a_classifier_is_open() -> None:
    assert open_parameters("specs/resnet18.yaml") == {"num_classes": 1000}
    text = print_file(load("specs/resnet18.yaml"))
    assert "def resnet18(num_classes: int = 1000) -> Resnet18:" in text
    assert '"""(N, 3, H, W) -> (N, num_classes)"""' in text
    within = print_file(load("tests/data/examples/convnext.yaml"))
    assert '("2", nn.Linear(768, num_classes))' in within


def test_a_classifier_whose_initialiser_reads_its_size_is_closed() -> None:
    text = """
        params: {{n: 5}}
        init: {{stem: {{normal_: {{std: =1 / sqrt(in_features)}}}}, head: {{{head}}}}}
        layers:
          flatten: Flatten
          stem: {{Linear: {{out_features: 4}}}}
          head: {{Linear: {{out_features: =n}}}}
        """
    constant, computed = "weight: zeros_", "weight: {normal_: {std: =1 / out_features}}"
    assert "def network(n: int = 5)" in printed(spec(text.format(head=constant)))
    assert "def network()" in printed(spec(text.format(head=computed)))


CLOSED = {
    "read twice": "layers: [{Linear: {out_features: =n}}, {Linear: {out_features: '=n + 1'}}]",
    "what follows has its size": "layers: [{Linear: {out_features: =n}}, BatchNorm1d]",
    "a condition": "layers: [{Linear: {out_features: =n}, when: =n > 2}]",
    "a loop": "layers: [{for: i in range(n), layers: [ReLU]}, {Linear: {out_features: =n}}]",
    "the input": "layers: [{Linear: {out_features: =n}}]",
    "a block": "blocks: {B: {params: {n: int}, layers: [{Linear: {out_features: =n}}]}}\n"
    "layers: [{B: {n: =n}}]",
    "reused": "layers: {a: {Linear: {out_features: =n}}, b: {Reuse: a}}",
    "a shape": "layers: [{Linear: {out_features: =n}, shape: [n]}]",
    "another output": "layers: {a: {Linear: {out_features: =n}}, b: ReLU}\noutputs: [a, b]",
}


@pytest.mark.parametrize("why", CLOSED)
def test_what_else_depends_on_a_parameter_closes_it(why: str) -> None:
    size = "n" if why == "the input" else "5"
    text = f"params: {{n: 5}}\n{CLOSED[why]}\n"
    found = printed(f"archspec: 1\nparams: {{n: 5}}\ninputs: {{x: [{size}]}}\n{CLOSED[why]}\n")
    assert "n: int" not in found.partition("def network(")[2].partition(")")[0], text


def test_an_argument_that_changes_no_shape_is_open_anywhere() -> None:
    text = spec(
        """
        params: {rate: 0.25}
        layers: [Flatten, {Dropout: {p: =rate}}, {Linear: {out_features: 4}}, {Dropout: {p: =rate}}]
        """
    )
    assert "def network(rate: float = 0.25) -> Network:" in printed(text)
    assert printed(text).count("nn.Dropout(p=rate)") == 2


HALF = "\ud800"
HOSTILE = ['a"""b', "back\\slash", "new\nline", "{x}", "ends'", 'ends"', HALF, "é\u202e"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_code(name: str) -> None:
    data = {
        "archspec": 1, "name": name, "inputs": {"x": [4]},
        "layers": {"{p}": {"Linear": {"out_features": 2}}, "b": "ReLU"},
        "params": {"p": "str"}, "outputs": {"as": "dict", name: "b"},
    }  # fmt: skip
    if name == HALF:  # no file could hold it
        with pytest.raises(archspec.SpecError, match="E002"):
            archspec.from_dict(data, params={"p": name})
        return
    read = archspec.from_dict(data, params={"p": name})
    text = print_file(read)
    text.encode()  # no lone surrogates
    found = read.build()(torch.randn(2, 4))
    assert list(found) == [name]
    assert list(namespace(text)) != []


def test_no_more_bytecodes_or_bytes_than_written_by_hand() -> None:
    """The counts repeat exactly, so they can be asserted; times are left to `benchmarks`."""
    for pair in PAIRS.values():
        modules, fed = pair.modules(), pair.input()
        with torch.no_grad():
            written, built = (count(partial(module, fed)) for module in modules)
        assert built <= written
        written, built = (peak(module, fed) for module in modules)
        assert built == written


def test_torch_script_takes_what_is_printed(tmp_path: Path) -> None:
    """From the file, for TorchScript reads the source."""
    for path in ("specs/resnet18.yaml", "specs/unet.yaml", "specs/googlenet_d2l.yaml"):
        read = load(path)
        module = read.build().eval()
        fed = [each[..., :64, :64] for each in inputs_of(read, batch=1)]
        scripted = torch.jit.script(module)
        with torch.no_grad():
            assert torch.equal(scripted(*fed), module(*fed))


def test_code_generation_is_quick() -> None:
    """A guard against a slip of magnitude: `benchmarks` has the figures."""
    read = load("specs/resnet18.yaml")
    generate(read)
    times = []
    for _ in range(7):
        start = time.process_time()
        generate(read)
        times.append(time.process_time() - start)
    assert min(times) < 0.05


@pytest.mark.parametrize(
    "layers",
    [
        "{lstm: {LSTM: {hidden_size: 8}, from: series}, fc: {Tanh, from: lstm.h}}",
        "{lstm: {LSTM: {hidden_size: 8}, from: series}}\noutputs: lstm.c",
    ],
)
def test_what_is_taken_apart_can_be_scripted(layers: str) -> None:
    """TorchScript knows no `x: Tensor` without a value."""
    network = archspec.loads(f"archspec: 1\ninputs: {{series: [5, 4]}}\nlayers: {layers}\n")
    module, x = network.build().eval(), torch.randn(2, 5, 4)
    assert torch.equal(torch.jit.script(module)(x), module(x))
    assert "out: Tensor = " in print_file(network)
