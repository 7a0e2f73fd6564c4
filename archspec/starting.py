"""Files to start from: a spec that extends another, a copy of one, or a small new one."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from archspec.backends.source import generate
from archspec.diagnostics import SpecError
from archspec.network import Network
from archspec.pipeline import load
from archspec.spec import ParamSpec, Spec
from archspec.spec.files import Files
from archspec.spec.flatten import flatten
from archspec.syntax import Mapping, Node, Scalar, Sequence
from archspec.syntax.writing import flow, lines_of, quoted

NAME = re.compile(r"[A-Za-z_][\w.-]*")
"""What a network made by `archspec new` may be called."""
_OF_VARIANT = re.compile(r"# \w+: .*  \(of \S+\)$")
"""A parameter that a file made by `archspec new` shows as its variant has it."""

_STARTER = """\
# {name}: a small network for images. `archspec check`, `show` and `build` take this file.
archspec: 1
name: {name}

params:                                      # `--set width=64` sets one for a run
  width: 32
  num_classes: 10

inputs:
  image: [3, H, W]                           # channels, height, width; the batch is left out

variants:                                    # `--variant wide`
  wide: {{width: 128}}

blocks:
  ConvNorm:                                  # a block sees its own parameters only
    params: {{out: int, stride: 1}}
    layers:
      - Conv2d: {{out_channels: =out, kernel_size: 3, stride: =stride, padding: 1, bias: false}}
      - BatchNorm2d
      - ReLU

  Residual:                                  # two convolutions, added to what flows in
    params: {{out: int}}
    layers:
      first: {{ConvNorm: {{out: =out}}}}
      second: {{ConvNorm: {{out: =out}}}}
      add: {{Add: [second, input]}}

layers:                                      # each takes what the one before it gives
  stem: {{ConvNorm: {{out: =width}}}}
  down: {{ConvNorm: {{out: =2 * width, stride: 2}}}}
  body: {{Residual: {{out: =2 * width}}, repeat: 2}}
  pool: {{AdaptiveAvgPool2d: {{output_size: 1}}}}
  flatten: Flatten
  fc: {{Linear: {{out_features: =num_classes}}}}
"""


def starter(name: str) -> str:
    """A small network of one's own, with comments."""
    return _STARTER.format(name=name)


def reference(base: Path, folder: Path, libraries: tuple[Path, ...]) -> str | None:
    """How a file in a folder names another; None if it may not. See `archspec.spec.files`."""
    for root in (folder, *libraries):
        if base.resolve().is_relative_to(root.resolve()):
            path = PurePosixPath(base.resolve().relative_to(root.resolve()).as_posix())
            found = Files.of(folder / "spec.yaml", libraries).find(str(path))
            if found is not None and found.resolve() == base.resolve():
                return str(path)
    return None


def extending(spec: Spec, name: str, path: str) -> str:
    """A file that extends a spec, as the variant that was chosen, with its parameters to change.

    `path` is how the file names the other.
    """
    what = f"{spec.variant} of {path}" if spec.variant else path
    lines = [f"# {name}: {what}, with changes.", "# Layers of the same name replace those there."]
    lines += ["archspec: 1", f"name: {quoted(name)}", f"extends: {quoted(path)}"]
    if spec.variant is not None:
        lines.append(f"variant: {quoted(spec.variant)}")
    params = list(_parameters(spec))
    if params:
        lines += ["", "params:  # their values there: change what you like, leave out the rest"]
        lines += (f"  {line}" for line in params)
    return "\n".join(lines) + "\n"


def _parameters(spec: Spec) -> Iterator[str]:
    """The parameters with a value of their own; those of the variant as comments."""
    chosen = spec.variants[spec.variant].values if spec.variant is not None else {}
    for param in spec.params:
        value = param.default if param.value is None else param.value
        name = param.name.text
        if name in chosen:
            yield f"# {name}: {flow(chosen[name][1])}  (of {spec.variant})"
        elif value is not None and not _computes(value):
            yield from _entry(spec, param, value)


def _entry(spec: Spec, param: ParamSpec, value: Node) -> list[str]:
    """A parameter as its file has it, with the comments there."""
    name = param.name.text
    for tree in spec.trees:
        params = tree.get("params")
        entry = params.entries.get(name) if isinstance(params, Mapping) else None
        if entry is not None and entry[1] is value:
            assert isinstance(params, Mapping)
            return [line for line in lines_of(params, name) if not _OF_VARIANT.match(line)]
    return [f"{name}: {flow(value)}"]


def _computes(value: Node) -> bool:
    """Whether a value follows from other parameters."""
    if isinstance(value, Scalar):
        return isinstance(value.value, str) and value.value.startswith("=")
    items = value.items if isinstance(value, Sequence) else []
    return any(map(_computes, items))


def expanded(spec: Spec, name: str, network: Network) -> str:
    """A file that needs no other and gives the same network. Raises `ValueError` if it cannot.

    Comments are kept where the layout of the files allows it.
    """
    for comments in (True, False):
        try:
            text = flatten(spec, spec.title, comments=comments)
            copy = load(text)
        except SpecError:
            continue
        if _code(copy) == _code(_with_fractions(network, copy)):
            return flatten(spec, name, comments=comments)
    raise ValueError(f"{spec.title} cannot be written as one file")


def _with_fractions(network: Network, copy: Network) -> Network:
    """The network with those parameters as fractions that the copy has as such: 1 and 1.0."""
    fractions = {
        name: value
        for name, value in copy.params.items()
        if isinstance(value, float) and type(network.params[name]) is int
    }
    whole = {name: network.params[name] for name in fractions}
    return load(network.spec.with_params(**fractions)) if whole and whole == fractions else network


def _code(network: Network) -> str:
    """The code of a network, without the line that says where it comes from."""
    return re.sub("Made by archspec.*", "", generate(network)[0])
