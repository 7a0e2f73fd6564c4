"""Network → the text of a Python file: what is printed is what runs."""

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from archspec.backends.blame import blamed
from archspec.backends.source.class_text import block, class_text, docstring
from archspec.backends.source.classes import Classes
from archspec.backends.source.forward import Statement
from archspec.backends.source.layout import lay_out
from archspec.backends.source.literals import identifier, prose
from archspec.backends.source.origins import origins
from archspec.backends.source.signatures import Signatures, arrow
from archspec.backends.source.small import claim
from archspec.backends.source.written import written
from archspec.sizes.within import Within
from archspec.syntax.data import own
from archspec.tensors import Tensor

if TYPE_CHECKING:
    from archspec.network import Network

MAX_GIVEN = 50
"""Characters of the parameters that were given, in the docstring of the file."""
OUTSIDE = ("<", "-")
"""Beginnings of the names of sources that are no files."""


def print_file(network: "Network") -> str:
    """The source of a network as a file of its own: plain PyTorch, which needs nothing of ours."""
    return generate(network)[0]


def generate(network: "Network") -> tuple[str, str]:
    """The source of a network, and the name of its class in it."""
    with blamed(network, writing=True):
        return _generated(network)


def _generated(network: "Network") -> tuple[str, str]:
    found = origins(network)
    root, words = network.graph.root, Within(network.layer_sizes)
    classes = Classes(root, network.trace, found.fields, written(network), words)
    name = classes.class_of(root).name
    signatures = Signatures(network, classes, found.sizes)
    text = [class_text(classes, each, signatures.summary(each)) for each in classes.classes]
    small = [f"{each.rstrip()}\n" for each in classes.small.names.values()]
    factory = claim(identifier(network.name), classes.taken)
    doors = [_factory(network, classes, factory), _main(network, factory, classes.taken)]
    body = "\n\n".join([*small, *_tuples(classes), *text, *doors])
    return f"{_head(network, signatures)}\n{_imports(body, classes)}\n\n{body}", name


def _head(network: "Network", signatures: Signatures) -> str:
    """The docstring of the file."""
    name = PurePath(network.spec.node.source.name).name
    origin = "" if name.startswith(OUTSIDE) else f" from {prose(name)}"
    given = ", ".join(f"{name}={own(value)!r}" for name, value in sorted(network.given.items()))
    chosen = f", with {prose(given)}" if 0 < len(given) <= MAX_GIVEN else ""
    shapes = arrow(*signatures.whole(), 0)
    return docstring(
        [prose(network.name), "", *shapes, "", f"Made by archspec{origin}{chosen}."], 0
    )


def _imports(body: str, classes: Classes) -> str:
    standard = ["import math"] if re.search(r"\bmath\.\w+\(", body) else []
    if "OrderedDict(" in body:
        standard.append("from collections import OrderedDict")
    if "(NamedTuple)" in body:
        standard.append("from typing import NamedTuple")
    modules = ["import torch"]
    if "F." in body and re.search(r"\bF\.\w+\(", body):
        modules.append("import torch.nn.functional as F")
    others = [*classes.small.imports.values(), "from torch import Tensor, nn"]
    lines = [*modules, *sorted(others)]
    return "\n\n".join("\n".join(part) for part in (standard, lines) if part) + "\n"


def _tuples(classes: Classes) -> list[str]:
    """The named tuples that scopes return."""
    return [
        f'class {name}(NamedTuple):\n    """What `forward` gives."""\n\n'
        + "".join(f"    {field}: Tensor\n" for field in fields)
        for name, fields in classes.results.tuples.items()
    ]


def _factory(network: "Network", classes: Classes, name: str) -> str:
    """The function that makes the network."""
    each = classes.class_of(network.graph.root)
    parameters = each.constructor.parameters
    arguments = ", ".join(parameter.text() for parameter in parameters)
    given = ", ".join(f"{parameter.name}={parameter.name}" for parameter in parameters)
    lines = [Statement(f"return {each.name}({given})")]
    head = "\n".join(lay_out(f"def {name}({arguments}) -> {each.name}:", 0)) + "\n"
    text = docstring([f"{prose(network.name)} with fresh weights."], 4)
    return f"{head}{text}{block(lines, 4)}"


def _main(network: "Network", factory: str, taken: set[str]) -> str:
    """What the file does when it is run: the network on random input."""
    model, output = claim("model", taken), claim("output", taken)
    lines = [Statement(f"{model} = {factory}().eval()")]
    fed = []
    for name, tensor in network.input_tensors.items():
        variable = claim(identifier(name), taken)
        fed.append(variable)
        lines.append(Statement(f"{variable} = {_random(network, tensor)}"))
    lines.append(Statement("with torch.no_grad():"))
    lines.append(Statement(f"{output} = {model}({', '.join(fed)})", 1))
    lines += _printed(network, output, taken)
    count = claim("count", taken)
    lines.append(Statement(f"{count} = sum(p.numel() for p in {model}.parameters())"))
    lines.append(Statement(f'print(f"{{{count}:,}} parameters")'))
    return 'if __name__ == "__main__":\n' + block(lines, 4)


def _random(network: "Network", tensor: Tensor) -> str:
    """Code for a random input of one sample."""
    sizes = ", ".join(str(size) for size in (1, *map(network.at_example, tensor.shape)))
    if tensor.dtype == "float32":
        return f"torch.randn({sizes})"
    if tensor.is_float:
        return f"torch.randn({sizes}, dtype=torch.{tensor.dtype})"
    return f"torch.zeros({sizes}, dtype=torch.{tensor.dtype})"


def _printed(network: "Network", output: str, taken: set[str]) -> list[Statement]:
    """The statements that print the shapes of the outputs."""
    root = network.graph.root
    present = [each for each in root.outputs if not each.training_only]
    if len(present) == 1 and not root.as_dict:
        return [Statement(f"print(tuple({output}.shape))")]
    name, value = claim("name", taken), claim("value", taken)
    pairs = f"{output}.items()" if root.as_dict else f"{output}._asdict().items()"
    return [
        Statement(f"for {name}, {value} in {pairs}:"),
        Statement(f"print({name}, tuple({value}.shape))", 1),
    ]
