"""What layers over sequences share: the batch comes first, always."""

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool
from archspec.ops.base import Layer


class BatchFirst(Layer):
    """A layer with PyTorch's `batch_first`, which here is always true."""

    batch_first: Bool = Field(True, description="the batch comes first: always true")

    def check(self) -> None:
        if not self.batch_first:
            raise Fault(
                "E105",
                "batch_first is always true here: false would mix the samples of a batch",
                field="batch_first",
                help="leave batch_first out",
            )
