"""How long `assent --help` takes, against an interpreter that does nothing and one that imports click only."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 25
COMMANDS = {
    "assent --help": [sys.executable, "-m", "assent", "--help"],
    "import click": [sys.executable, "-c", "import click"],
    "python": [sys.executable, "-c", "pass"],
}


def main() -> None:
    """Run the commands in turn and print the median and spread of each, and the ratios to the peer."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append((time.perf_counter() - start) * 1000)
    for name, taken in times.items():
        print(f"  {name:14} {statistics.median(taken):6.0f} ms  ({min(taken):.0f}-{max(taken):.0f})")
    ratios = [a / b for a, b in zip(times["assent --help"], times["import click"], strict=True)]
    print(f"  assent --help / import click: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})")


if __name__ == "__main__":
    main()
