"""A home of assent beside a product: commands are run as an operator runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

LONGEST_S = 900
"""Longer than any command takes on a machine that does much else."""


def home_in(folder: Path) -> Callable[..., str]:
    """Make a home in a folder; gives what runs `assent` there and returns what it printed, or raises."""

    def assent(*arguments: object, expect: int = 0, **environment: str) -> str:
        command = [sys.executable, "-m", "assent", *map(str, arguments)]
        around = {**os.environ, "ASSENT_HOME": str(folder / "home"), "NO_COLOR": "1", **environment}
        done = subprocess.run(
            command, cwd=folder, env=around, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
        if done.returncode != expect:
            raise AssertionError(f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    assent("init", folder / "home")
    return assent
