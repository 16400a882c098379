"""A year of people, choices, flags, holds, crashes, restores and a policy change, against an oracle of its own.

What fails is cut down to the events that are needed, and printed as a script that can be put into a test.
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from tests import postgres_server
from tests.simulation.year.script import Choose, Place, Release, Script, Talk, draw, shrunk, written
from tests.simulation.year.world import Broken, World

from assent.store.schema import hold
from assent.store.sql import holds

NewDatabase = Callable[[], str]


@pytest.fixture
def files() -> NewDatabase:
    return lambda: "assent.db"


@pytest.fixture
def servers(postgres: postgres_server.Server) -> Iterator[NewDatabase]:
    given: list[str] = []

    def new() -> str:
        given.append(postgres.fresh(lambda _address: None))
        return postgres.address(given[-1])

    yield new
    for name in given:
        postgres.give_back(name)


def lives(script: Script, folder: Path, new_database: NewDatabase) -> World:
    """Live through a script in an empty folder. Raises `Broken`, with the shortest script that breaks alike."""
    numbers = count()

    def lived(one: Script) -> World:
        world = World(folder / str(next(numbers)), new_database)
        world.live(one)
        return world

    def fails(one: Script) -> bool:
        try:
            lived(one)
        except Broken:
            return True
        return False

    try:
        return lived(script)
    except Broken as broken:
        short = shrunk(script, fails)
        raise Broken(f"{broken}\nthe shortest script that breaks:\n{written(short)}") from broken


@pytest.mark.fault("year")
def test_some_weeks_with_files_go_as_the_oracle_says(tmp_path: Path, files: NewDatabase) -> None:
    world = lives(draw(76, days=18, people=3, disasters=3), tmp_path, files)
    assert world.crashes, "this seed has no crash, take another"
    assert world.restores, "this seed has no restore, take another"
    assert len(world.oracle.erased) > 3


@pytest.mark.fault("year")
def test_some_weeks_with_a_server_go_as_the_oracle_says(tmp_path: Path, servers: NewDatabase) -> None:
    world = lives(draw(93, days=18, people=3, disasters=3), tmp_path, servers)
    assert len(world.oracle.erased) > 3


@pytest.mark.fault("year")
@pytest.mark.deep
@pytest.mark.parametrize("seed", range(4))
def test_a_year_with_files_goes_as_the_oracle_says(tmp_path: Path, files: NewDatabase, seed: int) -> None:
    world = lives(draw(seed, days=365, people=12), tmp_path, files)
    assert world.crashes
    assert world.restores


@pytest.mark.fault("year")
@pytest.mark.deep
def test_a_year_with_a_server_goes_as_the_oracle_says(tmp_path: Path, servers: NewDatabase) -> None:
    lives(draw(11, days=365, people=12), tmp_path, servers)


@pytest.mark.fault("year")
def test_a_fault_is_caught_and_cut_down_to_a_few_events(
    tmp_path: Path, files: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A year in which holds on people are forgotten is noticed, and told by the talk and the hold that show it."""
    script = (
        Choose(0, "p1", "decline"),
        Talk(1, "t0", "p0"),
        Talk(1, "t1", "p1"),
        Place(2, "h0", "t1"),
        Place(3, "h1", "p0"),
        Release(4, "h0"),
    )
    real = holds.held_spans

    def forgetful(connection: Connection, which: Any = None, *, only: Any = None) -> Any:
        return real(connection, which, only=hold.c.scope != "person" if only is None else only)

    monkeypatch.setattr(holds, "held_spans", forgetful)
    with pytest.raises(Broken, match="was held, and is gone") as caught:
        lives(script, tmp_path, files)
    told = str(caught.value).partition("breaks:\n")[2]
    assert told.count("Talk(") == 1
    assert told.count("Place(") == 1
    assert "Choose(" not in told
