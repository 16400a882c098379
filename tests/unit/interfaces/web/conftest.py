"""A home that is made once and copied, with the pages on it."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.interfaces.api.server import START, Clock
from tests.unit.interfaces.web.visitors import Place, place_on

from assent.interfaces.cli.init import make_home
from assent.wiring import Wiring


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with nothing in it, made once: copying it is much faster than making it."""
    home = tmp_path_factory.mktemp("web") / "home"
    made = make_home(Wiring(clock=START), home, ("anthropic/2025-10-08",))
    made.store.close()
    return home


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def place(empty_home: Path, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    home = tmp_path / "home"
    shutil.copytree(empty_home, home)
    wiring = Wiring(home, START)
    settings = replace(wiring.settings, address="https://assent.test", embed_origins=("https://chat.test",))
    yield place_on(replace(wiring.world(), settings=settings), clock)
    wiring.store.close()
