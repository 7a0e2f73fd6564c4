"""Lints: what is accepted, and looks like a mistake all the same.

Each rule is a function from a checked network to findings. A rule is silenced on a line by
`# archspec: ignore[W301]` there.
"""

from archspec.diagnostics import Collector, Diagnostic
from archspec.lint import layers, sizes, spelling, unused
from archspec.lint.ignore import is_silenced
from archspec.network import Network

RULES = (
    unused.inputs,
    unused.layers,
    unused.parameters,
    unused.blocks,
    layers.broadcasts,
    layers.conv_biases,
    layers.repeats,
    layers.single_points,
    layers.dropped_edges,
    layers.final_softmax,
    sizes.partial,
    spelling.old_yaml,
    spelling.swallowed,
)


def lint(network: Network, found: Collector) -> None:
    """Report what the rules find in the file of a network, the same finding once.

    Other files that it brings in are not its author's to mend.
    """
    own = network.spec.node.source
    for rule in RULES:
        for finding in rule(network):
            if finding.place.source is own:
                found.add(finding)


def audible(diagnostics: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Diagnostics without those that their line silences."""
    return tuple(d for d in diagnostics if not is_silenced(d))


__all__ = ["RULES", "audible", "lint"]
