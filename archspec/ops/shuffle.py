"""Layers that move values between channels and places: the shuffles, Fold and Unfold."""

from collections.abc import Iterable

from pydantic import Field

from archspec.diagnostics import Fault
from archspec.ops.arguments import Int, OpenTwo, Two, sizes_of
from archspec.ops.base import Emission, Function, Layer
from archspec.ops.registry import register
from archspec.ops.window import Plane, divisors, misfit
from archspec.sizes import Size, always, divisible, equal, holds, product
from archspec.tensors import FLOATS, Tensor, show_shape

LARGEST_FACTOR = 2**31


class _Pixel(Layer):
    """Layers over `[*, C, H, W]`."""

    result_layout = "kept"
    dtypes = None

    def _image(self, x: Tensor) -> tuple[tuple[Size, ...], Size, Size, Size]:
        """The dimensions before the image, and channels, height and width of it."""
        if len(x.shape) < 3:
            kind = type(self).__name__
            code = "E501" if len(x.shape) == 2 else "E203"
            message = f"{kind} takes 3 dimensions or more beside the batch, not those of {x}"
            raise Fault(code, message, input=0)
        return x.shape[:-3], *x.shape[-3:]  # type: ignore[return-value]


def _check_factor(value: int, name: str) -> None:
    if value < 1:
        raise Fault("E208", f"{name} must be positive, not {value}", field=name)
    if value > LARGEST_FACTOR:
        raise Fault("E005", f"{name} {value} is larger than {LARGEST_FACTOR}", field=name)


def _indivisible(size: Size, name: str, factor: int, wanted: str, field: str) -> Fault:
    help = f"the {name} must be a multiple of {factor}"
    if field == "groups" and isinstance(size, int):
        help = f"divisors of {size}: {divisors(size)}"
    return Fault(
        "E206",
        f"{wanted} {factor} does not divide the {name} {size}",
        field=field,
        input=0,
        help=help,
    )


