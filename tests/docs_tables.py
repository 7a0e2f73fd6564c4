"""The parts of the documentation that are made from the code: layer types, codes, functions."""

import inspect
import textwrap
from collections.abc import Callable

from archspec.configurations import MAX_TEXT, MAX_VARIANTS
from archspec.diagnostics import CODES
from archspec.expand.context import MAX_LAYERS, MAX_NESTING, MAX_WORK
from archspec.expand.invalid import words_of
from archspec.expr import bounds
from archspec.names import MAX_LENGTH as MAX_NAME
from archspec.names import RESERVED, TAKEN
from archspec.ops import Layer, find, names
from archspec.ops.registry import FAMILIES
from archspec.ops.window import LARGEST
from archspec.spec.files import MAX_CHAIN, MAX_FILES, MAX_REFERENCES
from archspec.spec.init import MAX_PATTERN
from archspec.syntax import tree
from archspec.syntax.data import MAX_VALUES
from archspec.syntax.reader import MAX_BYTES
from archspec.syntax.scalars import MAX_DIGITS

FAMILY_TITLES = {
    "convolution": "Convolutions",
    "transposed": "Transposed convolutions",
    "pooling": "Pooling over windows",
    "adaptive": "Pooling to a given size",
    "normalisation": "Normalisation over channels and batches",
    "layer_norm": "Normalisation of each sample",
    "activation": "Activations",
    "rectifier": "Rectifiers",
    "softmax": "Softmax and its relatives",
    "dropout": "Dropout",
    "linear": "Linear layers",
    "embedding": "Embeddings",
    "recurrent": "Recurrent layers",
    "attention": "Attention modules",
    "dot_product": "Attention as a function",
    "merge": "Merges of several tensors",
    "matmul": "Matrix products",
    "arithmetic": "Arithmetic and reductions",
    "reshape": "Shapes",
    "rearrange": "Rearrange and Roll",
    "select": "Parts of tensors",
    "shuffle": "Channels and pixels",
    "resize": "Resizing",
    "pad": "Pad, as a function",
    "padding": "Padding with a constant",
    "border": "Padding with the input's own values",
    "free": "Free tensors",
}
"""The families in the order of the page."""

CLASSES = {
    "language": "Language errors",
    "torch": "Torch errors",
    "meaning": "Meaning errors",
    "lint": "Warnings",
    "note": "Notes",
}


INFERRED = " (inferred)"
"""How the description of an argument says that it follows from the inputs."""
BAR = "\\|"
"""A bar inside the cell of a table."""


def layers() -> str:
    """All layer types by family: meaning, shapes, arguments."""
    found: dict[str, list[type[Layer]]] = {family: [] for family in FAMILY_TITLES}
    for name in names():
        cls = find(name)
        family = (cls.__module__ if cls is not None else "").removeprefix("archspec.ops.")
        if cls is not None and family in FAMILIES:
            found[family].append(cls)
    parts = []
    for family, classes in found.items():
        parts.append(f"## {FAMILY_TITLES[family]}\n")
        parts += [_layer(cls) for cls in classes]
    return "\n" + "\n".join(parts) + "\n"


def _layer(cls: type[Layer]) -> str:
    text = inspect.cleandoc(cls.__doc__ or "")
    lines = [f"### {cls.__name__}\n", text, ""]
    if cls.model_fields:
        lines += ["| argument | kind | default | meaning |", "|---|---|---|---|"]
        lines += [_argument(cls, name) for name in cls.model_fields]
        lines.append("")
    return "\n".join(lines)


