"""Network → `networkx.DiGraph`: for users who want its algorithms (paths, cuts, drawing)."""

import networkx as nx

from archspec.graph import Composite, Trace
from archspec.network import Network
from archspec.tensors import Tensor


def to_networkx(network: Network) -> "nx.DiGraph[str]":
    """The flat graph of a network: a node for every input, call of a layer, and output.

    Nodes are paths; a second call of a shared layer is a node of its own. Nodes have `type`, edges
    have `shape` (without the batch) and `dtype`.
    """
    graph: nx.DiGraph[str] = nx.DiGraph(name=network.name)
    for name in network.inputs:
        graph.add_node(name, type="input")
    root = network.graph.root
    sources = _walk(graph, root, network.trace, (), list(network.inputs))
    named = [output.name for output in root.outputs] if network.spec.outputs else ["output"]
    for name, output in zip(named, root.outputs, strict=True):
        node = f"{name} (output)"
        graph.add_node(node, type="output", training_only=output.training_only)
        _connect(graph, sources[output.value], node, network.trace.tensors[output.value])
    return graph


def _walk(
    graph: "nx.DiGraph[str]",
    scope: Composite,
    trace: Trace,
    path: tuple[str, ...],
    inputs: list[str],
) -> list[str]:
    """Add the calls of a scope; gives the node behind every value."""
    sources = list(inputs)
    for number, call in enumerate(scope.calls):
        given = [sources[value] for value in call.inputs]
        below = (*path, call.name)
        if isinstance(call.target, Composite):
            inner = trace.inner[number]
            found = _walk(graph, call.target, inner, below, given)
            sources += [found[output.value] for output in call.target.outputs]
            continue
        node = ".".join(below)
        graph.add_node(node, type=call.target.type)
        for source, value in zip(given, call.inputs, strict=True):
            _connect(graph, source, node, trace.tensors[value])
        sources += [node] * len(call.outputs)
    return sources


def _connect(graph: "nx.DiGraph[str]", source: str, target: str, tensor: Tensor) -> None:
    graph.add_edge(source, target, shape=tensor.shape, dtype=tensor.dtype)
