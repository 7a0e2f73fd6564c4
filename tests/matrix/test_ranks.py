"""Two processes train as one: DDP, and FSDP2 on every block."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch.distributed as dist

from tests.matrix.nets import CASES
from tests.matrix.ranks import RANKS, STEPS

ROOT = Path(__file__).parent.parent.parent
Losses = dict[str, dict[str, list[float]]]


@pytest.fixture(scope="module")
def losses(tmp_path_factory: pytest.TempPathFactory) -> Losses:
    """By network and way: the losses that the first rank saw."""
    if not dist.is_gloo_available():
        pytest.skip("this PyTorch has no gloo")
    folder = tmp_path_factory.mktemp("ranks")
    words = [str(folder / "store"), str(folder / "losses.json"), *CASES]
    ranks = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.matrix.ranks", str(rank), *words],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(RANKS)
    ]
    said = [rank.communicate(timeout=600)[1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0] * RANKS, "\n".join(said)
    found: Losses = json.loads(Path(words[1]).read_text())
    return found


@pytest.mark.parametrize("way", ["ddp", "fsdp"])
@pytest.mark.parametrize("name", CASES)
def test_losses_are_those_of_one_process(name: str, way: str, losses: Losses) -> None:
    wanted = losses[name]["plain"]
    assert len(wanted) == STEPS
    assert wanted[0] != wanted[-1]
    assert losses[name][way] == pytest.approx(wanted, rel=1e-5)