def _argument(cls: type[Layer], name: str) -> str:
    info = cls.model_fields[name]
    shown, meaning = info.alias or name, info.description or ""
    default = "required" if info.is_required() else f"`{_spelled(info.default)}`"
    if meaning.endswith(INFERRED):
        default, meaning = "inferred", meaning.removesuffix(INFERRED)
    cells = (f"`{shown}`", words_of(cls, shown), default, meaning)
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def _spelled(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(list(value)) if isinstance(value, tuple) else str(value)


def layer_index() -> str:
    """The types by family, each with a link."""
    rows = ["| family | types |", "|---|---|"]
    known = [cls for name in names() if (cls := find(name)) is not None]
    for family, title in FAMILY_TITLES.items():
        own = [c.__name__ for c in known if c.__module__ == f"archspec.ops.{family}"]
        rows.append(f"| {title} | {', '.join(f'[{n}](#{n.lower()})' for n in own)} |")
    return "\n".join(rows) + "\n"


def codes() -> str:
    """All error codes by class."""
    parts = []
    for cls, title in CLASSES.items():
        own = [(c, code.title) for c, code in sorted(CODES.items()) if code.cls == cls]
        rows = [f"| [{c}](errors.md#{c.lower()}) | {meaning} |" for c, meaning in own]
        parts.append("\n".join([f"\n### {title}\n", "| code | what it says |", "|---|---|", *rows]))
    return "\n".join(parts) + "\n\n"


def taken() -> str:
    """Names that no layer can have."""
    words = [name for name in sorted(TAKEN | RESERVED) if not name.startswith("_")]
    return "\n" + textwrap.fill(", ".join(f"`{w}`" for w in words), 100) + "\n\n"


LIMITS = (
    ("size of a file", f"{MAX_BYTES // 1_000_000} MB", "E005"),
    ("lists and mappings within each other, aliases followed", f"{tree.MAX_DEPTH}", "E005"),
    ("values of a file, every use of an alias counted", f"{tree.MAX_NODES:,}", "E005"),
    ("values of Python data", f"{MAX_VALUES:,}", "E005"),
    ("an alias within itself, merge keys (`<<`), tags, a second document", "none", "E004"),
    ("layers after expansion (`--max-layers` sets it)", f"{MAX_LAYERS:,}", "E005"),
    ("blocks and groups within each other", f"{MAX_NESTING}", "E005"),
    ("steps of an expansion, absent and empty entries included", f"{MAX_WORK:,}", "E005"),
    ("characters of a layer's name", f"{MAX_NAME}", "E111"),
    ("characters of a pattern in `init:`", f"{MAX_PATTERN:,}", "E005"),
    ("kernels, strides, paddings and dilations", f"{LARGEST:,}", "E005"),
    ("characters of an expression", f"{bounds.MAX_LENGTH:,}", "E109"),
    ("nesting of an expression", f"{bounds.MAX_DEPTH}", "E109"),
    ("steps of an expression, items of all its lists counted", f"{bounds.MAX_STEPS:,}", "E110"),
    ("items of a list, characters of a text that it makes", f"{bounds.MAX_ITEMS:,}", "E110"),
    ("an integer in it", "64 bits", "E110"),
    ("an integer that is an argument or a size", "64 bits", "E105"),
    ("digits of a number in a file; more are a text", f"{MAX_DIGITS}", ""),
    ("files that a spec brings in", f"{MAX_FILES}", "E005"),
    ("paths that a spec names, the same file every time", f"{MAX_REFERENCES}", "E005"),
    ("files that bring in each other, one after the other", f"{MAX_CHAIN}", "E005"),
    ("size of all files of a spec", f"{MAX_BYTES // 1_000_000} MB", "E005"),
    ("variants in one check", f"{MAX_VARIANTS}", "E005"),
    ("characters of a spec, times its variants, in one check", f"{MAX_TEXT:,}", "E005"),
    ("steps of the expansions of all variants in one check", f"{MAX_WORK:,}", "E005"),
    ("parameters at `build` (`--max-params` sets it)", "what fits into memory", ""),
)
"""What is bounded, by how much, and the code of what is beyond."""


def limits() -> str:
    """The limits on specs."""
    rows = [
        f"| {what} | {much} | {f'[{code}](errors.md#{code.lower()})' if code else ''} |"
        for what, much, code in LIMITS
    ]
    return "\n".join(["", "| what | at most | beyond |", "|---|---|---|", *rows, "", ""])


def members_of_the_zoo() -> str:
    """Every model of the zoo, and what it is compared with."""
    from tests import zoo_page  # loads PyTorch and the conformance data

    return zoo_page.table()


def matrix() -> str:
    """What modules can do with PyTorch's tools."""
    from tests.matrix.table import table  # loads much of PyTorch

    return table()


TABLES: dict[str, Callable[[], str]] = {
    "layers": layers,
    "layer_index": layer_index,
    "codes": codes,
    "taken": taken,
    "limits": limits,
    "matrix": matrix,
    "zoo": members_of_the_zoo,
}
