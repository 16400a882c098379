"""The pages, on a home of their own."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.interfaces.api.server import START, Clock
from tests.unit.interfaces.web.visitors import Place, place_on

from assent.wiring import Wiring


@pytest.fixture
def place(empty_home: Path, tmp_path: Path, clock: Clock) -> Iterator[Place]:
    home = tmp_path / "home"
    shutil.copytree(empty_home, home)
    wiring = Wiring(home, START)
    settings = replace(wiring.settings, address="https://assent.test", embed_origins=("https://chat.test",))
    yield place_on(replace(wiring.world(), settings=settings), clock)
    wiring.store.close()
