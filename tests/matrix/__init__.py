"""What a built module can do: each property of PyTorch's tools, for each of a few small networks.

python -m tests.matrix      # asks everything, and writes the table into docs/modules.md
"""

from tests.matrix import compiling, reading, running
from tests.matrix.registry import ROWS

__all__ = ["ROWS", "compiling", "reading", "running"]
