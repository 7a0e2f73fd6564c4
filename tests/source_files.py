"""`python -m tests.source_files` prints networks into tests/data/source: the golden files.

Also what the tests of the printed source share.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import archspec
from archspec.backends.source import generate, print_file
from tests.helpers import inputs_of

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "tests" / "data" / "source"
NETWORKS = {
    "resnet18": "specs/resnet18.yaml",
    "googlenet": "specs/googlenet_d2l.yaml",
    "densenet121": "specs/densenet121.yaml",
    "mobilenet_v2": "specs/mobilenet_v2.yaml",
    "unet": "specs/unet.yaml",
}
"""Golden files, and the specs that they are printed from."""
SPECS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("specs", "tests/data/examples")
    for path in (ROOT / folder).glob("**/*.yaml")
    if path.parent.name != "blocks"  # no networks: others include them
)
CHECKS = {
    "ruff check": ["ruff", "check", "--isolated", "--no-cache", "--extend-select", "I"],
    "ruff format": ["ruff", "format", "--isolated", "--no-cache", "--diff"],
    "mypy --strict": ["mypy", "--strict", "--config-file="],
}
"""What every printed file passes, with the tools' own defaults."""


def load(path: str) -> archspec.Network:
    """The network of a spec of this repository."""
    return archspec.load(ROOT / path)


def file_name(path: str) -> str:
    """A name of its own for the printed file of a spec."""
    return Path(path).with_suffix(".py").as_posix().replace("/", "_").replace("-", "_")


def complaints(check: str, folder: Path) -> str:
    """What a tool has to say about the files of a folder; empty if nothing."""
    command = [sys.executable, "-m", *CHECKS[check]]
    if check.startswith("mypy"):
        command += ["--cache-dir", str(folder.parent / "mypy")]
    files = [path.name for path in sorted(folder.glob("*.py"))]
    done = subprocess.run([*command, *files], cwd=folder, capture_output=True, text=True)
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[:4000]


def is_installed(check: str) -> bool:
    """Whether the tool of a check is there."""
    return find_spec(check.partition(" ")[0]) is not None


def alone(code: str, *arguments: str) -> str:
    """What code prints in a fresh Python process that cannot import archspec."""
    blocked = "import sys\nsys.modules['archspec'] = None\n"
    environment = {**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-c", blocked + code, *arguments]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def namespace(text: str, name: str = "printed") -> Mapping[str, Any]:
    """What a printed file defines."""
    found: dict[str, Any] = {"__name__": name}
    exec(compile(text, f"{name}.py", "exec"), found)
    return found


def printed(text: str) -> str:
    """The file that the text of a spec is printed as."""
    return print_file(archspec.loads(text))


def outputs_of(module: nn.Module, fed: list[Tensor]) -> list[Tensor]:
    """What a module gives in eval, as a list."""
    with torch.no_grad():
        found = module.eval()(*fed)
    if isinstance(found, torch.Tensor):
        return [found]
    return list(found.values()) if isinstance(found, dict) else list(found)


def agree_here(read: archspec.Network) -> None:
    """The printed file and the built module: the same keys, the same outputs to the last bit."""
    text, cls = generate(read)
    assert "archspec" not in text.split('"""', 2)[2]
    module, mine = read.build().eval(), namespace(text)[cls]().eval()
    mine.load_state_dict(module.state_dict())
    assert list(mine.state_dict()) == list(module.state_dict())
    fed = inputs_of(read)
    for one, other in zip(outputs_of(module, fed), outputs_of(mine, fed), strict=True):
        assert torch.equal(one, other) or (one != one).any()


def main() -> None:
    """Print the golden files."""
    GOLDEN.mkdir(exist_ok=True)
    for name, path in NETWORKS.items():
        with contextlib.suppress(FileNotFoundError):
            (GOLDEN / f"{name}.py").unlink()
        (GOLDEN / f"{name}.py").write_text(print_file(load(path)))


if __name__ == "__main__":
    main()
