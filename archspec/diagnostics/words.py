"""Values in messages, in the words of a spec."""

from reprlib import Repr
from typing import Any


class _Words(Repr):
    """What a spec writes for a value: `null` and `true`; large ones are cut."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80
        self.maxlist = self.maxtuple = 20

    def repr_NoneType(self, value: None, level: int) -> str:
        return "null"

    def repr_bool(self, value: bool, level: int) -> str:
        return "true" if value else "false"

    def repr_int(self, value: int, level: int) -> str:
        try:
            return repr(value)
        except ValueError:  # Python writes no number of so many digits
            return f"a number of {value.bit_length()} bits"

    def repr_tuple(self, value: tuple[Any, ...], level: int) -> str:
        return self.repr1(list(value), level)


_WORDS = _Words()


def shown(value: Any) -> str:
    """A value as a spec writes it; large ones are cut."""
    return _WORDS.repr(value)
