"""Initialising modules of a user's own, and what cannot be initialised."""

import pytest
import torch
from torch import Tensor, nn

import archspec
from archspec.ops import registry
from tests.helpers import spec
from tests.test_initialise import RESNET, equal, seeded, spoiled, tensors


class Own(nn.Module):
    """Parameters of its own, and nothing that fills them."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))
        self.inner = nn.Linear(2, 2)


class Resetting(Own):
    """The same, as PyTorch's layers do it."""

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, 3)


def test_what_has_no_reset_is_named() -> None:
    module = spoiled(nn.Sequential(nn.Linear(2, 2), nn.Sequential(Own())))
    with pytest.raises(ValueError, match=r"no `reset_parameters`: `1\.0` \(Own\)"):
        archspec.initialise(module)
    assert module[0].weight.isnan().all()  # nothing was touched


def test_modules_with_a_reset_take_part() -> None:
    network = archspec.loads(RESNET).build()
    module = archspec.initialise(spoiled(nn.Sequential(Resetting(), network)))
    assert module.get_parameter("0.weight").tolist() == [3, 3, 3]
    assert not module.get_parameter("1.layer1.0.bn2.weight").any()
    assert not any(tensor.isnan().any() for _, tensor in tensors(module))


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> archspec.Network:
    """A network with two modules of a user's: one that can be reset, and one that cannot."""
    monkeypatch.setattr(registry, "_types", dict(registry._types))
    for cls in (Drawn, DrawnAgain):
        archspec.register(cls)
    body = """
        init: {Linear: {weight: zeros_}, "drawn.inner.bias": ones_}
        layers: {drawn: Drawn, again: DrawnAgain, fc: {Linear: {out_features: 2}}}
        """
    return archspec.loads(spec(body, "inputs: {x: [8]}\n"))


class Drawn(nn.Module):
    """Draws its parameters itself."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8))
        self.inner = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.inner(x * self.weight)
        return y


class DrawnAgain(Drawn):
    """The same, as PyTorch's layers do it."""

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight)


def test_users_modules_initialise_themselves_and_rules_reach_them(users: archspec.Network) -> None:
    built = seeded(users)
    torch.manual_seed(7)
    own = Drawn()
    assert torch.equal(built.get_parameter("drawn.weight"), own.weight)
    assert torch.equal(built.get_parameter("drawn.inner.weight"), own.inner.weight)
    assert built.get_parameter("drawn.inner.bias").tolist() == [1.0] * 8
    assert not built.get_parameter("fc.weight").any()
    assert equal(built, seeded(users))


def test_users_modules_are_made_where_they_belong(users: archspec.Network) -> None:
    before = torch.get_rng_state()
    made = users.build(device="meta", dtype="float64")
    assert torch.equal(torch.get_rng_state(), before)
    kinds = {(tensor.device.type, tensor.dtype) for _, tensor in tensors(made)}
    assert kinds == {("meta", torch.float64)}
    with pytest.raises(ValueError, match=r"`drawn` \(Drawn\)$"):
        archspec.initialise(made.to_empty(device="cpu"))


def test_what_has_no_memory_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`conv1\.weight` is on the meta device"):
        archspec.initialise(archspec.loads(RESNET).build(device="meta"))
