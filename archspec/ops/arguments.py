"""The types of layer arguments: what pydantic checks, and the words for it in messages."""

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, StrictFloat, StrictInt
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import core_schema

from archspec.sizes import Measured, Size, Term, size_of


class Words(str):
    """What an argument must be, in words: metadata beside a type, used by error messages."""

    __slots__ = ()


Int = Annotated[int, Strict(), Words("an integer")]
Float = Annotated[float, Strict(), Words("a number")]
IntOrFloat = Annotated[StrictInt | StrictFloat, Words("a number")]
Bool = Annotated[bool, Strict(), Words("true or false")]
Str = Annotated[str, Strict(), Words("a text")]
Number = Annotated[
    float, Strict(), Field(ge=-1e30, le=1e30), Words("a number between -1e30 and 1e30")
]
"""A factor or a bound: what float32 cannot hold PyTorch refuses, here and there, late."""

One = Annotated[
    StrictInt | tuple[StrictInt],
    Words("an integer or a list of 1 integer"),
]
Two = Annotated[
    StrictInt | tuple[StrictInt, StrictInt],
    Words("an integer or a list of 2 integers"),
]
Three = Annotated[
    StrictInt | tuple[StrictInt, StrictInt, StrictInt],
    Words("an integer or a list of 3 integers"),
]
Ints = Annotated[tuple[StrictInt, ...], Words("a list of integers")]
IntOrInts = Annotated[StrictInt | tuple[StrictInt, ...], Words("an integer or a list of integers")]


class _InstanceOfMeasured:
    """Takes a `Measured` as it is; pydantic's `InstanceOf` reads all fields of the class first."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.is_instance_schema(Measured)


Open = StrictInt | SkipJsonSchema[Annotated[Measured, _InstanceOfMeasured()]]
"""An integer, or a size that the module reads from its tensors when it runs."""
OpenInt = Annotated[Open, Words("an integer")]
OpenInts = Annotated[tuple[Open, ...], Words("a list of integers")]
OpenIntOrInts = Annotated[Open | tuple[Open, ...], Words("an integer or a list of integers")]
OpenOne = Annotated[Open | tuple[Open], Words("an integer or a list of 1 integer")]
OpenTwo = Annotated[Open | tuple[Open, Open], Words("an integer or a list of 2 integers")]

PaddingMode = Annotated[
    Literal["zeros", "reflect", "replicate", "circular"],
    Words("one of zeros, reflect, replicate, circular"),
]


def spread(value: int | tuple[int, ...], rank: int) -> tuple[int, ...]:
    """An argument for every spatial dimension: one integer counts for all of them."""
    return (value,) * rank if isinstance(value, int) else value


def sizes_of(values: tuple[Term, ...]) -> tuple[Size, ...]:
    """The sizes that a list of integers says, those that are read from tensors too."""
    return tuple(map(size_of, values))
