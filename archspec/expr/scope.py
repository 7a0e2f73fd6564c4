"""What compiled expressions run in."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from archspec.expr import bounds
from archspec.expr.errors import ExpressionError

CONSTANTS = {"true": True, "false": False, "null": None}


@dataclass(slots=True)
class Scope:
    """The names that an expression sees, and how many steps it may still take."""

    names: Mapping[str, Any]
    steps: int = bounds.MAX_STEPS

    def spend(self, steps: int = 1) -> None:
        """One turn of a comprehension, or a list of so many items."""
        self.steps -= steps
        if self.steps < 0:
            raise ExpressionError(f"more than {bounds.MAX_STEPS} steps")


Compiled = Callable[[Scope], Any]
Sub = Callable[[ast.expr], Compiled]
"""Compiles a part of an expression, one level deeper."""
