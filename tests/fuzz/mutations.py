"""Specs gone wrong: texts made from good specs by the slips and tricks that break readers."""

import random
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Constructs that no spec of the zoo has, or none has together.
EXTENDING = """\
archspec: 1
extends: torchvision/resnet.yaml
params: {num_classes: 10}
variants:
  small: {depth: [1, 1, 1, 1]}
  sure: {params: {depth: [2, 2, 2, 2]}, expect: {outputs: {output: [10]}, at: {H: 64, W: 64}}}
init: {Conv2d: {kaiming_normal_: {mode: fan_out}}, "layer?.*.bn2": zeros_}
"""
SYMBOLIC = """\
archspec: 1
include: [blocks/conv_norm.yaml]
inputs: {image: [3, H, W], tokens: {shape: [T], dtype: int64}}
requires: {H: ["% 4 == 0", ">= 16"], W: "== H", T: "<= 64"}
layers:
  conv: {Conv2d: {out_channels: 8, kernel_size: 3, padding: 1}, from: image, shape: [8, H, W]}
  pool: {AvgPool2d: {kernel_size: 2, ceil_mode: true}}
  tall: {Upsample: {size: [=H * 2, =image.width // 2]}}
  flat: {Reshape: {shape: [8, =H * 2 * (W // 2)]}}
  mean: {Mean: {dim: 2}}
  embed: {Embedding: {num_embeddings: 100, embedding_dim: 8}, from: tokens}
  grid: {Buffer: {shape: [8], index: [p], value: "=p / 8"}}
  sum: {Add: [mean, grid]}
outputs: {sum: {from: sum}, embed: {from: embed}}
init: {Embedding: {normal_: {std: "=sqrt(1 / embedding_dim)"}}}
"""
_ZOO = sorted((ROOT / "specs").rglob("*.yaml"))
GOOD = (*(path.read_text(encoding="utf-8") for path in _ZOO), EXTENDING, SYMBOLIC)

# What is thrown into a text: syntax of YAML and of expressions, huge and odd numbers, odd names.
TOKENS = (
    *"{}[]:,#&*!|>%@`'\"-?=~^\\\t\n ",
    *("=", "= ", "=1/0", "=9**9**9", '="a" * 10**9', "=range(10**12)", "=[0]*10**9", "=x.y", "=i"),
    *("=().__class__", "=input.size(0)", "=input.channels", "=((((((((1))))))))", "=1 if", "=not"),
    *("null", "true", "no", "~", "0", "-1", "1e999", ".nan", "010", "0x10", "1_000", "9" * 5000),
    *("{i}", "{", "}", "{i}{", "<<: *a", "&a [*a]", "*a", "&a", "!!python/object:os.system", "---"),
    *("from: input", "from: a", "from: [a, b]", "when: =true", "repeat: 3", "repeat: 999999999"),
    *("connect: dense", "for: i in range(99999)", "layers:", "merge: Concat", "branches:", "Reuse"),
    *("extends: torchvision/resnet.yaml", "include: blocks/conv_norm.yaml", "variant: resnet50"),
    *('requires: {H: "% 32 == 0"}', "'>= 16'", "'% 0 == 1'", "== W", "init: {Conv2d: zeros_}"),
    *("=H", "=H // 0", "=H * W", "=T ** 99", "=[H][0:W]", "normal_: {std: =fan_in}", '"*.weight"'),
    *("variants: {a: {}}", "expect: {parameters: 1}", "at: {H: 1}", "../x.yaml", "extends: /x"),
    *("Conv2d", "Linear", "Parameter", "Buffer", "Concat", "Add", "input", "forward", "__init__"),
    *("\x00", "\x85", "\u2028", "\ufeff", "\ud7ff", "é", "𝟙", "ﬁ", "К", "\x7f", "\r\n", "  " * 40),
)


def mutate(text: str, random_: random.Random, steps: int = 3) -> str:
    """The text after a few random edits."""
    for _ in range(random_.randint(1, steps)):
        text = random_.choice(_EDITS)(text, random_)
    return text


def _cut(text: str, random_: random.Random) -> tuple[int, int]:
    start = random_.randrange(len(text) + 1)
    return start, min(len(text), start + random_.choice((1, 1, 2, 5, 20, 200)))


def _delete(text: str, random_: random.Random) -> str:
    start, end = _cut(text, random_)
    return text[:start] + text[end:]


def _insert(text: str, random_: random.Random) -> str:
    start, _ = _cut(text, random_)
    return text[:start] + random_.choice(TOKENS) + text[start:]


def _replace(text: str, random_: random.Random) -> str:
    start, end = _cut(text, random_)
    return text[:start] + random_.choice(TOKENS) + text[end:]


def _number(text: str, random_: random.Random) -> str:
    """Another number in the place of one."""
    digits = [n for n, c in enumerate(text) if c.isdigit()]
    if not digits:
        return text
    at = random_.choice(digits)
    return text[:at] + random_.choice(("0", "-1", "3", "7", "99999999999", "1.5")) + text[at + 1 :]


def _lines(text: str, random_: random.Random) -> str:
    """A line doubled, dropped, moved or indented."""
    lines = text.split("\n")
    at = random_.randrange(len(lines))
    line = lines.pop(at)
    kept = random_.choice(([], [line, line], ["  " + line], [line.lstrip()]))
    to = random_.randrange(len(lines) + 1)
    return "\n".join([*lines[:to], *kept, *lines[to:]])


def _splice(text: str, random_: random.Random) -> str:
    """The head of one spec with the tail of another."""
    other = random_.choice(GOOD)
    return text[: random_.randrange(len(text) + 1)] + other[random_.randrange(len(other) + 1) :]


_EDITS = (_delete, _insert, _insert, _replace, _number, _number, _lines, _splice)
