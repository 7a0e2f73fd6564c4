"""The process `archspec check` on a ResNet-50, against what it cannot do without."""

from statistics import median
from typing import Any

from benchmarks.measure import instructions, interleaved, process, python, ratio, table

SPEC = "benchmarks/resnet50.yaml"
COMMANDS = {
    "python -c pass": python("-c", "pass"),
    "yaml, pydantic, 8 models": python("-m", "benchmarks.floor"),
    "archspec check": python("-m", "archspec", "check", SPEC),
}
AIM = 1.25
BARE, FLOOR, CHECK = COMMANDS


def measure(*, rounds: int = 15) -> dict[str, Any]:
    """CPU seconds and instructions of each process."""
    for command in COMMANDS.values():
        process(command)  # writes bytecode, fills the file cache
    runs = {name: lambda c=command: process(c)[0].cpu for name, command in COMMANDS.items()}
    cpu = interleaved(runs, rounds)
    counts = {name: instructions(command) for name, command in COMMANDS.items()}
    floor = counts[FLOOR]
    return {
        "aim": AIM,
        "rounds": rounds,
        "rows": [
            {
                "process": name,
                "cpu_ms": median(cpu[name]) * 1000,
                "cpu_ratio": ratio(cpu[name], cpu[FLOOR]),
                "instructions": counts[name],
                "instruction_ratio": counts[name] / floor if floor else None,
            }
            for name in COMMANDS
        ],
    }


def show(found: dict[str, Any]) -> str:
    """The table."""
    rows = [
        (
            row["process"],
            row["cpu_ms"],
            row["cpu_ratio"],
            row["instructions"] // 1_000_000 if row["instructions"] else None,
            row["instruction_ratio"],
        )
        for row in found["rows"]
    ]
    title = f"check: the process on a ResNet-50 (aim: {found['aim']} x the models in use)"
    return table(title, ("process", "CPU ms", "ratio", "M instr", "ratio"), rows)
