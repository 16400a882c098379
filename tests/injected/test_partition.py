"""A network that fails between the API and its database: clear 503s, nothing acknowledged is lost, no restart."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest

from assent.interfaces.api.access import REMEMBERED_S
from tests.injected.line import Line
from tests.injected.serving import WITHIN_S, Place, at_work, harmed, missing, serving
from tests.postgres_server import Server

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

Injected = Callable[..., None]
Harm = Callable[[Line], None]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Iterator[Place]:
    """One server for all of these tests: whatever befalls its line, it is never started again."""
    name = postgres.blank()
    with serving(tmp_path_factory.mktemp("partition") / "home", postgres.address(name)) as made:
        yield made
    postgres.drop(name)


FORGOTTEN_S = REMEMBERED_S + 0.1
"""By then the server remembers no caller and must look the token up, in the database too."""


def cut(line: Line) -> None:
    line.cut()


def freeze(line: Line) -> None:
    line.freeze()


def lose_answers(line: Line) -> None:
    line.go_deaf()


def half_close(line: Line) -> None:
    line.go_deaf()
    time.sleep(0.2)  # what is under way gets to the server, and its answer does not come back
    line.hang_up()


def suffer(place: Place, harm: Harm, *, lasts_s: float) -> None:
    """Do harm once, and look for what was lost."""
    with at_work(place, 2) as products:
        harmed(place, products, harm, lasts_s)
    assert missing(place, products) == []
    assert max(one.slowest for one in products) < WITHIN_S + 3, "a caller waited for longer than it is told"


@pytest.mark.fault("cut line")
def test_a_cut_line_to_the_database_loses_nothing_acknowledged(place: Place) -> None:
    suffer(place, cut, lasts_s=FORGOTTEN_S)


@pytest.mark.fault("frozen line")
def test_a_frozen_line_to_the_database_keeps_nobody_waiting(place: Place) -> None:
    suffer(place, freeze, lasts_s=0.1)


@pytest.mark.fault("lost answers")
def test_an_answer_of_the_database_that_is_lost_is_no_acknowledgement(place: Place) -> None:
    suffer(place, half_close, lasts_s=0.1)


ROUNDS = 25


def suffer_often(place: Place, harms: tuple[Harm, ...], seed: int, injected: Injected) -> None:
    draw = random.Random(seed)
    with at_work(place, 4) as products:
        for _ in range(ROUNDS):
            harmed(place, products, draw.choice(harms), draw.uniform(0, 3))
    assert missing(place, products) == []
    injected(times=ROUNDS, seed=seed)


@pytest.mark.deep
@pytest.mark.fault("cut line")
def test_a_line_that_is_cut_again_and_again_loses_nothing_acknowledged(place: Place, injected: Injected) -> None:
    suffer_often(place, (cut,), 1, injected)


@pytest.mark.deep
@pytest.mark.fault("frozen line")
def test_a_line_that_freezes_again_and_again_loses_nothing_acknowledged(place: Place, injected: Injected) -> None:
    suffer_often(place, (freeze,), 2, injected)


@pytest.mark.deep
@pytest.mark.fault("lost answers")
def test_answers_that_are_lost_again_and_again_are_no_acknowledgements(place: Place, injected: Injected) -> None:
    suffer_often(place, (lose_answers, half_close), 3, injected)
