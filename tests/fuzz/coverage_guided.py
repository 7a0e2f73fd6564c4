"""Coverage-guided fuzzing of the core: `python -m tests.fuzz.coverage_guided [-runs=N]`.

Needs `pip install atheris`; options are libFuzzer's. Starts from the good specs. Any exception is
a finding: `check` never raises.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["archspec"]):
    from archspec.ops import names
    from archspec.pipeline import check

    FAMILIES = list(names())  # loads them all, so that all are instrumented

from tests.fuzz.mutations import GOOD


def one(data: bytes) -> None:
    """Check one input."""
    check(data.decode("utf-8", "surrogateescape") + "\n")


def main() -> None:
    """Fuzz until stopped, from the good specs on."""
    with tempfile.TemporaryDirectory() as corpus:
        for number, text in enumerate(GOOD):
            Path(corpus, f"{number}.yaml").write_text(text, encoding="utf-8")
        atheris.Setup([*sys.argv, corpus], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
