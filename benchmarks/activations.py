"""Peak bytes of live activations: the built module against a hand-written one. Needs torch.

Run in its own process as a program, which prints JSON.
"""

import gc
import json
import weakref
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmarks.measure import child, table


class Live(TorchDispatchMode):
    """Watches the storages of what operators give, for as long as a tensor holds them."""

    def __init__(self) -> None:
        super().__init__()
        self.holders: dict[int, int] = {}
        self.sizes: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, torch.Tensor):
                self.hold(each)
        self.peak = max(self.peak, sum(self.sizes.values()))
        return result

    def hold(self, tensor: torch.Tensor) -> None:
        """Count a tensor's storage until the tensor dies."""
        storage = tensor.untyped_storage()
        key = storage.data_ptr()
        self.sizes[key] = storage.nbytes()
        self.holders[key] = self.holders.get(key, 0) + 1
        weakref.finalize(tensor, self.let_go, key)

    def let_go(self, key: int) -> None:
        """A tensor of this storage died."""
        self.holders[key] -= 1
        if not self.holders[key]:
            del self.holders[key], self.sizes[key]


def peak(module: torch.nn.Module, fed: torch.Tensor) -> int:
    """Bytes that are alive at most, the input and the weights left out."""
    gc.collect()
    gc.disable()
    try:
        with torch.no_grad(), Live() as live:
            module(fed)
    finally:
        gc.enable()
    return live.peak


def main() -> None:
    """Watch both of every pair."""
    from benchmarks.networks import prepared

    rows = []
    for name, written, built, fed in prepared():
        rows.append({"network": name, "written": peak(written, fed), "built": peak(built, fed)})
    print(json.dumps(rows))


def measure() -> dict[str, Any]:
    """Peaks of both, for every network."""
    return {"rows": child("benchmarks.activations")}


def show(found: dict[str, Any]) -> str:
    """The table."""
    rows = [(row["network"], row["written"], row["built"]) for row in found["rows"]]
    title = "activations: bytes alive at most in a forward pass in eval"
    return table(title, ("network", "hand-written", "net.build()"), rows)


if __name__ == "__main__":
    main()
