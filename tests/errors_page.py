"""Makes `docs/errors.md` of the explanations in `archspec/explain/`.

    python -m tests.errors_page        # writes the page; see what changed with git

Under every wrong spec stands what `archspec check` says of it. `tests/test_docs.py` runs the page
like all others.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from archspec.diagnostics import CODES, Diagnostic
from archspec.diagnostics.render import render
from archspec.explain import explanation
from archspec.ops import registry
from archspec.pipeline import check

OWN = "users_own"
"""The module that the Python examples of a page are, in messages."""
PAGE = Path(__file__).parent.parent / "docs" / "errors.md"

FILE = "# file: "
"""How a block begins that is a file beside the others, and no example by itself."""

_FENCED = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [body for found, body in _FENCED.findall(page) if found == language]


def said(spec: str) -> tuple[Diagnostic, ...]:
    """What there is to say about a spec."""
    return check(spec, filename="spec.yaml").diagnostics


@contextmanager
def registered(page: str) -> Iterator[None]:
    """With the layer types that a page's Python examples register, for as long as that."""
    registry.names()  # all built-in types are loaded now: what is added later is the page's
    types = dict(registry._types)
    own = sys.modules[OWN] = ModuleType(OWN)  # generated code imports from it
    try:
        for code in blocks(page, "python"):
            exec(compile(code, f"{OWN}.py", "exec"), own.__dict__)
        yield
    finally:
        del sys.modules[OWN]
        registry._types.clear()
        registry._types.update(types)


def made() -> str:
    """The whole page."""
    codes = "\n\n".join(_section(code) for code in CODES)
    return f"{_HEAD}\n{_index()}\n{codes}\n"


_HEAD = """\
# Errors, warnings and notes

Every diagnostic has a code that stays the same. `archspec explain E201` prints what stands here.
The code says what kind of promise it is:

| codes | class | what it says |
|---|---|---|
| E0, E1 | language | about the spec itself: spelling, names, limits, annotations |
| E2 | torch | PyTorch on CPU raises too, when the layer is made or when it runs |
| E5 | meaning | PyTorch would run, but compute or train something else than what is written |
| W | lint | accepted, and it looks like a mistake; `# archspec: ignore[W301]` silences a line |
| N | note | accepted, and worth knowing |
"""


def _index() -> str:
    lines = ["| code | meaning |", "|---|---|"]
    lines += [f"| [{code}](#{code.lower()}) | {row.title} |" for code, row in CODES.items()]
    return "\n".join(lines) + "\n"


def _section(code: str) -> str:
    page = explanation(code)
    assert page is not None
    _, _, body = page.partition("\n\n")
    body = body.replace("\n## ", "\n### ").strip()
    with registered(page):
        body = _FENCED.sub(_with_output, f"{body}\n")
    return f"## {code}\n\n**{CODES[code].title}**\n\n{body.rstrip()}"


def _with_output(block: re.Match[str]) -> str:
    spec = block[1] == "yaml" and not block[2].startswith(FILE)
    found = said(block[2]) if spec else ()
    return f"{block[0]}\n```text\n{render(found).rstrip()}\n```\n" if found else block[0]


if __name__ == "__main__":
    PAGE.write_text(made(), "utf-8")
