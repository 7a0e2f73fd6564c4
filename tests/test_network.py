"""The public face of a checked network: shapes, tensors, export to networkx."""

import networkx as nx
import pytest

import archspec
from archspec.backends.source import print_file

SPEC = """archspec: 1
name: pair
inputs:
  tokens: {shape: [7], dtype: int64}
  image: [3, 8, 8]
blocks:
  Encoder:
    layers:
      conv: {Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}}
      relu: ReLU
layers:
  embed: {Embedding: {num_embeddings: 10, embedding_dim: 4}, from: tokens}
  encoder: {Encoder, from: image}
  again: {Reuse: encoder, from: image}
  both: {Add: [encoder, again]}
  words: {Mean: {dim: 1}, from: embed}
outputs: {words: words, picture: both, aux: {from: again, only: training}}
"""


@pytest.fixture(scope="module")
def network() -> archspec.Network:
    return archspec.loads(SPEC)


def test_inputs_and_outputs_are_shapes_without_the_batch(network: archspec.Network) -> None:
    assert network.inputs == {"tokens": (7,), "image": (3, 8, 8)}
    assert network.outputs == {"words": (4,), "picture": (4, 8, 8)}


def test_tensors_know_their_dtype_and_mode(network: archspec.Network) -> None:
    assert network.input_tensors["tokens"].dtype == "int64"
    assert list(network.output_tensors(training=True)) == ["words", "picture", "aux"]


def test_a_shared_module_counts_once_and_works_twice(network: archspec.Network) -> None:
    rows = {row.path: row for row in network.layers}
    assert rows["encoder.conv"].params == 4 * 3 * 9 + 4
    assert rows["again.conv"].params == 0
    assert rows["again.conv"].reused
    assert rows["again.conv"].macs == rows["encoder.conv"].macs == 4 * 8 * 8 * 27


def test_networkx_sees_every_call_and_how_data_flows(network: archspec.Network) -> None:
    graph = network.to_networkx()
    assert nx.is_directed_acyclic_graph(graph)
    assert {name for name, degree in graph.in_degree() if degree == 0} == {"tokens", "image"}
    assert list(graph.predecessors("both")) == ["encoder.relu", "again.relu"]
    assert graph.edges["image", "encoder.conv"]["shape"] == (3, 8, 8)
    assert graph.nodes["both"]["type"] == "Add"
    outputs = [name for name, kind in graph.nodes(data="type") if kind == "output"]
    assert outputs == ["words (output)", "picture (output)", "aux (output)"]


def test_too_many_parameters_are_refused_before_anything_is_allocated() -> None:
    spec = {
        "archspec": 1,
        "inputs": {"x": [1_000_000]},
        "layers": [{"Linear": {"out_features": 10**9}}],
    }
    with pytest.raises(MemoryError, match="4 PB"):
        archspec.from_dict(spec).build()
    with pytest.raises(MemoryError, match="more than 10"):
        archspec.loads(SPEC).build(max_params=10)


def test_misuse_from_python_is_told_plainly() -> None:
    with pytest.raises(TypeError, match="a path, a text, a mapping or a Spec, not NoneType"):
        archspec.check(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="loads takes a text, not int"):
        archspec.loads(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not 'flot32'"):
        archspec.loads(SPEC).build(dtype="flot32")
    with pytest.raises(TypeError, match="register takes a class, not int"):
        archspec.register(5)  # type: ignore[type-var]


def test_numbers_of_numpy_are_numbers() -> None:
    """In a mapping and in `params=`; nothing of NumPy is left in the network or its source."""
    numpy = pytest.importorskip("numpy")
    layers = [{"Linear": {"out_features": "=width"}}, {"Dropout": {"p": "=p"}}]
    head = {"archspec": 1, "inputs": {"x": [numpy.int64(4)]}, "params": {"width": 8, "p": 0.5}}
    params = {"width": numpy.int32(6), "p": numpy.float32(0.25)}
    network = archspec.from_dict({**head, "layers": layers}, params=params)
    assert repr(dict(network.params)) == "{'width': 6, 'p': 0.25}"
    assert "with p=0.25, width=6" in print_file(network)
