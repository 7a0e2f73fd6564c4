"""What may go into a network: tensors held against its inputs, with what is wrong in words.

Works with whatever has a `shape` and a `dtype` (tensors of torch, arrays of NumPy), without torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from archspec.sizes import Size, ValidSizes, show_values
from archspec.tensors import FLOATS, Tensor

MODULE_DTYPE: Final = "float32"
"""In a spec it stands for the dtype that the module is built with."""


class InputError(ValueError):
    """A tensor that a network does not take; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class InputContract:
    """What a network asks of its inputs. A value, made by `Network.input_contract`."""

    tensors: Mapping[str, Tensor]
    """By the name of the input, in order."""
    sizes: ValidSizes
    """Which sizes the symbols may have."""
    layer_sizes: ValidSizes
    """The same without what `requires:` declares."""

    def check(
        self,
        tensors: Sequence[Any],
        named: Mapping[str, Any],
        *,
        floats: str | None = MODULE_DTYPE,
    ) -> None:
        """Raise `InputError` if the tensors cannot go in; `TypeError` if it is not a call.

        Args:
            tensors: those given by position.
            named: those given by name.
            floats: the dtype of the module; None if any floating one will do.
        """
        given = self._bound(tensors, named)
        for name, value in given.items():
            _check_kind(name, value, self.tensors[name], floats)
            _check_fixed(name, value, self.tensors[name])
        _check_batches(given)
        self._check_sizes(self._read(given))

    def _bound(self, tensors: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
        """The tensors by name, in the order of the inputs."""
        names = list(self.tensors)
        if len(tensors) > len(names):
            raise TypeError(f"the network takes {_count(len(names))}, not {len(tensors)}")
        given = dict(zip(names, tensors, strict=False))
        for name, value in named.items():
            if name not in self.tensors:
                raise TypeError(f"the network has no input `{name}`: it has {', '.join(names)}")
            if name in given:
                raise TypeError(f"the input `{name}` is given twice")
            given[name] = value
        missing = [name for name in names if name not in given]
        if missing:
            raise TypeError(f"an input is missing: {', '.join(missing)}")
        return {name: given[name] for name in names}

    def _read(self, given: Mapping[str, Any]) -> dict[str, int]:
        """The sizes of the symbols. Raises `InputError` if two tensors disagree on one."""
        found: dict[str, tuple[int, str]] = {}
        for name, axis, wanted, size in self._dimensions(given):
            if str(wanted) not in self.sizes.symbols:
                continue
            where = f"dimension {axis} of `{name}`"
            known, before = found.setdefault(str(wanted), (size, where))
            if known != size:
                message = f"{wanted} is one size: {where} is {size}, and {before} is {known}"
                raise InputError(message)
        sizes = {symbol: size for symbol, (size, _) in found.items()}
        for name, axis, wanted, size in self._dimensions(given):
            if not isinstance(wanted, int) and wanted.at(sizes) != size:
                message = f"{_described(name, given[name])}: dimension {axis} is {size}, "
                message += f"and {wanted} is {wanted.at(sizes)} with {show_values(sizes)}"
                raise InputError(message)
        return sizes

    def _dimensions(self, given: Mapping[str, Any]) -> Iterator[tuple[str, int, Size, int]]:
        """Every dimension but the batch: input, number, what it should be, and what it is."""
        for name, value in given.items():
            for axis, wanted in enumerate(self.tensors[name].shape, 1):
                yield name, axis, wanted, value.shape[axis]

    def _check_sizes(self, sizes: Mapping[str, int]) -> None:
        for symbol, size in sizes.items():
            valid = self.sizes.sets[symbol]
            if size not in valid:
                layers = self.layer_sizes.sets[symbol]
                who = "`requires:` declares" if size in layers else "the network takes"
                message = f"{symbol} = {size} cannot go in: {who} {valid}"
                raise InputError(message + _nearest(valid.nearest(size)))
        for tie in self.sizes.ties:
            if not tie.at(sizes):
                shown = show_values({name: sizes[name] for name in sizes if name in tie.symbols})
                raise InputError(f"{shown} cannot go in together: the network needs {tie}")


def _check_kind(name: str, value: Any, wanted: Tensor, floats: str | None) -> None:
    """Refuse what is no tensor, and a tensor of another dtype."""
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        raise InputError(f"`{name}` is a {type(value).__name__}, not a tensor")
    dtype = str(value.dtype).removeprefix("torch.")
    expected: str | None = wanted.dtype
    if expected == MODULE_DTYPE:
        expected = dtype if floats is None and dtype in FLOATS else floats or MODULE_DTYPE
    if dtype != expected:
        raise InputError(f"`{name}` has dtype {dtype}, and the network takes {expected}")


def _check_fixed(name: str, value: Any, wanted: Tensor) -> None:
    """Refuse another number of dimensions, and another size where the size is a number."""
    shape = tuple(value.shape)
    if len(shape) != wanted.ndim:
        message = f"{_described(name, value)}, and the network takes {_expected(wanted)}"
        if len(shape) == wanted.ndim - 1 and _fits(shape, wanted):
            message += f": the batch is missing, `{name}[None]` has one"
        raise InputError(message)
    for axis, (size, each) in enumerate(zip(wanted.shape, shape[1:], strict=True), 1):
        if isinstance(size, int) and size != each:
            message = f"{_described(name, value)}: dimension {axis} is {each}, "
            message += f"and the network takes {_expected(wanted)}"
            raise InputError(message + _channels_last(shape, wanted))


def _fits(shape: tuple[int, ...], wanted: Tensor) -> bool:
    """Whether a sample has the sizes that are numbers."""
    return all(
        not isinstance(size, int) or size == each
        for size, each in zip(wanted.shape, shape, strict=True)
    )


def _channels_last(shape: tuple[int, ...], wanted: Tensor) -> str:
    """What to do, if the channels stand behind where they should be in front."""
    moved = (shape[-1], *shape[1:-1])
    if len(shape) < 3 or not _fits(moved, wanted):
        return ""
    order = ", ".join(map(str, (0, len(shape) - 1, *range(1, len(shape) - 1))))
    return f": channels come first, as `permute({order})` puts them"


def _check_batches(given: Mapping[str, Any]) -> None:
    first: tuple[int, str] | None = None
    for name, value in given.items():
        batch = value.shape[0]
        if batch < 1:
            raise InputError(f"{_described(name, value)}: the batch is empty")
        first = first or (batch, name)
        if batch != first[0]:
            message = f"`{name}` has a batch of {batch}, and `{first[1]}` one of {first[0]}"
            raise InputError(message)


def _nearest(sizes: tuple[int | None, int | None]) -> str:
    found = [str(size) for size in sizes if size is not None]
    if len(found) < 2:
        return f"; the nearest is {found[0]}" if found else ""
    return f"; the nearest are {found[0]} and {found[1]}"


def _described(name: str, value: Any) -> str:
    return f"`{name}` is {'×'.join(map(str, value.shape)) or 'a scalar'}"


def _expected(wanted: Tensor) -> str:
    return "×".join(["batch", *map(str, wanted.shape)])


def _count(number: int) -> str:
    return "1 input" if number == 1 else f"{number} inputs"
