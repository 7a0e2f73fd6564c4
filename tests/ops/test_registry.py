"""The table of layer types: every one is found, and a family loads when it is asked for."""

import subprocess
import sys

import pytest

from archspec.ops import find, names
from archspec.ops.registry import FAMILIES, defines


def test_every_type_is_defined_in_its_family_and_no_other() -> None:
    for name in names():
        cls = find(name)
        assert cls is not None
        home = cls.__module__.rpartition(".")[2]
        if cls.__module__.startswith("archspec.ops."):
            assert [family for family in FAMILIES if defines(family, name)] == [home]


@pytest.mark.parametrize("name", ["Conv2d", "ReLU", "LSTM", "Parameter", "Rearrange"])
def test_a_lookup_loads_one_family(name: str) -> None:
    code = (
        "import sys\nfrom archspec.ops import find\nfrom archspec.ops.registry import FAMILIES\n"
        f"assert find({name!r}) is not None and find('Nothing') is None\n"
        "print(sum(f'archspec.ops.{family}' in sys.modules for family in FAMILIES))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(run.stdout) <= 4  # a family may build on another
