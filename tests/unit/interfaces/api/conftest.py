"""The server, on a home of its own."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.interfaces.api.server import START, Api, Clock, echo_routes

from assent.interfaces.api.app import create_app
from assent.interfaces.api.world import World
from assent.services.tokens import add_token
from assent.store.records import ROLES
from assent.wiring import Wiring


@pytest.fixture
def world(empty_home: Path, tmp_path: Path, clock: Clock) -> Iterator[World]:
    home = tmp_path / "home"
    shutil.copytree(empty_home, home)
    wiring = Wiring(home, START)
    yield replace(wiring.world(), now=lambda: clock.at, ticks=lambda: clock.seconds)
    wiring.store.close()


@pytest.fixture
def api(world: World, clock: Clock) -> Api:
    said: list[str] = []
    world = replace(world, say=said.append)
    tokens = {role: add_token(world.store, f"the-{role}", role, key=world.new_key(), now=clock.at) for role in ROLES}
    app = create_app(world)
    app.router.routes.extend(echo_routes().routes)
    return Api(app, world, clock, tokens, said)
