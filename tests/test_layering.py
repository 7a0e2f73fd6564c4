"""The walls: no import cycles, data flows one way, checking loads nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import archspec

PACKAGE = Path(archspec.__file__).parent
SPEC = """archspec: 1
name: tiny
inputs: {image: [3, 8, 8]}
layers:
  - Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}
  - BatchNorm2d
  - ReLU
  - MultiheadAttention: {num_heads: 4}
"""

# From the text to the outputs: a layer of this list may import those before it, never one after.
LAYERS = [
    "diagnostics",
    "sizes",
    "tensors",
    "names",
    "syntax",
    "library",
    "expr",
    "ops",
    "spec",
    "graph",
    "resolve",
    "inputs",
    "rows",
    "network",
    "exportable",
    "exporting",
    "features",
    "storage",
    "select",
    "parallel",
    "expand",
    "backends",
    "lint",
    "report",
    "expectations",
    "blamed_values",
    "configurations",
    "pipeline",
    "zoo",
    "starting",
    "solve",
    "fix",
    "explain",
    "cli",
]


def modules() -> dict[str, Path]:
    """All modules of the package by dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Our own modules that a file imports when it is imported (not in functions)."""
    found = set()
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("archspec"):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                found.add(name if name in known else node.module)
    return found


def test_there_are_no_import_cycles() -> None:
    known = modules()
    graph = {name: imports(path, known) for name, path in known.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"cycle: {' → '.join([*trail, name])}"
        if name not in done:
            for each in sorted(graph.get(name, ())):
                visit(each, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_data_flows_one_way() -> None:
    known = modules()
    for name, path in known.items():
        layer = name.split(".")[1] if "." in name else None
        if layer in (None, "__main__"):
            continue
        for other in imports(path, known):
            target = other.split(".")[1] if "." in other else None
            if target is not None and target != layer:
                assert LAYERS.index(target) < LAYERS.index(str(layer)), f"{name} imports {other}"


def test_only_backends_and_foreign_modules_import_torch() -> None:
    for name, path in modules().items():
        tree = ast.parse(path.read_text())
        top = {
            (n.module or "") if isinstance(n, ast.ImportFrom) else a.name
            for n in tree.body
            if isinstance(n, ast.Import | ast.ImportFrom)
            for a in n.names
        }
        heavy = {m for m in top if m.split(".")[0] in ("torch", "networkx", "numpy")}
        if not name.startswith("archspec.backends"):
            assert not heavy, f"{name} imports {heavy}"


def loaded_by(code: str) -> set[str]:
    """Which heavy packages a fresh interpreter has loaded after running some code."""
    heavy = "('torch', 'networkx', 'numpy')"
    script = f"{code}\nimport sys\nprint(*[m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.splitlines()[-1].split())


def test_check_and_show_load_nothing_heavy(tmp_path: Path) -> None:
    file = tmp_path / "tiny.yaml"
    file.write_text(SPEC.replace("  - MultiheadAttention: {num_heads: 4}\n", ""))
    for command in ("check", "show"):
        code = f"from archspec.cli import main\nassert main(['{command}', {str(file)!r}]) == 0"
        assert loaded_by(code) == set()


def test_a_refused_spec_loads_nothing_heavy() -> None:
    code = f"import archspec\nassert not archspec.check({SPEC + '  - Convv2d'!r}).ok"
    assert loaded_by(code) == set()


def test_ops_loads_nothing_heavy() -> None:
    assert loaded_by("from archspec.cli import main\nassert main(['ops']) == 0") == set()
    assert loaded_by("from archspec.cli import main\nassert main(['ops', 'LSTM']) == 0") == set()


def test_importing_archspec_loads_not_even_pydantic() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import archspec, sys; print('pydantic' in sys.modules)"],
        capture_output=True,
        text=True,
    )
    assert run.stdout.strip() == "False"
