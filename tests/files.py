"""Small specs of several files, and what is told of them."""

from pathlib import Path
from typing import Any

import archspec

BASE = """archspec: 1
name: base
params: {width: 8, classes: 10}
inputs: {image: [3, 16, 16]}
variants:
  wide: {width: 16}
defaults: {Conv2d: {bias: false}, BatchNorm2d: {eps: 1e-3, momentum: 0.2}}
blocks:
  Unit:
    params: {out: int}
    layers: [{Conv2d: {out_channels: =out, kernel_size: 3, padding: 1}}, BatchNorm2d, ReLU]
layers:
  stem: {Unit: {out: =width}}
  pool: {AdaptiveAvgPool2d: {output_size: 1}}
  flatten: Flatten
  fc: {Linear: {out_features: =classes}}
"""
BLOCK = "archspec: 1\nblocks: {Act: {layers: [ReLU]}}\n"
NET = "archspec: 1\ninclude: blocks.yaml\ninputs: {x: [4]}\nlayers: [Act]\n"


def write(folder: Path, **texts: str) -> Path:
    """Files by name; `a__b` is b.yaml in folder a. Gives the path of the first."""
    paths = []
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        paths.append(path)
    return paths[0]


def told(path: Path, **options: Any) -> list[tuple[str, str, int]]:
    """Code, file and line of everything that is said about a file."""
    found = archspec.check(path, **options).diagnostics
    return [(d.code, Path(d.file).name, d.line) for d in found]
