"""A home that is made once and copied, and a clock that a test turns."""

from pathlib import Path

import pytest
from tests.unit.interfaces.api.server import START, Clock

from assent.interfaces.cli.init import make_home
from assent.wiring import Wiring


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with nothing in it, made once: copying it is much faster than making it."""
    home = tmp_path_factory.mktemp("empty") / "home"
    made = make_home(Wiring(clock=START), home, ("anthropic/2025-10-08",))
    made.store.close()
    return home


@pytest.fixture
def clock() -> Clock:
    return Clock()
