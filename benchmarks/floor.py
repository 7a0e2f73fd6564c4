"""The baseline of `check`: PyYAML, pydantic, and models like those that a ResNet-50 uses.

Run as a program; it imports nothing of archspec. The fields are those of the layer types in
`resnet50.yaml`: what a checker that validates with pydantic cannot do without.
"""

from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, Strict, StrictInt

Int = Annotated[int, Strict()]
Bool = Annotated[bool, Strict()]
Number = Annotated[float, Strict(), Field(ge=-1e30, le=1e30)]
Two = StrictInt | tuple[StrictInt, StrictInt]


class _Layer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Conv2d(_Layer):
    in_channels: Int | None = Field(None, description="channels of the input (inferred)")
    out_channels: Int = Field(description="channels of the output")
    groups: Int = Field(1, description="groups of channels that do not see each other")
    bias: Bool = Field(True, description="add a learned bias to every channel")
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    kernel_size: Two
    stride: Two = 1
    padding: Two | Literal["same", "valid"] = 0
    dilation: Two = 1


class BatchNorm2d(_Layer):
    eps: Number = Field(default=1e-5, description="added to the variance")
    affine: Bool = True
    bias: Bool = Field(default=True, description="learn a bias too, if affine")
    num_features: Int | None = Field(default=None, description="channels of the input")
    momentum: Number | None = Field(default=0.1, description="weight of new statistics")
    track_running_stats: Bool = True


class ReLU(_Layer):
    inplace: Bool = Field(default=False, description="overwrite the input")


class MaxPool2d(_Layer):
    ceil_mode: Bool = Field(False, description="let the last window reach over the end")
    kernel_size: Two
    stride: Two | None = None
    padding: Two = 0
    dilation: Two = 1


class AdaptiveAvgPool2d(_Layer):
    output_size: StrictInt | tuple[StrictInt | None, StrictInt | None] | None


class Flatten(_Layer):
    start_dim: Int = 1
    end_dim: Int = -1


class Linear(_Layer):
    in_features: Int | None = Field(None, description="features of the input (inferred)")
    out_features: Int = Field(description="features of the output")
    bias: Bool = Field(True, description="add a learned bias")


class Add(_Layer):
    pass


def main() -> None:
    """Build the models by validating one layer of each, from YAML."""
    text = """
    Conv2d: {out_channels: 8, kernel_size: 3}
    BatchNorm2d: {}
    ReLU: {}
    MaxPool2d: {kernel_size: 2}
    AdaptiveAvgPool2d: {output_size: 1}
    Flatten: {}
    Linear: {out_features: 10}
    Add: {}
    """
    layers = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for name, arguments in layers.items():
        globals()[name].model_validate(arguments)


if __name__ == "__main__":
    main()
