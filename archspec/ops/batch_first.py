"""What layers over sequences share: the batch comes first, always."""

from dataclasses import replace

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Bool
from archspec.ops.base import Construct, Layer


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


def forced(plain: Construct) -> Construct:
    """The same construction with `batch_first=True`, which is not PyTorch's own default."""
    usual = {name: value for name, value in plain.usual.items() if name != "batch_first"}
    others = {name: value for name, value in plain.kwargs.items() if name != "batch_first"}
    return replace(plain, kwargs={**others, "batch_first": True}, usual=usual)
