"""A server of its own for each test, on a home that is made once and copied."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assent.interfaces.api.app import create_app
from assent.interfaces.cli.init import make_home
from assent.interfaces.web.addresses import create_site
from assent.interfaces.web.site import Site
from assent.wiring import Wiring
from tests.security.house import BASE, House
from tests.unit.interfaces.api.server import START, Clock


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("security") / "home"
    make_home(Wiring(clock=START), home, ("anthropic/2025-10-08",)).store.close()
    return home


@pytest.fixture
def house(empty_home: Path, tmp_path: Path) -> Iterator[House]:
    home = tmp_path / "home"
    shutil.copytree(empty_home, home)
    yield from house_on(home)


@pytest.fixture(scope="session")
def open_house(empty_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("open") / "home"
    shutil.copytree(empty_home, home)
    yield from house_on(home)


@pytest.fixture
def patient(open_house: House) -> House:
    """A server that many tests share, for those that change nothing: whoever asks there waits a while each time."""
    open_house.said.clear()
    open_house.patient = True
    return open_house


def house_on(home: Path) -> Iterator[House]:
    """Open the whole server on a home, as it is set up behind a proxy."""
    clock, said = Clock(), []
    wiring = Wiring(home, START)
    world = wiring.world()
    settings = replace(
        world.settings, address=BASE, host_issuer="https://chat.example", product_url="https://chat.example/home"
    )
    world = replace(world, settings=settings, now=lambda: clock.at, ticks=lambda: clock.seconds, say=said.append)
    made: list[Site] = []

    def site(*ports: object) -> Site:
        made.append(create_site(*ports))
        return made[0]

    app = create_app(world, None, site)
    yield House(app, made[0], world, clock, said)
    wiring.store.close()
