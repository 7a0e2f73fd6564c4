"""What every code means, with a bad and a good example: one Markdown file a code.

The same text is printed by `archspec explain E201`, executed by the tests, and makes `docs/errors`.
"""

from functools import cache
from importlib.resources import files

from archspec.diagnostics import CODES


@cache
def explanation(code: str) -> str | None:
    """The page of a code, or None if there is no such code."""
    if code not in CODES:
        return None
    body = written(code)
    shown = "\n".join(line for line in body.splitlines() if not line.startswith("<!--"))
    return f"# {code}: {CODES[code].title}\n\n{shown.strip()}\n"


def written(code: str) -> str:
    """The file of a code, with its comments."""
    return files("archspec.explain").joinpath(f"{code}.md").read_text(encoding="utf-8")


def examples(code: str) -> tuple[list[str], list[str]]:
    """The bad and the good specs of a page: its fenced blocks under `## Wrong` and `## Right`.

    A block that begins with `# file:` is a file beside the others, and no example by itself.
    """
    page = explanation(code) or ""
    _, _, rest = page.partition("## Wrong")
    wrong, _, right = rest.partition("## Right")
    return _fenced(wrong), _fenced(right)


def _fenced(text: str) -> list[str]:
    parts = text.split("```")
    specs = [part.partition("\n")[2] for part in parts[1::2] if part.startswith("yaml")]
    return [spec for spec in specs if not spec.startswith("# file:")]
