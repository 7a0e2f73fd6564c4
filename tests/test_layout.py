"""Long lines are laid out as `ruff format` lays them out."""

import ast
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from archspec.backends.source.layout import WIDTH, lay_out, normal

needs_ruff = pytest.mark.skipif(find_spec("ruff") is None, reason="ruff is not installed")


class Dice:
    """Random expressions of the kinds that generated code has."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def name(self) -> str:
        return self.random.choice(["x", "out", "downsample", "denselayer17", "in_channels"])

    def atom(self) -> str:
        number = self.random.choice(["0", "7", "1e-05", "True", "None", '"fan_out"', "-1", "0.5"])
        return self.random.choice([self.name(), self.name(), number])

    def expression(self, depth: int) -> str:
        if depth == 0 or self.random.random() < 0.1:
            return self.atom()
        kinds = [self.call, self.call, self.items, self.operation, self.generator]
        return self.random.choice(kinds)(depth)

    def call(self, depth: int) -> str:
        function = self.random.choice(["nn.Sequential", "torch.cat", "BasicBlock", "self.conv1"])
        args = [self.expression(depth - 1) for _ in range(self.random.randint(0, 4))]
        named = [
            f"{word}={self.expression(depth - 1)}"
            for word in ("stride", "padding")[: self.random.randint(0, 2)]
        ]
        return f"{function}({', '.join(args + named)})"

    def items(self, depth: int) -> str:
        count = self.random.randint(0, 4)
        items = [self.expression(depth - 1) for _ in range(count)]
        start, end = self.random.choice(["[]", "()"])
        comma = "," if count == 1 and start == "(" else ""
        return f"{start}{', '.join(items)}{comma}{end}"

    def operation(self, depth: int) -> str:
        signs = self.random.choice([["+", "-"], ["*", "//", "%"], ["&"], ["|"], ["=="], ["<"]])
        count = 2 if signs[0] in ("==", "<") else self.random.randint(2, 4)
        code = f"({self.expression(depth - 1)})"
        for _ in range(count - 1):
            code += f" {self.random.choice(signs)} ({self.expression(depth - 1)})"
        return code

    def generator(self, depth: int) -> str:
        return f"tuple(({self.expression(depth - 1)} for i in range({self.atom()})), 1)"

    def part(self) -> str:
        """A slice: it stands alone."""
        ends = ["", "1", "-2", self.name(), f"{self.name()}.shape[2]", f"-{self.name()} % 7"]
        first, last = self.random.choice(ends), self.random.choice(ends)
        step = self.random.choice(["", "", ":2", f":{self.name()}"])
        return f"{self.name()}[{':, ' * self.random.randint(0, 2)}{first}:{last}{step}]"

    def methods(self) -> str:
        """A chain of methods: it stands alone."""
        code = self.name()
        for _ in range(self.random.randint(1, 6)):
            name = self.random.choice(["flatten", "permute", "unflatten"])
            numbers = ", ".join(map(str, range(self.random.randint(0, 9))))
            code += f".{name}({numbers})"
        return code

    def statement(self) -> str:
        if self.random.random() < 0.2:
            code = self.methods() if self.random.random() < 0.5 else self.part()
            return f"{'n' * self.random.randint(1, 40)} = {code}"
        code = normal(self.expression(self.random.randint(1, 4)))
        kind = self.random.choice(["x = ", "self.layer1 = ", "return ", "out: Tensor = "])
        sums = isinstance(ast.parse(code, mode="eval").body, ast.BinOp | ast.Compare)
        if code.startswith("(") or (sums and set(code) & set("([")):
            code = f"f({code})"  # a tuple, or a sum of calls, does not stand alone in what we write
        if self.random.random() < 0.1:
            return self.random.choice([f"if {code}:", f"for name in f({code}):"])
        return f"{kind}{code}"


def module(seed: int, count: int) -> str:
    """Functions whose bodies are random statements."""
    dice = Dice(seed)
    lines = []
    for number in range(count):
        arguments = ", ".join(f"a{n}: int = {n}" for n in range(dice.random.randint(0, 9)))
        head = lay_out(f"def f{number}({arguments}) -> dict[str, int]:", 0)
        body = lay_out(dice.statement(), 4)
        ends = body[-1].endswith(":")
        lines += [*head, *body, *(["        pass"] if ends else []), "", ""]
    return "\n".join(lines).rstrip() + "\n"


def differences(text: str, folder: Path) -> str:
    """What `ruff format` would change."""
    (folder / "sample.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--isolated",
        "--no-cache",
        "--diff",
        str(folder / "sample.py"),
    ]
    return subprocess.run(command, capture_output=True, text=True).stdout


@needs_ruff
def test_random_statements_are_left_as_they_are(tmp_path: Path) -> None:
    found = differences(module(1, 300), tmp_path)
    assert found == "", found[:3000]


@needs_ruff
@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 40))
def test_many_random_statements_are_left_as_they_are(seed: int, tmp_path: Path) -> None:
    found = differences(module(seed, 300), tmp_path)
    assert found == "", found[:3000]


def test_a_statement_that_fits_stays() -> None:
    assert lay_out("x = f(1)", 8) == ["        x = f(1)"]
    wide = f"x = f({'1' * (WIDTH - 7)})"
    assert lay_out(wide, 0) == [wide]
    assert lay_out(wide, 1) == [" x = f(", f"     {'1' * (WIDTH - 7)}", " )"]


def test_what_is_laid_out_means_the_same() -> None:
    dice = Dice(0)
    for _ in range(200):
        statement = dice.statement()
        end = "\n  pass" if statement.endswith(":") else ""
        before = ast.dump(ast.parse(f"def f():\n {statement}{end}"))
        text = "\n".join(lay_out(statement, 1)) + end
        assert ast.dump(ast.parse(f"def f():\n{text}")) == before


def test_an_expression_has_the_parentheses_that_it_needs() -> None:
    assert normal("((a + (b)) * (c))") == "(a + b) * c"
    assert normal("((a < b) & (c == (-1)))") == "(a < b) & (c == -1)"
    assert normal("a - (b - c)") == "a - (b - c)"
    assert normal("(2) ** (x)") == "2**x"
    assert normal("f(x) ** 2") == "f(x) ** 2"
    assert normal("((-x) ** 2) ** (-2)") == "((-x) ** 2) ** -2"
    assert normal("x[:, (0)]") == "x[:, 0]"
