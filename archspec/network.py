"""A checked network: what it is made of, what flows through it, and how to build it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archspec.graph import Graph, Trace, leaves
from archspec.inputs import MODULE_DTYPE, InputContract
from archspec.ops.initialisers import Initialiser
from archspec.resolve import Application, applications
from archspec.rows import LayerRow, Shape, layer_row
from archspec.sizes import Condition, Declaration, Domain, Size, ValidSizes
from archspec.sizes.within import Within
from archspec.spec import Spec
from archspec.tensors import Tensor

if TYPE_CHECKING:
    from os import PathLike

    import networkx
    import torch

    from archspec.backends.files.artefacts import Artefact
    from archspec.exporting import ExportPlan
    from archspec.features import Feature


@dataclass(slots=False, eq=False)
class Network:
    """A network that was accepted: every argument known, every shape inferred.

    Made by `archspec.load`. It is a value: treat it as immutable.
    """

    spec: Spec
    params: Mapping[str, Any]
    """The values of the spec's parameters."""
    graph: Graph
    trace: Trace
    domain: Domain
    example_sizes: Mapping[str, int] = field(default_factory=dict)
    """For symbolic inputs: sizes that work."""
    declaration: Declaration = field(default_factory=Declaration)
    """What `requires:` says of the symbols."""
    fixed: Mapping[str, int] = field(default_factory=dict)
    """Sizes that `at` gave to symbols of the spec."""
    given: Mapping[str, Any] = field(default_factory=dict)
    """Values that the caller of `load` gave for parameters."""
    max_layers: int | None = None
    """How many layers it may have; None for the usual limit."""
    work: int = 0
    """Steps that its expansion took."""
    selected: tuple[str, ...] = ()
    """The paths of `select`, if this is a part of a network."""

    @property
    def name(self) -> str:
        """The name that the spec gives."""
        return self.graph.name

    @property
    def inputs(self) -> dict[str, Shape]:
        """The shapes of the inputs by name, in order, without the batch."""
        return {name: tensor.shape for name, tensor in self.input_tensors.items()}

    @property
    def outputs(self) -> dict[str, Shape]:
        """The shapes of the outputs in eval by name, in order, without the batch.

        Those of symbolic sizes are formulas for the sizes that work and are declared: where H is
        divisible by 4, `4*(H // 4)` is H.
        """
        tensors = self.output_tensors()
        return {name: self._within.shape(tensor.shape) for name, tensor in tensors.items()}

    @property
    def input_tensors(self) -> dict[str, Tensor]:
        """The inputs by name: shape, dtype, and whether they have a batch."""
        return dict(zip(self.graph.root.inputs, self.trace.tensors, strict=False))

    def output_tensors(self, *, training: bool = False) -> dict[str, Tensor]:
        """The outputs of one mode by name. A network without `outputs:` calls its one `output`."""
        root = self.graph.root
        named = self.spec.outputs is not None or bool(self.selected)
        return {
            output.name if named else "output": self.trace.tensors[output.value]
            for output in root.outputs
            if training or not output.training_only
        }

    def at_example(self, size: Size) -> int:
        """A size at `example_sizes`."""
        return at(size, self.example_sizes)

    @property
    def conditions(self) -> list[Condition]:
        """What symbolic sizes must fulfil for the network to work."""
        return list(self.domain.requirements)

    @cached_property
    def sizes(self) -> ValidSizes:
        """Which sizes the symbols of the inputs may have: those that work and are declared."""
        layers, declared = self.layer_sizes, self.declaration.conditions
        if not declared:
            return layers
        return ValidSizes(layers.symbols, (*declared, *layers.conditions))

    @cached_property
    def layer_sizes(self) -> ValidSizes:
        """Which sizes work, whatever `requires:` says."""
        tensors = self.input_tensors.values()
        sizes = (size for tensor in tensors for size in tensor.shape if not isinstance(size, int))
        symbols = dict.fromkeys(name for size in sizes for name in sorted(size.symbols))
        return ValidSizes(tuple(symbols), tuple(self.conditions))

    @cached_property
    def _within(self) -> Within:
        """Says sizes in words that are true for all `sizes`."""
        return Within(self.sizes)

    @cached_property
    def input_contract(self) -> InputContract:
        """What may go into the network, as a value of its own."""
        return InputContract(self.input_tensors, self.sizes, self.layer_sizes)

    def check_input(self, /, *tensors: Any, **named: Any) -> None:
        """Say why tensors cannot go in: raises `InputError`; gives None if they can.

        The tensors stand by position or by name, as in a call of the module, and with a batch.
        Anything with a `shape` and a `dtype` will do. Floating tensors are float32 for float32
        inputs, which is what `build()` makes; `archspec.guard` asks the module.
        """
        floats = MODULE_DTYPE if self.parameter_count else None
        self.input_contract.check(tensors, named, floats=floats)

    def at(self, /, **sizes: int) -> "Network":
        """The network with these sizes for symbols of its inputs: `network.at(H=300, W=224)`.

        Raises `SpecError`, with what is wrong, if it does not work at these sizes.
        """
        from archspec.expand import at_sizes  # imports this module

        return at_sizes(self, sizes)

    @cached_property
    def applications(self) -> tuple[Application, ...]:
        """Every call of a layer, in call order."""
        return tuple(applications(self.graph.root, self.trace))

    @cached_property
    def layers(self) -> tuple[LayerRow, ...]:
        """The rows of the layer table, in call order."""
        return tuple(layer_row(each, self._within.shape) for each in self.applications)

    @cached_property
    def initialisers(self) -> Mapping[str, Initialiser]:
        """By the name of a parameter: how it begins, where `init:` says it."""
        return {
            ".".join((*path, name)): initialiser
            for path, leaf in leaves(self.graph.root)
            for name, initialiser in leaf.initialisers.items()
        }

    @cached_property
    def parameter_count(self) -> int:
        """Elements of all parameters; shared ones count once."""
        return sum(application.params for application in self.applications)

    @cached_property
    def macs(self) -> Size:
        """Multiply-adds of a forward pass at batch 1 in eval; shared layers count every time."""
        return sum((application.macs for application in self.applications), start=0)

    def features(self) -> "tuple[Feature, ...]":
        """The last feature map of every stride: what a backbone offers. See `select`."""
        from archspec.features import features  # needed by few

        return features(self)

    def select(self, *paths: str) -> "Network":
        """The part of the network that gives the results of these layers, blocks or groups.

        A path is dotted, as in `features.3`. One path gives a tensor, several a named tuple with
        `_` for the dots. What lies behind is gone; what is left keeps its names, and takes the
        checkpoint of the whole network but for keys that it does not need.

        Raises `ValueError` for a path that is not there, or whose tensor a later layer overwrites.
        """
        from archspec.select import select  # makes networks

        return select(self, paths)

    def to_networkx(self) -> "networkx.DiGraph[str]":
        """The flat graph of all calls, for networkx; see `archspec.backends.digraph`."""
        from archspec.backends.digraph import to_networkx  # loads networkx

        return to_networkx(self)

    def export_plan(self, *, batch: bool = True) -> "ExportPlan":
        """Which symbolic sizes `torch.export` can keep open, and what it drops, in words."""
        from archspec.exporting import plan  # needed by few

        return plan(self, batch=batch)

    def dynamic_shapes(self, *, batch: bool = True) -> "dict[str, dict[int, Any]]":
        """What `torch.export.export(module, inputs, dynamic_shapes=...)` takes.

        The largest part of the valid sizes that export can express; `export_plan` says which, what
        is dropped, and sizes to export with.

        Args:
            batch: whether the batch stays open.
        """
        from archspec.backends.dynamic import dynamic_shapes  # loads torch

        return dynamic_shapes(self, self.export_plan(batch=batch))

    def build(
        self,
        *,
        device: "torch.device | str | None" = None,
        dtype: "torch.dtype | str | None" = None,
        init: bool = True,
        features: Sequence[str] = (),
        max_params: int | None = None,
    ) -> "torch.nn.Module":
        """The network as a plain `nn.Module`, initialised as its spec says or as PyTorch does.

        Args:
            device: where its tensors live; PyTorch's default if None.
            dtype: of its parameters and floating buffers; PyTorch's default if None.
            init: whether to initialise it. Without, its parameters hold arbitrary numbers until
                weights are loaded; on the meta device nothing is initialised anyway.
            features: build the part that gives the results of these layers; see `select`.
            max_params: how many parameters it may have; as many as fit into memory if None.

        Raises `ValueError` for an unknown dtype; `MemoryError`, before anything is allocated, if
        there are too many parameters; `LayerError` for what a layer type of your own raises.
        """
        from archspec.backends.module import build  # loads torch

        made = self.select(*features) if features else self
        return build(made, device=device, dtype=dtype, init=init, max_params=max_params)

    def source(self) -> str:
        """The Python file that `build` runs, and `archspec build -o net.py` writes."""
        from archspec.backends.source import print_file  # imports this module

        return print_file(self)

    def export(
        self, path: "str | PathLike[str]", module: "torch.nn.Module | None" = None
    ) -> "Artefact":
        """Write the network to a file of the kind that its suffix says.

        `.py` source, `.pt2` a program of `torch.export`, `.onnx`, or the weights alone:
        `.safetensors`, `.pt`, `.pth`. What symbols stand for stays open, and so does the batch.

        Args:
            path: where to; a file that is there is replaced, once the new one is complete.
            module: what `build` made, with the weights to write; a fresh one if None.

        Raises `ArtefactError` if the file cannot be written.
        """
        from archspec.backends.files.artefacts import write  # imports this module

        return write(self, Path(path), module)


def at(size: Size, sizes: Mapping[str, int]) -> int:
    """A size for these values of its symbols."""
    return size if isinstance(size, int) else size.at(sizes)
