"""All members of the zoo have the sizes that torchvision's documentation gives."""

import pytest

from archspec import library
from archspec import zoo as listing
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


def test_the_list_counts_every_network_at_the_size_that_it_is_known_for() -> None:
    """Options aside: `archspec zoo` shows the functions' defaults."""
    entries = listing.entries(library.folders(), ["torchvision/"])
    segmentation = listing.entries(library.folders(), ["segmentation/"])
    seen = set()
    for entry in (*entries, *segmentation):
        assert entry.variant is not None
        known, network = PUBLISHED[entry.variant], entry.network()
        assert network is not None
        facts = listing.facts(network)
        assert facts.inputs == {"image": (3, known.size, known.size)}
        if "aux_loss" not in known.options:
            assert facts.macs / 1e9 == pytest.approx(known.gmacs, abs=0.0056)
        seen.add(entry.variant)
    assert seen == set(PUBLISHED)
