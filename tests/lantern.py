"""The made-up provider of `assent demo`, with sixty people at the end of its story: told once in a run of the tests."""

import fcntl
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import pytest

from assent.wiring import Wiring
from tests.unit.interfaces.homes import Said, call


class Lantern(NamedTuple):
    """What the demo said, and the folder that it left behind: copy its home before you open it."""

    said: Said
    folder: Path


def lantern(temporary: pytest.TempPathFactory) -> Lantern:
    """Let the demo tell its story, or take what another process of this run was told."""
    place = temporary.getbasetemp()
    shared = place.parent if "PYTEST_XDIST_WORKER" in os.environ else place
    folder, told = shared / "lantern", shared / "lantern.json"
    with (shared / "lantern.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            said = call(Wiring(), "demo", "--people", "60", "--no-serve", "--out", folder)
            told.write_text(json.dumps(asdict(said)), "utf-8")
    return Lantern(Said(**json.loads(told.read_text("utf-8"))), folder)
