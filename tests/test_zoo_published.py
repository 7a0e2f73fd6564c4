"""All members of the zoo have the sizes that torchvision's documentation gives."""

import pytest

from tests import zoo
from tests.conformance import value
from tests.zoo_published import PUBLISHED


def test_every_variant_has_published_facts() -> None:
    assert set(PUBLISHED) == set(zoo.families())


@pytest.mark.parametrize("variant", [name for name in PUBLISHED if name in zoo.families()])
def test_published_facts(variant: str) -> None:
    known = PUBLISHED[variant]
    network = zoo.load(variant, **known.options)
    assert network.parameter_count == known.params
    (image,) = network.input_tensors.values()
    sizes = zoo.square(network, known.size)
    assert tuple(value(size, sizes) for size in image.shape) == (3, known.size, known.size)
    gmacs = value(network.macs, sizes) / 1e9
    assert gmacs == pytest.approx(known.gmacs, abs=0.0056)  # it was rounded twice
