"""The table of `docs/zoo.md`: every member of the zoo, and what the tests hold it against.

An `=` stands where a test compares: it is in the page because the test exists, and the test fails
where it is not so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests import zoo
from tests.conformance import ROOT, value
from tests.zoo_published import PUBLISHED

HEAD = """
| model | parameters | MACs | input | state dict | calls | arguments | numbers | published |
|---|--:|--:|---|:-:|:-:|:-:|:-:|:-:|
"""


@dataclass(frozen=True)
class Row:
    """One configuration: a variant, with arguments that differ from its defaults."""

    variant: str
    size: int
    options: tuple[tuple[str, Any], ...] = ()
    facts: bool = False
    numbers: bool = False
    published: bool = False

    def __str__(self) -> str:
        network = zoo.load(self.variant, **dict(self.options))
        macs = value(network.macs, zoo.square(network, self.size))
        cells = [
            " ".join([f"`{self.variant}`", *(f"`{k}: {_yaml(v)}`" for k, v in self.options)]),
            f"{network.parameter_count:,}",
            f"{macs / 1e9:.3f} G",
            f"3×{self.size}×{self.size}",
            *("=" if met else "" for met in (*[self.facts] * 3, self.numbers, self.published)),
        ]
        return f"| {' | '.join(cells)} |"


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rows(variant: str) -> Iterator[Row]:
    """The recorded configurations of a variant, or what is published of it."""
    known = PUBLISHED[variant]
    options = tuple(known.options.items())
    recorded = [model for model in zoo.models() if model.variant == variant]
    for model in recorded:
        given = zoo.changed(model)
        yield Row(
            variant,
            model.input[-1],
            tuple(given.items()),
            facts=True,
            numbers=model.facts["fingerprint"] is not None,
            published=given == dict(options),
        )
    if not recorded:
        yield Row(variant, known.size, options, published=True)


def table() -> str:
    """One table for each family, in the order of the files."""
    parts = []
    for path in dict.fromkeys(zoo.families().values()):
        name = path.relative_to(ROOT / "specs").with_suffix("").as_posix()
        variants = [each for each, file in zoo.families().items() if file == path]
        rows = "\n".join(str(row) for variant in variants for row in _rows(variant))
        parts.append(f"\n### {name}\n{HEAD}{rows}\n")
    return "".join(parts) + "\n"