@register
class PixelShuffle(_Pixel):
    """Turns every `upscale_factor²` channels into one that is so much larger.

    Shapes: `[*, C * r², H, W]` → `[*, C, H * r, W * r]`, `r = upscale_factor`.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelShuffle.html
    """

    positional = ("upscale_factor",)

    upscale_factor: Int = Field(description="how many times higher and wider the result is")

    def check(self) -> None:
        _check_factor(self.upscale_factor, "upscale_factor")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        before, channels, height, width = self._image(x)
        factor = self.upscale_factor
        if not holds(divisible(channels, factor**2)):
            message = f"upscale_factor {factor} makes one channel of {factor**2}: {channels} are"
            help = f"the channels must be a multiple of {factor**2}"
            message += f" no multiple of {factor**2}"
            raise Fault("E206", message, field="upscale_factor", input=0, help=help)
        return x.sized(*before, channels // factor**2, height * factor, width * factor)


@register
class PixelUnshuffle(_Pixel):
    """Turns every square of `downscale_factor²` pixels into as many channels.

    Shapes: `[*, C, H * r, W * r]` → `[*, C * r², H, W]`, `r = downscale_factor`.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.PixelUnshuffle.html
    """

    positional = ("downscale_factor",)

    downscale_factor: Int = Field(description="how many times higher and wider the input is")

    def check(self) -> None:
        _check_factor(self.downscale_factor, "downscale_factor")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        before, channels, height, width = self._image(x)
        factor = self.downscale_factor
        for size, name in ((height, "height"), (width, "width")):
            if not holds(divisible(size, factor)):
                raise _indivisible(size, name, factor, "downscale_factor", "downscale_factor")
        if any(always(equal(size, 0)) for size in x.shape):
            return x  # PyTorch gives an empty input back as it came.
        assert all(holds(size >= 1) for size in x.shape)
        return x.sized(*before, channels * factor**2, height // factor, width // factor)


@register
class ChannelShuffle(Layer):
    """Mixes the channels of `groups` groups, so that each next group sees all of them.

    Shapes: `[C, *]` → `[C, *]`.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.ChannelShuffle.html
    """

    result_layout = "kept"
    dtypes = None
    positional = ("groups",)

    groups: Int = Field(description="groups whose channels are mixed")

    def check(self) -> None:
        _check_factor(self.groups, "groups")

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        if len(x.shape) < 2:
            message = f"ChannelShuffle takes 2 dimensions or more beside the batch, not {x}"
            raise Fault("E203", message, input=0)
        if not holds(divisible(x.shape[0], self.groups)):
            raise _indivisible(x.shape[0], "channels", self.groups, "groups", "groups")
        return x


class _Blocks(Plane):
    """What Unfold and Fold share: a window that slides over an image.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.Unfold.html
    """

    dtypes = ("bool", *FLOATS)

    kernel_size: Two = Field(description="size of the window")
    dilation: Two = Field(1, description="distance between the points of the window")
    padding: Two = Field(0, description="zeros around the image, at both ends")
    stride: Two = Field(1, description="step of the window")

    def check(self) -> None:
        self.at_least(1, "kernel_size", "dilation", "stride")
        self.at_least(0, "padding")

    def _count(self, sizes: tuple[Size, ...]) -> Size:
        """How many places the window has over an image of these sizes."""
        return product(self._along(sizes))

    def _along(self, sizes: tuple[Size, ...]) -> tuple[Size, ...]:
        """The same for height and width by themselves."""
        arguments = (self.each(n) for n in ("kernel_size", "dilation", "padding", "stride"))
        return tuple(map(_places, sizes, *arguments))

    def _check_elements(self, x: Tensor) -> None:
        if not all(holds(size >= 1) for size in x.shape):
            message = f"{type(self).__name__} needs an input with elements, not {x}"
            raise Fault("E211", message, input=0)


def _places(size: Size, kernel: int, dilation: int, padding: int, stride: int) -> Size:
    reach = dilation * (kernel - 1) + 1
    if not holds(size + 2 * padding >= reach):
        raise misfit(size, reach, reach - 2 * padding, 2 * padding, most=None)
    return (size + (2 * padding - reach)) // stride + 1


@register
class Unfold(_Blocks):
    """Cuts an image into blocks, one for every place of a sliding window.

    Shapes: `[C, H, W]` → `[C * ∏ kernel_size, L]`, `L = ∏ ((H + 2 * padding - dilation *
    (kernel_size - 1) - 1) // stride + 1)` over height and width.
    """

    positional = ("kernel_size",)

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        self._check_elements(x)
        return x.sized(x.shape[0] * product(self.each("kernel_size")), self._count(x.shape[1:]))

    def between(self, *inputs: Tensor) -> Iterable[Size]:
        return self._along(inputs[0].shape[1:])


@register
class Fold(_Blocks):
    """Puts blocks back into an image, added where they overlap: the transpose of Unfold.

    Shapes: `[C * ∏ kernel_size, L]` → `[C, *output_size]`; `L` as Unfold has it.
    """

    ranks = (2,)
    unbatched = (1,)
    positional = ("output_size", "kernel_size")
    measured = ("output_size",)

    output_size: OpenTwo = Field(description="size of the image")

    def check(self) -> None:
        super().check()
        if self.measures():
            return
        self.at_least(1, "output_size")
        try:
            self._count(self._image())
        except Fault as fault:
            raise Fault(fault.code, fault.message, field="kernel_size") from None

    def shape(self, x: Tensor) -> Tensor:  # type: ignore[override]
        self._check_elements(x)
        image = self._image()
        if not all(holds(size >= 1) for size in image):
            message = f"output_size must be positive, not {show_shape(image)}"
            raise Fault("E208", message, field="output_size", input=0)
        block = product(self.each("kernel_size"))
        assert isinstance(block, int)
        if not holds(divisible(x.shape[0], block)):
            wanted = "the size of a block"
            raise _indivisible(x.shape[0], "channels", block, wanted, "kernel_size")
        places = self._count(image)
        if not holds(equal(x.shape[1], places)):
            shown = show_shape(image)
            message = f"an image of {shown} has {places} blocks, but the input has {x.shape[1]}"
            raise Fault("E209", message, field="output_size", input=0)
        return x.sized(x.shape[0] // block, *image)

    def between(self, *inputs: Tensor) -> Iterable[Size]:
        return self._along(self._image())

    def emit(self, inputs: tuple[Tensor, ...]) -> Emission:
        if not self.measures():
            return super().emit(inputs)
        usual = {"dilation": 1, "padding": 0, "stride": 1}
        given = {name: getattr(self, name) for name in ("kernel_size", *usual)}
        said = {name: value for name, value in given.items() if value != usual.get(name)}
        more = "".join(f", {name}={{{name}}}" for name in said)
        sizes = self.output_size
        image = list(sizes) if isinstance(sizes, tuple) else [sizes, sizes]
        return Function(f"F.fold({{0}}, {{image}}{more})", {"image": image, **said})

    def _image(self) -> tuple[Size, ...]:
        sizes = self.output_size
        return sizes_of(sizes if isinstance(sizes, tuple) else (sizes, sizes))
