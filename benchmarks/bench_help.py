"""How long `assent --help` takes, against an interpreter that imports click only, and one that does nothing."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from benchmarks.board.rounds import in_turn, setting
from benchmarks.board.values import Figure, Headline, Result, Words

ROUNDS = setting("ROUNDS", 25, small=3)
COMMANDS = {
    "assent --help": [sys.executable, "-m", "assent", "--help"],
    "import click": [sys.executable, "-c", "import click"],
    "python alone": [sys.executable, "-c", "pass"],
}


def measure() -> Result:
    """Run the commands in turn."""
    runs = {
        name: partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
        for name, command in COMMANDS.items()
    }
    times = in_turn(runs, ROUNDS)
    return Result(
        figures=tuple(Figure(name, times.spread(name, 1e3), "ms") for name in COMMANDS),
        ratios=(Figure("against an interpreter that imports click", times.against("assent --help", "import click")),),
    )


HEADLINE = Headline(
    Words(
        title="The help page",
        work=f"`assent --help` as a process of its own, {ROUNDS} rounds in turn.",
        peer="an interpreter that imports click and ends",
    ),
    measure,
    uses=("click",),
)
