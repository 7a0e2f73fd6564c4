"""Runs every example of README and docs, and writes what came out back into the pages.

    python -m tests.docs_runner        # regenerate outputs and tables; see what changed with git

Blocks, by the language of their fence:

- `yaml`: a whole spec. It must check clean, without warnings (notes may be); if a `text` block
  follows, that is what `check` says of it.
- `python`: run top to bottom, in one namespace for each page. A `text` block is what it prints.
- `console`: `$ archspec …`, `$ cat FILE` and `$ echo $?`, each with its output.
- `sh`: set-up of a machine, not run: its files and extras must exist.

A first line `# file: NAME` makes the block a file beside the examples that follow (a Python file
is imported by those who name it, and not run; a file of blocks is not checked).
`<!-- begin: NAME -->` opens a table made from the code, `<!-- end -->` closes it.
"""

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archspec import cli
from archspec.diagnostics.render import render
from archspec.ops import registry
from archspec.pipeline import check
from tests import docs_tables

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

OWN = "users_own"
"""The module that the Python examples of a page are, in messages."""
_BLOCK = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_TABLE = re.compile(r"(<!-- begin: (\w+) -->\n)(?:.*\n)*?(<!-- end -->)", re.MULTILINE)
_FILE = re.compile(r"# file: (\S+)\n")
_VOLATILE = (
    (re.compile(r"PyTorch [\w.+]+"), "PyTorch 2.13.0+cpu"),
    (re.compile(r"\d+\.\d ms"), "12.0 ms"),
)


@dataclass(slots=True)
class Page:
    """One page while it is run: its text, its folder, and the names of its Python examples."""

    path: Path
    folder: Path
    names: dict[str, object] = field(default_factory=lambda: {"__name__": OWN})
    printed: str | None = None
    """What the block before printed, if it is for a `text` block to show."""
    status: int = 0

    def run(self) -> str:
        """The text of the page with its outputs and tables as they are now."""
        text = self.path.read_text("utf-8")
        parts, end = [], 0
        blocks = list(_BLOCK.finditer(text))
        for block, after in zip(blocks, [*blocks[1:], None], strict=False):
            adjoins = after is not None and not text[block.end() : after.start()].strip()
            shown = after is not None and adjoins and after[1] == "text"
            line = text.count("\n", 0, block.start()) + 2
            body = self.block(block[1], block[2], line, shown=shown)
            parts += [text[end : block.start(2)], body]
            end = block.end(2)
        made = "".join([*parts, text[end:]])
        return _TABLE.sub(lambda m: f"{m[1]}{docs_tables.TABLES[m[2]]()}{m[3]}", made)

    def block(self, language: str, body: str, line: int, *, shown: bool) -> str:
        """Run one block; gives its text as it should be."""
        where = f"{self.path.name}:{line}"
        if language == "text":
            assert self.printed is not None, f"{where}: a text block shows what a block before said"
            printed, self.printed = self.printed, None
            return printed
        runners: dict[str, Callable[[str, str, bool], str]] = {
            "yaml": self.yaml,
            "python": self.python,
            "console": self.console,
            "sh": self.setup,
        }
        assert language in runners, f"{where}: no runner for {language!r}"
        try:
            return runners[language](body, where, shown)
        except Exception as error:
            error.add_note(f"in the example at {where}")
            raise

    def yaml(self, body: str, where: str, shown: bool) -> str:
        name = self.file(body) or "spec.yaml"
        if name != "spec.yaml" and "inputs:" not in body:
            return body  # a file of blocks, for those that include it
        found = check(body, filename=name).diagnostics
        said = render([each for each in found if shown or each.severity != "note"])
        assert shown or not said, f"{where}: {said}"
        self.printed = said.rstrip() + "\n" if shown else None
        return body

    def python(self, body: str, where: str, shown: bool) -> str:
        if self.file(body):
            return body
        out = io.StringIO()
        code = compile(body, f"{OWN}.py", "exec")
        with contextlib.redirect_stdout(out):
            exec(code, self.names)
        assert shown or not out.getvalue(), f"{where}: prints {out.getvalue()!r}"
        self.printed = out.getvalue() if shown else None
        return body

    def console(self, body: str, where: str, shown: bool) -> str:
        commands = [line for line in body.splitlines() if line.startswith("$ ")]
        assert body.startswith("$ "), f"{where}: a console block begins with `$ `"
        kept = self.outputs(body)
        return "".join(
            f"{command}\n{_settled(self.command(command[2:]), before)}"
            for command, before in zip(commands, kept, strict=True)
        )

    def outputs(self, body: str) -> list[str]:
        """What stands under each command."""
        return [part.partition("\n")[2] for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]]

    def command(self, text: str) -> str:
        """The output of one command."""
        words = shlex.split(text)
        if words == ["echo", "$?"]:
            return f"{self.status}\n"
        if words[0] == "cat":
            return "".join(Path(name).read_text("utf-8") for name in words[1:])
        program, *arguments = words
        assert program == "archspec", f"only archspec, cat and echo are run, not {program}"
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                self.status = cli.main(arguments)
            except SystemExit as leave:
                self.status = int(leave.code or 0)
        return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines()) + "\n"

    def setup(self, body: str, where: str, shown: bool) -> str:
        """Not run here: but the files and extras that it names must exist."""
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        for name in re.findall(r"[\w/]+\.(?:yaml|txt|toml|md)\b", body):
            assert (ROOT / name).exists(), f"{where}: there is no {name}"
        for group in re.findall(r"\.\[([\w,]+)\]", body):
            for extra in group.split(","):
                assert extra in extras["optional-dependencies"], f"{where}: no extra {extra}"
        return body

    def file(self, body: str) -> str | None:
        """Write the file that a block is, if it is one."""
        named = _FILE.match(body)
        if named is None:
            return None
        (self.folder / named[1]).write_text(body, "utf-8")
        return named[1]


def _settled(output: str, before: str) -> str:
    """An output, with times and versions as they stood in the page if nothing else changed."""
    return before if _steady(output) == _steady(before) else output


def _steady(text: str) -> str:
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return text


def rendered(path: Path) -> str:
    """A page as it should read, after all its examples were run. Raises what they raise."""
    with tempfile.TemporaryDirectory() as folder, _at_home(Path(folder)):
        return Page(path, Path(folder)).run()


@contextlib.contextmanager
def _at_home(folder: Path) -> Iterator[None]:
    """In a folder of its own, beside the specs; what examples register is forgotten."""
    os.symlink(ROOT / "specs", folder / "specs")
    registry.names()  # all built-in types are loaded now: what is added later is an example's
    before, types, modules = os.getcwd(), dict(registry._types), set(sys.modules)
    colour = os.environ.pop("FORCE_COLOR", None)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        os.chdir(before)
        registry._types.clear()
        registry._types.update(types)
        for name in set(sys.modules) - modules:
            if str(folder) in str(getattr(sys.modules[name], "__file__", None)):
                del sys.modules[name]
        if colour is not None:
            os.environ["FORCE_COLOR"] = colour


def main() -> None:
    """Regenerate all pages, or those that are named."""
    wanted = [Path(name).resolve() for name in sys.argv[1:]] or PAGES
    for path in wanted:
        text = rendered(path)
        if text != path.read_text("utf-8"):
            path.write_text(text, "utf-8")
            print(f"changed: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
