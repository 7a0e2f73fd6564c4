"""Coverage-guided fuzzing of the core: `python -m tests.fuzz.coverage_guided [-runs=N]`.

Needs `pip install atheris`. Any exception but `SpecError` is a finding.
"""

import sys

import atheris

with atheris.instrument_imports(include=["archspec"]):
    import archspec

from tests.fuzz.mutations import GOOD


def one(data: bytes) -> None:
    """Check one input."""
    archspec.check(data.decode("utf-8", "surrogateescape") + "\n")


def main() -> None:
    """Fuzz until stopped, from the good specs on."""
    atheris.Setup(sys.argv, one)
    for text in GOOD:
        one(text.encode())
    atheris.Fuzz()


if __name__ == "__main__":
    main()
