"""Did you mean: the known names nearest to a mistyped one."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` most likely stands for, or None.

    Case, underscores and hyphens do not count; beyond that, a small edit distance does.
    """
    from difflib import get_close_matches  # needed only when something is wrong

    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(_fold(candidate), candidate)
    match = get_close_matches(_fold(name), folded, n=1, cutoff=0.7)
    return folded[match[0]] if match else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A sentence of help for a mistyped name, or None when nothing is near."""
    match = nearest(name, known)
    return f"did you mean `{match}`?" if match else None


def _fold(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
